//! A topic: the port, and SNS behind it.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use aws_sdk_sns::Client;
use aws_sdk_sns::config::Builder;
use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::config::timeout::TimeoutConfig;
use aws_sdk_sns::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sns::operation::publish_batch::PublishBatchOutput;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use lambda_function::CallLimits;
use lambda_function::aws::{Fault, SdkConfig, classify};

/// What one call takes.
pub const LIMITS: CallLimits = CallLimits {
    entries: 10,
    bytes: 262_144,
};

/// How long a call's answer is waited for: longer than elsewhere, because no call is repeated for want of one.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A message as subscribers get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// For e-mail: ASCII, under 100 characters.
    pub subject: Option<String>,
    /// The text, or a JSON object with a text per protocol.
    pub body: String,
    /// Whether `body` is that object.
    pub per_protocol: bool,
    /// What subscribers filter by; no value is empty.
    pub attributes: BTreeMap<&'static str, String>,
}

impl Message {
    /// What it weighs in a call.
    pub fn bytes(&self) -> usize {
        let attributes = self
            .attributes
            .iter()
            .map(|(name, value)| name.len() + "String".len() + value.len());
        self.body.len() + self.subject.as_ref().map_or(0, String::len) + attributes.sum::<usize>()
    }
}

/// Where messages are published.
pub trait Topic {
    /// Publishes in one call, within [`LIMITS`], and tells which messages were not taken.
    fn publish(
        &self,
        messages: &[&Message],
    ) -> impl Future<Output = Result<Vec<Refused>, PublishError>> + Send;
}

/// A message that a topic did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its index in the call.
    pub index: usize,
    /// Whether another attempt may succeed.
    pub passing: bool,
    /// What the topic says.
    pub reason: String,
}

/// A call that failed as a whole.
#[derive(Debug, thiserror::Error)]
#[error("the topic did not take the messages")]
pub struct PublishError {
    /// What is known.
    pub effect: Effect,
    /// What the service said.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

/// What is known of a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing was published; another attempt may succeed.
    NoneYet,
    /// Nothing was published: one of the messages is at fault.
    Message,
    /// Nothing was published, and an attempt right away would fare alike.
    None,
    /// The messages may have been published.
    Unknown,
}

/// [`Topic`] on Amazon SNS.
#[derive(Clone, Debug)]
pub struct SnsTopic {
    client: Client,
    arn: String,
}

impl SnsTopic {
    /// The topic `arn`, reached through a client that is made from [`SnsTopic::config`].
    pub fn new(client: Client, arn: String) -> Self {
        Self { client, arn }
    }

    /// What a topic's client has to be: it repeats no call. A publication whose answer is lost may have happened, and
    /// only the claim's lease decides when it may be tried again.
    pub fn config(sdk: &SdkConfig) -> Builder {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(ANSWER_TIMEOUT)
            .operation_attempt_timeout(ANSWER_TIMEOUT)
            .operation_timeout(ANSWER_TIMEOUT)
            .build();
        Builder::from(sdk)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
    }
}

impl Topic for SnsTopic {
    async fn publish(&self, messages: &[&Message]) -> Result<Vec<Refused>, PublishError> {
        let entries = messages
            .iter()
            .enumerate()
            .map(|(index, message)| entry(index, message));
        let entries = entries
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| PublishError {
                effect: Effect::None,
                cause: error.into(),
            })?;
        let call = self
            .client
            .publish_batch()
            .topic_arn(&self.arn)
            .set_publish_batch_request_entries(Some(entries));
        match call.send().await {
            Ok(output) => Ok(refused(&output)),
            Err(error) => {
                let effect = match (&error, classify(&error)) {
                    (_, Fault::Throttled) => Effect::NoneYet,
                    (SdkError::ServiceError(_), Fault::Permanent)
                        if is_about_a_message(error.code()) =>
                    {
                        Effect::Message
                    }
                    (
                        SdkError::ServiceError(_) | SdkError::ConstructionFailure(_),
                        Fault::Permanent,
                    ) => Effect::None,
                    _ => Effect::Unknown,
                };
                Err(PublishError {
                    effect,
                    cause: error.into(),
                })
            }
        }
    }
}

fn entry(index: usize, message: &Message) -> Result<PublishBatchRequestEntry, BuildError> {
    let attributes = message.attributes.iter().map(|(name, value)| {
        let value = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(value)
            .build()?;
        Ok::<_, BuildError>(((*name).to_owned(), value))
    });
    PublishBatchRequestEntry::builder()
        .id(index.to_string())
        .message(&message.body)
        .set_subject(message.subject.clone())
        .set_message_structure(message.per_protocol.then(|| "json".to_owned()))
        .set_message_attributes(Some(attributes.collect::<Result<_, _>>()?))
        .build()
}

fn is_about_a_message(code: Option<&str>) -> bool {
    matches!(
        code,
        Some(
            "InvalidParameter"
                | "InvalidParameterValue"
                | "ParameterValueInvalid"
                | "ValidationError"
                | "BatchRequestTooLong"
        )
    )
}

/// The messages that the answer says were not taken.
fn refused(output: &PublishBatchOutput) -> Vec<Refused> {
    let entries = output.failed().iter();
    let refused = entries.filter_map(|entry| {
        let passing = !entry.sender_fault() || Fault::of_code(entry.code()) == Fault::Throttled;
        let reason = format!(
            "{}: {}",
            entry.code(),
            entry.message().unwrap_or("no message")
        );
        Some(Refused {
            index: entry.id().parse().ok()?,
            passing,
            reason,
        })
    });
    refused.collect()
}
