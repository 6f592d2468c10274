//! One alert for a machine and rule in a cool-down, and only for alerts that were sent.

use std::slice;

use fake_aws::{Effect, Fault, Parts, Service, When};
use pipeline_tests::{Rig, opened};

use crate::{batch, cleared, stopping};

#[tokio::test(start_paused = true)]
async fn within_the_cool_down_of_a_machine_and_rule_one_episode_alerts() {
    let rig = Rig::new();
    let openings = [
        ("press-1", "power", 0),
        ("press-1", "power", 299),
        ("press-1", "power", 300),
        ("press-2", "power", 1),
        ("press-1", "wear", 1),
    ];
    let events: Vec<_> = openings
        .iter()
        .map(|(machine, rule, second)| opened(machine, rule, *second))
        .collect();
    assert_eq!(rig.alert(&batch(&rig, &events)).await, None);
    let mut times: Vec<_> = rig
        .alerts()
        .iter()
        .map(|alert| alert.subject.clone().unwrap())
        .collect();
    times.sort();
    assert_eq!(times.len(), 4, "{times:?}");
    assert_eq!(
        rig.metric("MessagesSuppressed", &[("reason", "cool-down")]),
        1.0
    );
}

#[tokio::test(start_paused = true)]
async fn the_clearing_of_an_opening_that_was_held_back_is_held_back() {
    let rig = Rig::new();
    let second = opened("press-1", "power", 100);
    rig.alert(&batch(
        &rig,
        &[opened("press-1", "power", 0), second.clone()],
    ))
    .await;
    assert_eq!(rig.alert(&batch(&rig, &[cleared(&second, 5)])).await, None);
    assert_eq!(rig.alerts().len(), 1);
    assert_eq!(
        rig.metric("MessagesSuppressed", &[("reason", "opening-suppressed")]),
        1.0
    );
}

#[tokio::test(start_paused = true)]
async fn the_cool_down_counts_reading_time_in_both_directions() {
    let rig = Rig::new();
    rig.alert(&batch(&rig, &[opened("press-1", "power", 1_000)]))
        .await;
    rig.alert(&batch(&rig, &[opened("press-1", "power", 900)]))
        .await;
    assert_eq!(rig.alerts().len(), 1, "a straggler within the cool-down");
    rig.alert(&batch(&rig, &[opened("press-1", "power", 600)]))
        .await;
    assert_eq!(rig.alerts().len(), 2, "a straggler from before it");
    rig.alert(&batch(&rig, &[opened("press-1", "power", 1_200)]))
        .await;
    assert_eq!(
        rig.alerts().len(),
        2,
        "the straggler must not have moved the cool-down back"
    );
}

#[tokio::test(start_paused = true)]
async fn the_cool_down_never_holds_back_a_stop() {
    let rig = Rig::new();
    let events = [
        stopping(opened("press-1", "power", 0)),
        stopping(opened("press-1", "power", 10)),
    ];
    assert_eq!(rig.alert(&batch(&rig, &events)).await, None);
    assert_eq!((rig.alerts().len(), rig.line_stops().len()), (1, 2));
}

/// What may have been told holds its cool-down, whatever becomes of its repetition.
#[tokio::test(start_paused = true)]
async fn the_cool_down_of_what_may_be_told_outlives_a_failed_repetition() {
    let rig = Rig::new();
    let (first, second) = (opened("press-1", "power", 0), opened("press-1", "power", 5));
    let publish = || Fault::new(Service::Sns, "PublishBatch");
    rig.world
        .fault(publish().when(When::nth(1)).then(Effect::DropAfter));
    rig.alert(&batch(&rig, slice::from_ref(&first))).await;
    rig.clock.advance(70_001);
    rig.world
        .fault(publish().when(When::first(1)).then(Effect::AccessDenied));
    rig.alert(&batch(&rig, &[first])).await;
    rig.alert(&batch(&rig, &[second])).await;
    let suppressed = [("purpose", "alert"), ("reason", "cool-down")];
    assert_eq!(rig.metric("MessagesSuppressed", &suppressed), 1.0);
    assert_eq!(rig.alerts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_alert_leaves_no_cool_down() {
    let rig = Rig::new();
    let refused = Effect::PartialAs(Parts::Every, "InvalidParameter", "no");
    rig.world.fault(
        Fault::new(Service::Sns, "PublishBatch")
            .when(When::first(1))
            .then(refused),
    );
    rig.alert(&batch(&rig, &[opened("press-1", "power", 0)]))
        .await;
    rig.alert(&batch(&rig, &[opened("press-1", "power", 100)]))
        .await;
    assert_eq!(rig.alerts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_undecided_claim_leaves_the_cool_down_of_the_alert_that_was_sent() {
    let rig = Rig::new();
    let sent = opened("press-1", "power", 0);
    rig.alert(&batch(&rig, slice::from_ref(&sent))).await;
    rig.world
        .fault(Fault::new(Service::DynamoDb, "TransactWriteItems").then(Effect::Throttled));
    let held = rig.alert(&batch(&rig, slice::from_ref(&sent))).await;
    assert!(held.is_some(), "nobody has decided");
    rig.world.clear_faults();
    rig.alert(&batch(&rig, &[opened("press-1", "power", 100)]))
        .await;
    assert_eq!(rig.alerts().len(), 1);
}
