//! The delivery streams of a deployment, read back and switched off.

use firehose_delivery::Settings;
use serde::Deserialize;
use serde_json::Value;

use super::StackError;
use super::aws_cli::AwsCli;

/// A delivery stream as it was deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedDelivery {
    /// Its name.
    pub name: String,
    /// What it is called here: its name without the stack's.
    pub label: String,
    /// Its ARN.
    pub arn: String,
    /// Its `VersionId`.
    pub version: String,
    /// The Kinesis stream that it reads.
    pub source_arn: String,
    /// The bucket that it delivers to.
    pub bucket: String,
    /// How it gathers, transforms and names.
    pub settings: Settings,
}

impl DeployedDelivery {
    /// Its region.
    pub fn region(&self) -> &str {
        self.arn.split(':').nth(3).unwrap_or_default()
    }
}

/// Describes every delivery stream that reads a Kinesis stream, and deletes it: the emulator hands over each record by
/// itself as it comes, and knows no other switch.
pub(super) async fn read_back(
    cli: &mut AwsCli,
    stack: &str,
) -> Result<Vec<DeployedDelivery>, StackError> {
    let names: Names = cli.ask(["firehose", "list-delivery-streams"]).await?;
    let mut deliveries = Vec::new();
    for name in names.delivery_stream_names {
        let stream = ["--delivery-stream-name", &name];
        let words = ["firehose", "describe-delivery-stream"];
        let described: Value = cli.ask(words.iter().chain(&stream)).await?;
        deliveries.extend(deployed(stack, &described)?);
        let words = ["firehose", "delete-delivery-stream"];
        cli.run(words.iter().chain(&stream)).await?;
    }
    Ok(deliveries)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Names {
    delivery_stream_names: Vec<String>,
}

/// What is described; none of a stream that records are put to directly, or that delivers elsewhere than to a bucket.
fn deployed(stack_name: &str, described: &Value) -> Result<Option<DeployedDelivery>, StackError> {
    let stream = &described["DeliveryStreamDescription"];
    let source = &stream["Source"]["KinesisStreamSourceDescription"]["KinesisStreamARN"];
    let destination = &stream["Destinations"][0]["ExtendedS3DestinationDescription"];
    let (Some(source), Some(bucket)) = (source.as_str(), destination["BucketARN"].as_str()) else {
        return Ok(None);
    };
    let text = |name: &str| stream[name].as_str().unwrap_or_default().to_owned();
    let name = text("DeliveryStreamName");
    let settings = match Settings::from_json(&destination.to_string()) {
        Ok(settings) => settings,
        Err(source) => return Err(StackError::Delivery { name, source }),
    };
    let label = name
        .strip_prefix(stack_name)
        .and_then(|rest| rest.strip_prefix('-'));
    Ok(Some(DeployedDelivery {
        label: label.unwrap_or(&name).to_owned(),
        name,
        arn: text("DeliveryStreamARN"),
        version: text("VersionId"),
        source_arn: source.to_owned(),
        bucket: bucket.rsplit(':').next().unwrap_or_default().to_owned(),
        settings,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The AWS CLI's own (1.46.2), recorded against the emulator and shortened.
    fn described() -> Value {
        json!({"DeliveryStreamDescription": {
            "DeliveryStreamName": "andon-readings",
            "DeliveryStreamARN": "arn:aws:firehose:us-east-1:000000000000:deliverystream/andon-readings",
            "DeliveryStreamStatus": "ACTIVE",
            "DeliveryStreamType": "KinesisStreamAsSource",
            "VersionId": "1",
            "Source": {"KinesisStreamSourceDescription": {
                "KinesisStreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/andon-readings",
                "RoleARN": "arn:aws:iam::000000000000:role/andon-ReadingsDeliveryRole-B089516118995"}},
            "Destinations": [{"DestinationId": "destinationId-000000000002", "ExtendedS3DestinationDescription": {
                "BucketARN": "arn:aws:s3:::andon-lakebucket-185526474a626",
                "Prefix": "readings/partition_line=!{partitionKeyFromLambda:line}/day=!{partitionKeyFromLambda:day}/",
                "ErrorOutputPrefix": "errors/readings/!{firehose:error-output-type}/day=!{timestamp:yyyy-MM-dd}/",
                "BufferingHints": {"SizeInMBs": "128", "IntervalInSeconds": "300"},
                "CompressionFormat": "GZIP",
                "ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "Lambda", "Parameters": [
                    {"ParameterName": "LambdaArn",
                     "ParameterValue": "arn:aws:lambda:us-east-1:000000000000:function:andon-lake-readings:$LATEST"},
                    {"ParameterName": "NumberOfRetries", "ParameterValue": "3"},
                    {"ParameterName": "BufferSizeInMBs", "ParameterValue": "1"}]}]},
                "S3BackupMode": "Disabled",
                "DynamicPartitioningConfiguration": {"RetryOptions": {"DurationInSeconds": 300}, "Enabled": true}}}]}})
    }

    #[test]
    fn a_delivery_stream_is_read_with_its_settings() {
        let delivery = deployed("andon", &described()).unwrap().unwrap();
        assert_eq!(
            (delivery.name.as_str(), delivery.label.as_str()),
            ("andon-readings", "readings")
        );
        assert!(delivery.source_arn.ends_with(":stream/andon-readings"));
        assert_eq!(delivery.bucket, "andon-lakebucket-185526474a626");
        assert_eq!(delivery.region(), "us-east-1");
        let settings = delivery.settings;
        assert_eq!(settings.buffer_interval_s, 300);
        assert_eq!(settings.buffer_bytes, 128 * 1024 * 1024);
        assert!(settings.dynamic_partitioning);
    }

    #[test]
    fn what_cannot_run_here_is_named() {
        let mut parquet = described();
        let destination = &mut parquet["DeliveryStreamDescription"]["Destinations"][0];
        destination["ExtendedS3DestinationDescription"]["DataFormatConversionConfiguration"] =
            json!({"Enabled": true});
        let error = deployed("andon", &parquet).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the delivery stream andon-readings cannot run here"
        );
    }

    #[test]
    fn what_reads_no_stream_is_left_out() {
        let mut direct = described();
        direct["DeliveryStreamDescription"]["Source"] = Value::Null;
        assert_eq!(deployed("andon", &direct).unwrap(), None);
    }
}
