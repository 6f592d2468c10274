//! Readings, quality events, and batches of them as Lambda hands them over.

use kinesis_batch::envelope::{Event, Record};
use quality_event::{EventId, QualityEvent, Source, Timestamp};
use serde_json::{Value, json};

use crate::STREAM_ARN;

/// Makes batches with ascending sequence numbers.
pub struct Batches {
    shard: &'static str,
    next: u64,
    arrived_ms: i64,
}

impl Batches {
    /// Records of `shard` that arrive at `arrived_ms`, in milliseconds since the epoch.
    pub fn new(shard: &'static str, arrived_ms: i64) -> Self {
        Self {
            shard,
            next: 1,
            arrived_ms,
        }
    }

    /// The sequence number of the n-th record made, from 1.
    pub fn sequence_number(n: u64) -> String {
        format!("49590338271490256608559692538361571095921575989{n:09}")
    }

    /// A batch of plain records, each a partition key and its data.
    pub fn batch<D: AsRef<[u8]>>(&mut self, records: &[(&str, D)]) -> Vec<u8> {
        let mut event = Event::new();
        for (partition_key, data) in records {
            event.push(&Record {
                source_arn: STREAM_ARN,
                region: "eu-central-1",
                role_arn: "arn:aws:iam::123456789012:role/andon",
                shard: self.shard,
                sequence_number: &Self::sequence_number(self.next),
                partition_key,
                data: data.as_ref(),
                arrived_ms: self.arrived_ms,
            });
            self.next += 1;
        }
        event.finish()
    }

    /// A batch of readings or events; the partition key is the machine.
    pub fn of(&mut self, payloads: &[Value]) -> Vec<u8> {
        let texts: Vec<_> = payloads
            .iter()
            .map(|payload| {
                (
                    payload["machine"].as_str().unwrap_or("none"),
                    payload.to_string(),
                )
            })
            .collect();
        self.batch(&texts)
    }
}

/// The body of an invocation that brings the records of `batch` back.
pub fn redriving(batch: &[u8]) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(batch).unwrap();
    body["redrive"] = json!(true);
    body.to_string().into_bytes()
}

/// An unremarkable reading of the press line: no rule of the example plan fires on it.
pub fn reading(machine: &str, second: i64) -> Value {
    let time = Timestamp::from_millis(1_795_136_400_000 + second * 1_000).unwrap();
    json!({
        "machine": machine, "line": "L2", "time": time, "product": "M14860", "grade": "M",
        "measurements": {
            "air_temperature": 298.1, "process_temperature": 308.6, "rotational_speed": 1551, "torque": 42.8,
            "tool_wear": 0,
        },
    })
}

/// A reading on which the critical rule of the scenarios' plan fires.
pub fn overpowered(machine: &str, second: i64) -> Value {
    let mut reading = reading(machine, second);
    reading["measurements"]["torque"] = json!(70.0);
    reading
}

/// An opening that calls for an alert, `second` seconds after 2026-11-20T01:00:00Z in reading time.
pub fn opened(machine: &str, rule: &str, second: i64) -> QualityEvent {
    let time = Timestamp::from_millis(1_795_136_400_000 + second * 1_000).unwrap();
    let source = Source::Stream {
        stream: STREAM_ARN.into(),
        shard: "shardId-000000000000".into(),
        sequence_number: second.to_string(),
        sub_sequence_number: None,
    };
    let id = EventId::derive(&source, "violation", &format!("{rule}/{machine}"));
    let event = json!({
        "id": id, "kind": "violation", "transition": "opened", "episode": id, "rule": rule,
        "severity": "critical", "reaction": "notify", "machine": machine, "line": "L2",
        "time": time, "arrived": time, "tests": [], "values": {"power": 9421.5},
        "summary": format!("Power 9421.5 W outside 3500..9000 W on {machine}"), "plan": "sha256:0000",
        "source": source,
    });
    QualityEvent::from_json(event.to_string().as_bytes()).unwrap()
}

/// The event as it lies on the stream.
pub fn json_of(event: &QualityEvent) -> Value {
    serde_json::from_slice(&event.to_json()).unwrap()
}
