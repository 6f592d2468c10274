//! PublishBatch: up to ten messages, each with a fate of its own.

use std::collections::BTreeSet;

use super::message::{MAX_BYTES, Published};
use super::{invalid_parameter, reply};
use crate::call::Part;
use crate::connector::Operation;
use crate::protocol::form::Form;
use crate::protocol::{Context, Refusal, Reply, xml};
use crate::world::Services;

const MAX_ENTRIES: usize = 10;
const MAX_ID_CHARS: usize = 80;

#[derive(Debug)]
pub(super) struct PublishBatch {
    topic_arn: String,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    id: String,
    message: Published,
}

impl PublishBatch {
    pub(super) fn read(mut form: Form) -> Result<Self, Refusal> {
        let topic_arn = form
            .take("TopicArn")
            .ok_or_else(|| invalid_parameter("TopicArn"))?;
        let entry = |mut form: Form| {
            let id = form.take("Id").unwrap_or_default();
            let message = Published::read(&mut form, Some(id.clone()))?;
            form.finish()?;
            Ok(Entry { id, message })
        };
        let entries = form
            .take_members("PublishBatchRequestEntries.member")
            .into_iter()
            .map(entry);
        let entries = entries.collect::<Result<Vec<_>, Refusal>>()?;
        // An empty list is sent as an empty parameter.
        form.take("PublishBatchRequestEntries");
        form.finish()?;
        Ok(Self { topic_arn, entries })
    }

    fn check(&self) -> Result<(), Refusal> {
        let ids: BTreeSet<&str> = self.entries.iter().map(|entry| entry.id.as_str()).collect();
        let is_id = |id: &str| {
            (1..=MAX_ID_CHARS).contains(&id.len())
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let (code, message) = if self.entries.is_empty() {
            (
                "EmptyBatchRequest",
                "The batch request doesn't contain any entries.",
            )
        } else if self.entries.len() > MAX_ENTRIES {
            (
                "TooManyEntriesInBatchRequest",
                "The batch request contains more entries than permissible.",
            )
        } else if !ids.iter().all(|id| is_id(id)) {
            (
                "InvalidBatchEntryId",
                "The Id of a batch entry in a batch request doesn't abide by the specification.",
            )
        } else if ids.len() < self.entries.len() {
            (
                "BatchEntryIdsNotDistinct",
                "Two or more batch entries in the request have the same Id.",
            )
        } else if self
            .entries
            .iter()
            .map(|entry| entry.message.size())
            .sum::<usize>()
            > MAX_BYTES
        {
            (
                "BatchRequestTooLong",
                "The length of all the messages put together is more than the limit.",
            )
        } else {
            return Ok(());
        };
        Err(Refusal::new(code, message))
    }
}

impl Operation for PublishBatch {
    fn resource(&self) -> String {
        self.topic_arn.clone()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        let part = |entry: &Entry| Part {
            key: entry.id.clone(),
            text: entry.message.message.clone().into(),
        };
        self.entries.iter().map(part).collect()
    }

    fn answers_in_part(&self) -> bool {
        true
    }

    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        services.topics.check(&self.topic_arn)?;
        self.check()?;
        let (mut successful, mut failed) = (String::new(), String::new());
        for (place, Entry { id, message }) in self.entries.iter().enumerate() {
            let checked = if context.held_back.holds(place) {
                let internal = ("InternalError", "Internal error.");
                let (code, message) = context.held_back.as_error.unwrap_or(internal);
                Err(Refusal::new(code, message))
            } else {
                message.check()
            };
            match checked {
                Ok(()) => {
                    let message_id =
                        services
                            .topics
                            .publish(&self.topic_arn, message.clone(), context.now_ms);
                    let fields = [xml::text("Id", id), xml::text("MessageId", message_id)];
                    successful.push_str(&xml::element("member", &fields.concat()));
                }
                Err(Refusal { code, message, .. }) => {
                    let is_senders = code.contains("Invalid") || code.contains("Authorization");
                    let fields = [
                        xml::text("Id", id),
                        xml::text("Code", code),
                        xml::text("Message", message),
                        xml::text("SenderFault", is_senders),
                    ];
                    failed.push_str(&xml::element("member", &fields.concat()));
                }
            }
        }
        let result = xml::element("Failed", &failed) + &xml::element("Successful", &successful);
        Ok(reply("PublishBatch", &result, &context.request_id))
    }
}
