//! Line stops: soon or not at all, and never after their clearing.

use std::slice;
use std::time::Duration;

use fake_aws::{Effect, Fault, Service, When};
use pipeline_tests::{Rig, opened};
use serde_json::{Value, json};

use crate::{batch, cleared, stopping};

#[tokio::test(start_paused = true)]
async fn a_stop_goes_to_the_lines_gateway_with_its_expiry() {
    let rig = Rig::new();
    let event = stopping(opened("press-1", "power", 0));
    let batch = batch(&rig, slice::from_ref(&event));
    rig.alert(&batch).await;
    assert_eq!(rig.alert(&batch).await, None);
    assert_eq!((rig.alerts().len(), rig.line_stops().len()), (1, 1));
    let stop: Value = serde_json::from_str(&rig.line_stops()[0].message).unwrap();
    assert_eq!(stop["expires"], "2026-11-20T01:01:00.000Z");
    assert_eq!(stop["id"], json!(event.id));
    assert_eq!(
        (&stop["machine"], &stop["line"]),
        (&json!("press-1"), &json!("L2"))
    );
    let attributes = &rig.line_stops()[0].attributes;
    let filtered_by: Vec<_> = attributes
        .iter()
        .map(|(name, attribute)| (name.as_str(), attribute.value.as_str()))
        .collect();
    assert_eq!(
        filtered_by,
        [
            ("kind", "violation"),
            ("line", "L2"),
            ("machine", "press-1"),
            ("reaction", "stop-line"),
            ("rule", "power"),
            ("severity", "critical"),
            ("transition", "opened"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_has_expired_is_not_sent_but_people_are_told() {
    let rig = Rig::new();
    let batch = batch(&rig, &[stopping(opened("press-1", "power", 0))]);
    rig.clock.advance(60_001);
    assert_eq!(rig.alert(&batch).await, None);
    assert_eq!((rig.alerts().len(), rig.line_stops().len()), (1, 0));
    assert_eq!(
        rig.metric(
            "MessagesSuppressed",
            &[("purpose", "line-stop"), ("reason", "expired")]
        ),
        1.0
    );
}

#[tokio::test(start_paused = true)]
async fn a_clearing_that_arrives_before_its_opening_stops_no_line() {
    let rig = Rig::new();
    let event = stopping(opened("press-1", "power", 0));
    assert_eq!(rig.alert(&batch(&rig, &[cleared(&event, 5)])).await, None);
    assert_eq!(rig.alert(&batch(&rig, &[event])).await, None);
    assert!(rig.line_stops().is_empty());
    assert_eq!(
        rig.metric("MessagesSuppressed", &[("reason", "already-cleared")]),
        1.0
    );
}

#[tokio::test(start_paused = true)]
async fn a_line_stop_whose_answer_is_lost_is_sent_before_it_expires() {
    let rig = Rig::new();
    rig.world.fault(
        Fault::new(Service::Sns, "PublishBatch")
            .when(When::mentions("line-stop").and_nth(1))
            .then(Effect::DropBefore),
    );
    let batch = batch(&rig, &[stopping(opened("press-1", "power", 0))]);
    while rig.alert(&batch).await.is_some() {
        rig.clock.advance(1_000);
    }
    assert_eq!(rig.line_stops().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_line_stop_topic_that_throttles_delays_no_alert() {
    let rig = Rig::new();
    rig.world
        .fault(Fault::new(Service::Sns, "PublishBatch").when(When::mentions("line-stop")));
    let batch = batch(
        &rig,
        &[
            stopping(opened("press-1", "power", 0)),
            opened("press-2", "power", 0),
        ],
    );
    let alerter = rig.alerter();
    let _cut = tokio::time::timeout(
        Duration::from_secs(50),
        alerter.invoke(&batch, "x", Rig::deadline()),
    )
    .await;
    assert_eq!(rig.alerts().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_line_stop_whose_holder_died_is_taken_over_before_it_expires() {
    let rig = Rig::new();
    let batch = batch(&rig, &[stopping(opened("press-1", "power", 0))]);
    rig.world.fault(
        Fault::new(Service::Sns, "PublishBatch")
            .when(When::mentions("line-stop"))
            .then(Effect::TimeoutBefore),
    );
    let alerter = rig.alerter();
    let _died = tokio::time::timeout(
        Duration::from_secs(1),
        alerter.invoke(&batch, "died", Rig::deadline()),
    )
    .await;
    rig.world.clear_faults();
    rig.clock.advance(16_000);
    rig.alert(&batch).await;
    assert_eq!(rig.line_stops().len(), 1);
    assert_eq!(rig.metric("ClaimsTakenOver", &[]), 1.0);
}
