//! How a function's invocation ended, and what a response says of each record.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::failure::Fault;

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The function returned these bytes.
    Returned(Vec<u8>),
    /// The function returned an error, or its process ended before it answered.
    FunctionError,
    /// The function's time, or the five minutes that Firehose waits, were up.
    TimedOut,
    /// The function was not invoked: its concurrency is used up.
    Throttled,
}

/// What a response says of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Result {
    Ok {
        data: Vec<u8>,
        partition: BTreeMap<String, String>,
    },
    Dropped,
    Failed,
}

#[derive(Deserialize)]
struct Response {
    records: Vec<Answered>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    record_id: String,
    result: String,
    #[serde(default)]
    data: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    partition_keys: Option<BTreeMap<String, Option<String>>>,
}

/// What the answer says of each of `ids`, in their order; or why it fails the batch.
pub(crate) fn read(answer: &Answer, ids: &[String]) -> std::result::Result<Vec<Result>, Fault> {
    let body = match answer {
        Answer::Returned(body) => body,
        Answer::FunctionError => return Err(Fault::FunctionError),
        Answer::TimedOut => return Err(Fault::TimedOut),
        Answer::Throttled => return Err(Fault::Throttled),
    };
    if body.len() > crate::MAX_PAYLOAD_BYTES {
        return Err(Fault::FunctionError);
    }
    let response: Response = serde_json::from_slice(body).map_err(|_| Fault::Response)?;
    let mut answered = BTreeMap::new();
    for record in response.records {
        if answered.insert(record.record_id.clone(), record).is_some() {
            return Err(Fault::DuplicatedRecordId);
        }
    }
    let in_order = ids.iter().map(|id| {
        let record = answered.remove(id).ok_or(Fault::MissingRecordId)?;
        result(record)
    });
    let results = in_order.collect::<std::result::Result<_, _>>()?;
    match answered.is_empty() {
        true => Ok(results),
        false => Err(Fault::Response),
    }
}

fn result(record: Answered) -> std::result::Result<Result, Fault> {
    match record.result.as_str() {
        "Ok" => {
            let data = record.data.ok_or(Fault::Response)?;
            let data = base64_simd::STANDARD
                .decode_to_vec(data)
                .map_err(|_| Fault::Response)?;
            let partition = record.metadata.and_then(|metadata| metadata.partition_keys);
            // A key without a value is that record's fault alone, as one that is not there.
            let given = |(key, value): (String, Option<String>)| Some((key, value?));
            Ok(Result::Ok {
                data,
                partition: partition.into_iter().flatten().filter_map(given).collect(),
            })
        }
        "Dropped" => Ok(Result::Dropped),
        "ProcessingFailed" => Ok(Result::Failed),
        _ => Err(Fault::Response),
    }
}
