//! One call as the world saw it: what faults are decided on and what tests read afterwards.

use std::fmt;
use std::sync::Arc;

use crate::fault::Effect;
use crate::text::Text;

/// The services of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Amazon DynamoDB (JSON 1.0).
    DynamoDb,
    /// Amazon Kinesis Data Streams (JSON 1.1).
    Kinesis,
    /// Amazon S3 (REST, XML).
    S3,
    /// Amazon SageMaker Runtime (REST, JSON).
    SageMaker,
    /// Amazon SNS (Query, XML).
    Sns,
    /// Amazon SQS (JSON 1.0).
    Sqs,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DynamoDb => "DynamoDB",
            Self::Kinesis => "Kinesis",
            Self::S3 => "S3",
            Self::SageMaker => "SageMaker",
            Self::Sns => "SNS",
            Self::Sqs => "SQS",
        })
    }
}

/// One attempt of one operation; a retry by the SDK is a call of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// 1 for the world's first call.
    pub number: u64,
    /// The world's time at which the call arrived, in milliseconds since 1970.
    pub at_ms: i64,
    /// The service called.
    pub service: Service,
    /// The operation, as AWS names it: `PutRecords`.
    pub operation: String,
    /// Table, stream, bucket, topic ARN or queue URL; several tables joined by a comma.
    pub resource: String,
    /// The items, records, messages or the object that the call is about, in the request's order.
    pub parts: Arc<[Part]>,
    /// The SDK's attempt: 1 for the first, 2 for its first retry.
    pub attempt: u32,
    /// `Some` for DynamoDB's reads: whether a consistent read was asked for.
    pub consistent: Option<bool>,
    /// The fault that hit the call.
    pub fault: Option<Effect>,
    /// What the caller was told.
    pub answer: Answer,
    /// Its place among the world's effects, from 1, if it was done and not refused, whatever the caller was told.
    pub happened: Option<u64>,
}

/// One item, record, message or object of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// DynamoDB: the key's values joined by `/`; Kinesis: the partition key; S3: the object's key; SNS: the
    /// entry's id (empty for a single Publish); SQS: the receipt handle, if there is one.
    pub key: String,
    /// The content as text: the item's JSON, the record's data, the object's body, the message.
    pub text: Text,
}

/// What the caller was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing so far: the call is under way, or never answered.
    None,
    /// The connection was dropped.
    Dropped,
    /// An answer with this HTTP status and, unless it is a success, the error's code.
    Status(u16, Option<String>),
}

impl Call {
    /// Whether a part's key or content, or the resource, contains the text.
    pub fn mentions(&self, text: &str) -> bool {
        self.resource.contains(text)
            || self
                .parts
                .iter()
                .any(|part| part.key.contains(text) || part.text.contains(text))
    }

    /// Whether the caller was told that the call (or a part of it) succeeded.
    pub fn succeeded(&self) -> bool {
        matches!(self.answer, Answer::Status(200..=299, _))
    }
}
