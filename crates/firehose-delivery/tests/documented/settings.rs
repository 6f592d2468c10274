//! Settings.
//!
//! "BufferingHints", <https://docs.aws.amazon.com/firehose/latest/APIReference/API_BufferingHints.html>, "ProcessorParameter",
//! <https://docs.aws.amazon.com/firehose/latest/APIReference/API_ProcessorParameter.html>, and
//! "DescribeDeliveryStream", <https://docs.aws.amazon.com/firehose/latest/APIReference/API_DescribeDeliveryStream.html>.

use firehose_delivery::{Compression, Settings, Transformation};
use serde_json::{Value, json};

use crate::world::{FUNCTION, World, plain};

#[test]
fn what_is_left_out_has_the_documented_default() {
    let settings = Settings::from_json("{}").unwrap();
    assert_eq!(
        (settings.buffer_bytes, settings.buffer_interval_s),
        (5 << 20, 300)
    );
    assert_eq!(settings.compression, Compression::None);
    assert_eq!(settings.transformation, None);
    let settings = crate::world::transformed(json!({}));
    let expected = Transformation {
        function_arn: FUNCTION.into(),
        buffer_bytes: 1 << 20,
        buffer_interval_s: 60,
        retries: 3,
    };
    assert_eq!(settings.transformation, Some(expected));
}

#[test]
fn reads_the_answer_of_describe_delivery_stream() {
    let described = json!({"DeliveryStreamDescription": {"DeliveryStreamName": "readings", "Destinations": [
        {"DestinationId": "destinationId-000000000001",
         "S3DestinationDescription": {"CompressionFormat": "GZIP"},
         "ExtendedS3DestinationDescription": {
            "RoleARN": "arn:aws:iam::123456789012:role/r", "BucketARN": "arn:aws:s3:::lake",
            "Prefix": "readings/line=!{partitionKeyFromLambda:line}/day=!{partitionKeyFromLambda:day}/",
            "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/",
            "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
            "CompressionFormat": "GZIP", "EncryptionConfiguration": {"NoEncryptionConfig": "NoEncryption"},
            "DynamicPartitioningConfiguration": {"Enabled": true, "RetryOptions": {"DurationInSeconds": 300}},
            "ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "Lambda", "Parameters": [
                {"ParameterName": "LambdaArn", "ParameterValue": FUNCTION},
                {"ParameterName": "BufferSizeInMBs", "ParameterValue": "0.5"},
                {"ParameterName": "BufferIntervalInSeconds", "ParameterValue": "10"},
                {"ParameterName": "NumberOfRetries", "ParameterValue": "1"},
                {"ParameterName": "RoleArn", "ParameterValue": "arn:r"}]}]},
            "S3BackupMode": "Disabled", "DataFormatConversionConfiguration": {"Enabled": false}}}]}});
    let settings = Settings::from_json(&described.to_string()).unwrap();
    assert_eq!(settings.compression, Compression::Gzip);
    assert_eq!(
        (settings.buffer_bytes, settings.buffer_interval_s),
        (64 << 20, 60)
    );
    assert_eq!(settings.prefix.keys().collect::<Vec<_>>(), ["line", "day"]);
    let transformation = settings.transformation.unwrap();
    assert_eq!(
        (
            transformation.buffer_bytes,
            transformation.buffer_interval_s,
            transformation.retries
        ),
        (1 << 19, 10, 1)
    );
}

#[track_caller]
fn refused(destination: Value, expected: &[&str]) {
    let faults = Settings::from_json(&destination.to_string()).unwrap_err();
    let settings: Vec<_> = faults.faults.iter().map(|fault| fault.setting).collect();
    assert_eq!(settings, expected, "{faults}");
}

#[test]
fn buffering_hints_are_1_to_128_mb_and_0_to_900_seconds() {
    for (size, interval) in [(0, 60), (129, 60), (-1, 60)] {
        refused(
            json!({"BufferingHints": {"SizeInMBs": size, "IntervalInSeconds": interval}}),
            &["BufferingHints.SizeInMBs"],
        );
    }
    refused(
        json!({"BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 901}}),
        &["BufferingHints.IntervalInSeconds"],
    );
}

#[test]
fn the_functions_buffer_is_a_fifth_of_a_mb_to_3_mb() {
    for size in ["0.1", "3.1", "many", "NaN"] {
        refused(
            json!({"ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "Lambda", "Parameters": [
                {"ParameterName": "LambdaArn", "ParameterValue": FUNCTION},
                {"ParameterName": "BufferSizeInMBs", "ParameterValue": size}]}]}}),
            &["BufferSizeInMBs"],
        );
    }
}

#[test]
fn a_switch_that_says_nothing_is_refused() {
    let processors = json!([{"Type": "AppendDelimiterToRecord"}]);
    refused(
        json!({"ProcessingConfiguration": {"Processors": processors}, "DynamicPartitioningConfiguration": {}}),
        &[
            "DynamicPartitioningConfiguration",
            "ProcessingConfiguration",
        ],
    );
    // Nothing to switch on.
    plain(json!({"ProcessingConfiguration": {"Processors": []}}));
    let off = plain(
        json!({"ProcessingConfiguration": {"Enabled": false, "Processors": processors},
        "DynamicPartitioningConfiguration": {"Enabled": false}}),
    );
    assert!(!off.append_delimiter && !off.dynamic_partitioning);
}

#[test]
fn every_fault_is_told_at_once() {
    refused(
        json!({
            "BufferingHints": {"SizeInMBs": 0, "IntervalInSeconds": 901},
            "CompressionFormat": "Snappy",
            "CustomTimeZone": "Asia/Seoul",
            "ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "Lambda"}, {"Type": "Decompression"}]},
        }),
        &[
            "BufferingHints.SizeInMBs",
            "BufferingHints.IntervalInSeconds",
            "CustomTimeZone",
            "LambdaArn",
            "ProcessingConfiguration",
            "CompressionFormat",
        ],
    );
    let broken = Settings::from_json("[").unwrap_err();
    assert_eq!(broken.faults[0].setting, "Destinations");
}

#[test]
fn an_extension_takes_the_place_of_the_compressions() {
    for (destination, end) in [
        (
            json!({"FileExtension": ".json.gz", "CompressionFormat": "GZIP"}),
            ".json.gz",
        ),
        (json!({"FileExtension": ".json"}), ".json"),
        (
            json!({"FileExtension": "", "CompressionFormat": "GZIP"}),
            ".gz",
        ),
    ] {
        let mut world = World::new(plain(destination));
        world.put(b"{}");
        let key = world.stored().key;
        assert!(key.ends_with(end) && !key.ends_with(".gz.json.gz"), "{key}");
    }
    for bad in ["json", ".JSON", ".a/b"] {
        refused(json!({"FileExtension": bad}), &["FileExtension"]);
    }
}

#[test]
fn a_number_may_be_a_text() {
    let hints = json!({"SizeInMBs": "64", "IntervalInSeconds": "300"});
    let read = plain(json!({"BufferingHints": hints}));
    assert_eq!(
        (read.buffer_bytes, read.buffer_interval_s),
        (64 * 1024 * 1024, 300)
    );
}

#[test]
fn what_is_not_reproduced_is_refused() {
    refused(
        json!({"DataFormatConversionConfiguration": {"Enabled": true}}),
        &["DataFormatConversionConfiguration"],
    );
    refused(json!({"S3BackupMode": "Enabled"}), &["S3BackupMode"]);
    refused(
        json!({"Prefix": "!{partitionKeyFromQuery:a}/"}),
        &["Prefix"],
    );
    refused(
        json!({"Prefix": "!{timestamp:EEEE}/", "ErrorOutputPrefix": "e/!{firehose:error-output-type}/"}),
        &["Prefix"],
    );
    for pattern in ["MMMMM", "ddd", "HHH", "DDDD", "SSSSSSSSSS"] {
        refused(
            json!({"Prefix": format!("!{{timestamp:{pattern}}}/"),
                "ErrorOutputPrefix": "e/!{firehose:error-output-type}/"}),
            &["Prefix"],
        );
    }
}
