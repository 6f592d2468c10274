//! Publishing to a topic that throttles, refuses or does not answer.

use std::time::Duration;

use fake_aws::{Effect, Fault, Parts, Service, When};
use lambda_function::deadline::Deadline;
use pipeline_tests::{Batches, Rig, opened};

use crate::{batch, many};

#[tokio::test(start_paused = true)]
async fn a_throttled_topic_is_waited_for() {
    let rig = Rig::new();
    rig.world
        .fault(Fault::new(Service::Sns, "PublishBatch").when(When::first(5)));
    assert_eq!(
        rig.alert(&batch(&rig, &[opened("press-1", "power", 0)]))
            .await,
        None
    );
    assert_eq!(rig.alerts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn messages_that_fail_within_a_call_hold_their_own_records_alone() {
    let rig = Rig::new();
    let events: Vec<_> = (0..25)
        .map(|n| opened(&format!("press-{n:02}"), "power", n))
        .collect();
    let fault = Fault::new(Service::Sns, "PublishBatch")
        .then(Effect::Partial(Parts::mentioning("press-07")));
    rig.world.fault(fault);
    assert_eq!(
        rig.alert(&batch(&rig, &events)).await,
        Some(Batches::sequence_number(8))
    );
    assert_eq!(rig.alerts().len(), 24);
    rig.world.clear_faults();
    assert_eq!(rig.alert(&batch(&rig, &events)).await, None);
    assert_eq!(
        rig.alerts().len(),
        25,
        "the retry alerts for the missing one alone"
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_that_its_topic_refuses_for_good_is_quarantined() {
    let rig = Rig::new();
    let fault = Effect::PartialAs(
        Parts::mentioning("press-2"),
        "InvalidParameter",
        "no such thing",
    );
    rig.world
        .fault(Fault::new(Service::Sns, "PublishBatch").then(fault));
    let events = [opened("press-1", "power", 0), opened("press-2", "power", 0)];
    assert_eq!(rig.alert(&batch(&rig, &events)).await, None);
    assert_eq!(rig.alerts().len(), 1);
    assert_eq!(rig.quarantine()[0].reason, "refused-by-topic");
}

#[tokio::test(start_paused = true)]
async fn past_its_deadline_nothing_is_published() {
    let rig = Rig::new();
    let alerter = rig.alerter();
    let batch = batch(&rig, &[opened("press-1", "power", 0)]);
    let deadline = Deadline::after(Duration::ZERO);
    let response = alerter.invoke(&batch, "request", deadline).await.unwrap();
    assert_eq!(
        response.response().checkpoint(),
        Some(Batches::sequence_number(1).as_str())
    );
    assert!(rig.alerts().is_empty());
}

#[tokio::test(start_paused = true)]
async fn large_messages_stay_within_the_limit_of_a_call() {
    let rig = Rig::new();
    let events: Vec<_> = (0..40)
        .map(|n| {
            let mut event = opened(&format!("press-{n:02}"), "power", n);
            event.summary = "가".repeat(1_000);
            event
        })
        .collect();
    assert_eq!(rig.alert(&batch(&rig, &events)).await, None);
    assert_eq!(rig.alerts().len(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_kill_while_one_message_is_retried_repeats_none_of_the_others() {
    let rig = Rig::new();
    rig.world.fault(
        Fault::new(Service::Sns, "PublishBatch")
            .then(Effect::Partial(Parts::mentioning("press-007"))),
    );
    let (batch, alerter) = (batch(&rig, &many(25)), rig.alerter());
    let _killed = tokio::time::timeout(
        Duration::from_secs(30),
        alerter.invoke(&batch, "killed", Rig::deadline()),
    )
    .await;
    rig.world.clear_faults();
    rig.clock.advance(71_000);
    rig.alert(&batch).await;
    assert_eq!(rig.alerts().len(), 25);
}

#[tokio::test(start_paused = true)]
async fn a_call_refused_for_one_message_holds_back_no_other() {
    let rig = Rig::new();
    let refused = Effect::Refused(400, "InvalidParameter", "Invalid parameter");
    rig.world.fault(
        Fault::new(Service::Sns, "PublishBatch")
            .when(When::mentions("press-002"))
            .then(refused),
    );
    assert_eq!(
        (rig.alert(&batch(&rig, &many(5))).await, rig.alerts().len()),
        (None, 4)
    );
}
