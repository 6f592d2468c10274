//! Judges every reading by the control plan.
//!
//! **In:** a batch of the readings stream. **Out:** quality events on the quality-events stream, and per machine
//! one item with the state of its rules and a watermark per shard.
//!
//! **Promise:** a machine's readings are judged in stream order, each once; what a machine's readings gave rise
//! to is published before its state says that they were judged, and the checkpoint never passes a reading whose
//! machine is unfinished. A machine that fails holds back itself alone: the others of the batch are published
//! and committed, and a retry costs them a comparison. What cannot be read is set aside with its bytes at once.

pub mod config;
mod finished;
mod function;
mod handler;
mod hold;
mod late;
mod machine;
mod metric;
mod parking;
mod restarts;
mod state_store;
mod verdict;
mod watermark;

pub use finished::Finished;
pub use function::{Clients, Evaluator};
pub use function_ports::{
    AnyPlanSource, EARLIER_VERSIONS, Entry, Fetched, FilePlanSource, KinesisOutbox, Outbox,
    PlanKeeper, PlanSource, PlanUnusable, PlanUri, PortError, Refusal, S3PlanSource,
};
pub use handler::{Limits, Ports, handle};
pub use hold::{Hold, Parking};
pub use machine::{MachineReadings, sort};
pub use metric::METRICS;
pub use restarts::{Pending, Place, Restarts, S3Restarts};
pub use state_store::{Commit, Committed, DynamoStateStore, Loaded, StateStore, StoredState};
pub use verdict::{MachineRecord, Verdict, judge};
pub use watermark::{Mark, Position, Watermarks};
