//! Bounded waiting: a machine that cannot be judged holds its shard for so long, then its readings are parked, and its
//! rules begin anew after the gap; and readings brought back after their turn.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::time::Duration;

use fake_aws::{Effect, Fault, Service, When};
use lambda_function::deadline::Deadline;
use pipeline_tests::{Batches, Rig, overpowered, reading, redriving};
use quality_event::Transition;
use serde_json::{Value, json};
use set_aside::{Answer, Outcome, Redriven, Report};

const OTHER_SHARD: &str = "shardId-000000000001";
/// Less and more than `MACHINE_HOLD`, in milliseconds.
const A_WHILE: i64 = 290_000;
const TOO_LONG: i64 = 300_000;

/// Too little difference at low speed; the rule opens at the third in a row.
fn hot(machine: &str, second: i64) -> Value {
    let mut reading = reading(machine, second);
    reading["measurements"]["rotational_speed"] = json!(1_300);
    reading["measurements"]["process_temperature"] = json!(306.0);
    reading
}

/// From now on nothing of `machine` reaches the table.
fn block_commits(rig: &Rig, machine: &str) {
    rig.world.fault(
        Fault::new(Service::DynamoDb, "PutItem")
            .when(When::mentions(machine))
            .then(Effect::FailBefore),
    );
}

fn committed(rig: &Rig) -> Vec<String> {
    let items = rig.world.items("state");
    items
        .iter()
        .map(|item| item["machine"].as_s().unwrap().to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_machine_whose_commits_fail_for_ever_is_parked_and_the_others_go_on() {
    let rig = Rig::new();
    block_commits(&rig, "press-2");
    let batch = rig.batches().of(&[
        overpowered("press-1", 0),
        overpowered("press-2", 1),
        overpowered("press-3", 2),
        overpowered("press-2", 3),
    ]);
    let held = Some(Batches::sequence_number(2));
    assert_eq!(rig.judge(&batch).await, held, "it holds its shard");
    rig.clock.advance(A_WHILE);
    assert_eq!(rig.judge(&batch).await, held);
    assert!(rig.parked().is_empty());
    rig.clock.advance(TOO_LONG - A_WHILE);
    assert_eq!(rig.judge(&batch).await, None, "the shard goes on");
    let parked = rig.parked();
    let numbers: Vec<_> = parked
        .iter()
        .map(|record| record.sequence_number.clone().unwrap())
        .collect();
    assert_eq!(
        numbers,
        [Batches::sequence_number(2), Batches::sequence_number(4)]
    );
    assert_eq!(parked[0].reason, "commit");
    assert_eq!(
        serde_json::from_slice::<Value>(&parked[1].data).unwrap(),
        overpowered("press-2", 3)
    );
    assert_eq!(committed(&rig), ["press-1", "press-3"]);
    assert_eq!(rig.metric("Parked", &[("reason", "commit")]), 2.0);
    assert!(rig.quarantine().is_empty());
}

#[tokio::test(start_paused = true)]
async fn rules_begin_anew_after_readings_that_were_parked() {
    let rig = Rig::new();
    let mut batches = rig.batches();
    assert_eq!(
        rig.judge(&batches.of(&[
            overpowered("press-1", 0),
            hot("press-1", 1),
            hot("press-1", 2)
        ]))
        .await,
        None
    );
    block_commits(&rig, "press-1");
    let lost = batches.of(&[reading("press-1", 3)]);
    rig.clock.advance(TOO_LONG);
    assert_eq!(rig.judge(&lost).await, None);
    rig.world.clear_faults();
    // The two before the gap do not count: between them and these lies a reading that says otherwise.
    let after = batches.of(&[hot("press-1", 4), hot("press-1", 5)]);
    assert_eq!(rig.judge(&after).await, None);
    let heat = |rig: &Rig| {
        let events = rig.events();
        events
            .iter()
            .filter(|event| event.subject() == "heat-dissipation")
            .count()
    };
    assert_eq!(heat(&rig), 0);
    assert_eq!(rig.metric("RulesRestarted", &[]), 1.0);
    assert!(
        !rig.world
            .objects("set-aside")
            .keys()
            .any(|key| key.starts_with("restarts/")),
        "the note is settled"
    );
    assert_eq!(rig.judge(&batches.of(&[hot("press-1", 6)])).await, None);
    assert_eq!(heat(&rig), 1);
    assert_eq!(rig.metric("RulesRestarted", &[]), 1.0, "once");
}

#[tokio::test(start_paused = true)]
async fn an_open_episode_is_carried_over_the_gap() {
    let rig = Rig::new();
    let mut batches = rig.batches();
    rig.judge(&batches.of(&[overpowered("press-1", 0)])).await;
    block_commits(&rig, "press-1");
    let lost = batches.of(&[overpowered("press-1", 1)]);
    rig.clock.advance(TOO_LONG);
    assert_eq!(rig.judge(&lost).await, None);
    rig.world.clear_faults();
    rig.judge(&batches.of(&[reading("press-1", 2)])).await;
    let events = rig.events();
    let cleared: Vec<_> = events
        .iter()
        .filter(|event| event.transition() == Some(Transition::Cleared))
        .collect();
    assert_eq!(cleared.len(), 1);
    assert_eq!(
        cleared[0].violation().unwrap().episode.as_ref(),
        Some(&events[0].id)
    );
}

/// The parking was safe but its answer was lost: the same batch comes again, now that the table works.
#[tokio::test(start_paused = true)]
async fn parked_readings_that_come_again_are_not_judged_as_well() {
    let rig = Rig::new();
    let mut batches = rig.batches();
    block_commits(&rig, "press-1");
    let batch = batches.of(&[hot("press-1", 0), hot("press-1", 1)]);
    rig.clock.advance(TOO_LONG);
    assert_eq!(rig.judge(&batch).await, None);
    rig.world.clear_faults();
    assert_eq!(rig.judge(&batch).await, None);
    assert_eq!(rig.parked().len(), 2);
    assert_eq!(rig.metric("ReadingsReplayed", &[]), 2.0);
    assert_eq!(rig.metric("ReadingsJudged", &[]), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_gap_on_a_shard_that_was_split_is_seen_on_its_child() {
    let rig = Rig::new();
    let mut parent = rig.batches();
    rig.judge(&parent.of(&[
        overpowered("press-1", 0),
        hot("press-1", 1),
        hot("press-1", 2),
    ]))
    .await;
    block_commits(&rig, "press-1");
    let lost = parent.of(&[reading("press-1", 3)]);
    rig.clock.advance(TOO_LONG);
    rig.judge(&lost).await;
    rig.world.clear_faults();
    let mut child = Batches::new(OTHER_SHARD, rig.world.now_ms());
    rig.judge(&child.of(&[hot("press-1", 4)])).await;
    assert_eq!(rig.metric("RulesRestarted", &[]), 1.0);
}

/// All that the machine sent to that shard was parked, so that its state knows nothing of the shard.
#[tokio::test(start_paused = true)]
async fn a_gap_on_a_shard_that_the_state_never_saw_is_seen() {
    let rig = Rig::new();
    let judged = [
        overpowered("press-1", 0),
        hot("press-1", 1),
        hot("press-1", 2),
    ];
    rig.judge(&rig.batches().of(&judged)).await;
    block_commits(&rig, "press-1");
    let lost = Batches::new(OTHER_SHARD, rig.world.now_ms()).of(&[reading("press-1", 3)]);
    rig.clock.advance(TOO_LONG);
    assert_eq!(rig.judge(&lost).await, None);
    rig.world.clear_faults();
    let mut child = Batches::new("shardId-000000000002", rig.world.now_ms());
    rig.judge(&child.of(&[hot("press-1", 4)])).await;
    assert_eq!(rig.metric("RulesRestarted", &[]), 1.0);
    let fired = |event: &quality_event::QualityEvent| event.subject() == "heat-dissipation";
    assert!(!rig.events().iter().any(fired));
    let objects = rig.world.objects("set-aside");
    assert!(
        !objects.keys().any(|key| key.starts_with("restarts/")),
        "the note is settled"
    );
    // The parked readings once more, their answer having been lost: they are safe, and judged no second time.
    let before = rig.metric("ReadingsJudged", &[]);
    assert_eq!(rig.judge(&lost).await, None);
    assert_eq!(rig.metric("ReadingsJudged", &[]), before);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_fails_is_not_parked_before_its_time_whatever_the_reason() {
    for (service, operation) in [
        (Service::DynamoDb, "BatchGetItem"),
        (Service::DynamoDb, "PutItem"),
        (Service::Kinesis, "PutRecords"),
    ] {
        let rig = Rig::new();
        let batch = rig.batches().of(&[overpowered("press-1", 0)]);
        rig.world
            .fault(Fault::new(service, operation).then(Effect::AccessDenied));
        rig.clock.advance(A_WHILE);
        assert_eq!(rig.judge(&batch).await, Some(Batches::sequence_number(1)));
        assert!(rig.parked().is_empty(), "{operation}");
        rig.clock.advance(TOO_LONG);
        assert_eq!(rig.judge(&batch).await, None, "{operation}");
        assert_eq!(rig.parked().len(), 1, "{operation}");
    }
}

/// After an outage everything is older than the hold: a fault that passes parks nothing.
#[tokio::test(start_paused = true)]
async fn a_backlog_is_not_parked_for_a_fault_that_passes() {
    for (service, operation) in [
        (Service::DynamoDb, "BatchGetItem"),
        (Service::DynamoDb, "PutItem"),
        (Service::Kinesis, "PutRecords"),
    ] {
        let rig = Rig::new();
        let batch = rig
            .batches()
            .of(&[overpowered("press-1", 0), overpowered("press-2", 1)]);
        rig.clock.advance(10 * TOO_LONG);
        rig.world.fault(
            Fault::new(service, operation)
                .when(When::first(8))
                .then(Effect::FailBefore),
        );
        assert_eq!(rig.judge(&batch).await, None, "{operation}");
        assert!(rig.parked().is_empty(), "{operation}");
        assert_eq!(committed(&rig), ["press-1", "press-2"], "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_hangs_is_parked_before_the_time_out() {
    for (service, operation) in [
        (Service::DynamoDb, "BatchGetItem"),
        (Service::DynamoDb, "PutItem"),
        (Service::Kinesis, "PutRecords"),
    ] {
        let rig = Rig::new();
        let batch = rig.batches().of(&[overpowered("press-1", 0)]);
        rig.world
            .fault(Fault::new(service, operation).then(Effect::TimeoutBefore));
        rig.clock.advance(TOO_LONG);
        let evaluator = rig.evaluator().await.unwrap();
        let answer = evaluator
            .invoke(&batch, "request", Deadline::after(Duration::from_secs(6)))
            .await
            .unwrap();
        assert_eq!(answer.response().checkpoint(), None, "{operation}");
        assert_eq!(rig.parked().len(), 1, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_cannot_be_parked_stays_before_the_checkpoint() {
    let rig = Rig::new();
    let batch = rig
        .batches()
        .of(&[reading("press-2", 0), overpowered("press-1", 0)]);
    block_commits(&rig, "press-1");
    let buckets = rig
        .world
        .fault(Fault::new(Service::S3, "PutObject").then(Effect::FailBefore));
    rig.clock.advance(TOO_LONG);
    assert_eq!(rig.judge(&batch).await, Some(Batches::sequence_number(2)));
    assert!(buckets.fired() > 0);
    assert_eq!(rig.metric("Parked", &[]), 0.0);
}

/// Neither the readings alone nor the note alone is enough.
#[tokio::test(start_paused = true)]
async fn parking_is_done_when_readings_and_note_are_safe() {
    for kept in ["parked/", "restarts/"] {
        let rig = Rig::new();
        let batch = rig.batches().of(&[overpowered("press-1", 0)]);
        block_commits(&rig, "press-1");
        rig.world.fault(
            Fault::new(Service::S3, "PutObject")
                .when(When::mentions(kept))
                .then(Effect::AccessDenied),
        );
        rig.clock.advance(TOO_LONG);
        assert_eq!(
            rig.judge(&batch).await,
            Some(Batches::sequence_number(1)),
            "{kept}"
        );
        rig.world.clear_faults();
        block_commits(&rig, "press-1");
        assert_eq!(rig.judge(&batch).await, None, "{kept}");
        assert_eq!(rig.parked().len(), 1, "{kept}");
    }
}

#[tokio::test(start_paused = true)]
async fn notes_that_cannot_be_read_hold_up_nothing() {
    for effect in [Effect::AccessDenied, Effect::TimeoutBefore] {
        let rig = Rig::new();
        rig.world
            .fault(Fault::new(Service::S3, "ListObjectsV2").then(effect));
        let batch = rig.batches().of(&[overpowered("press-1", 0)]);
        assert_eq!(rig.judge(&batch).await, None);
        assert_eq!(rig.metric("RestartsUnread", &[]), 1.0);
        assert_eq!(committed(&rig), ["press-1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_one_machine_and_one_of_ten_thousand() {
    let rig = Rig::new();
    let one: Vec<_> = (0..2_000)
        .map(|second| overpowered("press-1", second))
        .collect();
    assert_eq!(rig.judge(&rig.batches().of(&one)).await, None);
    assert_eq!((rig.events().len(), committed(&rig).len()), (2_000, 1));
    let rig = Rig::new();
    let many: Vec<_> = (0..10_000)
        .map(|n| overpowered(&format!("press-{n}"), 0))
        .collect();
    assert_eq!(rig.judge(&rig.batches().of(&many)).await, None);
    assert_eq!(
        (rig.events().len(), committed(&rig).len()),
        (10_000, 10_000)
    );
}

#[tokio::test(start_paused = true)]
async fn a_machine_on_two_shards_is_counted() {
    let rig = Rig::new();
    rig.judge(
        &rig.batches()
            .of(&[overpowered("press-1", 0), overpowered("press-2", 0)]),
    )
    .await;
    assert_eq!(rig.metric("MachinesOnSeveralShards", &[]), 0.0);
    let mut other = Batches::new(OTHER_SHARD, rig.world.now_ms() + 10_000);
    rig.judge(&other.of(&[overpowered("press-1", 1), overpowered("press-1", 2)]))
        .await;
    assert_eq!(rig.metric("MachinesOnSeveralShards", &[]), 1.0);
    // A minute later it has moved for good, as after a split.
    let mut other = Batches::new(OTHER_SHARD, rig.world.now_ms() + 90_000);
    rig.judge(&other.of(&[overpowered("press-2", 3)])).await;
    assert_eq!(rig.metric("MachinesOnSeveralShards", &[]), 1.0);
}

async fn late(rig: &Rig, body: &[u8]) -> Report {
    let evaluator = rig.evaluator().await.unwrap();
    match evaluator
        .invoke(body, &rig.request_id(), Rig::deadline())
        .await
        .unwrap()
    {
        Answer::Redrive(report) => report,
        Answer::Batch(_) => panic!("an ordinary answer"),
    }
}

#[tokio::test(start_paused = true)]
async fn readings_brought_back_are_judged_late_and_change_no_state() {
    let rig = Rig::new();
    let mut batches = rig.batches();
    let parked = batches.of(&[
        overpowered("press-1", 0),
        hot("press-1", 1),
        hot("press-1", 2),
        hot("press-1", 3),
    ]);
    rig.judge(&batches.of(&[overpowered("press-1", 9)])).await;
    let (state, before) = (rig.world.items("state"), rig.events().len());
    let report = late(&rig, &redriving(&parked)).await;
    assert_eq!(report.response.checkpoint(), None);
    let outcomes: Vec<_> = report
        .redriven
        .iter()
        .map(|reading| (reading.outcome, reading.events))
        .collect();
    assert_eq!(
        outcomes,
        [
            (Outcome::Judged, 1),
            (Outcome::Judged, 0),
            (Outcome::Judged, 0),
            (Outcome::Judged, 0)
        ],
        "a rule that counts readings in a row does not judge"
    );
    assert_eq!(rig.world.items("state"), state);
    let events = rig.events();
    let event = &events[before];
    assert!(event.late && event.transition().is_none());
    assert!(event.violation().unwrap().episode.is_none());
    let again = late(&rig, &redriving(&parked)).await;
    assert_eq!(again, report);
    let events = rig.events();
    assert_eq!(
        events[before + 1].id,
        events[before].id,
        "the same event once more"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_still_unreadable_is_told_and_not_set_aside_again() {
    let rig = Rig::new();
    let good = overpowered("press-1", 0).to_string();
    let body = redriving(&rig.batches().batch(&[("a", "junk"), ("b", &good)]));
    let report = late(&rig, &body).await;
    assert_eq!(report.response.checkpoint(), None);
    assert_eq!(
        report.redriven[0],
        Redriven {
            record: 0,
            sequence_number: Some(Batches::sequence_number(1)),
            sub_sequence_number: None,
            outcome: Outcome::Unreadable,
            reason: Some("not-json".into()),
            events: 0
        }
    );
    assert_eq!(report.redriven[1].outcome, Outcome::Judged);
    assert!(rig.quarantine().is_empty());
    assert_eq!(
        rig.metric("LateReadings", &[("outcome", "unreadable")]),
        1.0
    );
}

#[tokio::test(start_paused = true)]
async fn late_events_that_cannot_be_published_are_told() {
    let rig = Rig::new();
    rig.world.fault(
        Fault::new(Service::Kinesis, "PutRecords")
            .when(When::mentions("press-2"))
            .then(Effect::AccessDenied),
    );
    let body = redriving(
        &rig.batches()
            .of(&[reading("press-1", 0), overpowered("press-2", 0)]),
    );
    let report = late(&rig, &body).await;
    assert_eq!(
        report.response.checkpoint(),
        Some(Batches::sequence_number(2).as_str())
    );
    assert_eq!(report.redriven[0].outcome, Outcome::Judged);
    assert_eq!(report.redriven[1].outcome, Outcome::Failed);
}
