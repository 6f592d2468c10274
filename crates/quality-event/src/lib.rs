//! The quality event: what the evaluator and the model caller publish, and what the writer, the alerter
//! and the lake consume.
//!
//! The stream that carries it is **at least once and unordered**: consumers rely on [`EventId`] and
//! `episode`, never on order. The committed `quality-event.schema.json` is generated from these types
//! (feature `schema`); a test keeps the two equal.

mod event;
mod id;
mod text;
mod timestamp;

pub use event::{
    Ended, Finding, Malformed, Prediction, QualityEvent, Reaction, Severity, Source, Transition,
    Violation,
};
pub use id::EventId;
pub use text::{MAX_EVENT_BYTES, MAX_NAME_CHARS, MAX_SUMMARY_CHARS, truncated};
pub use timestamp::{BadTimestamp, Timestamp};

/// The contract as JSON Schema (draft 2020-12).
#[cfg(feature = "schema")]
pub fn json_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(QualityEvent);
    schema.insert("$id".into(), "urn:andon:quality-event:1".into());
    schema.into()
}
