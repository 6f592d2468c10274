//! The failure queue: pointers to batches that Lambda gave up. A message is deleted once its batch has come back.

use std::time::Duration;

use aws_sdk_sqs::Client;

use super::invocation_record::{InvocationRecord, NoRecord};
use crate::aws::failed;
use crate::failure::Failure;

/// The most messages in one answer.
const MAX_MESSAGES: i32 = 10;

/// The queue.
#[derive(Clone, Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

/// A message, and what frees the queue of it.
#[derive(Debug)]
pub struct Message {
    /// SQS's id of it.
    pub id: String,
    /// What it points to.
    pub record: Result<InvocationRecord, NoRecord>,
    receipt: String,
}

impl Queue {
    /// The queue at this URL.
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self {
            client,
            url: url.into(),
        }
    }

    /// Some of the messages, hidden from others for so long; none if none are to be seen.
    pub async fn receive(&self, hidden: Duration) -> Result<Vec<Message>, Failure> {
        let seconds = i32::try_from(hidden.as_secs()).unwrap_or(i32::MAX);
        let receive = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(MAX_MESSAGES)
            .visibility_timeout(seconds)
            // Asks every part of the queue, not a few.
            .wait_time_seconds(1);
        let answer = receive
            .send()
            .await
            .map_err(|error| failed(format_args!("cannot read queue {}", self.url), &error))?;
        let messages = answer.messages.unwrap_or_default();
        Ok(messages
            .into_iter()
            .map(|message| Message {
                id: message.message_id.unwrap_or_default(),
                record: InvocationRecord::read(message.body.unwrap_or_default().as_bytes()),
                receipt: message.receipt_handle.unwrap_or_default(),
            })
            .collect())
    }

    /// Frees the queue of a message.
    pub async fn delete(&self, message: &Message) -> Result<(), Failure> {
        let delete = self
            .client
            .delete_message()
            .queue_url(&self.url)
            .receipt_handle(&message.receipt);
        delete.send().await.map(drop).map_err(|error| {
            failed(
                format_args!("cannot delete message {} of {}", message.id, self.url),
                &error,
            )
        })
    }
}
