//! GetShardIterator and GetRecords.

use serde::Deserialize;
use serde_json::json;

use super::sequence::compare;
use super::stream::{Shard, Stream};
use super::{invalid_argument, named, reply, stream_name, validation};
use crate::call::Part;
use crate::connector::Operation;
use crate::protocol::{Context, Refusal, Reply};
use crate::world::Services;

const MAX_LIMIT: usize = 10_000;
const MAX_ANSWER_BYTES: usize = 10 * 1024 * 1024;
const ITERATOR_LIFE_MS: i64 = 5 * 60 * 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GetShardIterator {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    shard_id: String,
    shard_iterator_type: IteratorType,
    starting_sequence_number: Option<String>,
    /// Seconds since 1970.
    timestamp: Option<f64>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum IteratorType {
    AtSequenceNumber,
    AfterSequenceNumber,
    TrimHorizon,
    Latest,
    AtTimestamp,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GetRecords {
    shard_iterator: String,
    limit: Option<usize>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
}

/// A place on a shard: the n-th record, from 0. Opaque to callers, and good for five minutes.
#[derive(Clone, Debug)]
struct Iterator {
    stream: String,
    shard: String,
    n: usize,
    issued_ms: i64,
}

impl Iterator {
    fn encode(&self) -> String {
        let Self {
            stream,
            shard,
            n,
            issued_ms,
        } = self;
        base64_simd::STANDARD.encode_to_string(format!("{stream}|{shard}|{n}|{issued_ms}"))
    }

    fn decode(token: &str) -> Option<Self> {
        let text = String::from_utf8(base64_simd::STANDARD.decode_to_vec(token).ok()?).ok()?;
        let mut fields = text.split('|');
        let mut field = || fields.next();
        Some(Self {
            stream: field()?.to_owned(),
            shard: field()?.to_owned(),
            n: field()?.parse().ok()?,
            issued_ms: field()?.parse().ok()?,
        })
    }
}

impl Operation for GetShardIterator {
    fn resource(&self) -> String {
        stream_name(self.stream_name.as_deref(), self.stream_arn.as_deref()).to_owned()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        vec![Part {
            key: self.shard_id.clone(),
            text: String::new().into(),
        }]
    }

    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        let stream = named(&mut services.streams, &self.resource(), &services.account)?;
        let Some(shard) = stream.shard(&self.shard_id) else {
            return Err(Refusal::new(
                "ResourceNotFoundException",
                format!(
                    "Shard {} in stream {} under account {} does not exist",
                    self.shard_id, stream.name, services.account
                ),
            ));
        };
        let n = self.start(stream, shard)?;
        let iterator = Iterator {
            stream: stream.name.clone(),
            shard: shard.id.clone(),
            n,
            issued_ms: context.now_ms,
        };
        Ok(reply(Ok(json!({"ShardIterator": iterator.encode()}))))
    }
}

impl GetShardIterator {
    fn start(&self, stream: &Stream, shard: &Shard) -> Result<usize, Refusal> {
        let first = |wanted: &dyn Fn(&super::Record) -> bool| {
            let records = (0..shard.places.len()).filter_map(|n| stream.record(shard, n));
            records.take_while(|record| !wanted(record)).count()
        };
        let missing = |name: &str| {
            invalid_argument(format!(
                "Must either specify {name} or use another ShardIteratorType."
            ))
        };
        match self.shard_iterator_type {
            IteratorType::TrimHorizon => Ok(0),
            IteratorType::Latest => Ok(shard.places.len()),
            IteratorType::AtTimestamp => {
                let timestamp = self.timestamp.ok_or_else(|| missing("timestamp"))?;
                let from_ms = (timestamp * 1000.0).round() as i64;
                Ok(first(&|record| record.arrived_ms >= from_ms))
            }
            kind => {
                let number = self
                    .starting_sequence_number
                    .as_deref()
                    .ok_or_else(|| missing("startingSequenceNumber"))?;
                if number.is_empty() || !number.bytes().all(|digit| digit.is_ascii_digit()) {
                    return Err(invalid_argument(format!(
                        "StartingSequenceNumber {number} used in GetShardIterator on shard {} in stream {} is invalid.",
                        shard.id, stream.name
                    )));
                }
                let is_after = kind == IteratorType::AfterSequenceNumber;
                Ok(first(&|record| {
                    let ordering = compare(&record.sequence_number, number);
                    if is_after {
                        ordering.is_gt()
                    } else {
                        ordering.is_ge()
                    }
                }))
            }
        }
    }
}

impl Operation for GetRecords {
    fn resource(&self) -> String {
        let of_iterator = Iterator::decode(&self.shard_iterator).map(|iterator| iterator.stream);
        of_iterator.unwrap_or_else(|| stream_name(None, self.stream_arn.as_deref()).to_owned())
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        let shard = Iterator::decode(&self.shard_iterator).map(|iterator| iterator.shard);
        vec![Part {
            key: shard.unwrap_or_default(),
            text: String::new().into(),
        }]
    }

    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        let limit = self.limit.unwrap_or(MAX_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(validation(format!(
                "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must \
                 have value less than or equal to {MAX_LIMIT}, Member must have value greater than or equal to 1"
            )));
        }
        let Some(iterator) = Iterator::decode(&self.shard_iterator) else {
            return Err(invalid_argument("Invalid ShardIterator."));
        };
        if context.now_ms - iterator.issued_ms > ITERATOR_LIFE_MS {
            return Err(Refusal::new(
                "ExpiredIteratorException",
                "Iterator expired. Iterators expire after 5 minutes.",
            ));
        }
        let stream = named(&mut services.streams, &iterator.stream, &services.account)?;
        let shard = stream
            .shard(&iterator.shard)
            .ok_or_else(|| invalid_argument("Invalid ShardIterator."))?;
        Ok(reply(Ok(answer(
            stream,
            shard,
            &iterator,
            limit,
            context.now_ms,
        ))))
    }
}

fn answer(
    stream: &Stream,
    shard: &Shard,
    iterator: &Iterator,
    limit: usize,
    now_ms: i64,
) -> serde_json::Value {
    let mut bytes = 0;
    let mut n = iterator.n;
    let mut records = Vec::new();
    while let Some(record) = stream.record(shard, n).filter(|_| records.len() < limit) {
        bytes += record.data.len() + record.partition_key.len();
        if bytes > MAX_ANSWER_BYTES {
            break;
        }
        records.push(json!({
            "SequenceNumber": record.sequence_number,
            "ApproximateArrivalTimestamp": seconds(record.arrived_ms),
            "Data": base64_simd::STANDARD.encode_to_string(&record.data),
            "PartitionKey": record.partition_key,
        }));
        n += 1;
    }
    let waiting = stream.record(shard, n).map(|record| record.arrived_ms);
    let mut output = json!({
        "Records": records,
        "MillisBehindLatest": waiting.map_or(0, |arrived_ms| (now_ms - arrived_ms).max(0)),
    });
    // A closed shard that has been read to its end has no further iterator, but children.
    if waiting.is_none() && !shard.is_open() {
        output["ChildShards"] = children(stream, shard);
    } else {
        let next = Iterator {
            n,
            issued_ms: now_ms,
            ..iterator.clone()
        };
        output["NextShardIterator"] = next.encode().into();
    }
    output
}

fn children(stream: &Stream, shard: &Shard) -> serde_json::Value {
    let parents = |child: &Shard| {
        [child.parent.clone(), child.adjacent_parent.clone()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
    };
    let children = stream
        .shards()
        .iter()
        .filter(|child| parents(child).contains(&shard.id));
    children
        .map(|child| {
            json!({
                "ShardId": child.id,
                "ParentShards": parents(child),
                "HashKeyRange": super::describe::hash_key_range(child),
            })
        })
        .collect()
}

/// Timestamps go over the wire as seconds.
pub(super) fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}
