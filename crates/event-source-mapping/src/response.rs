//! What a function's response says about its batch, shape by shape.

use kinesis_batch::SequenceNumber;
use serde::Deserialize;
use serde_json::Value;

use crate::piece::Held;

/// What an invocation says of its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Every record is done.
    Done,
    /// The records before this index are done.
    DoneBefore(usize),
    /// Nothing is known to be done.
    Failed,
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "itemIdentifier")]
    identifier: Option<String>,
}

/// Reads a response to a mapping that asks for `ReportBatchItemFailures`.
pub(crate) fn verdict(response: &[u8], records: &[Held]) -> Verdict {
    if response.trim_ascii().is_empty() {
        return Verdict::Done;
    }
    let items = match serde_json::from_slice(response) {
        Ok(Value::Null) => return Verdict::Done,
        Ok(Value::String(text)) if text.is_empty() => return Verdict::Done,
        Ok(Value::Array(list)) if list.is_empty() => return Verdict::Done,
        Ok(Value::Object(mut fields)) => match fields.remove("batchItemFailures") {
            None | Some(Value::Null) => return Verdict::Done,
            Some(items) => items,
        },
        _ => return Verdict::Failed,
    };
    let Ok(items) = serde_json::from_value::<Vec<Item>>(items) else {
        return Verdict::Failed;
    };
    let mut first = records.len();
    for item in &items {
        match item
            .identifier
            .as_deref()
            .and_then(|identifier| position(identifier, records))
        {
            Some(position) => first = first.min(position),
            None => return Verdict::Failed,
        }
    }
    if items.is_empty() {
        Verdict::Done
    } else {
        Verdict::DoneBefore(first)
    }
}

/// Sequence numbers ascend within a batch, so that the lowest one is the first.
fn position(identifier: &str, records: &[Held]) -> Option<usize> {
    let wanted: SequenceNumber = identifier.parse().ok()?;
    records
        .binary_search_by(|held| held.record.sequence_number.cmp(&wanted))
        .ok()
}
