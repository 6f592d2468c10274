//! What goes into the machine and what comes out of it.

use std::fmt;

use crate::object::{Object, ObjectId};

/// Which delivery stream it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The delivery stream's ARN.
    pub stream_arn: String,
    /// Its `VersionId`: 1, and one more for each change of its settings.
    pub version: String,
    /// Its region.
    pub region: String,
    /// The Kinesis stream that it reads from; none if records are put directly.
    pub kinesis_stream_arn: Option<String>,
}

impl Source {
    /// The delivery stream's name.
    pub(crate) fn stream_name(&self) -> &str {
        let (_, name) = self.stream_arn.rsplit_once('/').unwrap_or_default();
        name
    }
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Invoke the function, and answer with [`Delivery::answered`](crate::Delivery::answered).
    Invoke(Invocation),
    /// Put an object, and answer with [`Delivery::stored`](crate::Delivery::stored) or
    /// [`Delivery::store_failed`](crate::Delivery::store_failed).
    Put(Object),
    /// Nothing before then, in milliseconds, unless an answer or a record comes in.
    Wait {
        /// When to ask again.
        until_ms: i64,
    },
    /// Nothing, unless an answer or a record comes in.
    Idle,
}

/// One attempt at a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// What the answer names.
    pub id: InvocationId,
    /// The event, as Firehose writes it.
    pub event: Vec<u8>,
    /// How many records it has.
    pub records: usize,
    /// 1 for the first attempt.
    pub attempt: u32,
}

/// Names an invocation; unique within a delivery stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvocationId(pub(crate) u64);

/// What became of the records. What was taken and is none of these is still held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records taken in; each member of an aggregate is one.
    pub taken: u64,
    /// Records whose rows are in the bucket.
    pub delivered: u64,
    /// Records that the function dropped.
    pub dropped: u64,
    /// Records that are in the bucket under the error prefix.
    pub failed: u64,
    /// Records of objects that could not be put for 24 hours.
    pub lost: u64,
}

/// An answer to a question that was not asked; it changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unexpected {
    /// The invocation is not under way, or no longer.
    #[error("invocation {0} is not under way")]
    Invocation(InvocationId),
    /// The object is not being put, or no longer.
    #[error("object {0} is not being put")]
    Object(ObjectId),
}

impl fmt::Display for InvocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
