//! SQS: standard queues that keep a message until it is deleted, and hide it for a while once received.

use std::collections::BTreeMap;

use md5::{Digest, Md5};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::call::Part;
use crate::connector::Operation;
use crate::protocol::{self, Context, Refusal, Reply};
use crate::world::Services;

const MAX_BODY_BYTES: usize = 1024 * 1024;
const DEFAULT_VISIBILITY_S: i64 = 30;

/// All queues by URL.
pub(crate) type Queues = BTreeMap<String, Queue>;

/// A queue.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    messages: Vec<Queued>,
    /// Messages and receipts so far, for their ids.
    count: u64,
}

/// A message in a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// SQS's id of the message.
    pub id: String,
    /// Its text.
    pub body: String,
    /// When it was sent, in the world's milliseconds since 1970.
    pub sent_ms: i64,
    /// How often it has been received.
    pub receive_count: u32,
}

#[derive(Debug)]
struct Queued {
    message: Message,
    visible_from_ms: i64,
    receipt: Option<String>,
}

impl Queue {
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.messages
            .iter()
            .map(|queued| queued.message.clone())
            .collect()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SendMessage {
    queue_url: String,
    message_body: String,
}

/// Long polling is accepted and answered at once: nobody else acts while a call waits.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ReceiveMessage {
    queue_url: String,
    max_number_of_messages: Option<usize>,
    visibility_timeout: Option<i64>,
    #[serde(rename = "WaitTimeSeconds")]
    _wait_time_seconds: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeleteMessage {
    queue_url: String,
    receipt_handle: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetQueueUrl {
    queue_name: String,
}

pub(crate) fn operation(name: &str, body: &[u8]) -> Result<Box<dyn Operation>, Refusal> {
    match name {
        "SendMessage" => protocol::json::operation::<SendMessage>(body),
        "ReceiveMessage" => protocol::json::operation::<ReceiveMessage>(body),
        "DeleteMessage" => protocol::json::operation::<DeleteMessage>(body),
        "GetQueueUrl" => protocol::json::operation::<GetQueueUrl>(body),
        _ => Err(Refusal::new(
            "UnsupportedOperation",
            format!("not supported: {name}"),
        )),
    }
}

pub(crate) fn reply(result: Result<Json, Refusal>) -> Reply {
    let mut reply = protocol::json::reply("1.0", result, |_| "com.amazonaws.sqs#");
    // SQS spoke the Query protocol once; SDKs still go by that protocol's codes.
    if reply.code.as_deref() == Some("QueueDoesNotExist") {
        let code = "AWS.SimpleQueueService.NonExistentQueue;Sender".to_owned();
        reply.headers.push(("x-amzn-query-error".into(), code));
    }
    reply
}

fn absent() -> Refusal {
    Refusal::new("QueueDoesNotExist", "The specified queue does not exist.")
}

fn named<'a>(queues: &'a mut Queues, url: &str) -> Result<&'a mut Queue, Refusal> {
    queues.get_mut(url).ok_or_else(absent)
}

fn md5_of(body: &str) -> String {
    let digest: [u8; 16] = Md5::digest(body.as_bytes()).into();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Operation for GetQueueUrl {
    fn resource(&self) -> String {
        self.queue_name.clone()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        Vec::new()
    }

    fn perform(&self, services: &mut Services, _: &Context) -> Result<Reply, Refusal> {
        let is_named = |url: &&String| url.rsplit('/').next() == Some(&self.queue_name);
        let url = services.queues.keys().find(is_named).ok_or_else(absent)?;
        Ok(reply(Ok(json!({"QueueUrl": url}))))
    }
}

impl Operation for SendMessage {
    fn resource(&self) -> String {
        self.queue_url.clone()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        vec![Part {
            key: String::new(),
            text: self.message_body.clone().into(),
        }]
    }

    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        let queue = named(&mut services.queues, &self.queue_url)?;
        if self.message_body.is_empty() {
            return Err(Refusal::new(
                "MissingParameter",
                "The request must contain the parameter MessageBody.",
            ));
        }
        if self.message_body.len() > MAX_BODY_BYTES {
            let message = format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {MAX_BODY_BYTES} bytes."
            );
            return Err(Refusal::new("InvalidParameterValue", message));
        }
        queue.count += 1;
        let message = Message {
            id: format!("00000000-0000-6000-8000-{:012x}", queue.count),
            body: self.message_body.clone(),
            sent_ms: context.now_ms,
            receive_count: 0,
        };
        let output = json!({"MessageId": message.id, "MD5OfMessageBody": md5_of(&message.body)});
        queue.messages.push(Queued {
            message,
            visible_from_ms: context.now_ms,
            receipt: None,
        });
        Ok(reply(Ok(output)))
    }
}

impl Operation for ReceiveMessage {
    fn resource(&self) -> String {
        self.queue_url.clone()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        Vec::new()
    }

    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        let queue = named(&mut services.queues, &self.queue_url)?;
        let wanted = self.max_number_of_messages.unwrap_or(1);
        if !(1..=10).contains(&wanted) {
            let message = format!(
                "Value {wanted} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
            );
            return Err(Refusal::new("InvalidParameterValue", message));
        }
        let hidden_ms = self.visibility_timeout.unwrap_or(DEFAULT_VISIBILITY_S) * 1000;
        let Queue { messages, count } = queue;
        let visible = messages
            .iter_mut()
            .filter(|queued| queued.visible_from_ms <= context.now_ms);
        let received: Vec<Json> = visible
            .take(wanted)
            .map(|queued| {
                *count += 1;
                let receipt = format!("receipt-{count}");
                queued.visible_from_ms = context.now_ms + hidden_ms;
                queued.receipt = Some(receipt.clone());
                queued.message.receive_count += 1;
                let Message { id, body, .. } = &queued.message;
                json!({"MessageId": id, "ReceiptHandle": receipt, "Body": body, "MD5OfBody": md5_of(body)})
            })
            .collect();
        Ok(reply(Ok(if received.is_empty() {
            json!({})
        } else {
            json!({"Messages": received})
        })))
    }
}

impl Operation for DeleteMessage {
    fn resource(&self) -> String {
        self.queue_url.clone()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        vec![Part {
            key: self.receipt_handle.clone(),
            text: String::new().into(),
        }]
    }

    /// Deleting what is gone already is a success. A receipt from before the last receive is not enough.
    fn perform(&self, services: &mut Services, _: &Context) -> Result<Reply, Refusal> {
        let queue = named(&mut services.queues, &self.queue_url)?;
        queue
            .messages
            .retain(|queued| queued.receipt.as_deref() != Some(&self.receipt_handle));
        Ok(reply(Ok(json!({}))))
    }
}
