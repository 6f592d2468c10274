//! Whether the counts agree, each by distinct id. Pure: what was observed in the local AWS in, findings out.
//!
//! Nothing here rests on what the functions say of themselves: the verdicts that are expected come from judging the
//! stream's own records once more, the rest is what lies in streams, tables, buckets and queues.

use std::collections::{BTreeMap, BTreeSet};

use quality_event::{Finding, QualityEvent, Reaction, Transition};

use super::observe::{Claim, GivenUp, Observed, Place, Received};

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
    checks.push(Check {
        name: "nothing_left_behind",
        differences: left_behind(observed),
    });
    checks
}

/// Every alerting event with what became of its alert.
pub fn alert_outcomes(observed: &Observed) -> Vec<(&QualityEvent, Outcome)> {
    let received = counts(&observed.alerts);
    let alerting = observed.events.values().filter(|event| is_alerting(event));
    alerting
        .map(|event| (event, outcome(observed, event, "alert", &received)))
        .collect()
}

/// Every event that asks for a line stop with what became of it.
pub fn line_stop_outcomes(observed: &Observed) -> Vec<(&QualityEvent, Outcome)> {
    let received = counts(&observed.line_stops);
    let stopping = observed.events.values().filter(|event| {
        is_alerting(event)
            && event.reaction == Reaction::StopLine
            && event.transition() != Some(Transition::Cleared)
    });
    stopping
        .map(|event| (event, outcome(observed, event, "line-stop", &received)))
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
    let found: BTreeSet<&str> = observed.events.keys().map(String::as_str).collect();
    let expected: BTreeSet<&str> = observed
        .expected
        .events
        .iter()
        .map(String::as_str)
        .collect();
    let aside: BTreeSet<_> = observed
        .set_aside
        .iter()
        .filter(|aside| aside.stream.as_deref() == Some(&observed.readings_stream))
        .map(|aside| aside.place.clone())
        .collect();
    let mut differences = differing("event", &expected, &found);
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

fn left_behind(observed: &Observed) -> Vec<String> {
    let behind = observed
        .lag
        .iter()
        .filter(|lag| lag.records > 0)
        .map(|lag| {
            format!(
                "{} is {} records behind on {}",
                lag.function, lag.records, lag.shard
            )
        });
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
) -> Outcome {
    let claim = observed.claims.get(&format!("{purpose}#{}", event.id));
    let messages = received.get(event.id.as_str()).copied().unwrap_or_default();
    match (messages, claim) {
        (1, Some(Claim { status, .. })) if status == "sent" => Outcome::Sent,
        // A process that is killed after publishing and before settling leaves its claim to the next, which cannot know:
        // it publishes again, or finds that the time for it is over.
        (1.., Some(_)) if observed.damage.is_some() => Outcome::Sent,
        (0, Some(Claim { status, reason, .. })) if status == "suppressed" => match reason {
            Some(reason) => Outcome::Suppressed(reason.clone()),
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
    match (purpose, seen_ms) {
        ("line-stop", Some(_)) if age_ms > policy.line_stop_expiry_ms => Some("expired"),
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
pub(super) mod tests {
    use super::super::observe::{Aside, Expected, Place, Policy, Put};
    use super::*;
    use crate::local::chaos::Damage;
    use crate::local::mapping::lag::Behind;

    const ARRIVED: &str = "2026-11-20T01:02:03.610Z";
    const ARRIVED_MS: i64 = 1_795_136_523_610;

    /// An event of the machine `press-07`; its id is `n` in hexadecimal.
    pub(crate) fn event(n: u32, transition: &str, reaction: &str) -> QualityEvent {
        let json = serde_json::json!({
            "id": format!("{n:032x}"), "kind": "violation", "transition": transition, "episode": format!("{n:032x}"),
            "rule": "power-out-of-range", "severity": "critical", "reaction": reaction, "machine": "press-07",
            "line": "L2", "time": "2026-11-20T01:02:03.456Z", "arrived": ARRIVED, "tests": [],
            "values": {"power": 9421.5}, "summary": "Power", "plan": "sha256:00",
            "source": {"stream": "arn:readings", "shard": "shardId-000000000000", "sequence_number": format!("{n}"),
                       "sub_sequence_number": null},
        });
        QualityEvent::from_json(json.to_string().as_bytes()).unwrap()
    }

    fn received(n: u32) -> Received {
        Received {
            id: format!("{n:032x}"),
        }
    }

    fn claim(status: &str, reason: Option<&str>) -> Claim {
        Claim {
            status: status.into(),
            reason: reason.map(str::to_owned),
            expires_at: (ARRIVED_MS + 2_000) / 1_000 + 604_800,
        }
    }

    fn given_up(numbers: &[u32]) -> GivenUp {
        GivenUp {
            key: "aws/lambda/x".into(),
            condition: "RetryAttemptsExhausted".into(),
            stream: "arn:readings".into(),
            records: numbers.iter().copied().map(place).collect(),
        }
    }

    fn place(n: u32) -> Place {
        Place {
            shard: "shardId-000000000000".into(),
            sequence_number: n.to_string(),
            sub_sequence_number: None,
        }
    }

    /// Six readings: 1 opens with a line stop, 2 goes on, 3 clears, 4 opens within the cool-down, 5 opens for the
    /// record, 6 is no reading.
    pub(crate) fn sound() -> Observed {
        let events = [
            event(1, "opened", "stop-line"),
            event(2, "ongoing", "stop-line"),
            event(3, "cleared", "stop-line"),
            event(4, "opened", "notify"),
            event(5, "opened", "record"),
        ];
        let ids = |numbers: &[u32]| numbers.iter().map(|n| format!("{n:032x}")).collect();
        let key = |purpose: &str, n: u32| format!("{purpose}#{n:032x}");
        Observed {
            readings_stream: "arn:readings".into(),
            put: Put {
                readings: 6,
                records: 6,
                put_again: 0,
            },
            expected: Expected {
                readings: 6,
                records: 6,
                events: ids(&[1, 2, 3, 4, 5]),
                unreadable: [place(6)].into(),
                poison: BTreeSet::new(),
            },
            events: events
                .into_iter()
                .map(|event| (event.id.to_string(), event))
                .collect(),
            stored: ids(&[1, 3, 4, 5]),
            claims: [
                (key("alert", 1), claim("sent", None)),
                (key("line-stop", 1), claim("sent", None)),
                (key("alert", 3), claim("sent", None)),
                (key("alert", 4), claim("suppressed", Some("cool-down"))),
            ]
            .into(),
            alerts: vec![received(1), received(3)],
            line_stops: vec![received(1)],
            set_aside: vec![Aside {
                fate: "quarantine".into(),
                reason: "not-json".into(),
                stream: Some("arn:readings".into()),
                place: place(6),
            }],
            given_up: vec![],
            damage: None,
            lag: vec![Behind {
                function: "sns-alerter".into(),
                shard: "shardId-000000000000".into(),
                records: 0,
                ms: 0,
                passed: 5,
                given_up: 0,
                most_ms: 40,
            }],
            policy: Policy {
                store_all: false,
                max_alert_age_ms: 3_600_000,
                line_stop_expiry_ms: 60_000,
                claim_ttl_s: 604_800,
            },
            now_ms: ARRIVED_MS + 10_000,
        }
    }

    /// After the change exactly this check fails, and its first difference says so.
    #[track_caller]
    fn fails(change: impl FnOnce(&mut Observed), name: &str, words: &str) {
        let mut observed = sound();
        change(&mut observed);
        let failed: Vec<_> = checks(&observed)
            .into_iter()
            .filter(|check| !check.holds())
            .collect();
        let names: Vec<_> = failed.iter().map(|check| check.name).collect();
        assert_eq!(names, [name]);
        let said = failed[0].differences.join("\n");
        assert!(said.contains(words), "{said}");
    }

    #[test]
    fn a_sound_run_passes_every_check() {
        for check in checks(&sound()) {
            assert!(check.holds(), "{check:?}");
        }
    }

    #[test]
    fn a_reading_that_did_not_arrive_shows() {
        fails(
            |seen| seen.put.readings = 7,
            "readings_on_the_stream",
            "7 readings were put, 6 are",
        );
    }

    #[test]
    fn a_record_that_was_put_again_may_lie_there_twice() {
        let mut observed = sound();
        observed.put.readings = 5;
        observed.put.put_again = 1;
        assert!(checks(&observed).iter().all(Check::holds));
    }

    #[test]
    fn a_reading_that_was_not_judged_shows() {
        fails(
            |seen| {
                seen.expected.events.insert("missed".into());
            },
            "readings_judged_or_set_aside",
            "event missed is missing",
        );
    }

    #[test]
    fn an_event_that_nothing_explains_shows() {
        fails(
            |seen| {
                seen.expected.events.remove(&format!("{:032x}", 2));
            },
            "readings_judged_or_set_aside",
            "is not expected",
        );
    }

    #[test]
    fn a_reading_that_vanished_shows() {
        fails(
            |seen| seen.set_aside.clear(),
            "readings_judged_or_set_aside",
            "set-aside reading shardId-000000000000:6 is missing",
        );
    }

    #[test]
    fn an_event_that_was_not_stored_shows() {
        let id = format!("{:032x}", 5);
        fails(
            |seen| {
                seen.stored.remove(&id);
            },
            "events_stored",
            &format!("stored event {id} is missing"),
        );
    }

    #[test]
    fn where_everything_is_stored_ongoing_events_are_expected_too() {
        fails(
            |seen| seen.policy.store_all = true,
            "events_stored",
            "is missing",
        );
    }

    #[test]
    fn an_alert_without_outcome_shows() {
        fails(
            |seen| {
                seen.claims.remove(&format!("alert#{:032x}", 4));
            },
            "alerts_sent_or_suppressed",
            "neither sent nor suppressed",
        );
    }

    #[test]
    fn an_alert_that_came_twice_shows() {
        fails(
            |seen| seen.alerts.push(received(3)),
            "alerts_sent_or_suppressed",
            "2 messages, and its claim is sent",
        );
    }

    #[test]
    fn an_alert_that_is_suppressed_and_sent_shows() {
        fails(
            |seen| seen.alerts.push(received(4)),
            "alerts_sent_or_suppressed",
            "1 messages, and its claim is suppressed",
        );
    }

    #[test]
    fn an_alert_that_no_event_calls_for_shows() {
        fails(
            |seen| seen.alerts.push(received(99)),
            "alerts_sent_or_suppressed",
            "there is no such event",
        );
        fails(
            |seen| seen.alerts.push(received(5)),
            "alerts_sent_or_suppressed",
            "its event calls for none",
        );
    }

    #[test]
    fn a_claim_that_is_never_settled_shows() {
        fails(
            |seen| {
                seen.claims
                    .insert(format!("alert#{:032x}", 1), claim("claimed", None));
            },
            "alerts_sent_or_suppressed",
            "its claim is claimed",
        );
    }

    #[test]
    fn a_line_stop_that_outlived_its_holder_is_expired() {
        let line_stop = format!("line-stop#{:032x}", 1);
        let mut observed = sound();
        observed.line_stops.clear();
        observed.claims.insert(line_stop, claim("claimed", None));
        assert_eq!(
            line_stop_outcomes(&observed)[0].1,
            Outcome::Wrong("claimed and never sent".into())
        );
        let alert = observed.claims.get_mut(&format!("alert#{:032x}", 1));
        alert.unwrap().expires_at += 70;
        assert_eq!(
            line_stop_outcomes(&observed)[0].1,
            Outcome::Suppressed("expired".into())
        );
    }

    #[test]
    fn an_old_event_is_stale_without_a_claim() {
        let mut observed = sound();
        observed.claims.remove(&format!("alert#{:032x}", 4));
        observed.now_ms = ARRIVED_MS + 3_600_001;
        let outcomes = alert_outcomes(&observed);
        let (_, outcome) = outcomes
            .iter()
            .find(|(event, _)| event.id.as_str() == format!("{:032x}", 4))
            .unwrap();
        assert_eq!(*outcome, Outcome::Suppressed("stale".into()));
    }

    #[test]
    fn a_line_stop_that_is_lost_shows() {
        fails(
            |seen| seen.line_stops.clear(),
            "line_stops_sent_or_suppressed",
            "0 messages, and its claim is sent",
        );
    }

    #[test]
    fn a_line_stop_whose_time_was_over_has_no_claim() {
        let mut observed = sound();
        observed.line_stops.clear();
        observed.claims.remove(&format!("line-stop#{:032x}", 1));
        assert!(!checks(&observed).iter().all(Check::holds), "it was young");
        let alert = observed
            .claims
            .get_mut(&format!("alert#{:032x}", 1))
            .unwrap();
        alert.expires_at += 61;
        assert_eq!(
            line_stop_outcomes(&observed)[0].1,
            Outcome::Suppressed("expired".into())
        );
    }

    #[test]
    fn a_mapping_that_is_behind_shows() {
        fails(
            |seen| seen.lag[0].records = 3,
            "nothing_left_behind",
            "sns-alerter is 3 records behind",
        );
    }

    #[test]
    fn a_batch_that_was_given_up_shows() {
        fails(
            |seen| seen.given_up.push(given_up(&[1])),
            "nothing_left_behind",
            "on the failure destination (RetryAttemptsExhausted): aws/lambda/x",
        );
        fails(
            |seen| {
                seen.expected.poison = [place(1)].into();
                seen.given_up.push(given_up(&[1, 2]));
            },
            "nothing_left_behind",
            "aws/lambda/x",
        );
    }

    #[test]
    fn poison_belongs_on_the_failure_destination() {
        let mut observed = sound();
        observed.expected.poison = [place(7)].into();
        observed.given_up.push(given_up(&[7]));
        assert!(checks(&observed).iter().all(Check::holds));
        fails(
            |seen| seen.expected.poison = [place(7)].into(),
            "readings_judged_or_set_aside",
            "given-up record shardId-000000000000:7 is missing",
        );
    }

    #[test]
    fn a_message_may_come_twice_where_processes_were_killed() {
        let again = |seen: &mut Observed| seen.alerts.push(received(1));
        fails(again, "alerts_sent_or_suppressed", "2 messages");
        let mut observed = sound();
        again(&mut observed);
        observed.damage = Some(Damage::default());
        assert!(checks(&observed).iter().all(Check::holds));
        for status in ["claimed", "suppressed"] {
            let key = format!("line-stop#{:032x}", 1);
            observed.claims.insert(key, claim(status, Some("expired")));
            assert!(checks(&observed).iter().all(Check::holds), "{status}");
        }
        observed.line_stops.clear();
        observed
            .claims
            .insert(format!("line-stop#{:032x}", 1), claim("sent", None));
        assert!(
            !checks(&observed).iter().all(Check::holds),
            "marked and never published"
        );
    }
}
