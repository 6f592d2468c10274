//! Bounded waiting under load: whole fleets behind a slow or failing service. What was not tried is not parked, what is
//! parked is parked one machine at a time, and notes on parked readings are found and removed however many there are.

use std::time::Duration;

use fake_aws::{Effect, Fault, Service, When};
use pipeline_tests::{Batches, Rig, overpowered, reading};
use serde_json::Value;

const TOO_LONG: i64 = 300_000;

/// One reading of each of so many machines.
fn fleet(machines: usize, second: i64) -> Vec<Value> {
    (0..machines)
        .map(|n| overpowered(&format!("press-{n:04}"), second))
        .collect()
}

fn broken(rig: &Rig, service: Service, operation: &str, effect: Effect) {
    rig.world.fault(Fault::new(service, operation).then(effect));
}

fn notes(rig: &Rig) -> usize {
    let objects = rig.world.objects("set-aside");
    objects
        .keys()
        .filter(|key| key.starts_with("restarts/"))
        .count()
}

/// So many machines whose readings were parked, one reading each.
async fn a_parked_fleet(rig: &Rig, batches: &mut Batches, machines: usize) {
    broken(rig, Service::DynamoDb, "PutItem", Effect::AccessDenied);
    let lost = batches.of(&fleet(machines, 0));
    rig.clock.advance(TOO_LONG);
    assert_eq!(rig.judge(&lost).await, None);
    assert_eq!((rig.parked().len(), notes(rig)), (machines, machines));
    rig.world.clear_faults();
}

/// Each call takes its time and none fails: the invocation's time is up before every machine has had its turn.
#[tokio::test(start_paused = true)]
async fn a_backlog_that_takes_several_invocations_is_not_parked() {
    let rig = Rig::new();
    let batch = rig.batches().of(&fleet(3_000, 0));
    rig.clock.advance(10 * TOO_LONG);
    let slow = Effect::Slow(Duration::from_secs(2));
    broken(&rig, Service::DynamoDb, "BatchGetItem", slow);
    let evaluator = rig.evaluator().await.unwrap();
    let mut invocations = 0;
    loop {
        invocations += 1;
        let answer = evaluator
            .invoke(&batch, &rig.request_id(), Rig::deadline())
            .await
            .unwrap();
        if answer.response().checkpoint().is_none() {
            break;
        }
        assert!(invocations < 4, "each gets further");
    }
    assert!(invocations > 1);
    let committed = rig.world.items("state").len();
    // The attempt that was cut off is the exception: its machines had their turn.
    assert!(committed + rig.parked().len() >= 3_000);
    assert!(rig.parked().len() <= 100, "{}", rig.parked().len());
}

/// The patience with a machine begins with its first failure, not with the invocation.
#[tokio::test(start_paused = true)]
async fn a_machine_far_back_in_a_backlog_is_tried_again_as_well() {
    let rig = Rig::new();
    let batch = rig.batches().of(&fleet(400, 0));
    rig.clock.advance(10 * TOO_LONG);
    let slow = Effect::Slow(Duration::from_secs(2));
    broken(&rig, Service::DynamoDb, "BatchGetItem", slow);
    rig.world.fault(
        Fault::new(Service::DynamoDb, "PutItem")
            .when(When::mentions("press-0350").times(4))
            .then(Effect::FailBefore),
    );
    assert_eq!(rig.judge(&batch).await, None);
    assert!(rig.parked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_cannot_be_noted_keeps_no_other_from_being_parked() {
    let rig = Rig::new();
    let batch = rig.batches().of(&[
        overpowered("press-1", 0),
        overpowered("press-2", 0),
        overpowered("press-1", 1),
    ]);
    broken(&rig, Service::DynamoDb, "PutItem", Effect::AccessDenied);
    // The readings, the note on press-1, the note on press-2.
    rig.world.fault(
        Fault::new(Service::S3, "PutObject")
            .when(When::nth(3))
            .then(Effect::AccessDenied),
    );
    rig.clock.advance(TOO_LONG);
    assert_eq!(rig.judge(&batch).await, Some(Batches::sequence_number(2)));
    assert_eq!(rig.metric("Parked", &[]), 2.0);
    assert_eq!(rig.judge(&batch).await, None);
}

#[tokio::test(start_paused = true)]
async fn any_number_of_notes_is_found_and_settled() {
    const MACHINES: usize = 1_100;
    let rig = Rig::new();
    let mut batches = rig.batches();
    a_parked_fleet(&rig, &mut batches, MACHINES).await;
    let slow = Effect::Slow(Duration::from_millis(300));
    broken(&rig, Service::S3, "ListObjectsV2", slow);
    assert_eq!(rig.judge(&batches.of(&fleet(MACHINES, 1))).await, None);
    assert_eq!(rig.metric("RulesRestarted", &[]), MACHINES as f64);
    assert_eq!(rig.metric("RestartsUnread", &[]), 0.0);
    assert_eq!(notes(&rig), 0);
}

#[tokio::test(start_paused = true)]
async fn notes_on_the_first_pages_count_where_the_last_cannot_be_read() {
    const MACHINES: usize = 1_100;
    let rig = Rig::new();
    let mut batches = rig.batches();
    a_parked_fleet(&rig, &mut batches, MACHINES).await;
    rig.world.fault(
        Fault::new(Service::S3, "ListObjectsV2")
            .when(When::nth(2))
            .then(Effect::AccessDenied),
    );
    assert_eq!(rig.judge(&batches.of(&fleet(MACHINES, 1))).await, None);
    assert_eq!(rig.metric("RulesRestarted", &[]), 1_000.0);
    assert_eq!(rig.metric("RestartsUnread", &[]), 1.0);
    assert_eq!(notes(&rig), 100);
}

#[tokio::test(start_paused = true)]
async fn notes_that_cannot_be_removed_hold_up_nothing_and_cost_no_write() {
    const MACHINES: usize = 120;
    for effect in [Effect::TimeoutBefore, Effect::AccessDenied] {
        let rig = Rig::new();
        let mut batches = rig.batches();
        a_parked_fleet(&rig, &mut batches, MACHINES).await;
        broken(&rig, Service::S3, "DeleteObject", effect);
        let after = fleet(MACHINES, 1);
        assert_eq!(rig.judge(&batches.of(&after)).await, None);
        assert_eq!(notes(&rig), MACHINES);
        let commits = || rig.world.calls_to(Service::DynamoDb, "PutItem").len();
        let before = commits();
        // Nothing fires, so that nothing but the notes could call for a commit.
        let quiet: Vec<_> = (0..MACHINES)
            .map(|n| reading(&format!("press-{n:04}"), 2))
            .collect();
        rig.judge(&batches.of(&quiet)).await;
        let cleared = commits() - before;
        rig.judge(&batches.of(&quiet)).await;
        assert_eq!(commits() - before, cleared, "the episodes' ends alone");
        assert_eq!(rig.metric("RulesRestarted", &[]), MACHINES as f64, "once");
        rig.world.clear_faults();
        rig.judge(&batches.of(&quiet)).await;
        assert_eq!(notes(&rig), 0);
    }
}
