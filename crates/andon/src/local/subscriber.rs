//! Who is told: queues that take what alerts and line stops come to, as a subscriber's program would.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, QueueAttributeName};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::observe::Received;
use crate::aws::failed;
use crate::failure::Failure;

/// Takes a queue's messages as they come: a line stop stays there for minutes only, a run may last longer.
pub struct Subscriber {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<Vec<Received>, Failure>>,
}

const BETWEEN_RECEIVES: Duration = Duration::from_millis(500);
/// A queue may hide messages for a moment: only so many empty answers mean that it is empty.
const EMPTY_RECEIVES: u32 = 2;

impl Subscriber {
    /// Begins to take the messages of the queue at `url`.
    pub fn start(sdk: &SdkConfig, url: &str) -> Self {
        let client = aws_sdk_sqs::Client::new(sdk);
        let url = url.to_owned();
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut received = Vec::new();
            let mut empty = 0;
            loop {
                let messages = receive(&client, &url).await?;
                let stopping =
                    !matches!(stopped.try_recv(), Err(oneshot::error::TryRecvError::Empty));
                empty = if messages.is_empty() && stopping {
                    empty + 1
                } else {
                    0
                };
                if empty == EMPTY_RECEIVES {
                    return Ok(received);
                }
                if messages.is_empty() && !stopping {
                    sleep(BETWEEN_RECEIVES).await;
                }
                received.extend(messages);
            }
        });
        Self { stop, task }
    }

    /// Takes what is still there; then all that it was sent.
    pub async fn finish(self) -> Result<Vec<Received>, Failure> {
        // Gone only if the task has ended with a failure, which it then gives.
        let _ = self.stop.send(());
        self.task
            .await
            .map_err(|error| Failure::check("a subscriber broke off").caused_by(error))?
    }
}

async fn receive(client: &aws_sdk_sqs::Client, url: &str) -> Result<Vec<Received>, Failure> {
    let cannot = || format!("cannot take messages from {url}");
    let answer = client
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(10)
        .wait_time_seconds(0)
        .send()
        .await
        .map_err(|error| failed(cannot(), &error))?;
    let messages = answer.messages();
    let entries: Vec<_> = messages
        .iter()
        .enumerate()
        .filter_map(|(index, message)| {
            let entry = DeleteMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(message.receipt_handle()?);
            entry.build().ok()
        })
        .collect();
    if !entries.is_empty() {
        let delete = client.delete_message_batch().queue_url(url);
        delete
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| failed(cannot(), &error))?;
    }
    Ok(messages.iter().map(received).collect())
}

/// An alert holds its event, a line stop names it.
fn received(message: &Message) -> Received {
    let body: Value = serde_json::from_str(message.body().unwrap_or_default()).unwrap_or_default();
    let id = body.pointer("/event/id").or_else(|| body.get("id"));
    Received {
        id: match id.and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => format!(
                "in message {}",
                message.message_id().unwrap_or("without id")
            ),
        },
    }
}

/// A queue that is subscribed to the topic, raw: what a subscriber's program would get. Its URL.
pub async fn subscribe(sdk: &SdkConfig, topic_arn: &str, name: &str) -> Result<String, Failure> {
    let sqs = aws_sdk_sqs::Client::new(sdk);
    let what = "cannot subscribe a queue to the alert topic";
    let queue = sqs.create_queue().queue_name(name).send().await;
    let url = queue
        .map_err(|error| failed(what, &error))?
        .queue_url
        .unwrap_or_default();
    let attributes = sqs
        .get_queue_attributes()
        .queue_url(&url)
        .attribute_names(QueueAttributeName::QueueArn)
        .send()
        .await
        .map_err(|error| failed(what, &error))?;
    let arn = attributes
        .attributes()
        .and_then(|attributes| attributes.get(&QueueAttributeName::QueueArn));
    let subscription = aws_sdk_sns::Client::new(sdk)
        .subscribe()
        .topic_arn(topic_arn)
        .protocol("sqs")
        .set_endpoint(arn.cloned())
        .attributes("RawMessageDelivery", "true");
    subscription
        .send()
        .await
        .map_err(|error| failed(what, &error))?;
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_by_its_event() {
        for (body, id) in [
            (
                r#"{"version":1,"type":"alert","event":{"id":"5f1c"}}"#,
                "5f1c",
            ),
            (
                r#"{"version":1,"type":"line-stop","id":"5f1d","event":{"id":"5f1d"}}"#,
                "5f1d",
            ),
            ("CRITICAL press-07", "in message m-1"),
        ] {
            let message = Message::builder().message_id("m-1").body(body).build();
            assert_eq!(received(&message).id, id, "{body}");
        }
    }
}
