//! Records that are invoked together, and what has been tried with them.

use std::sync::Arc;

use crate::action::SourceRecord;

/// A record that is read and not finished.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub record: Arc<SourceRecord>,
    /// Its place in the shard's ledger.
    pub ordinal: u64,
    /// Its length in an event.
    pub encoded_len: usize,
}

/// A batch, or what is left of one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Piece {
    pub records: Vec<Held>,
    /// How often the function was invoked with these records.
    pub invocations: u32,
    /// Retries used.
    pub retries: u32,
    /// Waits before further attempts, throttled ones included.
    pub waits: u32,
    /// Not to be invoked before then.
    pub not_before_ms: i64,
    /// The last invocation that reached the function.
    pub last: Option<Last>,
}

/// What is told of an invocation in the invocation record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Last {
    pub request_id: String,
    /// Whether the function failed, rather than told of failed records.
    pub failed: bool,
}

impl Piece {
    pub(crate) fn new(records: Vec<Held>) -> Self {
        Self {
            records,
            ..Self::default()
        }
    }

    /// What was tried with these records counts for both parts, the retries and waits for neither.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        let rest = Self {
            records: self.records.split_off(at),
            invocations: self.invocations,
            last: self.last.clone(),
            ..Self::default()
        };
        (self.retries, self.waits, self.not_before_ms) = (0, 0, 0);
        rest
    }
}
