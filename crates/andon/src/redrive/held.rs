//! A record that was set aside or failed, on its way back: the same record, under the same numbers.

use kinesis_batch::Batch;
use kinesis_batch::envelope::{Event, Record, write_user_record};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use set_aside::{Holds, SetAside};

/// A record, and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The function that set it aside or failed on it; none where a file does not tell.
    pub function: Option<String>,
    /// Where in the bucket it lies; none if it came from elsewhere.
    pub origin: Option<Origin>,
    /// Where it was read, for people: file or object and line, or message.
    pub read_from: String,
    /// The record itself.
    pub record: SetAside,
}

/// A line of an object; for a failed batch, a record of its event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The object's key.
    pub key: String,
    /// Counted from 1.
    pub line: usize,
}

/// A record as it goes into an invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// What it came from.
    pub held: Held,
    /// The record's JSON.
    pub json: Vec<u8>,
    /// How many records its function sees in it: those of an aggregate, which may have none, or one.
    pub user_records: usize,
}

/// The record cannot be brought back as it stands.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// A part of the record's place in the stream is not known.
    #[error("it lacks `{0}`")]
    Lacks(&'static str),
    /// A record that is kept as its envelope has to be JSON.
    #[error("its envelope is not JSON")]
    NotJson(#[source] serde_json::Error),
}

impl Held {
    /// The record as it goes into an invocation's `Records`.
    pub fn ready(self) -> Result<Ready, Unfit> {
        let json = match self.record.holds {
            Holds::Envelope => {
                serde_json::from_slice::<IgnoredAny>(&self.record.data).map_err(Unfit::NotJson)?;
                self.record.data.clone()
            }
            Holds::Payload => envelope(&self.record)?,
        };
        let user_records = user_records(&json);
        Ok(Ready {
            held: self,
            json,
            user_records,
        })
    }

    /// What its function sees in it, each record by itself: those of an aggregate, or the one. None where it cannot be
    /// brought back.
    pub fn parts(&self) -> Vec<Self> {
        let Ok(ready) = self.clone().ready() else {
            return Vec::new();
        };
        let (body, mut buffer) = (event(&ready.json), Vec::new());
        let Ok(batch) = Batch::decode(&body, &mut buffer) else {
            return Vec::new();
        };
        let SetAside { reason, detail, .. } = &self.record;
        let readable = batch
            .user_records()
            .map(|record| SetAside::user_record(record, reason, detail));
        let malformed = batch.malformed().iter().map(SetAside::malformed);
        let part = |record| Self {
            function: self.function.clone(),
            origin: self.origin.clone(),
            read_from: self.read_from.clone(),
            record,
        };
        readable.chain(malformed).map(part).collect()
    }
}

fn envelope(record: &SetAside) -> Result<Vec<u8>, Unfit> {
    let stream = record.stream.as_deref().ok_or(Unfit::Lacks("stream"))?;
    let envelope = Record {
        source_arn: stream,
        region: stream.split(':').nth(3).unwrap_or_default(),
        role_arn: "",
        shard: record.shard.as_deref().ok_or(Unfit::Lacks("shard"))?,
        sequence_number: record
            .sequence_number
            .as_deref()
            .ok_or(Unfit::Lacks("sequence_number"))?,
        partition_key: record
            .partition_key
            .as_deref()
            .ok_or(Unfit::Lacks("partition_key"))?,
        data: &record.data,
        arrived_ms: record.arrived.ok_or(Unfit::Lacks("arrived"))?.as_millis(),
    };
    let mut json = Vec::new();
    write_user_record(&mut json, &envelope, record.sub_sequence_number);
    Ok(json)
}

/// How many records a function makes of the record; one that cannot be read is one.
fn user_records(json: &[u8]) -> usize {
    let (body, mut buffer) = (event(json), Vec::new());
    Batch::decode(&body, &mut buffer).map_or(1, |batch| {
        batch.user_records().len() + batch.malformed().len()
    })
}

/// The record alone, brought back.
fn event(json: &[u8]) -> Vec<u8> {
    let mut event = Event::redrive();
    event.push_json(json);
    event.finish()
}

#[cfg(test)]
pub(crate) mod tests {
    use kinesis_batch::aggregate;

    use super::*;

    pub(crate) const STREAM: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/readings";

    /// The `line`-th record of a parked object.
    pub(crate) fn parked(line: usize) -> Held {
        Held {
            function: Some("andon-quality-evaluator".into()),
            origin: Some(Origin {
                key: "parked/andon-quality-evaluator/2026/11/20/a.ndjson".into(),
                line,
            }),
            read_from: format!("a.ndjson:{line}"),
            record: SetAside {
                reason: "commit".into(),
                detail: "the machine press-07 was held for too long".into(),
                holds: Holds::Payload,
                stream: Some(STREAM.into()),
                shard: Some("shardId-000000000006".into()),
                sequence_number: Some(format!("495{line}")),
                sub_sequence_number: None,
                partition_key: Some("press-07".into()),
                arrived: "2026-11-20T01:02:03.610Z".parse().ok(),
                data: br#"{"machine":"press-07"}"#.to_vec(),
            },
        }
    }

    /// The payload of an aggregate without user records: a partition key, and nothing that has it.
    pub(crate) fn empty_aggregate() -> Vec<u8> {
        let md5 = 0x0da6_f998_a7e3_12b8_f523_5eee_b285_497b_u128;
        [&aggregate::MAGIC[..], b"\x0a\x01a", &md5.to_be_bytes()].concat()
    }

    /// As a function reads the record: its numbers, and the rest as JSON.
    fn read_back(ready: &Ready) -> (String, Option<u64>, serde_json::Value) {
        let (body, mut buffer) = (event(&ready.json), Vec::new());
        let batch = Batch::decode(&body, &mut buffer).unwrap();
        assert!(batch.is_redrive() && batch.malformed().is_empty());
        let [record] = batch.user_records().as_slice() else {
            panic!("one record")
        };
        let rest = serde_json::json!([
            record.stream_arn,
            record.shard,
            record.partition_key,
            record.arrived_ms,
            record.data,
        ]);
        (
            record.sequence_number.to_owned(),
            record.sub_sequence_number,
            rest,
        )
    }

    #[test]
    fn a_payload_comes_back_under_its_own_numbers() {
        let mut held = parked(1);
        for place in [None, Some(0), Some(7)] {
            held.record.sub_sequence_number = place;
            let ready = held.clone().ready().unwrap();
            assert_eq!(ready.user_records, 1);
            let rest = serde_json::json!([
                STREAM,
                "shardId-000000000006",
                "press-07",
                1_795_136_523_610_i64,
                held.record.data,
            ]);
            assert_eq!(read_back(&ready), ("4951".to_owned(), place, rest));
        }
    }

    #[test]
    fn an_envelope_goes_back_as_it_stands() {
        let member = aggregate::Member {
            partition_key: "a",
            explicit_hash_key: None,
            data: b"{}",
        };
        let mut held = parked(1);
        held.record.data = aggregate::encode([member, member, member]);
        let aggregate = envelope(&held.record).unwrap();
        for (data, user_records) in [
            (aggregate.as_slice(), 3),
            (br#"{"kinesis":{"data":7}}"#, 1),
            (b"7", 1),
        ] {
            held.record.holds = Holds::Envelope;
            held.record.data = data.to_vec();
            let ready = held.clone().ready().unwrap();
            assert_eq!(
                (ready.json.as_slice(), ready.user_records),
                (data, user_records)
            );
        }
    }

    #[test]
    fn an_aggregate_comes_apart_and_its_parts_come_back_as_they_were() {
        let member = |data| aggregate::Member {
            partition_key: "press-08",
            explicit_hash_key: None,
            data,
        };
        let mut held = parked(1);
        assert_eq!(held.parts(), [held.clone()]);
        held.record.data = aggregate::encode([member(b"{}"), member(b"\xff")]);
        let parts = held.parts();
        let found: Vec<_> = parts
            .into_iter()
            .map(|part| {
                assert_eq!(part.record.holds, Holds::Payload);
                let (number, place, rest) = read_back(&part.ready().unwrap());
                (number, place, rest[2].clone(), rest[4].clone())
            })
            .collect();
        let part = |place: u64, data: &[u8]| {
            let (key, data) = (serde_json::json!("press-08"), serde_json::json!(data));
            ("4951".to_owned(), Some(place), key, data)
        };
        assert_eq!(found, [part(0, b"{}"), part(1, b"\xff")]);
        held.record.data = empty_aggregate();
        assert_eq!(held.parts(), []);
        assert_eq!(held.clone().ready().unwrap().user_records, 0);
        held.record.holds = Holds::Envelope;
        held.record.data = b"7".to_vec();
        let parts = held.parts();
        assert_eq!((parts.len(), &parts[0].record.data[..]), (1, &b"7"[..]));
        held.record.data = b"{".to_vec();
        assert_eq!(held.parts(), []);
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut held = parked(1);
        held.record.partition_key = None;
        assert_eq!(
            held.clone().ready().unwrap_err().to_string(),
            "it lacks `partition_key`"
        );
        held.record.holds = Holds::Envelope;
        held.record.data = b"{".to_vec();
        assert_eq!(
            held.ready().unwrap_err().to_string(),
            "its envelope is not JSON"
        );
    }
}
