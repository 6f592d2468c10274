//! Records on their way to the function.

use std::collections::VecDeque;

use crate::MAX_PAYLOAD_BYTES;
use crate::action::{InvocationId, Source};
use crate::object::uuid;
use crate::record::{self, Record};
use crate::settings::Transformation;

/// Gathers records until so many bytes, or so long.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    records: VecDeque<(Record, i64)>,
    bytes: usize,
    taken: u64,
}

/// Records that go to the function together.
#[derive(Debug)]
pub(crate) struct Batch {
    pub records: Vec<Record>,
    pub ids: Vec<String>,
    /// The event's `records`, written once.
    written: Vec<u8>,
}

impl Intake {
    pub fn put(&mut self, record: Record, now_ms: i64) {
        self.bytes += record.data.len();
        self.records.push_back((record, now_ms));
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// When the next batch is due: at once if it is full, or else when the first record has waited long enough.
    pub fn due_ms(&self, transformation: &Transformation) -> Option<i64> {
        let (_, since_ms) = self.records.front()?;
        match self.bytes >= transformation.buffer_bytes {
            true => Some(i64::MIN),
            false => {
                let interval_ms = i64::from(transformation.buffer_interval_s) * 1000;
                Some(since_ms.saturating_add(interval_ms))
            }
        }
    }

    /// The next batch; or the next record, if no event can carry it.
    pub fn take(
        &mut self,
        transformation: &Transformation,
        source: &Source,
        now_ms: i64,
    ) -> Result<Batch, Record> {
        let mut batch = Batch {
            records: Vec::new(),
            ids: Vec::new(),
            written: Vec::new(),
        };
        let room = MAX_PAYLOAD_BYTES - envelope(source, InvocationId(u64::MAX), &[]).len();
        let mut bytes = 0;
        while let Some((record, _)) = self.records.front() {
            if !batch.records.is_empty() && bytes + record.data.len() > transformation.buffer_bytes
            {
                break;
            }
            let id = format!("{:056}000000", self.taken);
            let before = batch.written.len();
            if before > 0 {
                batch.written.push(b',');
            }
            record::write(&mut batch.written, &id, record);
            let fits = batch.written.len() <= room;
            if !fits {
                batch.written.truncate(before);
                if before > 0 {
                    break;
                }
            }
            let Some((record, _)) = self.records.pop_front() else {
                break;
            };
            self.taken += 1;
            self.bytes -= record.data.len();
            if !fits {
                return Err(record);
            }
            bytes += record.data.len();
            batch.records.push(record);
            batch.ids.push(id);
        }
        // What is left begins to wait when its batch begins.
        if let Some((_, since_ms)) = self.records.front_mut() {
            *since_ms = now_ms;
        }
        Ok(batch)
    }
}

impl Batch {
    /// The event, as Firehose writes it.
    pub fn event(&self, source: &Source, id: InvocationId) -> Vec<u8> {
        envelope(source, id, &self.written)
    }
}

fn envelope(source: &Source, id: InvocationId, records: &[u8]) -> Vec<u8> {
    let mut head = serde_json::json!({
        "invocationId": uuid(&[&source.stream_arn, "invocation", &id.to_string()]),
        "deliveryStreamArn": source.stream_arn,
        "region": source.region,
    });
    if let Some(arn) = &source.kinesis_stream_arn {
        head["sourceKinesisStreamArn"] = arn.as_str().into();
    }
    let mut event = head.to_string().into_bytes();
    event.pop();
    event.extend_from_slice(b",\"records\":[");
    event.extend_from_slice(records);
    event.extend_from_slice(b"]}");
    event
}
