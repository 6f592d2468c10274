//! Whether the counts agree, each by distinct id. Pure: what was observed in the local AWS in, findings out.
//!
//! Nothing here rests on what the functions say of themselves: the events that are expected come from judging the stream's
//! own records once more, and those on the stream, which say what is to be stored, alerted and stopped, must equal them
//! field by field; that a message was held back counts where the reason is borne out by the others. The rest is what lies
//! in streams, tables, buckets and queues.

mod held_back;
mod unlike;

use std::collections::{BTreeMap, BTreeSet};

use quality_event::{Finding, QualityEvent, Reaction, Transition};

use super::lake::Delivered;
use super::mapping::lag::Behind;
use super::observe::{Claim, GivenUp, Observed, Place, Received};
use super::predictions;
use held_back::Grounds;
use unlike::unlike;

/// One check's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What does not agree, one line each; none if all does.
    pub differences: Vec<String>,
}

impl Check {
    /// Whether everything agrees.
    pub fn holds(&self) -> bool {
        self.differences.is_empty()
    }
}

/// What became of a message that an event calls for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was delivered, once.
    Sent,
    /// It was held back, for this reason.
    Suppressed(String),
    /// Neither, or both, or more than once: in words.
    Wrong(String),
}

/// The checks, in the order in which they are shown.
pub fn checks(observed: &Observed) -> Vec<Check> {
    let mut checks = vec![
        Check {
            name: "readings_on_the_stream",
            differences: readings_put(observed),
        },
        Check {
            name: "readings_judged_or_set_aside",
            differences: readings_judged(observed),
        },
        Check {
            name: "events_stored",
            differences: stored(observed),
        },
        Check {
            name: "alerts_sent_or_suppressed",
            differences: sent(
                observed,
                alert_outcomes(observed),
                &observed.alerts,
                "alert",
            ),
        },
        Check {
            name: "line_stops_sent_or_suppressed",
            differences: sent(
                observed,
                line_stop_outcomes(observed),
                &observed.line_stops,
                "line stop",
            ),
        },
    ];
    if let Some(model) = &observed.model {
        checks.push(Check {
            name: "readings_scored_or_unscored",
            differences: predictions::said(model, &observed.events)
                .into_iter()
                // While calls fail, readings may pass unscored.
                .chain(match observed.damage {
                    Some(_) => Vec::new(),
                    None => predictions::passed(model, &observed.events),
                })
                .collect(),
        });
        checks.push(Check {
            name: "scores_are_the_models",
            differences: predictions::scores(model, &observed.events)
                .into_iter()
                .chain(contents(observed, &observed.expected.predictions))
                .collect(),
        });
        // While calls fail, readings pass unscored, and the card says nothing of those.
        if observed.damage.is_none() && model.is_of_card() {
            checks.push(Check {
                name: "model_as_its_card_says",
                differences: predictions::as_the_card_says(model, &observed.events),
            });
        }
    }
    if !observed.lake.is_empty() {
        checks.push(Check {
            name: "records_in_the_lake",
            differences: in_the_lake(&observed.lake),
        });
    }
    checks.push(Check {
        name: "nothing_left_behind",
        differences: left_behind(observed),
    });
    checks
}

/// Every alerting event with what became of its alert.
pub fn alert_outcomes(observed: &Observed) -> Vec<(&QualityEvent, Outcome)> {
    let (received, grounds) = (counts(&observed.alerts), Grounds::of(observed));
    let alerting = observed.events.values().filter(|event| is_alerting(event));
    alerting
        .map(|event| {
            let outcome = outcome(observed, event, "alert", &received, &grounds);
            (event, outcome)
        })
        .collect()
}

/// Every event that asks for a line stop with what became of it.
pub fn line_stop_outcomes(observed: &Observed) -> Vec<(&QualityEvent, Outcome)> {
    let (received, grounds) = (counts(&observed.line_stops), Grounds::of(observed));
    let stopping = observed.events.values().filter(|event| {
        is_alerting(event)
            && event.reaction == Reaction::StopLine
            && event.transition() != Some(Transition::Cleared)
    });
    stopping
        .map(|event| {
            let outcome = outcome(observed, event, "line-stop", &received, &grounds);
            (event, outcome)
        })
        .collect()
}

/// Whether the table keeps it.
pub fn is_storable(event: &QualityEvent, store_all: bool) -> bool {
    store_all
        || match &event.finding {
            Finding::Violation(violation) => violation.transition != Some(Transition::Ongoing),
            Finding::Prediction(prediction) => prediction.flagged,
        }
}

fn is_alerting(event: &QualityEvent) -> bool {
    let step = match &event.finding {
        Finding::Violation(violation) => matches!(
            violation.transition,
            Some(Transition::Opened | Transition::Cleared)
        ),
        Finding::Prediction(prediction) => prediction.flagged,
    };
    step && !event.late && event.reaction != Reaction::Record
}

fn readings_put(observed: &Observed) -> Vec<String> {
    let (put, found) = (observed.put.readings, observed.expected.readings);
    // A record that was put again after a lost answer may lie there twice.
    let repeated = observed.put.put_again;
    let agrees = (put..=put + repeated).contains(&found);
    (!agrees)
        .then(|| format!("{put} readings were put, {found} are on the stream"))
        .into_iter()
        .collect()
}

fn readings_judged(observed: &Observed) -> Vec<String> {
    let violations = observed.events.iter();
    let found: BTreeSet<&str> = violations
        .filter(|(_, event)| event.violation().is_some())
        .map(|(id, _)| id.as_str())
        .collect();
    let expected: BTreeSet<&str> = observed
        .expected
        .events
        .keys()
        .map(String::as_str)
        .collect();
    let aside: BTreeSet<_> = observed
        .set_aside
        .iter()
        .filter(|aside| aside.stream.as_deref() == Some(&observed.readings_stream))
        .map(|aside| aside.place.clone())
        .collect();
    let mut differences = differing("event", &expected, &found);
    differences.extend(contents(observed, &observed.expected.events));
    differences.extend(differing(
        "set-aside reading",
        &observed.expected.unreadable,
        &aside,
    ));
    let given_up: BTreeSet<_> = poison(observed).map(|(place, _)| place.clone()).collect();
    let missing = observed.expected.poison.difference(&given_up);
    differences.extend(missing.map(|place| format!("given-up record {place} is missing")));
    differences
}

/// What published events say otherwise than they should, and what one says otherwise when it is published again.
///
/// Events of rules have to be equal in every field, whatever went wrong: the same readings in the same order give the same
/// verdicts however often they are judged, and poison is left out on both sides. Readings that were parked or given up
/// besides would change what comes after them, but then a check fails in any case. Of predictions,
/// [`predictions::expected_events`] tells what is taken from the published event itself.
fn contents(observed: &Observed, expected: &BTreeMap<String, QualityEvent>) -> Vec<String> {
    let otherwise = expected.iter().filter_map(|(id, expected)| {
        let fields = unlike(observed.events.get(id)?, expected)?;
        Some(format!("event {id}: {fields}"))
    });
    let again = observed.unequal.iter().filter_map(|event| {
        let id = event.id.as_str();
        let first = observed
            .events
            .get(id)
            .filter(|_| expected.contains_key(id))?;
        let repeated = predictions::repeated(first, event, observed.damage.is_some());
        let fields = unlike(event, &repeated)?;
        Some(format!("event {id}, published again: {fields}"))
    });
    otherwise.chain(again).collect()
}

/// The records on the failure destination that belong there, each with its batch.
fn poison(observed: &Observed) -> impl Iterator<Item = (&Place, &GivenUp)> {
    let readings = observed
        .given_up
        .iter()
        .filter(|batch| batch.stream == observed.readings_stream);
    let records = readings.flat_map(|batch| batch.records.iter().map(move |place| (place, batch)));
    records.filter(|(place, _)| observed.expected.poison.contains(place))
}

fn stored(observed: &Observed) -> Vec<String> {
    let expected: BTreeSet<&str> = observed
        .events
        .iter()
        .filter(|(_, event)| is_storable(event, observed.policy.store_all))
        .map(|(id, _)| id.as_str())
        .collect();
    let found: BTreeSet<&str> = observed.stored.iter().map(String::as_str).collect();
    differing("stored event", &expected, &found)
}

fn sent(
    observed: &Observed,
    outcomes: Vec<(&QualityEvent, Outcome)>,
    received: &[Received],
    what: &str,
) -> Vec<String> {
    let wrong = outcomes
        .iter()
        .filter_map(|(event, outcome)| match outcome {
            Outcome::Wrong(words) => Some(format!(
                "{what} {} ({}): {words}",
                event.id,
                event.subject()
            )),
            _ => None,
        });
    let mut differences: Vec<_> = wrong.collect();
    let called_for: BTreeSet<&str> = outcomes
        .iter()
        .map(|(event, _)| event.id.as_str())
        .collect();
    let uncalled = received
        .iter()
        .filter(|message| !called_for.contains(message.id.as_str()));
    differences.extend(uncalled.map(|message| {
        let known = observed.events.contains_key(&message.id);
        let why = if known {
            "its event calls for none"
        } else {
            "there is no such event"
        };
        format!("{what} {}: sent, and {why}", message.id)
    }));
    differences
}

/// Of every delivery stream: in = delivered + dropped + failed, by distinct id.
pub fn in_the_lake(lake: &[Delivered]) -> Vec<String> {
    let differences = lake.iter().flat_map(|delivered| {
        let Delivered {
            stream,
            records,
            delivered: rows,
            dropped,
            failed,
            differences,
            ..
        } = delivered;
        let sum = (*records != rows + dropped + failed).then(|| {
            format!("{stream}: {records} in, {rows} delivered, {dropped} dropped, {failed} failed")
        });
        let named = differences
            .iter()
            .map(move |line| format!("{stream}: {line}"));
        sum.into_iter().chain(named)
    });
    differences.collect()
}

/// What was read and not done with.
pub fn on_the_way(lag: &[Behind]) -> impl Iterator<Item = String> {
    lag.iter().filter(|lag| lag.records > 0).map(|lag| {
        format!(
            "{} is {} records behind on {}",
            lag.function, lag.records, lag.shard
        )
    })
}

fn left_behind(observed: &Observed) -> Vec<String> {
    let behind = on_the_way(&observed.lag);
    let given_up = observed
        .given_up
        .iter()
        .filter(|batch| {
            let belongs = |place: &Place| observed.expected.poison.contains(place);
            batch.stream != observed.readings_stream
                || batch.records.is_empty()
                || !batch.records.iter().all(belongs)
        })
        .map(|batch| {
            format!(
                "on the failure destination ({}): {}",
                batch.condition, batch.key
            )
        });
    behind.chain(given_up).collect()
}

fn counts(received: &[Received]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for message in received {
        *counts.entry(message.id.as_str()).or_default() += 1;
    }
    counts
}

fn outcome(
    observed: &Observed,
    event: &QualityEvent,
    purpose: &str,
    received: &BTreeMap<&str, usize>,
    grounds: &Grounds<'_>,
) -> Outcome {
    let claim = observed.claims.get(&format!("{purpose}#{}", event.id));
    let messages = received.get(event.id.as_str()).copied().unwrap_or_default();
    match (messages, claim) {
        (1, Some(Claim { status, .. })) if status == "sent" => Outcome::Sent,
        // A process that is killed after publishing and before settling leaves its claim to the next, which cannot know:
        // it publishes again, or finds that there is no call for it any more.
        (1.., Some(_)) if observed.damage.is_some() => Outcome::Sent,
        (0, Some(Claim { status, reason, .. })) if status == "suppressed" => match reason {
            Some(reason) => match grounds.against(event, purpose, reason) {
                None => Outcome::Suppressed(reason.clone()),
                Some(words) => Outcome::Wrong(words),
            },
            None => Outcome::Wrong("suppressed without a reason".to_owned()),
        },
        (0, None) => match too_old(observed, event, purpose) {
            Some(reason) => Outcome::Suppressed(reason.to_owned()),
            None => Outcome::Wrong("neither sent nor suppressed".to_owned()),
        },
        // An alerter that died between claiming and publishing leaves this; once the lease is over, so may be the stop.
        (0, Some(Claim { status, .. })) if status == "claimed" => {
            match too_old(observed, event, purpose) {
                Some(reason) => Outcome::Suppressed(reason.to_owned()),
                None => Outcome::Wrong("claimed and never sent".to_owned()),
            }
        }
        (messages, claim) => Outcome::Wrong(format!(
            "{messages} messages, and its claim is {}",
            claim.map_or("missing", |claim| &claim.status)
        )),
    }
}

/// Why a message was not asked for: its event was too old when the alerter saw it last. When that was tells the alert's
/// claim, by its expiry.
fn too_old(observed: &Observed, event: &QualityEvent, purpose: &str) -> Option<&'static str> {
    let policy = &observed.policy;
    let alert = observed.claims.get(&format!("alert#{}", event.id));
    let seen_ms = alert.map(|claim| (claim.expires_at - policy.claim_ttl_s) * 1_000 + 999);
    let age_ms = seen_ms.unwrap_or(observed.now_ms) - event.arrived.as_millis();
    // A killed alerter may have told people of it and left the stop claimed; the batch is halved, and its second half
    // comes again only after the first, when the alert is settled and the stop may be over.
    let since_ms = observed.now_ms - event.arrived.as_millis();
    match (purpose, seen_ms) {
        ("line-stop", Some(_)) if age_ms > policy.line_stop_expiry_ms => Some("expired"),
        ("line-stop", Some(_))
            if observed.damage.is_some() && since_ms > policy.line_stop_expiry_ms =>
        {
            Some("expired")
        }
        (_, None) if age_ms > policy.max_alert_age_ms => Some("stale"),
        _ => None,
    }
}

/// The first few that only one side has.
fn differing<T: Ord + std::fmt::Display>(
    what: &str,
    expected: &BTreeSet<T>,
    found: &BTreeSet<T>,
) -> Vec<String> {
    let missing = expected
        .difference(found)
        .map(|id| format!("{what} {id} is missing"));
    let surplus = found
        .difference(expected)
        .map(|id| format!("{what} {id} is not expected"));
    missing.chain(surplus).collect()
}

#[cfg(test)]
pub(super) mod tests;
