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

/// The shard's records as events of at most `batch_size` records, each with its number of records.
pub fn batches(
    envelope: &Envelope,
    shard: &str,
    records: &[StreamRecord],
    batch_size: usize,
) -> Vec<(usize, Vec<u8>)> {
    let mut events = Vec::new();
    let mut event = Event::new();
    for record in records {
        let record = Record {
            source_arn: &envelope.source_arn,
            region: &envelope.region,
            role_arn: &envelope.role_arn,
            shard,
            sequence_number: &record.sequence_number,
            partition_key: &record.partition_key,
            data: &record.data,
            arrived_ms: record.arrived_ms,
        };
        if event.len() == batch_size
            || (!event.is_empty() && event.len_with(&record) > MAX_EVENT_BYTES)
        {
            events.push(std::mem::take(&mut event));
        }
        event.push(&record);
    }
    events.extend((!event.is_empty()).then_some(event));
    events
        .into_iter()
        .map(|event| (event.len(), line(event)))
        .collect()
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
        let events = batches(
            &envelope,
            "shardId-000000000000",
            &records(count, bytes),
            batch_size,
        );
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
