//! What goes into the machine and what comes out of it.

use std::fmt;
use std::sync::Arc;

use kinesis_batch::SequenceNumber;

use crate::discarded::Discarded;

/// A shard, as `ListShards` tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardInfo {
    /// Its id.
    pub id: String,
    /// `ParentShardId` and `AdjacentParentShardId`, as far as there are any.
    pub parents: Vec<String>,
}

/// A record, as a shard gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRecord {
    /// Its place in the shard.
    pub sequence_number: SequenceNumber,
    /// Its partition key.
    pub partition_key: String,
    /// Its bytes.
    pub data: Vec<u8>,
    /// When the stream took it, in milliseconds since the epoch.
    pub arrived_ms: i64,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Invoke the function, and answer with [`Mapping::answered`](crate::Mapping::answered).
    Invoke(Invocation),
    /// Read a shard, and answer with [`Mapping::records`](crate::Mapping::records) or
    /// [`Mapping::read_failed`](crate::Mapping::read_failed).
    Read(Read),
    /// Put a discarded batch to the failure destination. Its records count as finished from here on.
    SendFailure(Box<Discarded>),
    /// Nothing before then, in milliseconds, unless an answer comes in.
    Wait {
        /// When to ask again.
        until_ms: i64,
    },
    /// Nothing, unless an answer comes in or a shard is found.
    Idle,
}

/// One attempt at a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// What the answer names.
    pub id: InvocationId,
    /// The shard.
    pub shard: Arc<str>,
    /// Which of the shard's concurrent batches this is, below `ParallelizationFactor`.
    pub lane: u32,
    /// The event, as Lambda writes it.
    pub event: Vec<u8>,
    /// The records in the event.
    pub records: Vec<Arc<SourceRecord>>,
    /// 1 for the first attempt at these records; throttled attempts are not counted.
    pub attempt: u32,
}

/// Names an invocation; unique within a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvocationId(pub(crate) u64);

/// A read of a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The shard.
    pub shard: Arc<str>,
    /// Where to read. A reader may go on with the iterator that it holds while that stands at the same place, and after
    /// [`Position::Latest`] at any [`Position::At`].
    pub after: Position,
    /// The most records that are taken; what is more is not lost, but asked for again.
    pub limit: u32,
}

/// A place in a shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// At the oldest record that is retained.
    TrimHorizon,
    /// Behind the newest record.
    Latest,
    /// At the first record that arrived then or later, in milliseconds since the epoch.
    At(i64),
    /// Behind this record.
    After(SequenceNumber),
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The function returned these bytes.
    Returned(Vec<u8>),
    /// The function returned an error of this type.
    FunctionError(String),
    /// The function's time was up.
    TimedOut,
    /// The function's process ended before it answered.
    Crashed,
    /// The function was not invoked: throttled, or out of reach.
    Throttled,
}

/// An answer to a question that was not asked; it changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unexpected {
    /// The invocation is not under way, or no longer.
    #[error("invocation {0} is not under way")]
    Invocation(InvocationId),
    /// The shard is not being read.
    #[error("no read of {0} is under way")]
    Read(String),
}

impl fmt::Display for InvocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
