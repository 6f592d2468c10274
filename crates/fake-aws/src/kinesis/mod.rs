//! Kinesis Data Streams: shards, records, iterators. Errors and messages are Kinesis's own.

mod describe;
mod put;
mod read;
mod sequence;
mod stream;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::connector::Operation;
use crate::protocol::{Refusal, Reply, json};

pub use stream::{Record, Shard};

pub(crate) use stream::Stream;

/// All streams by name.
pub(crate) type Streams = BTreeMap<String, Stream>;

pub(crate) fn operation(name: &str, body: &[u8]) -> Result<Box<dyn Operation>, Refusal> {
    match name {
        "PutRecord" => json::operation::<put::PutRecord>(body),
        "PutRecords" => json::operation::<put::PutRecords>(body),
        "ListShards" => json::operation::<describe::ListShards>(body),
        "DescribeStreamSummary" => json::operation::<describe::DescribeStreamSummary>(body),
        "GetShardIterator" => json::operation::<read::GetShardIterator>(body),
        "GetRecords" => json::operation::<read::GetRecords>(body),
        _ => Err(Refusal::new(
            "UnknownOperationException",
            format!("not supported: {name}"),
        )),
    }
}

pub(crate) fn reply(result: Result<Json, Refusal>) -> Reply {
    json::reply("1.1", result, |_| "")
}

fn validation(message: impl Into<String>) -> Refusal {
    Refusal::new("ValidationException", message)
}

fn invalid_argument(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidArgumentException", message)
}

/// The name of the stream that a request names by name or by ARN.
fn stream_name<'a>(name: Option<&'a str>, arn: Option<&'a str>) -> &'a str {
    let of_arn = |arn: &'a str| arn.rsplit_once("stream/").map_or(arn, |(_, name)| name);
    name.or(arn.map(of_arn)).unwrap_or_default()
}

fn named<'a>(
    streams: &'a mut Streams,
    name: &str,
    account: &str,
) -> Result<&'a mut Stream, Refusal> {
    if name.is_empty() {
        return Err(invalid_argument(
            "Either StreamName or StreamARN must be provided.",
        ));
    }
    streams.get_mut(name).ok_or_else(|| {
        Refusal::new(
            "ResourceNotFoundException",
            format!("Stream {name} under account {account} not found."),
        )
    })
}
