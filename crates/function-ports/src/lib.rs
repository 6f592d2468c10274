//! What the functions that read readings share: the control plan in force, and the way to the quality-events stream.
//! Each port stands with its SDK adapter.
//!
//! Promises: a plan that fails its check is never used, the last good one stays; an event's entry under one id is the
//! same bytes whoever puts it.

mod metric;
mod outbox;
mod plan_keeper;
mod plan_source;
mod publish;
mod source;
pub mod variables;

pub use metric::{PLAN_REFUSED, PLAN_UNREACHABLE};
pub use outbox::{Entry, KinesisOutbox, LIMITS, Outbox};
pub use plan_keeper::{PlanKeeper, PlanUnusable, Refusal};
pub use plan_source::{
    AnyPlanSource, EARLIER_VERSIONS, Fetched, FilePlanSource, PlanSource, PlanUri, S3PlanSource,
};
pub use publish::publish;
pub use source::source;

/// Why a port's call had no effect that can be relied on.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct PortError {
    /// What was attempted.
    pub what: &'static str,
    /// Whether the same call may succeed a moment later.
    pub passing: bool,
    /// What the service said.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}
