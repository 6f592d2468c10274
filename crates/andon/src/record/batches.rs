//! Records cut into events: so many records, and no more bytes than Lambda puts into an invocation.

use kinesis_batch::envelope::{Event, MAX_EVENT_BYTES, Record};

use super::shard::StreamRecord;
use crate::failure::Failure;

/// What all records of a stream have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    source_arn: String,
    region: String,
    role_arn: String,
}

impl Envelope {
    /// For the stream of this ARN; with `account`, every ARN names that account.
    pub fn new(stream_arn: &str, account: Option<&str>, role: &str) -> Result<Self, Failure> {
        // arn:partition:kinesis:region:account:stream/name
        let parts: Vec<&str> = stream_arn.splitn(6, ':').collect();
        let &[_, partition, _, region, own, resource] = parts.as_slice() else {
            return Err(Failure::input(format_args!(
                "{stream_arn} is not the ARN of a stream"
            )));
        };
        let account = account.unwrap_or(own);
        Ok(Self {
            source_arn: format!("arn:{partition}:kinesis:{region}:{account}:{resource}"),
            region: region.to_owned(),
            role_arn: format!("arn:{partition}:iam::{account}:role/{role}"),
        })
    }
}

/// A shard's records as events of at most so many records, each with its number of records.
#[derive(Debug)]
pub struct Batches<'a> {
    envelope: &'a Envelope,
    shard: &'a str,
    batch_size: usize,
    event: Event,
}

impl<'a> Batches<'a> {
    /// Without a record yet.
    pub fn new(envelope: &'a Envelope, shard: &'a str, batch_size: usize) -> Self {
        Self {
            envelope,
            shard,
            batch_size,
            event: Event::new(),
        }
    }

    /// Takes the next record; the event before it, if it has no place in there.
    pub fn take(&mut self, record: &StreamRecord) -> Option<(usize, Vec<u8>)> {
        let record = Record {
            source_arn: &self.envelope.source_arn,
            region: &self.envelope.region,
            role_arn: &self.envelope.role_arn,
            shard: self.shard,
            sequence_number: &record.sequence_number,
            partition_key: &record.partition_key,
            data: &record.data,
            arrived_ms: record.arrived_ms,
        };
        let is_full =
            self.event.len() == self.batch_size || self.event.len_with(&record) > MAX_EVENT_BYTES;
        let full = is_full.then(|| self.end()).flatten();
        self.event.push(&record);
        full
    }

    /// The event that is not full yet; none if it has no record.
    pub fn end(&mut self) -> Option<(usize, Vec<u8>)> {
        let event = std::mem::take(&mut self.event);
        (!event.is_empty()).then(|| (event.len(), line(event)))
    }
}

/// The event as a text file: with a line feed behind it.
fn line(event: Event) -> Vec<u8> {
    let mut bytes = event.finish();
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:kinesis:us-east-2:000000000000:stream/readings";

    fn records(count: usize, bytes: usize) -> Vec<StreamRecord> {
        let record = |n| StreamRecord {
            sequence_number: format!("4959{n:04}"),
            partition_key: "press-07".into(),
            data: vec![b'x'; bytes],
            arrived_ms: 1_545_084_650_987,
        };
        (0..count).map(record).collect()
    }

    fn sizes(count: usize, bytes: usize, batch_size: usize) -> Vec<usize> {
        let envelope = Envelope::new(ARN, None, "r").unwrap();
        let mut batches = Batches::new(&envelope, "shardId-000000000000", batch_size);
        let records = records(count, bytes);
        let mut events: Vec<_> = records
            .iter()
            .filter_map(|record| batches.take(record))
            .collect();
        events.extend(batches.end());
        assert!(
            events
                .iter()
                .all(|(_, event)| event.len() <= MAX_EVENT_BYTES + 1)
        );
        events.into_iter().map(|(records, _)| records).collect()
    }

    #[test]
    fn events_keep_to_the_batch_size_and_the_payload_limit() {
        assert_eq!(sizes(0, 10, 3), [0; 0]);
        assert_eq!(sizes(7, 10, 3), [3, 3, 1]);
        assert_eq!(sizes(6, 10, 3), [3, 3]);
        assert_eq!(sizes(9, 1 << 20, 100), [4, 4, 1]);
    }

    #[test]
    fn arns_may_name_another_account() {
        let envelope = Envelope::new(ARN, Some("123456789012"), "lambda-role").unwrap();
        assert_eq!(
            envelope.source_arn,
            "arn:aws:kinesis:us-east-2:123456789012:stream/readings"
        );
        assert_eq!(
            envelope.role_arn,
            "arn:aws:iam::123456789012:role/lambda-role"
        );
        assert_eq!(envelope.region, "us-east-2");
        assert!(Envelope::new("readings", None, "r").is_err());
    }
}
