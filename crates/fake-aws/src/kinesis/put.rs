//! PutRecord and PutRecords.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::stream::Stream;
use super::{invalid_argument, named, reply, stream_name, validation};
use crate::call::Part;
use crate::connector::Operation;
use crate::protocol::{Context, HeldBack, Refusal, Reply};
use crate::text::Text;
use crate::world::Services;

const MAX_RECORDS: usize = 500;
/// Data and partition key of a record, unless the stream is configured for more.
const MAX_RECORD_BYTES: usize = 1024 * 1024;
/// The limit of older references; the current one is 10 MiB. What keeps to the smaller keeps to both.
const MAX_CALL_BYTES: usize = 5 * 1024 * 1024;
const MAX_KEY_CHARS: usize = 256;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct PutRecord {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    data: String,
    partition_key: String,
    explicit_hash_key: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct PutRecords {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    records: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Entry {
    /// Base64.
    data: String,
    partition_key: String,
    explicit_hash_key: Option<String>,
}

/// An entry that may be put.
struct Checked<'a> {
    partition_key: &'a str,
    explicit_hash_key: Option<u128>,
    data: Bytes,
}

impl Operation for PutRecord {
    fn resource(&self) -> String {
        stream_name(self.stream_name.as_deref(), self.stream_arn.as_deref()).to_owned()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        vec![part(&self.partition_key, &self.data)]
    }

    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        let record = check(
            "",
            &self.data,
            &self.partition_key,
            self.explicit_hash_key.as_deref(),
        )?;
        let stream = named(&mut services.streams, &self.resource(), &services.account)?;
        let record = stream.put(
            record.partition_key,
            record.explicit_hash_key,
            record.data,
            context.now_ms,
        );
        Ok(reply(Ok(
            json!({"SequenceNumber": record.sequence_number, "ShardId": record.shard}),
        )))
    }
}

impl Operation for PutRecords {
    fn resource(&self) -> String {
        stream_name(self.stream_name.as_deref(), self.stream_arn.as_deref()).to_owned()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        self.records
            .iter()
            .map(|entry| part(&entry.partition_key, &entry.data))
            .collect()
    }

    fn answers_in_part(&self) -> bool {
        true
    }

    /// Everything is checked before anything is put; a part of it may be held back all the same.
    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        let entries = self.check()?;
        let account = services.account.clone();
        let stream = named(&mut services.streams, &self.resource(), &account)?;
        let mut failed = 0;
        let mut outcomes = Vec::with_capacity(entries.len());
        for (place, entry) in entries.into_iter().enumerate() {
            outcomes.push(if context.held_back.holds(place) {
                failed += 1;
                failure(&context.held_back, stream, &entry, &account)
            } else {
                let record = stream.put(
                    entry.partition_key,
                    entry.explicit_hash_key,
                    entry.data,
                    context.now_ms,
                );
                json!({"SequenceNumber": record.sequence_number, "ShardId": record.shard})
            });
        }
        Ok(reply(Ok(
            json!({"FailedRecordCount": failed, "Records": outcomes}),
        )))
    }
}

impl PutRecords {
    fn check(&self) -> Result<Vec<Checked<'_>>, Refusal> {
        if self.records.is_empty() || self.records.len() > MAX_RECORDS {
            return Err(validation(format!(
                "1 validation error detected: Value '[{} records]' at 'records' failed to satisfy constraint: Member \
                 must have length less than or equal to {MAX_RECORDS}, Member must have length greater than or \
                 equal to 1",
                self.records.len()
            )));
        }
        let entries = self
            .records
            .iter()
            .enumerate()
            .map(|(place, entry)| {
                let member = format!("records.{}.member.", place + 1);
                check(
                    &member,
                    &entry.data,
                    &entry.partition_key,
                    entry.explicit_hash_key.as_deref(),
                )
            })
            .collect::<Result<Vec<_>, _>>()?;
        let bytes: usize = entries
            .iter()
            .map(|entry| entry.data.len() + entry.partition_key.len())
            .sum();
        if bytes > MAX_CALL_BYTES {
            return Err(invalid_argument("Records size exceeds 5 MB limit"));
        }
        Ok(entries)
    }
}

/// The content as text, as far as it is text.
fn part(partition_key: &str, data: &str) -> Part {
    let data = data.to_owned();
    Part {
        key: partition_key.to_owned(),
        text: Text::lazy(move || {
            let data = base64_simd::STANDARD
                .decode_to_vec(data)
                .unwrap_or_default();
            String::from_utf8_lossy(&data).into_owned()
        }),
    }
}

fn check<'a>(
    member: &str,
    data: &str,
    partition_key: &'a str,
    explicit_hash_key: Option<&str>,
) -> Result<Checked<'a>, Refusal> {
    let constraint = |name: &str, what: String| {
        validation(format!(
            "1 validation error detected: Value at '{member}{name}' failed to satisfy constraint: Member must {what}"
        ))
    };
    let data = base64_simd::STANDARD
        .decode_to_vec(data)
        .map_err(|_| Refusal::new("SerializationException", "data is not valid Base64"))?;
    if data.len() + partition_key.len() > MAX_RECORD_BYTES {
        return Err(constraint(
            "data",
            format!("have length less than or equal to {MAX_RECORD_BYTES}"),
        ));
    }
    match partition_key.chars().count() {
        0 => {
            return Err(constraint(
                "partitionKey",
                "have length greater than or equal to 1".to_owned(),
            ));
        }
        1..=MAX_KEY_CHARS => {}
        _ => {
            return Err(constraint(
                "partitionKey",
                format!("have length less than or equal to {MAX_KEY_CHARS}"),
            ));
        }
    }
    let explicit_hash_key = match explicit_hash_key {
        None => None,
        Some(text) if text != "0" && !text.starts_with(|first: char| ('1'..='9').contains(&first)) => {
            return Err(constraint("explicitHashKey", "satisfy regular expression pattern: 0|([1-9]\\d{0,38})".to_owned()));
        }
        Some(text) => Some(text.parse::<u128>().map_err(|_| {
            invalid_argument(format!("Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {text}"))
        })?),
    };
    Ok(Checked {
        partition_key,
        explicit_hash_key,
        data: data.into(),
    })
}

fn failure(
    held_back: &HeldBack,
    stream: &Stream,
    entry: &Checked,
    account: &str,
) -> serde_json::Value {
    let shard = &stream
        .shard_for(entry.partition_key, entry.explicit_hash_key)
        .id;
    let throttled = format!(
        "Rate exceeded for shard {shard} in stream {} under account {account}.",
        stream.name
    );
    let (code, message) = match held_back.as_error {
        Some((code, message)) => (code, message),
        None => ("ProvisionedThroughputExceededException", throttled.as_str()),
    };
    json!({"ErrorCode": code, "ErrorMessage": message})
}
