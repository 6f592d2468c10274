//! The kinds of faults that a campaign counts.

use std::fmt;

/// Kinds of faults; the histogram of a campaign counts these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultClass {
    /// A call fails and has no effect.
    ErrorBefore,
    /// A call has its effect and is answered by an error.
    ErrorAfter,
    /// A call never comes to anything, and is never answered.
    TimeoutBefore,
    /// A call has its effect and is never answered.
    TimeoutAfter,
    /// A call has its effect when nobody waits for it any more.
    LateEffect,
    /// An environment dies before a call has its effect.
    CrashBefore,
    /// An environment dies after a call has had its effect.
    CrashAfter,
    /// An environment dies while a call is on its way.
    CrashInFlight,
    /// An invocation is given up and goes on beside its retry.
    Overlap,
    /// An invocation has done its work, and its answer is lost.
    AnswerLost,
    /// All of a function's idle environments go, and their caches with them.
    EnvironmentsGone,
    /// A batch goes to another environment than the one before, with older caches or none.
    EnvironmentSwitched,
    /// A service throttles for a while.
    ThrottlingBurst,
    /// A service fails for a while.
    Outage,
    /// What concerns one machine fails for longer than it may hold its shard.
    MachineOutage,
    /// A permission is missing for a while.
    AccessDenied,
    /// A topic will never take a message.
    MessageRefused,
    /// A call is done in part.
    Partial,
    /// A read that is not consistent sees what was before.
    StaleRead,
    /// An environment's clock goes wrong.
    ClockSkew,
    /// A function is throttled.
    FunctionThrottled,
    /// A mapping stands still for longer than an alert is worth.
    Standstill,
    /// A read of a shard fails.
    ReadFailed,
    /// A payload is no reading.
    MalformedReading,
    /// A record on the quality-events stream is no event.
    MalformedEvent,
    /// The producer sends a reading twice.
    ProducerDuplicate,
    /// A machine's readings come through several shards.
    SeveralShards,
    /// Another control plan is pushed.
    PlanChange,
    /// A control plan is pushed that fails its check.
    BadPlan,
    /// A shard is split, or two are merged.
    Reshard,
    /// A mapping has tried a batch for long enough and gives it up.
    GivenUp,
}

impl FaultClass {
    /// All of them.
    pub const ALL: [Self; 31] = [
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::TimeoutBefore,
        Self::TimeoutAfter,
        Self::LateEffect,
        Self::CrashBefore,
        Self::CrashAfter,
        Self::CrashInFlight,
        Self::Overlap,
        Self::AnswerLost,
        Self::EnvironmentsGone,
        Self::EnvironmentSwitched,
        Self::ThrottlingBurst,
        Self::Outage,
        Self::MachineOutage,
        Self::AccessDenied,
        Self::MessageRefused,
        Self::Partial,
        Self::StaleRead,
        Self::ClockSkew,
        Self::FunctionThrottled,
        Self::Standstill,
        Self::ReadFailed,
        Self::MalformedReading,
        Self::MalformedEvent,
        Self::ProducerDuplicate,
        Self::SeveralShards,
        Self::PlanChange,
        Self::BadPlan,
        Self::Reshard,
        Self::GivenUp,
    ];
}

impl fmt::Display for FaultClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = format!("{self:?}").chars().fold(String::new(), |text, c| {
            match c.is_uppercase() && !text.is_empty() {
                true => text + " " + &c.to_lowercase().to_string(),
                false => text + &c.to_lowercase().to_string(),
            }
        });
        f.pad(&words)
    }
}
