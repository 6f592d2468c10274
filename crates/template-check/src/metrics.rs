//! The metrics that services emit. Source: each service's page of CloudWatch metrics.

/// What one namespace has.
pub(crate) struct Service {
    /// Every dimension that its metrics may have.
    pub(crate) dimensions: &'static [&'static str],
    /// Names; one that ends with `*` stands for all that begin so.
    metrics: &'static [&'static str],
}

impl Service {
    pub(crate) fn emits(&self, metric: &str) -> bool {
        self.metrics.iter().any(|own| match own.strip_suffix('*') {
            Some(prefix) => metric.starts_with(prefix),
            None => *own == metric,
        })
    }
}

/// The service whose namespace it is, where its metrics are listed here.
pub(crate) fn service(namespace: &str) -> Option<&'static Service> {
    match namespace {
        "AWS/Kinesis" => Some(&KINESIS),
        "AWS/Lambda" => Some(&LAMBDA),
        "AWS/Firehose" => Some(&FIREHOSE),
        "AWS/SQS" => Some(&SQS),
        "AWS/SNS" => Some(&SNS),
        _ => None,
    }
}

/// <https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html>
static KINESIS: Service = Service {
    dimensions: &["StreamName", "ShardId", "ConsumerName"],
    metrics: &[
        "GetRecords.Bytes",
        "GetRecords.IteratorAge",
        "GetRecords.IteratorAgeMilliseconds",
        "GetRecords.Latency",
        "GetRecords.Records",
        "GetRecords.Success",
        "IncomingBytes",
        "IncomingRecords",
        "IteratorAgeMilliseconds",
        "MaxRecordSize*",
        "OutgoingBytes",
        "OutgoingRecords",
        "PutRecord.Bytes",
        "PutRecord.Latency",
        "PutRecord.Success",
        "PutRecords.*",
        "ReadProvisionedThroughputExceeded",
        "SubscribeToShard.RateExceeded",
        "SubscribeToShard.Success",
        "SubscribeToShardEvent.Bytes",
        "SubscribeToShardEvent.MillisBehindLatest",
        "SubscribeToShardEvent.Records",
        "SubscribeToShardEvent.Success",
        "WriteProvisionedThroughputExceeded",
    ],
};

/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>
static LAMBDA: Service = Service {
    dimensions: &[
        "FunctionName",
        "Resource",
        "ExecutedVersion",
        "EventSourceMappingUUID",
    ],
    metrics: &[
        "AsyncEventAge",
        "AsyncEventsDropped",
        "AsyncEventsReceived",
        "ClaimedAccountConcurrency",
        "ConcurrentExecutions",
        "DeadLetterErrors",
        "DeletedEventCount",
        "DestinationDeliveryFailures",
        "DroppedEventCount",
        "Duration",
        "Errors",
        "FailedInvokeEventCount",
        "FilteredOutEventCount",
        "Invocations",
        "InvokedEventCount",
        "IteratorAge",
        "OffsetLag",
        "OnFailureDestinationDeliveredEventCount",
        "OversizedRecordCount",
        "PolledEventCount",
        "PostRuntimeExtensionsDuration",
        "Provisioned*",
        "RecursiveInvocationsDropped",
        "SignatureValidationErrors",
        "Throttles",
        "UnreservedConcurrentExecutions",
        "Url*",
    ],
};

/// <https://docs.aws.amazon.com/firehose/latest/dev/cloudwatch-metrics.html>
static FIREHOSE: Service = Service {
    dimensions: &[
        "DeliveryStreamName",
        "DestinationTable",
        "DatabaseName",
        "TableName",
    ],
    metrics: &[
        "ActivePartitionsLimit",
        "BackupToS3.*",
        "BytesPerSecondLimit",
        "DataReadFromKinesisStream.*",
        "DataReadFromSource.*",
        "DeliveryTo*",
        "DescribeDeliveryStream.*",
        "ExecuteProcessing.Duration",
        "ExecuteProcessing.Success",
        "FailedConversion.*",
        "IncomingBytes",
        "IncomingPutRequests",
        "IncomingRecords",
        "JQProcessing.Duration",
        "Kafka*",
        "KinesisMillisBehindLatest",
        "KMS*",
        "ListDeliveryStreams.*",
        "PartitionCount",
        "PartitionCountExceeded",
        "PerPartitionThroughput",
        "PutRecord*",
        "PutRequestsPerSecondLimit",
        "RecordsPerSecondLimit",
        "ResourceCount",
        "Source*",
        "SucceedConversion.*",
        "SucceedProcessing.*",
        "Throttled*",
        "UpdateDeliveryStream.*",
        "UpdateDestination.*",
    ],
};

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>
static SQS: Service = Service {
    dimensions: &["QueueName"],
    metrics: &[
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOf*",
        "NumberOf*",
        "SentMessageSize",
    ],
};

/// <https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html>
static SNS: Service = Service {
    dimensions: &[
        "TopicName",
        "Application",
        "PhoneNumber",
        "Platform",
        "Country",
        "SMSType",
    ],
    metrics: &["NumberOf*", "PublishSize", "SMS*"],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_whole_or_by_their_beginning() {
        for (namespace, metric, expected) in [
            ("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", true),
            ("AWS/Kinesis", "GetRecords.IteratorAgeMillis", false),
            ("AWS/Lambda", "IteratorAge", true),
            ("AWS/Lambda", "IteratorAgeMilliseconds", false),
            ("AWS/Firehose", "DeliveryToS3.DataFreshness", true),
            ("AWS/Firehose", "DataFreshness", false),
        ] {
            assert_eq!(
                service(namespace).unwrap().emits(metric),
                expected,
                "{metric}"
            );
        }
    }
}
