//! An event source mapping with what it connects.

use crate::deployment::{Deployment, Resource};
use crate::value::{Field, Located};

/// What a mapping reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Kinesis,
    DynamoDb,
    Queue,
    /// A stream of one of the two kinds, which of them is not known.
    Stream,
    /// Kafka, MQ, DocumentDB, or nothing that can be told.
    Other,
}

/// A mapping and its two ends, where the template has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mapping<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) source: Source,
    /// The function, if it is in the template.
    pub(crate) function: Option<&'a Resource>,
    /// The Kinesis stream (also behind a consumer) or queue, if it is in the template.
    pub(crate) origin: Option<&'a Resource>,
    /// Whether the source is a fan-out consumer.
    pub(crate) by_consumer: bool,
}

impl<'a> Mapping<'a> {
    pub(crate) fn new(deployment: &'a Deployment, resource: &'a Resource) -> Self {
        let arn = resource.properties.get("EventSourceArn");
        let target = arn.and_then(|arn| deployment.target(arn));
        // What comes from elsewhere may be anything.
        let target = target.filter(|it| !it.is_opaque());
        let is_function = |name: &Located| deployment.target_of(name, "AWS::Lambda::Function");
        let name = resource.properties.get("FunctionName");
        let function = name.and_then(|name| {
            is_function(name).or_else(|| {
                let target = deployment.target(name)?;
                let stands_for_one = ["AWS::Lambda::Alias", "AWS::Lambda::Version"];
                stands_for_one
                    .contains(&target.kind.as_str())
                    .then(|| is_function(target.properties.get("FunctionName")?))?
            })
        });
        let by_consumer = target.is_some_and(|it| it.kind == "AWS::Kinesis::StreamConsumer");
        let origin = match target {
            Some(it) if by_consumer => it
                .properties
                .get("StreamARN")
                .and_then(|arn| deployment.target_of(arn, "AWS::Kinesis::Stream")),
            other => other,
        };
        Self {
            resource,
            source: source(resource, arn, target),
            function,
            origin,
            by_consumer,
        }
    }

    pub(crate) fn is_stream(&self) -> bool {
        matches!(
            self.source,
            Source::Kinesis | Source::DynamoDb | Source::Stream
        )
    }

    pub(crate) fn field(&self, path: &str) -> Field<'a> {
        self.resource.properties.field(path)
    }

    /// `MaximumRecordAgeInSeconds`, where one is set.
    pub(crate) fn record_age_s(&self) -> Option<f64> {
        self.field("MaximumRecordAgeInSeconds")
            .number_or(-1.0)
            .filter(|age| *age >= 0.0)
    }

    /// Where given-up batches go.
    pub(crate) fn destination(&self) -> Field<'a> {
        self.field("DestinationConfig.OnFailure.Destination")
    }

    /// What Lambda does with the function's role to write there.
    pub(crate) fn destination_actions(&self, deployment: &Deployment) -> &'static [&'static str] {
        let Some(destination) = self.destination().found() else {
            return &[];
        };
        let kind = deployment.target(destination).map(|it| it.kind.as_str());
        let spelling = destination.text().map(|text| text.spelling());
        let spelling = spelling.unwrap_or_default();
        let is = |own: &str, service: &str| match kind {
            Some(kind) => kind == own,
            None => spelling.contains(service),
        };
        if is("AWS::SQS::Queue", ":sqs:") {
            &["sqs:SendMessage"]
        } else if is("AWS::SNS::Topic", ":sns:") {
            &["sns:Publish"]
        } else if is("AWS::S3::Bucket", ":s3:") {
            &["s3:PutObject", "s3:ListBucket"]
        } else {
            &[]
        }
    }
}

fn source(resource: &Resource, arn: Option<&Located>, target: Option<&Resource>) -> Source {
    match target.map(|it| it.kind.as_str()) {
        Some("AWS::Kinesis::Stream" | "AWS::Kinesis::StreamConsumer") => return Source::Kinesis,
        Some(
            "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" | "AWS::Serverless::SimpleTable",
        ) => {
            return Source::DynamoDb;
        }
        Some("AWS::SQS::Queue") => return Source::Queue,
        Some(_) => return Source::Other,
        None => {}
    }
    let spelling = arn.and_then(Located::text).map(|text| text.spelling());
    let spelling = spelling.unwrap_or_default();
    for (service, source) in [
        (":kinesis:", Source::Kinesis),
        (":dynamodb:", Source::DynamoDb),
        (":sqs:", Source::Queue),
    ] {
        if spelling.starts_with("arn:") && spelling.contains(service) {
            return source;
        }
    }
    let properties = &resource.properties;
    let only_streams = ["ParallelizationFactor", "BisectBatchOnFunctionError"];
    if only_streams
        .iter()
        .any(|key| properties.entry(key).is_some())
    {
        return Source::Stream;
    }
    let kafka = [
        "Topics",
        "SelfManagedEventSource",
        "Queues",
        "DocumentDBEventSourceConfig",
    ];
    let is_kafka = kafka.iter().any(|key| properties.entry(key).is_some());
    match arn {
        // An opaque ARN with a starting position: a stream's, since Kafka's mappings name topics.
        Some(_) if properties.entry("StartingPosition").is_some() && !is_kafka => Source::Stream,
        _ => Source::Other,
    }
}
