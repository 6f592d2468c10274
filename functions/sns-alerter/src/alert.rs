//! Which messages an event calls for. Pure.

use std::time::Duration;

use quality_event::{EventId, Finding, QualityEvent, Reaction, Transition};

use crate::claim::Gate;
use crate::config::Policy;
use crate::text;
use crate::topic::Message;

/// One message that an event calls for.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// What it is for.
    pub purpose: Purpose,
    /// Names its claim.
    pub key: String,
    /// What must hold besides the claim.
    pub gate: Gate,
    /// What is published.
    pub message: Message,
}

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// People are told.
    Alert,
    /// The line is stopped.
    LineStop,
}

impl Purpose {
    /// The metric dimension's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::LineStop => "line-stop",
        }
    }
}

/// The messages that `event` calls for, seen at `now_ms`, or why none: the reason is a metric's dimension.
pub fn deliveries(
    event: &QualityEvent,
    policy: &Policy,
    now_ms: i64,
) -> Result<Vec<Delivery>, &'static str> {
    if event.late {
        return Err("late");
    }
    if event.reaction == Reaction::Record {
        return Err("record-only");
    }
    let step = Step::of(event)?;
    let age_ms = now_ms.saturating_sub(event.arrived.as_millis());
    if age_ms > millis(policy.max_alert_age) {
        return Err("stale");
    }
    let mut deliveries = vec![alert(event, &step, policy)];
    let stops = event.reaction == Reaction::StopLine && !matches!(step, Step::Cleared(_));
    if stops && age_ms <= millis(policy.line_stop_expiry) {
        // First, because the line cannot wait.
        deliveries.insert(0, line_stop(event, &step, policy));
    }
    Ok(deliveries)
}

/// Whether `event` asks for a line stop that came too late to be obeyed.
pub fn has_expired_stop(event: &QualityEvent, deliveries: &[Delivery]) -> bool {
    event.reaction == Reaction::StopLine
        && event.transition() != Some(Transition::Cleared)
        && !deliveries
            .iter()
            .any(|delivery| delivery.purpose == Purpose::LineStop)
}

/// Where in its episode an event stands.
enum Step<'e> {
    Opened(&'e EventId),
    Cleared(&'e EventId),
    Flagged,
}

impl<'e> Step<'e> {
    fn of(event: &'e QualityEvent) -> Result<Self, &'static str> {
        match &event.finding {
            Finding::Prediction(prediction) if prediction.flagged => Ok(Self::Flagged),
            Finding::Prediction(_) => Err("unflagged"),
            Finding::Violation(violation) => match (violation.transition, &violation.episode) {
                (Some(Transition::Opened), Some(episode)) => Ok(Self::Opened(episode)),
                (Some(Transition::Cleared), Some(episode)) => Ok(Self::Cleared(episode)),
                (Some(Transition::Ongoing), _) => Err("ongoing"),
                _ => Err("no-episode"),
            },
        }
    }
}

fn alert(event: &QualityEvent, step: &Step<'_>, policy: &Policy) -> Delivery {
    let gate = match step {
        Step::Cleared(episode) => Gate::OpeningTold {
            opening: key(Purpose::Alert, episode),
            cleared: (event.reaction == Reaction::StopLine).then(|| (*episode).clone()),
        },
        Step::Opened(_) | Step::Flagged => Gate::CoolDown {
            key: format!("cool-down#{}#{}", event.subject(), event.machine),
            episode: event.id.clone(),
            time_ms: event.time.as_millis(),
            cool_down_ms: millis(policy.cool_down),
        },
    };
    Delivery {
        purpose: Purpose::Alert,
        key: key(Purpose::Alert, &event.id),
        gate,
        message: text::alert(event),
    }
}

fn line_stop(event: &QualityEvent, step: &Step<'_>, policy: &Policy) -> Delivery {
    let gate = match step {
        Step::Opened(episode) => Gate::NotCleared {
            episode: (*episode).clone(),
        },
        Step::Cleared(_) | Step::Flagged => Gate::Open,
    };
    let expires_ms = event
        .arrived
        .as_millis()
        .saturating_add(millis(policy.line_stop_expiry));
    let message = text::line_stop(event, expires_ms);
    Delivery {
        purpose: Purpose::LineStop,
        key: key(Purpose::LineStop, &event.id),
        gate,
        message,
    }
}

fn key(purpose: Purpose, id: &EventId) -> String {
    format!("{}#{id}", purpose.as_str())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
