//! The writer: an event is stored once, and nothing that is not stored is passed.

use std::collections::BTreeSet;
use std::time::Duration;

use fake_aws::{Effect, Fault, Parts, Service, When};
use pipeline_tests::{Batches, Rig, json_of, opened, redriving};
use quality_event::{Finding, QualityEvent, Transition};
use serde_json::{Value, json};
use set_aside::{Answer, Outcome};

fn many(n: i64) -> Vec<Value> {
    (0..n)
        .map(|second| json_of(&opened("press-1", "power", second)))
        .collect()
}

fn with_transition(mut event: QualityEvent, transition: Transition) -> QualityEvent {
    if let Finding::Violation(violation) = &mut event.finding {
        violation.transition = Some(transition);
    }
    event
}

fn calls(rig: &Rig) -> usize {
    rig.world
        .calls_to(Service::DynamoDb, "BatchWriteItem")
        .len()
}

fn many_machines(n: i64) -> Vec<Value> {
    (0..n)
        .map(|n| json_of(&opened(&format!("press-{n:03}"), "power", n)))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn events_are_stored_under_machine_time_and_id_with_a_time_to_live() {
    let rig = Rig::new();
    let event = opened("press-1", "power", 3);
    assert_eq!(rig.store(&rig.batches().of(&[json_of(&event)])).await, None);
    let item = rig
        .world
        .item(
            "events",
            "press-1",
            Some(&format!("{}#{}", event.time, event.id)),
        )
        .unwrap();
    let expires = event.arrived.as_millis() / 1_000 + 7_776_000;
    assert_eq!(item["expires_at"], fake_aws::Value::from(expires));
    assert_eq!(item["line"], fake_aws::Value::from("L2"));
}

#[tokio::test(start_paused = true)]
async fn a_replay_stores_nothing_twice() {
    let rig = Rig::new();
    let batch = rig.batches().of(&many(60));
    assert_eq!(rig.store(&batch).await, None);
    assert_eq!(rig.store(&batch).await, None);
    assert_eq!(rig.world.items("events").len(), 60);
}

#[tokio::test(start_paused = true)]
async fn duplicates_within_a_batch_are_one_write() {
    let rig = Rig::new();
    let event = json_of(&opened("press-1", "power", 3));
    assert_eq!(
        rig.store(&rig.batches().of(&[event.clone(), event.clone(), event]))
            .await,
        None
    );
    assert_eq!((rig.world.items("events").len(), calls(&rig)), (1, 1));
    assert_eq!(rig.metric("EventsDuplicated", &[]), 2.0);
}

#[tokio::test(start_paused = true)]
async fn ongoing_events_are_left_to_the_lake_unless_everything_is_stored() {
    let rig = Rig::new();
    let ongoing = json_of(&with_transition(
        opened("press-1", "power", 3),
        Transition::Ongoing,
    ));
    let batch = rig.batches().of(&[ongoing]);
    assert_eq!(rig.store(&batch).await, None);
    assert!(rig.world.items("events").is_empty());
    assert_eq!(rig.metric("EventsSkipped", &[("reason", "ongoing")]), 1.0);
    rig.writer("all")
        .invoke(&batch, Rig::deadline())
        .await
        .unwrap();
    assert_eq!(rig.world.items("events").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn flagged_predictions_are_stored_and_others_are_not() {
    let rig = Rig::new();
    let prediction = |flagged: bool| {
        let mut event = json_of(&opened("press-1", "power", if flagged { 1 } else { 2 }));
        for gone in ["transition", "episode", "rule", "tests"] {
            event.as_object_mut().unwrap().remove(gone);
        }
        let more = json!({"kind": "prediction", "model": "failure-soon", "score": 0.9, "flagged": flagged});
        event
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        event
    };
    assert_eq!(
        rig.store(&rig.batches().of(&[prediction(true), prediction(false)]))
            .await,
        None
    );
    assert_eq!(rig.world.items("events").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn unprocessed_items_come_again_until_they_are_stored() {
    let rig = Rig::new();
    let fault = Fault::new(Service::DynamoDb, "BatchWriteItem");
    rig.world.fault(
        fault
            .when(When::first(3))
            .then(Effect::Partial(Parts::After(5))),
    );
    assert_eq!(rig.store(&rig.batches().of(&many(25))).await, None);
    assert_eq!(rig.world.items("events").len(), 25);
    assert_eq!(
        rig.metric("TableRefusals", &[("reason", "unprocessed")]),
        3.0
    );
}

#[tokio::test(start_paused = true)]
async fn a_throttled_table_is_waited_for() {
    let rig = Rig::new();
    rig.world
        .fault(Fault::new(Service::DynamoDb, "BatchWriteItem").when(When::first(20)));
    assert_eq!(rig.store(&rig.batches().of(&many(3))).await, None);
    assert_eq!(rig.world.items("events").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_stays_throttled_holds_the_batch_at_its_first_record() {
    let rig = Rig::new();
    rig.world
        .fault(Fault::new(Service::DynamoDb, "BatchWriteItem"));
    let checkpoint = rig.store(&rig.batches().of(&many(3))).await;
    assert_eq!(checkpoint, Some(Batches::sequence_number(1)));
    assert_eq!(rig.metric("RecordsUnfinished", &[]), 3.0);
}

#[tokio::test(start_paused = true)]
async fn one_item_that_is_never_processed_holds_its_own_record_and_those_behind_it() {
    let rig = Rig::new();
    let mut events = many(10);
    events[4]["machine"] = json!("press-bad");
    rig.world.fault(
        Fault::new(Service::DynamoDb, "BatchWriteItem")
            .then(Effect::Partial(Parts::keyed("press-bad"))),
    );
    assert_eq!(
        rig.store(&rig.batches().of(&events)).await,
        Some(Batches::sequence_number(5))
    );
    assert_eq!(rig.world.items("events").len(), 9);
}

#[tokio::test(start_paused = true)]
async fn faults_before_and_after_the_effect_end_in_one_item_each() {
    let effects = [
        Effect::FailBefore,
        Effect::FailAfter,
        Effect::DropBefore,
        Effect::DropAfter,
        Effect::TimeoutBefore,
        Effect::TimeoutAfter,
    ];
    for effect in effects {
        let rig = Rig::new();
        let fault = Fault::new(Service::DynamoDb, "BatchWriteItem");
        rig.world
            .fault(fault.when(When::first(2)).then(effect.clone()));
        assert_eq!(
            rig.store(&rig.batches().of(&many(30))).await,
            None,
            "{effect:?}"
        );
        assert_eq!(rig.world.items("events").len(), 30, "{effect:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_no_event_are_quarantined_and_hold_nothing_back() {
    let rig = Rig::new();
    let good = json_of(&opened("press-1", "power", 1)).to_string();
    let batch = rig.batches().batch(&[
        ("a", good.as_bytes()),
        ("b", b"\xff not an event"),
        ("c", b"{}"),
    ]);
    assert_eq!(rig.store(&batch).await, None);
    assert_eq!(rig.world.items("events").len(), 1);
    let quarantine = rig.quarantine();
    let bytes: Vec<_> = quarantine
        .iter()
        .map(|record| record.data.as_slice())
        .collect();
    assert_eq!(bytes, [&b"\xff not an event"[..], b"{}"]);
    assert_eq!(
        rig.metric("Quarantined", &[("reason", "not-an-event")]),
        2.0
    );
}

fn late(event: &QualityEvent) -> Value {
    let mut late = event.clone();
    late.late = true;
    if let Finding::Violation(violation) = &mut late.finding {
        (violation.transition, violation.episode) = (None, None);
    }
    json_of(&late)
}

#[tokio::test(start_paused = true)]
async fn a_late_finding_is_stored_unless_one_was_made_in_its_turn() {
    let event = opened("press-1", "power", 3);
    let (late, timely) = (late(&event), json_of(&event));
    for (batches_of, is_late, given_way) in [
        (vec![vec![&late]], true, 0.0),
        (vec![vec![&late], vec![&late]], true, 1.0),
        (vec![vec![&timely], vec![&late]], false, 1.0),
        (vec![vec![&late], vec![&timely]], false, 0.0),
        (vec![vec![&timely, &late]], false, 0.0),
        (vec![vec![&late, &timely]], false, 0.0),
    ] {
        let rig = Rig::new();
        let mut batches = rig.batches();
        for events in &batches_of {
            let events: Vec<Value> = events.iter().map(|event| (*event).clone()).collect();
            assert_eq!(rig.store(&batches.of(&events)).await, None);
        }
        let items = rig.world.items("events");
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].contains_key("late"), is_late, "{batches_of:?}");
        assert_eq!(
            rig.metric("EventsSkipped", &[("reason", "given-way")]),
            given_way
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_finding_waits_for_a_throttled_table_like_any_other() {
    let rig = Rig::new();
    let puts = rig.world.fault(
        Fault::new(Service::DynamoDb, "PutItem")
            .when(When::first(3))
            .then(Effect::Throttled),
    );
    let events: Vec<_> = (0..30)
        .map(|second| late(&opened("press-1", "power", second)))
        .collect();
    assert_eq!(rig.store(&rig.batches().of(&events)).await, None);
    assert_eq!((puts.fired(), rig.world.items("events").len()), (3, 30));
}

#[tokio::test(start_paused = true)]
async fn events_that_are_brought_back_are_stored_once() {
    let rig = Rig::new();
    let events = many(3);
    rig.store(&rig.batches().of(&events[..1])).await;
    let records: Vec<_> = events.iter().map(Value::to_string).collect();
    let body = redriving(&rig.batches().batch(&[
        ("a", records[0].as_str()),
        ("b", "junk"),
        ("c", records[1].as_str()),
        ("d", records[2].as_str()),
    ]));
    for _ in 0..2 {
        let answer = rig.writer("alerting").invoke(&body, Rig::deadline()).await;
        let Answer::Redrive(report) = answer.unwrap() else {
            panic!("an ordinary answer")
        };
        let outcomes = report.redriven.iter().map(|record| record.outcome);
        assert!(
            outcomes.eq([
                Outcome::Done,
                Outcome::Unreadable,
                Outcome::Done,
                Outcome::Done
            ]),
            "{report:?}"
        );
        assert_eq!(report.redriven[1].reason.as_deref(), Some("not-an-event"));
    }
    assert_eq!(rig.world.items("events").len(), 3);
    assert!(rig.quarantine().is_empty(), "it lies aside already");
    assert_eq!(rig.metric("Quarantined", &[]), 0.0);
}

#[tokio::test(start_paused = true)]
async fn events_that_are_brought_back_and_not_stored_are_told() {
    let rig = Rig::new();
    rig.world
        .fault(Fault::new(Service::DynamoDb, "BatchWriteItem").then(Effect::AccessDenied));
    let body = redriving(&rig.batches().of(&many(1)));
    let answer = rig.writer("alerting").invoke(&body, Rig::deadline()).await;
    let Answer::Redrive(report) = answer.unwrap() else {
        panic!("an ordinary answer")
    };
    assert_eq!(report.redriven[0].outcome, Outcome::Failed);
    assert_eq!(
        report.response.checkpoint(),
        Some(Batches::sequence_number(1).as_str())
    );
}

/// Wherever they stand in their calls: at either end, side by side, all of a call but one.
#[tokio::test(start_paused = true)]
async fn events_that_the_table_refuses_are_found_and_quarantined() {
    let all_of_a_call_but_one = || (25..50).filter(|place| *place != 37);
    let cases: [Vec<usize>; 5] = [
        vec![13],
        vec![0, 24, 25, 59],
        vec![11, 12, 13],
        all_of_a_call_but_one().collect(),
        (0..60).collect(),
    ];
    for refused in cases {
        let rig = Rig::new();
        let mut events = many(60);
        for place in &refused {
            events[*place]["machine"] = json!("press-odd");
        }
        let effect = Effect::Refused(
            400,
            "ValidationException",
            "One or more parameter values were invalid",
        );
        rig.world.fault(
            Fault::new(Service::DynamoDb, "BatchWriteItem")
                .when(When::mentions("press-odd"))
                .then(effect),
        );
        assert_eq!(rig.store(&rig.batches().of(&events)).await, None);
        let quarantine = rig.quarantine();
        assert!(
            quarantine
                .iter()
                .all(|one| one.reason == "refused-by-table")
        );
        let kept: BTreeSet<_> = quarantine.into_iter().map(|one| one.data).collect();
        let expected = refused.iter().map(|place| events[*place].to_string());
        assert_eq!(kept, expected.map(String::into_bytes).collect());
        let stored = rig.world.items("events");
        assert_eq!(stored.len(), 60 - refused.len(), "{refused:?}");
        assert!(
            stored
                .iter()
                .all(|item| item["machine"].as_s() == Some("press-1"))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_quarantined_stays_in_front_of_the_checkpoint() {
    let rig = Rig::new();
    rig.world
        .fault(Fault::new(Service::S3, "PutObject").then(Effect::AccessDenied));
    let good = json_of(&opened("press-1", "power", 1)).to_string();
    let batch = rig.batches().batch(&[
        ("a", good.as_bytes()),
        ("b", b"junk"),
        ("c", good.as_bytes()),
    ]);
    assert_eq!(rig.store(&batch).await, Some(Batches::sequence_number(2)));
    assert_eq!(rig.world.items("events").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_not_waited_for() {
    let rig = Rig::new();
    rig.world
        .fault(Fault::new(Service::DynamoDb, "BatchWriteItem").then(Effect::AccessDenied));
    assert_eq!(
        rig.store(&rig.batches().of(&many(3))).await,
        Some(Batches::sequence_number(1))
    );
    assert_eq!(calls(&rig), 1);
}

#[tokio::test(start_paused = true)]
async fn an_empty_batch_is_done() {
    let rig = Rig::new();
    assert_eq!(rig.store(br#"{"Records":[]}"#).await, None);
    assert!(rig.world.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_index_by_line_finds_the_events_of_a_line() {
    let rig = Rig::new();
    let mut other = opened("press-2", "power", 2);
    other.line = Some("L1".into());
    rig.store(
        &rig.batches()
            .of(&[json_of(&opened("press-1", "power", 1)), json_of(&other)]),
    )
    .await;
    let lines: Vec<_> = rig
        .world
        .items("events")
        .into_iter()
        .map(|item| item["line"].clone())
        .collect();
    assert_eq!(
        lines,
        [fake_aws::Value::from("L2"), fake_aws::Value::from("L1")]
    );
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_never_processed_holds_up_no_other() {
    let rig = Rig::new();
    rig.world.fault(
        Fault::new(Service::DynamoDb, "BatchWriteItem")
            .then(Effect::Partial(Parts::mentioning("press-000"))),
    );
    let (batch, writer) = (
        rig.batches().of(&many_machines(300)),
        rig.writer("alerting"),
    );
    let _cut = tokio::time::timeout(
        Duration::from_secs(50),
        writer.invoke(&batch, Rig::deadline()),
    )
    .await;
    assert_eq!(rig.world.items("events").len(), 299);
}

#[tokio::test(start_paused = true)]
async fn bad_bytes_are_set_aside_at_once_while_the_table_throttles() {
    for _ in 0..20 {
        let rig = Rig::new();
        rig.world
            .fault(Fault::new(Service::DynamoDb, "BatchWriteItem"));
        rig.world.fault(
            Fault::new(Service::S3, "PutObject").then(Effect::Slow(Duration::from_millis(200))),
        );
        let good = json_of(&opened("press-1", "power", 0)).to_string();
        let body = rig
            .batches()
            .batch(&[("a", b"junk".as_slice()), ("b", good.as_bytes())]);
        assert_eq!(rig.store(&body).await, Some(Batches::sequence_number(2)));
    }
}
