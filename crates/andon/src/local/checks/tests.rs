use quality_event::{EventId, Severity, Timestamp};

use super::super::observe::{Aside, Expected, Place, Policy, Put};
use super::*;
use crate::local::chaos::Damage;
use crate::local::figures::Figures;
use crate::local::mapping::lag::Behind;
use crate::local::predictions::{Asked, Model};

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
    let events: BTreeMap<_, _> = events
        .into_iter()
        .map(|event| (event.id.to_string(), event))
        .collect();
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
            events: events.clone(),
            predictions: BTreeMap::new(),
            unreadable: [place(6)].into(),
            poison: BTreeSet::new(),
        },
        model: None,
        events,
        unequal: vec![],
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
        lake: vec![Delivered {
            stream: "andon-readings".into(),
            records: 6,
            delivered: 4,
            dropped: 1,
            failed: 1,
            objects: 2,
            bytes: 345,
            differences: vec![],
        }],
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
            cool_down_ms: 300_000,
        },
        now_ms: ARRIVED_MS + 10_000,
    }
}

/// A model that was asked about one reading; its event would have this number.
fn model(n: u32) -> Model {
    Model {
        id: "wear".into(),
        thresholds: vec![],
        asked: vec![Asked {
            machine: "press-07".into(),
            time: "2026-11-20T01:02:03.456Z".parse().unwrap(),
            scored: format!("{n:032x}"),
            unscored: format!("{:032x}", n + 1),
            score: Some(0.5),
        }],
        truth: None,
        figures: Figures::of_card().unwrap(),
    }
}

fn prediction(n: u32, score: f64) -> QualityEvent {
    let mut event = event(n, "opened", "record");
    event.finding = Finding::Prediction(quality_event::Prediction {
        model: "wear".into(),
        score: Some(score),
        flagged: false,
        unscored: None,
    });
    event
}

#[test]
fn predictions_are_checked_where_a_model_was_asked() {
    fails(
        |observed| observed.model = Some(model(77)),
        "readings_scored_or_unscored",
        "press-07 at 2026-11-20T01:02:03.456Z is neither scored nor unscored",
    );
    fails(
        |observed| {
            let event = prediction(77, 0.25);
            observed.events.insert(event.id.to_string(), event);
            observed.model = Some(model(77));
        },
        "scores_are_the_models",
        "Some(0.25) was published, the model says Some(0.5)",
    );
}

#[test]
fn a_score_that_is_not_flagged_by_the_plan_shows() {
    let unflagged = |observed: &mut Observed| {
        let published = prediction(77, 0.5);
        let mut expected = published.clone();
        expected.reaction = Reaction::Notify;
        expected.severity = Severity::Warning;
        if let Finding::Prediction(prediction) = &mut expected.finding {
            prediction.flagged = true;
        }
        let id = published.id.to_string();
        observed.expected.predictions.insert(id.clone(), expected);
        observed.events.insert(id, published);
        observed.model = Some(model(77));
    };
    fails(
        unflagged,
        "scores_are_the_models",
        "flagged false instead of true, reaction \"record\" instead of \"notify\", severity",
    );
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
            let missed = event(9, "opened", "record");
            seen.expected.events.insert("missed".into(), missed);
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

/// The evaluator has lost a machine's state: everything behind it follows the event as it is published.
#[test]
fn an_event_that_says_another_step_than_was_judged_shows() {
    fails(
        |seen| {
            let again = event(2, "opened", "stop-line");
            let id = again.id.to_string();
            for purpose in ["alert", "line-stop"] {
                let key = format!("{purpose}#{id}");
                seen.claims.insert(key, claim("sent", None));
            }
            seen.alerts.push(received(2));
            seen.line_stops.push(received(2));
            seen.stored.insert(id.clone());
            seen.events.insert(id, again);
        },
        "readings_judged_or_set_aside",
        "transition \"opened\" instead of \"ongoing\"",
    );
}

#[test]
fn an_event_that_says_something_else_when_it_is_published_again_shows() {
    fails(
        |seen| seen.unequal.push(event(3, "opened", "stop-line")),
        "readings_judged_or_set_aside",
        "published again: transition \"opened\" instead of \"cleared\"",
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
        let claim = claim(status, Some("already-cleared"));
        observed.claims.insert(key, claim);
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

#[test]
fn a_stop_whose_alerter_was_killed_may_have_expired() {
    let killed = |now_ms: i64| {
        let mut observed = sound();
        observed.damage = Some(Damage::default());
        observed.line_stops.clear();
        let key = format!("line-stop#{:032x}", 1);
        observed.claims.insert(key, claim("claimed", None));
        observed.now_ms = ARRIVED_MS + now_ms;
        observed
    };
    assert!(checks(&killed(60_001)).iter().all(Check::holds));
    assert!(
        !checks(&killed(60_000)).iter().all(Check::holds),
        "it is still young"
    );
    let mut calm = killed(60_001);
    calm.damage = None;
    assert!(!checks(&calm).iter().all(Check::holds), "nobody was killed");
}

#[test]
fn a_record_that_is_nowhere_in_the_lake_shows() {
    fails(
        |seen| seen.lake[0].delivered = 3,
        "records_in_the_lake",
        "andon-readings: 6 in, 3 delivered, 1 dropped, 1 failed",
    );
    fails(
        |seen| seen.lake[0].differences.push("5f1c is missing".into()),
        "records_in_the_lake",
        "andon-readings: 5f1c is missing",
    );
    let mut observed = sound();
    observed.lake.clear();
    let without = checks(&observed);
    assert!(
        without
            .iter()
            .all(|check| check.name != "records_in_the_lake")
    );
}

/// Changes an event as if its reading had been another: as it is expected, and as it is published.
fn alter(seen: &mut Observed, n: u32, change: impl Fn(&mut QualityEvent)) {
    let id = format!("{n:032x}");
    let known = [seen.events.get_mut(&id), seen.expected.events.get_mut(&id)];
    known.into_iter().flatten().for_each(change);
}

/// Adds an opening of `press-07` with this claim of its alert.
fn add_opening(seen: &mut Observed, n: u32, claim: Claim) {
    let event = event(n, "opened", "notify");
    let id = event.id.to_string();
    seen.claims.insert(format!("alert#{id}"), claim);
    seen.stored.insert(id.clone());
    seen.expected.events.insert(id.clone(), event.clone());
    seen.events.insert(id, event);
}

fn later(seconds: i64) -> impl Fn(&mut QualityEvent) {
    move |event| {
        event.time = Timestamp::from_millis(event.time.as_millis() + seconds * 1_000).unwrap();
    }
}

fn of_episode(n: u32) -> impl Fn(&mut QualityEvent) {
    move |event| {
        if let Finding::Violation(violation) = &mut event.finding {
            violation.episode = Some(EventId::try_from(format!("{n:032x}")).unwrap());
        }
    }
}

const NO_ALERT_BEGAN: &str = "suppressed by a cool-down that no alert of its machine began";

#[test]
fn a_cool_down_needs_an_alert_of_its_machine_and_rule_that_was_sent() {
    fails(
        |seen| alter(seen, 4, |event| event.machine = "press-08".into()),
        "alerts_sent_or_suppressed",
        NO_ALERT_BEGAN,
    );
    let other_rule = |event: &mut QualityEvent| {
        if let Finding::Violation(violation) = &mut event.finding {
            violation.rule = "tool-wear".into();
        }
    };
    fails(
        |seen| alter(seen, 4, other_rule),
        "alerts_sent_or_suppressed",
        NO_ALERT_BEGAN,
    );
    fails(
        |seen| {
            // Each held back by the other, and people are told of neither.
            alter(seen, 4, |event| event.machine = "press-08".into());
            add_opening(seen, 7, claim("suppressed", Some("cool-down")));
            alter(seen, 7, |event| event.machine = "press-08".into());
            seen.damage = Some(Damage::default());
        },
        "alerts_sent_or_suppressed",
        NO_ALERT_BEGAN,
    );
}

#[test]
fn a_cool_down_reaches_as_far_as_it_is_deployed() {
    for seconds in [299, -299] {
        let mut observed = sound();
        alter(&mut observed, 4, later(seconds));
        assert!(checks(&observed).iter().all(Check::holds), "{seconds} s");
    }
    for seconds in [300, -300] {
        fails(
            |seen| alter(seen, 4, later(seconds)),
            "alerts_sent_or_suppressed",
            NO_ALERT_BEGAN,
        );
    }
}

#[test]
fn a_chain_of_cool_downs_suffices_where_calls_were_made_to_fail() {
    let chained = |seen: &mut Observed| {
        alter(seen, 4, later(200));
        add_opening(seen, 7, claim("suppressed", Some("cool-down")));
        alter(seen, 7, later(400));
    };
    fails(chained, "alerts_sent_or_suppressed", NO_ALERT_BEGAN);
    let mut observed = sound();
    chained(&mut observed);
    observed.damage = Some(Damage::default());
    assert!(checks(&observed).iter().all(Check::holds));
}

#[test]
fn a_reason_that_holds_back_no_such_message_shows() {
    let alert = |n: u32| format!("alert#{n:032x}");
    for reason in ["boredom", "already-cleared", "opening-suppressed"] {
        fails(
            |seen| {
                seen.claims
                    .insert(alert(4), claim("suppressed", Some(reason)));
            },
            "alerts_sent_or_suppressed",
            "which is no reason to hold it back",
        );
    }
    fails(
        |seen| {
            seen.line_stops.clear();
            let key = format!("line-stop#{:032x}", 1);
            seen.claims
                .insert(key, claim("suppressed", Some("cool-down")));
        },
        "line_stops_sent_or_suppressed",
        "which is no reason to hold it back",
    );
}

#[test]
fn a_clearing_is_held_back_with_its_opening() {
    let suppressed = |opening: u32| {
        move |seen: &mut Observed| {
            alter(seen, 3, of_episode(opening));
            seen.alerts.retain(|message| *message != received(3));
            let key = format!("alert#{:032x}", 3);
            seen.claims
                .insert(key, claim("suppressed", Some("opening-suppressed")));
        }
    };
    let mut observed = sound();
    suppressed(4)(&mut observed);
    assert!(checks(&observed).iter().all(Check::holds));
    fails(
        suppressed(1),
        "alerts_sent_or_suppressed",
        "suppressed with an opening whose alert is not suppressed",
    );
}

#[test]
fn a_line_stop_is_held_back_by_the_clearing_of_its_episode() {
    let cleared = |seen: &mut Observed| {
        seen.line_stops.clear();
        let key = format!("line-stop#{:032x}", 1);
        seen.claims
            .insert(key, claim("suppressed", Some("already-cleared")));
    };
    fails(
        cleared,
        "line_stops_sent_or_suppressed",
        "suppressed as already cleared, and its episode has no clearing",
    );
    let mut observed = sound();
    cleared(&mut observed);
    alter(&mut observed, 3, of_episode(1));
    assert!(checks(&observed).iter().all(Check::holds));
}
