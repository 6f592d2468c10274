//! The quality-events stream: the port, and Kinesis behind it.

use std::future::Future;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::operation::put_records::PutRecordsOutput;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use lambda_function::aws::classify;
use quality_event::{EventId, QualityEvent};

use crate::PortError;

/// The most entries that one call takes.
pub const MAX_ENTRIES: usize = 500;

/// The most bytes that one call carries, keys included: older references grant 5 MiB, newer ones more.
pub const MAX_BYTES: usize = 4_500_000;

/// An event on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The event's id.
    pub id: EventId,
    /// The partition key.
    pub machine: String,
    /// The event's JSON.
    pub json: Vec<u8>,
}

impl Entry {
    /// The entry of `event`.
    pub fn of(event: &QualityEvent) -> Self {
        Self {
            id: event.id.clone(),
            machine: event.machine.clone(),
            json: event.to_json(),
        }
    }

    fn len(&self) -> usize {
        self.machine.len() + self.json.len()
    }
}

/// Where events go.
pub trait Outbox {
    /// Puts entries in one call and returns the indices of those that were not taken.
    fn put(&self, entries: &[&Entry])
    -> impl Future<Output = Result<Vec<usize>, PortError>> + Send;
}

/// `entries` cut into calls that stay within the limits.
pub fn calls<'c, 'e>(entries: &'c [&'e Entry]) -> Vec<&'c [&'e Entry]> {
    let mut calls = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, entry) in entries.iter().enumerate() {
        if index - start == MAX_ENTRIES || (index > start && bytes + entry.len() > MAX_BYTES) {
            calls.push(&entries[start..index]);
            (start, bytes) = (index, 0);
        }
        bytes += entry.len();
    }
    if start < entries.len() {
        calls.push(&entries[start..]);
    }
    calls
}

/// [`Outbox`] on an Amazon Kinesis data stream.
#[derive(Clone, Debug)]
pub struct KinesisOutbox {
    client: Client,
    stream: String,
}

impl KinesisOutbox {
    /// The stream `stream`, reached by `client`.
    pub fn new(client: Client, stream: String) -> Self {
        Self { client, stream }
    }
}

impl Outbox for KinesisOutbox {
    async fn put(&self, entries: &[&Entry]) -> Result<Vec<usize>, PortError> {
        const WHAT: &str = "cannot put quality events on their stream";
        let records = entries.iter().map(|entry| {
            PutRecordsRequestEntry::builder()
                .partition_key(&entry.machine)
                .data(Blob::new(entry.json.clone()))
                .build()
        });
        let records = records
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| PortError {
                what: WHAT,
                passing: false,
                cause: error.into(),
            })?;
        let answer = self
            .client
            .put_records()
            .stream_name(&self.stream)
            .set_records(Some(records))
            .send()
            .await;
        match answer {
            Ok(output) => Ok(refused(&output)),
            Err(error) => Err(PortError {
                what: WHAT,
                passing: classify(&error).is_worth_retrying(),
                cause: error.into(),
            }),
        }
    }
}

/// The indices of the entries that the answer says were not taken.
fn refused(output: &PutRecordsOutput) -> Vec<usize> {
    let records = output.records().iter().enumerate();
    records
        .filter(|(_, record)| record.error_code().is_some())
        .map(|(index, _)| index)
        .collect()
}

#[cfg(test)]
mod tests {
    use quality_event::Source;

    use super::*;

    fn entry(bytes: usize) -> Entry {
        let source = Source::File {
            file: String::new(),
            line: 1,
        };
        Entry {
            id: EventId::derive(&source, "violation", "r"),
            machine: "m".into(),
            json: vec![b' '; bytes],
        }
    }

    #[track_caller]
    fn check(sizes: &[usize], expected: &[usize]) {
        let entries: Vec<_> = sizes.iter().map(|bytes| entry(*bytes)).collect();
        let entries: Vec<_> = entries.iter().collect();
        let lengths: Vec<_> = calls(&entries).into_iter().map(<[_]>::len).collect();
        assert_eq!(lengths, expected);
    }

    #[test]
    fn a_call_stays_within_entries_and_bytes() {
        check(&[], &[]);
        check(&[1; 500], &[500]);
        check(&[1; 501], &[500, 1]);
        check(&[MAX_BYTES - 1, 1], &[1, 1]);
        check(&[MAX_BYTES / 2; 3], &[1, 1, 1]);
        check(&[MAX_BYTES / 4; 4], &[3, 1]);
        check(&[MAX_BYTES * 2, 1], &[1, 1]);
    }
}
