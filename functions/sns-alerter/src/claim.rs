//! The right to publish one message: the port.

use std::future::Future;

use quality_event::EventId;

/// Where claims are kept.
pub trait Claims {
    /// Asks for the right to publish. A repeated request of the same owner is answered as the first one was.
    fn claim(&self, request: &Request) -> impl Future<Output = Result<Claimed, ClaimError>> + Send;

    /// Ends a granted claim.
    fn settle(
        &self,
        request: &Request,
        settlement: Settlement,
    ) -> impl Future<Output = Result<(), ClaimError>> + Send;
}

/// Who asks for which message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Names the message: `<purpose>#<event id>`.
    pub key: String,
    /// Names this invocation and no other.
    pub owner: String,
    /// Now, in milliseconds since the epoch: claims that ended their lease before it are free.
    pub now_ms: i64,
    /// Until when the claim holds, in milliseconds since the epoch.
    pub lease_until_ms: i64,
    /// When the table may forget the claim, in seconds since the epoch.
    pub expires_at: i64,
    /// What else must hold.
    pub gate: Gate,
}

/// What else must hold for a claim to be granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// The machine and rule have not alerted within the cool-down before or after this reading's time.
    CoolDown {
        /// Names the machine and the rule or model.
        key: String,
        /// What the alert is for: an episode is never held back by its own alert.
        episode: EventId,
        /// The reading's time, in milliseconds since the epoch.
        time_ms: i64,
        /// How long the cool-down is.
        cool_down_ms: i64,
    },
    /// The episode's opening was not held back.
    OpeningTold {
        /// The claim of the opening's alert.
        opening: String,
        /// The episode, if line stops that come after this clearing must know of it.
        cleared: Option<EventId>,
    },
    /// The episode's clearing has not been seen.
    NotCleared {
        /// The episode.
        episode: EventId,
    },
    /// Nothing.
    Open,
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// Publish, then settle.
    Granted,
    /// Publish, then settle; an earlier holder's lease ran out, and it may have published before it ended.
    TakenOver,
    /// An earlier delivery has published or suppressed it.
    Settled,
    /// It is not to be published; the reason is a metric's dimension.
    Suppressed(&'static str),
    /// Someone else is about to publish it.
    Live,
}

/// How a granted claim ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The message is published.
    Sent,
    /// This holder is known not to have published the message: the next delivery may claim it at once. Its cool-down has
    /// not begun either, unless an earlier holder may have published it.
    Released,
}

/// The claims are out of reach, or answer against their contract.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct ClaimError {
    /// What was attempted.
    pub what: &'static str,
    /// Whether the same call may succeed a moment later.
    pub passing: bool,
    /// What the table said.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

/// The marker that an episode's clearing leaves for line stops that come after it.
pub(crate) fn cleared_key(episode: &EventId) -> String {
    format!("cleared#{episode}")
}
