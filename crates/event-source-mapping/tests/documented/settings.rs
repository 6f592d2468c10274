//! The settings, their defaults and ranges.
//!
//! "Lambda parameters for Amazon Kinesis Data Streams event source mappings",
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html>; ranges also in
//! "CreateEventSourceMapping", <https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html>.

use event_source_mapping::{
    Destination, InvalidSettings, Mapping, Settings, Source, StartingPosition,
};
use serde_json::{Value, json};

use crate::world::{START, World, source};

/// Lambda's published answer to `create-event-source-mapping`, with what the test changes.
fn described(changes: &Value) -> String {
    let mut mapping = json!({
        "UUID": "2b733gdc-8ac3-cdf5-af3a-1827b3b11284",
        "BatchSize": 500,
        "MaximumBatchingWindowInSeconds": 0,
        "ParallelizationFactor": 1,
        "EventSourceArn": "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
        "FunctionArn": "arn:aws:lambda:us-east-2:123456789012:function:my-function",
        "LastModified": 1541139209.351,
        "LastProcessingResult": "No records processed",
        "State": "Creating",
        "StateTransitionReason": "User action",
        "StartingPosition": "TRIM_HORIZON",
        "DestinationConfig": {},
        "MaximumRecordAgeInSeconds": 604_800,
        "BisectBatchOnFunctionError": false,
        "MaximumRetryAttempts": 10_000
    });
    for (name, value) in changes.as_object().unwrap() {
        mapping[name] = value.clone();
    }
    mapping.to_string()
}

fn read(changes: &Value) -> Result<Settings, InvalidSettings> {
    Settings::from_json(&described(changes))
}

/// The setting takes both ends of its range, and is refused by its name beyond them.
#[track_caller]
fn check_range(setting: &str, least: i64, most: i64, beyond: &[i64]) {
    for value in [least, most] {
        read(&json!({setting: value})).unwrap();
    }
    for value in beyond {
        let error = read(&json!({setting: value})).unwrap_err();
        assert_eq!(error.faults.len(), 1, "{error}");
        assert_eq!(error.faults[0].setting, setting);
        assert!(error.to_string().contains(&value.to_string()), "{error}");
    }
}

#[test]
fn what_is_left_out_has_the_documented_default() {
    let settings = Settings::from_json(r#"{"StartingPosition": "TRIM_HORIZON"}"#).unwrap();
    assert_eq!(settings, Settings::default());
    assert_eq!(
        (
            settings.batch_size,
            settings.batching_window_s,
            settings.parallelization_factor
        ),
        (100, 0, 1)
    );
    assert_eq!(
        (
            settings.maximum_retry_attempts,
            settings.maximum_record_age_s
        ),
        (None, None)
    );
    assert!(
        settings.enabled
            && !settings.bisect_batch_on_function_error
            && !settings.report_batch_item_failures
    );
    assert_eq!(settings.on_failure, None);
}

#[test]
fn reads_the_answer_that_lambda_publishes() {
    let settings = read(&json!({})).unwrap();
    let expected = Settings {
        batch_size: 500,
        maximum_record_age_s: Some(604_800),
        maximum_retry_attempts: Some(10_000),
        ..Settings::default()
    };
    assert_eq!(settings, expected);
}

#[test]
fn batch_size_is_1_to_10000() {
    check_range("BatchSize", 1, 10_000, &[0, -1, 10_001]);
}

#[test]
fn batching_window_is_0_to_300_seconds() {
    check_range("MaximumBatchingWindowInSeconds", 0, 300, &[-1, 301]);
}

#[test]
fn parallelization_factor_is_1_to_10() {
    check_range("ParallelizationFactor", 1, 10, &[0, -1, 11]);
}

#[test]
fn retry_attempts_are_0_to_10000_and_minus_1_is_for_ever() {
    check_range("MaximumRetryAttempts", 0, 10_000, &[-2, 10_001]);
    assert_eq!(
        read(&json!({"MaximumRetryAttempts": -1}))
            .unwrap()
            .maximum_retry_attempts,
        None
    );
}

/// Values between -1 and 60 lie in the parameter's absolute range and are not allowed.
#[test]
fn record_age_is_60_to_604800_seconds_and_minus_1_is_for_ever() {
    check_range(
        "MaximumRecordAgeInSeconds",
        60,
        604_800,
        &[-2, 0, 59, 604_801],
    );
    assert_eq!(
        read(&json!({"MaximumRecordAgeInSeconds": -1}))
            .unwrap()
            .maximum_record_age_s,
        None
    );
}

#[test]
fn bisect_and_report_are_switched_on_by_their_fields() {
    let on = json!({"BisectBatchOnFunctionError": true, "FunctionResponseTypes": ["ReportBatchItemFailures"]});
    let settings = read(&on).unwrap();
    assert!(settings.bisect_batch_on_function_error && settings.report_batch_item_failures);
    let error = read(&json!({"FunctionResponseTypes": ["Everything"]})).unwrap_err();
    assert_eq!(error.faults[0].setting, "FunctionResponseTypes");
}

#[test]
fn starting_position_is_one_of_three() {
    let at = |changes| read(&changes).map(|settings| settings.starting_position);
    assert_eq!(
        at(json!({"StartingPosition": "LATEST"})),
        Ok(StartingPosition::Latest)
    );
    assert_eq!(
        at(json!({"StartingPosition": "TRIM_HORIZON"})),
        Ok(StartingPosition::TrimHorizon)
    );
    for timestamp in [
        json!(1_541_139_109),
        json!("2018-11-02T06:11:49Z"),
        json!("2018-11-02T07:11:49+01:00"),
    ] {
        let changes =
            json!({"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": timestamp});
        assert_eq!(
            at(changes),
            Ok(StartingPosition::AtTimestamp(1_541_139_109_000))
        );
    }
    for bad in [
        json!({"StartingPosition": "EARLIEST"}),
        json!({"StartingPosition": "AT_TIMESTAMP"}),
    ] {
        assert!(at(bad).is_err());
    }
}

/// "OnFailure", <https://docs.aws.amazon.com/lambda/latest/api/API_OnFailure.html>, and for FIFO
/// <https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html>.
#[test]
fn failure_destination_is_a_queue_a_topic_or_a_bucket() {
    let to = |arn: &str| read(&json!({"DestinationConfig": {"OnFailure": {"Destination": arn}}}));
    let queue = "arn:aws:sqs:us-east-2:123456789012:dlq";
    let topic = "arn:aws:sns:us-east-2:123456789012:dlt";
    assert_eq!(
        to(queue).unwrap().on_failure,
        Some(Destination::Queue(queue.into()))
    );
    assert_eq!(
        to(topic).unwrap().on_failure,
        Some(Destination::Topic(topic.into()))
    );
    assert_eq!(
        to("arn:aws:s3:::set-aside").unwrap().on_failure,
        Some(Destination::Bucket("set-aside".into()))
    );
    assert_eq!(to("").unwrap().on_failure, None);
    for arn in [
        "kafka://failed",
        "arn:aws:sqs:us-east-2:123456789012:dlq.fifo",
        "arn:aws:s3:::",
        "dlq",
    ] {
        assert_eq!(
            to(arn).unwrap_err().faults[0].setting,
            "DestinationConfig",
            "{arn}"
        );
    }
}

#[test]
fn tumbling_windows_and_filters_are_refused() {
    let changes = json!({"TumblingWindowInSeconds": 30,
        "FilterCriteria": {"Filters": [{"Pattern": "{\"data\":{\"line\":[\"L2\"]}}"}]}});
    let error = read(&changes).unwrap_err();
    let settings: Vec<_> = error.faults.iter().map(|fault| fault.setting).collect();
    assert_eq!(settings, ["TumblingWindowInSeconds", "FilterCriteria"]);
    assert!(
        read(&json!({"TumblingWindowInSeconds": 0, "FilterCriteria": {"Filters": []}})).is_ok()
    );
    let settings = Settings {
        tumbling_window_s: 1,
        ..Settings::default()
    };
    assert!(Mapping::new(settings, source()).is_err());
}

#[test]
fn every_fault_is_told_at_once() {
    let changes = json!({"BatchSize": 0, "ParallelizationFactor": 11, "MaximumRetryAttempts": -2,
        "StartingPosition": "EARLIEST"});
    assert_eq!(read(&changes).unwrap_err().faults.len(), 4);
    assert_eq!(
        Settings::from_json("[").unwrap_err().faults[0].setting,
        "mapping"
    );
}

#[test]
fn the_source_is_a_stream_or_a_consumer_of_one() {
    let consumer =
        "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream/consumer/con1:1540591608";
    for (arn, is_fan_out) in [
        (source().event_source_arn.as_str(), false),
        (consumer, true),
    ] {
        let source = Source {
            event_source_arn: arn.into(),
            ..source()
        };
        assert_eq!(
            (source.is_fan_out(), source.region()),
            (is_fan_out, "us-east-2")
        );
        assert!(source.stream_arn().ends_with("stream/lambda-stream"));
        assert!(Mapping::new(Settings::default(), source).is_ok());
    }
    let table = "arn:aws:dynamodb:us-east-2:123456789012:table/t/stream/2024-01-01T00:00:00.000";
    for arn in [table, "lambda-stream"] {
        let source = Source {
            event_source_arn: arn.into(),
            ..source()
        };
        assert!(Mapping::new(Settings::default(), source).is_err(), "{arn}");
    }
}

/// "Using AWS Lambda with Amazon Kinesis": a disabled mapping keeps its place and resumes from it.
#[test]
fn a_disabled_mapping_resumes_behind_the_last_record_processed() {
    assert!(!read(&json!({"State": "Disabled"})).unwrap().enabled);
    let mut world = World::new(Settings {
        batch_size: 2,
        ..Settings::default()
    });
    world.put_now([1, 2, 3]);
    let invocation = world.one();
    world.mapping.set_enabled(false);
    world.answer(&invocation, &crate::world::ok());
    assert_eq!(world.invoked(), []);
    assert_eq!(world.checkpoint(), Some(2));
    world.now_ms = START + 3_600_000;
    world.mapping.set_enabled(true);
    assert_eq!(crate::world::numbers(&world.one()), [3]);
}
