//! Whether a message may have been held back for the reason that its claim gives. Pure.
//!
//! Claims are the alerter's own words. A reason counts where the events on the stream, and what became of other messages,
//! bear it out; any other is a difference. Besides these three the alerter writes none: what comes too late, or calls for no
//! message at all, has no claim.
//!
//! | reason | holds back | what bears it out |
//! |---|---|---|
//! | `cool-down` | the alert of an opening, of a flagged prediction | another such alert of the same machine and rule or model, less than `COOL_DOWN` of reading time before or after it, that was sent, or was claimed and may have been |
//! | `opening-suppressed` | the alert of a clearing | the alert of its episode's opening is suppressed: a suppressed claim stays one |
//! | `already-cleared` | the line stop of an opening | a clearing of its episode on the stream, which stops lines as well |
//!
//! What cannot be told from what is left at the end, and is accepted: in which order messages were decided, for the stream
//! promises none (an alert may have begun the cool-down of an earlier reading, a clearing may have come before its opening).
//! Where calls were made to fail, an alert may besides have begun a cool-down, have been released unsent, and then have been
//! held back itself by the cool-down of one that came between: there a chain of alerts suffices, each within the cool-down of
//! the next, that ends at one which was sent.

use std::collections::{BTreeMap, BTreeSet};

use quality_event::{EventId, QualityEvent, Reaction, Transition};

use super::super::observe::Observed;
use super::{is_alerting, too_old};

/// What reasons are held against.
pub struct Grounds<'o> {
    observed: &'o Observed,
    /// The alerts that begin cool-downs and are held back by them, by rule or model and machine, in the order of their times.
    turns: BTreeMap<(&'o str, &'o str), Vec<Alert>>,
    /// The episodes with a clearing that keeps line stops back.
    cleared: BTreeSet<&'o str>,
}

/// The alert of an opening, or of a flagged prediction.
struct Alert {
    /// The reading's time, in ms since the epoch.
    time_ms: i64,
    /// Whether it may have begun a cool-down that lasted.
    may_have_begun: bool,
}

impl<'o> Grounds<'o> {
    /// All that a run left.
    pub fn of(observed: &'o Observed) -> Self {
        let received: BTreeSet<&str> = observed
            .alerts
            .iter()
            .map(|message| message.id.as_str())
            .collect();
        let mut turns: BTreeMap<(&str, &str), Vec<Alert>> = BTreeMap::new();
        let mut cleared: BTreeSet<&str> = BTreeSet::new();
        for event in observed.events.values().filter(|event| is_alerting(event)) {
            if event.transition() == Some(Transition::Cleared) {
                let stops = event.reaction == Reaction::StopLine;
                cleared.extend(episode(event).filter(|_| stops).map(EventId::as_str));
                continue;
            }
            let turn = turns
                .entry((event.subject(), event.machine.as_str()))
                .or_default();
            turn.push(Alert {
                time_ms: event.time.as_millis(),
                may_have_begun: may_have_begun(observed, event, &received),
            });
        }
        for turn in turns.values_mut() {
            turn.sort_by_key(|alert| alert.time_ms);
        }
        Self {
            observed,
            turns,
            cleared,
        }
    }

    /// In words, why the message cannot have been held back for this reason; none where it can.
    pub fn against(&self, event: &QualityEvent, purpose: &str, reason: &str) -> Option<String> {
        let (holds, words) = match (purpose, event.transition(), reason) {
            ("alert", Some(Transition::Opened) | None, "cool-down") => (
                self.is_cooled_down(event),
                "suppressed by a cool-down that no alert of its machine began",
            ),
            ("alert", Some(Transition::Cleared), "opening-suppressed") => (
                self.is_opening_suppressed(event),
                "suppressed with an opening whose alert is not suppressed",
            ),
            ("line-stop", Some(Transition::Opened), "already-cleared") => (
                episode(event).is_some_and(|episode| self.cleared.contains(episode.as_str())),
                "suppressed as already cleared, and its episode has no clearing",
            ),
            _ => {
                return Some(format!(
                    "suppressed for {reason:?}, which is no reason to hold it back"
                ));
            }
        };
        (!holds).then(|| words.to_owned())
    }

    fn is_cooled_down(&self, event: &QualityEvent) -> bool {
        let key = (event.subject(), event.machine.as_str());
        let Some(turn) = self.turns.get(&key) else {
            return false;
        };
        let time_ms = event.time.as_millis();
        let (before, after) = turn.split_at(turn.partition_point(|alert| alert.time_ms < time_ms));
        self.lead_to_one(time_ms, before.iter().rev()) || self.lead_to_one(time_ms, after.iter())
    }

    /// Whether one of the alerts, which go away from this time, may have begun the cool-down; the one that is asked about is
    /// among them and has begun none.
    fn lead_to_one<'a>(&self, time_ms: i64, alerts: impl Iterator<Item = &'a Alert>) -> bool {
        let mut from_ms = time_ms;
        for alert in alerts {
            if (alert.time_ms - from_ms).abs() >= self.observed.policy.cool_down_ms {
                return false;
            }
            if alert.may_have_begun {
                return true;
            }
            if self.observed.damage.is_some() {
                from_ms = alert.time_ms;
            }
        }
        false
    }

    fn is_opening_suppressed(&self, event: &QualityEvent) -> bool {
        let opening = episode(event).map(|episode| format!("alert#{episode}"));
        let claim = opening.and_then(|opening| self.observed.claims.get(&opening));
        claim.is_some_and(|claim| claim.status == "suppressed")
    }
}

fn episode(event: &QualityEvent) -> Option<&EventId> {
    event.violation()?.episode.as_ref()
}

/// It was sent, or is claimed and may have been, or was released unsent and is by now too old to be claimed again.
fn may_have_begun(observed: &Observed, event: &QualityEvent, received: &BTreeSet<&str>) -> bool {
    match observed.claims.get(&format!("alert#{}", event.id)) {
        _ if received.contains(event.id.as_str()) => true,
        Some(claim) => matches!(claim.status.as_str(), "sent" | "claimed"),
        None => too_old(observed, event, "alert").is_some(),
    }
}
