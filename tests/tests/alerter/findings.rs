//! Which findings are told, and to whom.

use std::slice;

use pipeline_tests::{Rig, json_of, opened, redriving};
use quality_event::{EventId, Reaction, Source};
use serde_json::json;
use set_aside::{Answer, Outcome};

use crate::{batch, cleared, ongoing, stopping};

#[tokio::test(start_paused = true)]
async fn an_opening_is_alerted_once_however_often_it_is_delivered() {
    let rig = Rig::new();
    let batch = batch(&rig, &[opened("press-1", "power", 0)]);
    for _ in 0..3 {
        assert_eq!(rig.alert(&batch).await, None);
    }
    assert_eq!(rig.alerts().len(), 1);
    assert_eq!(
        rig.metric("MessagesSuppressed", &[("reason", "delivered-again")]),
        2.0
    );
    let alert = &rig.alerts()[0];
    assert_eq!(
        alert.subject.as_deref(),
        Some("CRITICAL press-1 (L2): Power 9421.5 W outside 3500..9000 W on press-1")
    );
    assert_eq!(alert.attributes["severity"].value, "critical");
    assert_eq!(alert.attributes["line"].value, "L2");
    assert!(rig.line_stops().is_empty());
}

#[tokio::test(start_paused = true)]
async fn duplicates_within_a_batch_are_one_alert() {
    let rig = Rig::new();
    let event = opened("press-1", "power", 0);
    assert_eq!(
        rig.alert(&batch(&rig, &[event.clone(), event.clone(), event]))
            .await,
        None
    );
    assert_eq!(rig.alerts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_episode_alerts_at_its_opening_and_its_clearing_and_not_between() {
    let rig = Rig::new();
    let event = opened("press-1", "power", 0);
    let mut again = ongoing(event.clone());
    again.id = EventId::derive(
        &Source::File {
            file: "ongoing".into(),
            line: 1,
        },
        "violation",
        "power",
    );
    assert_eq!(
        rig.alert(&batch(&rig, &[event.clone(), again, cleared(&event, 9)]))
            .await,
        None
    );
    let transitions: Vec<_> = rig
        .alerts()
        .iter()
        .map(|alert| alert.attributes["transition"].value.clone())
        .collect();
    assert_eq!(transitions, ["opened", "cleared"]);
    assert_eq!(
        rig.metric("MessagesSuppressed", &[("reason", "ongoing")]),
        1.0
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_only_recorded_alerts_nobody() {
    let rig = Rig::new();
    let mut event = opened("press-1", "power", 0);
    event.reaction = Reaction::Record;
    assert_eq!(rig.alert(&batch(&rig, &[event])).await, None);
    assert!(rig.alerts().is_empty());
    assert_eq!(
        rig.metric("MessagesSuppressed", &[("reason", "record-only")]),
        1.0
    );
}

#[tokio::test(start_paused = true)]
async fn late_findings_are_silent() {
    let rig = Rig::new();
    let mut event = stopping(opened("press-1", "power", 0));
    event.late = true;
    assert_eq!(rig.alert(&batch(&rig, &[event])).await, None);
    assert!(rig.alerts().is_empty() && rig.line_stops().is_empty());
    assert!(rig.world.items("claims").is_empty());
    assert_eq!(rig.metric("MessagesSuppressed", &[("reason", "late")]), 1.0);
}

#[tokio::test(start_paused = true)]
async fn events_that_are_brought_back_alert_once() {
    let rig = Rig::new();
    let told = opened("press-1", "power", 0);
    let failed = opened("press-2", "power", 1);
    assert_eq!(rig.alert(&batch(&rig, slice::from_ref(&told))).await, None);
    let records = [told, failed].map(|event| json_of(&event).to_string());
    let body = redriving(&rig.batches().batch(&[
        ("a", records[0].as_str()),
        ("b", "junk"),
        ("c", records[1].as_str()),
    ]));
    for _ in 0..2 {
        let (alerter, request_id) = (rig.alerter(), rig.request_id());
        let answer = alerter.invoke(&body, &request_id, Rig::deadline());
        let Answer::Redrive(report) = answer.await.unwrap() else {
            panic!("an ordinary answer")
        };
        let outcomes = report.redriven.iter().map(|record| record.outcome);
        let expected = [Outcome::Done, Outcome::Unreadable, Outcome::Done];
        assert!(outcomes.eq(expected), "{report:?}");
        assert_eq!(report.redriven[1].reason.as_deref(), Some("not-an-event"));
        assert_eq!(report.response.checkpoint(), None);
    }
    assert_eq!(rig.alerts().len(), 2);
    assert!(rig.quarantine().is_empty(), "it lies aside already");
}

/// Hours after the fact nobody is woken, and no line is stopped.
#[tokio::test(start_paused = true)]
async fn events_that_are_brought_back_too_late_alert_nobody() {
    let rig = Rig::new();
    let body = redriving(&batch(&rig, &[stopping(opened("press-1", "power", 0))]));
    rig.clock.advance(3_601_000);
    assert_eq!(rig.alert(&body).await, None);
    assert!(rig.alerts().is_empty() && rig.line_stops().is_empty());
    assert_eq!(rig.metric("Redriven", &[("outcome", "done")]), 1.0);
}

#[tokio::test(start_paused = true)]
async fn events_that_are_too_old_are_counted_and_alert_nobody() {
    let rig = Rig::new();
    let batch = batch(&rig, &[opened("press-1", "power", 0)]);
    rig.clock.advance(3_600_001);
    assert_eq!(rig.alert(&batch).await, None);
    assert!(rig.alerts().is_empty());
    assert_eq!(
        rig.metric("MessagesSuppressed", &[("reason", "stale")]),
        1.0
    );
}

#[tokio::test(start_paused = true)]
async fn korean_names_keep_their_script_in_bodies_and_read_as_ascii_in_subjects() {
    let rig = Rig::new();
    let mut event = opened("프레스-07", "power", 0);
    event.line = Some("라인-2".into());
    assert_eq!(rig.alert(&batch(&rig, &[event])).await, None);
    let alert = &rig.alerts()[0];
    assert!(
        alert
            .subject
            .as_ref()
            .unwrap()
            .starts_with("CRITICAL peureseu-07 (rain-2)")
    );
    assert!(alert.message.contains("프레스-07"));
    assert_eq!(alert.attributes["line"].value, "라인-2");
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_no_event_are_quarantined_and_hold_nothing_back() {
    let rig = Rig::new();
    let good = json_of(&opened("press-1", "power", 0)).to_string();
    let body = rig
        .batches()
        .batch(&[("a", b"junk".as_slice()), ("b", good.as_bytes())]);
    assert_eq!(rig.alert(&body).await, None);
    assert_eq!(
        (rig.alerts().len(), rig.quarantine()[0].data.as_slice()),
        (1, b"junk".as_slice())
    );
}

#[tokio::test(start_paused = true)]
async fn an_event_beyond_the_contract_is_quarantined() {
    for (field, value) in [
        ("summary", "x".repeat(100_000)),
        ("machine", "x".repeat(3_000)),
    ] {
        let rig = Rig::new();
        let mut event = json_of(&opened("press-1", "power", 0));
        event[field] = json!(value);
        assert_eq!(
            rig.alert(&rig.batches().of(&[event])).await,
            None,
            "{field}"
        );
        assert_eq!(rig.quarantine().len(), 1, "{field}");
    }
}
