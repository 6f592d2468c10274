//! What should have come of the readings: the stream's own records, judged once more. Pure.
//!
//! A machine's readings are judged in stream order, as the functions do; every machine of a run lies on one shard.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use control_plan::{ControlPlan, Reading};
use judgement::{MachineState, judge};
use kinesis_batch::Batch;
use kinesis_batch::envelope::{Event, Record};
use quality_event::{EventId, QualityEvent, Source, Timestamp};

use super::chaos::Poison;
use super::predictions::{Asked, Question};
use crate::record::StreamRecord;

/// What should be found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// Readings, those within aggregates counted one by one.
    pub readings: u64,
    /// The records that carry them.
    pub records: u64,
    /// The events of rules, by id.
    pub events: BTreeMap<String, QualityEvent>,
    /// What those events about the model's answers should say that are on the stream, by id.
    pub predictions: BTreeMap<String, QualityEvent>,
    /// Where the readings lie that cannot be read.
    pub unreadable: BTreeSet<Place>,
    /// Where the records lie that no function survives.
    pub poison: BTreeSet<Place>,
}

/// Where a reading lies on its stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The shard's id.
    pub shard: String,
    /// The record's sequence number.
    pub sequence_number: String,
    /// The place in an aggregate.
    pub sub_sequence_number: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.shard, self.sequence_number)?;
        match self.sub_sequence_number {
            Some(place) => write!(f, "/{place}"),
            None => Ok(()),
        }
    }
}

/// Records decoded at a time.
const CHUNK: usize = 500;

/// A reading that the model is asked about, with its features; none where one is missing.
type QuestionWith = (Question, Option<Vec<f64>>);

/// Judges the records of each shard; not those that are poison, which kill the evaluator alone. What the model's answers
/// call for can be told only once it was asked.
pub fn expected(
    plan: &ControlPlan,
    stream_arn: &str,
    shards: &[(String, Vec<StreamRecord>)],
    poison: Option<&Poison>,
) -> (Expected, Vec<QuestionWith>) {
    let mut expected = Expected::default();
    let mut asked = Vec::new();
    let mut machines: BTreeMap<String, MachineState> = BTreeMap::new();
    for (shard, records) in shards {
        expected.records += records.len() as u64;
        for records in records.chunks(CHUNK) {
            let event = event(stream_arn, shard, records);
            let mut buffer = Vec::new();
            // Written here, it is an event.
            let batch = Batch::decode(&event, &mut buffer).unwrap_or_default();
            for record in batch.user_records() {
                expected.readings += 1;
                let source = Source::Stream {
                    stream: record.stream_arn.to_owned(),
                    shard: record.shard.to_owned(),
                    sequence_number: record.sequence_number.to_owned(),
                    sub_sequence_number: record.sub_sequence_number,
                };
                let reading = plan.read(record.data);
                if let Ok(reading) = &reading {
                    asked.extend(asks(plan, reading, &source, record.arrived_ms));
                }
                let parent = &records[record.parent];
                if poison.is_some_and(|poison| poison.is_in(&parent.data)) {
                    expected.poison.insert(Place {
                        shard: shard.clone(),
                        sequence_number: parent.sequence_number.clone(),
                        sub_sequence_number: None,
                    });
                    continue;
                }
                let arrived = Timestamp::from_millis(record.arrived_ms);
                let (Ok(reading), Ok(arrived)) = (reading, arrived) else {
                    expected.unreadable.insert(Place {
                        shard: record.shard.to_owned(),
                        sequence_number: record.sequence_number.to_owned(),
                        sub_sequence_number: record.sub_sequence_number,
                    });
                    continue;
                };
                let state = machines.entry(reading.machine.clone()).or_default();
                let judged = judge(plan, state, &reading, &source, arrived);
                let events = judged.events.into_iter().map(as_published);
                expected
                    .events
                    .extend(events.map(|event| (event.id.to_string(), event)));
            }
        }
    }
    (expected, asked)
}

/// The event as it is read from its JSON, which cuts over-long texts.
pub fn as_published(event: QualityEvent) -> QualityEvent {
    QualityEvent::from_json(&event.to_json()).unwrap_or(event)
}

/// What the model is asked about a reading, if there is one.
fn asks(
    plan: &ControlPlan,
    reading: &Reading,
    source: &Source,
    arrived_ms: i64,
) -> Option<QuestionWith> {
    let model = plan.model()?;
    let id = |kind| EventId::derive(source, kind, model.id()).to_string();
    let asked = Asked {
        machine: reading.machine.clone(),
        time: reading.time,
        scored: id("prediction"),
        unscored: id("unscored"),
        score: None,
    };
    let mut row = Vec::new();
    let is_whole = plan.features(model, reading, &mut row).is_ok();
    let question = Question {
        asked,
        reading: reading.clone(),
        source: source.clone(),
        arrived: Timestamp::from_millis(arrived_ms).unwrap_or(reading.time),
        is_whole,
    };
    Some((question, is_whole.then_some(row)))
}

/// Opened by the decoder that the functions use, so that aggregates count alike.
fn event(stream_arn: &str, shard: &str, records: &[StreamRecord]) -> Vec<u8> {
    let mut event = Event::new();
    for record in records {
        event.push(&Record {
            source_arn: stream_arn,
            region: "",
            role_arn: "",
            shard,
            sequence_number: &record.sequence_number,
            partition_key: &record.partition_key,
            data: &record.data,
            arrived_ms: record.arrived_ms,
        });
    }
    event.finish()
}

#[cfg(test)]
mod tests {
    use quality_event::Transition;

    use super::*;

    const ARN: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/andon-readings";
    const PLAN: &str = "version: 1
reading: {machine: /machine, time: /time}
characteristics:
  torque: {at: /torque, unit: Nm}
rules:
  - id: too-tight
    when: torque > 60.0
";

    fn record(number: &str, data: impl Into<Vec<u8>>) -> StreamRecord {
        StreamRecord {
            sequence_number: number.to_owned(),
            partition_key: "press-07".to_owned(),
            data: data.into(),
            arrived_ms: 1_545_084_650_987,
        }
    }

    fn reading(torque: f64) -> String {
        format!(r#"{{"machine":"press-07","time":"2026-11-20T00:00:00Z","torque":{torque}}}"#)
    }

    fn id(shard: &str, number: &str, sub: Option<u64>) -> String {
        let source = Source::Stream {
            stream: ARN.to_owned(),
            shard: shard.to_owned(),
            sequence_number: number.to_owned(),
            sub_sequence_number: sub,
        };
        EventId::derive(&source, "violation", "too-tight").to_string()
    }

    #[test]
    fn judges_in_stream_order_and_notes_what_cannot_be_read() {
        let plan = ControlPlan::parse("plan.yaml", PLAN).unwrap();
        let shards = [
            (
                "shardId-000000000000".to_owned(),
                vec![
                    record("101", reading(61.0)),
                    record("102", "no reading"),
                    record("103", reading(50.0)),
                    record("104", reading(50.0)),
                ],
            ),
            ("shardId-000000000001".to_owned(), vec![]),
        ];
        let (found, _) = expected(&plan, ARN, &shards, None);
        assert_eq!((found.readings, found.records), (4, 4));
        let ids = ["101", "103"].map(|number| id("shardId-000000000000", number, None));
        let steps = ids.map(|id| found.events[&id].transition());
        assert_eq!(found.events.len(), 2);
        assert_eq!(steps, [Some(Transition::Opened), Some(Transition::Cleared)]);
        let places: Vec<_> = found.unreadable.iter().map(Place::to_string).collect();
        assert_eq!(places, ["shardId-000000000000:102"]);
    }

    #[test]
    fn opens_aggregates() {
        let plan = ControlPlan::parse("plan.yaml", PLAN).unwrap();
        let (tight, bad) = (reading(61.0), "x");
        let member = |data| kinesis_batch::aggregate::Member {
            partition_key: "press-07",
            explicit_hash_key: None,
            data,
        };
        let aggregate =
            kinesis_batch::aggregate::encode([member(bad.as_bytes()), member(tight.as_bytes())]);
        let shards = [("s".to_owned(), vec![record("101", aggregate)])];
        let (found, _) = expected(&plan, ARN, &shards, None);
        assert_eq!((found.readings, found.records), (2, 1));
        let ids: Vec<_> = found.events.keys().collect();
        assert_eq!(ids, [&id("s", "101", Some(1))]);
        let places: Vec<_> = found.unreadable.iter().map(Place::to_string).collect();
        assert_eq!(places, ["s:101/0"]);
    }
}
