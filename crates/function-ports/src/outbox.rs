//! The quality-events stream: the port, and Kinesis behind it.

use std::future::Future;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::operation::put_records::PutRecordsOutput;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use lambda_function::CallLimits;
use lambda_function::aws::classify;
use quality_event::{EventId, QualityEvent};

use crate::PortError;

/// What one call takes, keys included. Older references grant 5 MiB, newer ones more.
pub const LIMITS: CallLimits = CallLimits {
    entries: 500,
    bytes: 4_500_000,
};

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

    /// What it weighs in a call.
    pub fn bytes(&self) -> usize {
        self.machine.len() + self.json.len()
    }
}

/// Where events go.
pub trait Outbox {
    /// Puts entries in one call and returns the indices of those that were not taken.
    fn put(&self, entries: &[&Entry])
    -> impl Future<Output = Result<Vec<usize>, PortError>> + Send;
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
