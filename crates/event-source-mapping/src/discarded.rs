//! A batch that is given up, in the forms in which Lambda puts it to a failure destination: a pointer into the stream for
//! queues and topics, the whole invocation record for buckets.

use std::fmt::Write;
use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::action::SourceRecord;
use crate::settings::Destination;

/// A batch that is given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discarded {
    /// Where it goes; `None`: nowhere, it is only to be counted.
    pub destination: Option<Destination>,
    /// The mapping's id.
    pub mapping_id: String,
    /// The function's ARN.
    pub function_arn: String,
    /// The version of the function that ran.
    pub executed_version: String,
    /// The stream's ARN.
    pub stream_arn: String,
    /// The shard.
    pub shard: Arc<str>,
    /// The records that are given up, at least one.
    pub records: Vec<Arc<SourceRecord>>,
    /// Why.
    pub condition: Condition,
    /// How often the function was invoked with these records.
    pub invocations: u32,
    /// The last invocation's id; derived from the record where there was none.
    pub request_id: String,
    /// `Unhandled` where the last invocation failed, rather than told of failed records.
    pub function_error: Option<&'static str>,
    /// When it is given up, in milliseconds since the epoch.
    pub now_ms: i64,
    /// The event of these records.
    pub event: Vec<u8>,
}

/// Why a batch is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// The retries are used up.
    RetryAttemptsExhausted,
    /// The records are too old to be sent.
    RecordAgeExceeded,
    /// One record alone exceeds the payload of an invocation. Lambda's word for this is not documented.
    RecordTooLarge,
}

impl Condition {
    /// The word in the invocation record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Self::RecordAgeExceeded => "RecordAgeExceeded",
            Self::RecordTooLarge => "RecordTooLarge",
        }
    }
}

impl Discarded {
    /// The pointer into the stream that a queue or a topic gets.
    pub fn to_pointer_json(&self) -> String {
        self.json(None)
    }

    /// The whole invocation record that a bucket gets: with the event, as text, in `payload`.
    pub fn to_full_json(&self) -> String {
        self.json(Some(std::str::from_utf8(&self.event).unwrap_or_default()))
    }

    /// The object's key in a bucket: `aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<UUID>`.
    ///
    /// Where Lambda draws a random UUID, this one is derived from the batch: the same batch has the same key.
    pub fn key(&self) -> String {
        let time = time(self.now_ms);
        let (day, clock) = time.split_once('T').unwrap_or((&time, ""));
        format!(
            "aws/lambda/{}/{}/{}/{day}T{}-{}",
            self.mapping_id,
            self.shard,
            day.replace('-', "/"),
            clock.get(..8).unwrap_or(clock).replace(':', "."),
            uuid(&[
                self.mapping_id.as_bytes(),
                self.first_number().as_bytes(),
                &self.now_ms.to_be_bytes()
            ]),
        )
    }

    fn first_number(&self) -> &str {
        self.records
            .first()
            .map_or("", |record| record.sequence_number.as_str())
    }

    fn json(&self, payload: Option<&str>) -> String {
        let arrival = |record: Option<&Arc<SourceRecord>>| {
            record.map_or_else(String::new, |r| time(r.arrived_ms))
        };
        let record = InvocationRecord {
            request: RequestContext {
                request_id: &self.request_id,
                function_arn: &self.function_arn,
                condition: self.condition.as_str(),
                approximate_invoke_count: self.invocations,
            },
            response: (self.invocations > 0).then_some(ResponseContext {
                status_code: 200,
                executed_version: &self.executed_version,
                function_error: self.function_error,
            }),
            version: "1.0",
            timestamp: time(self.now_ms),
            batch: BatchInfo {
                shard_id: &self.shard,
                start_sequence_number: self.first_number(),
                end_sequence_number: self
                    .records
                    .last()
                    .map_or("", |record| record.sequence_number.as_str()),
                approximate_arrival_of_first_record: arrival(self.records.first()),
                approximate_arrival_of_last_record: arrival(self.records.last()),
                batch_size: self.records.len(),
                stream_arn: &self.stream_arn,
            },
            payload,
        };
        // Texts and numbers always serialise.
        serde_json::to_string(&record).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct InvocationRecord<'a> {
    #[serde(rename = "requestContext")]
    request: RequestContext<'a>,
    #[serde(rename = "responseContext", skip_serializing_if = "Option::is_none")]
    response: Option<ResponseContext<'a>>,
    version: &'static str,
    timestamp: String,
    #[serde(rename = "KinesisBatchInfo")]
    batch: BatchInfo<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    request_id: &'a str,
    function_arn: &'a str,
    condition: &'static str,
    approximate_invoke_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext<'a> {
    status_code: u16,
    executed_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_error: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchInfo<'a> {
    shard_id: &'a str,
    start_sequence_number: &'a str,
    end_sequence_number: &'a str,
    approximate_arrival_of_first_record: String,
    approximate_arrival_of_last_record: String,
    batch_size: usize,
    stream_arn: &'a str,
}

/// RFC 3339 in UTC with three decimals.
fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| ms.to_string(), |time| format!("{time:.3}"))
}

/// A digest in the form of a UUID.
pub(crate) fn uuid(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let mut text = String::with_capacity(36);
    for (index, byte) in digest.finalize().iter().take(16).enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
