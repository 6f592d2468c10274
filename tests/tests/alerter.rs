//! The alerter: one message per finding, whoever delivers it how often, and none that comes too late.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::slice;
use std::time::Duration;

use fake_aws::{Effect, Fault, Parts, Service, When};
use lambda_function::deadline::Deadline;
use pipeline_tests::{Batches, FUNCTION_TIMEOUT, Rig, opened, redriving};
use quality_event::{EventId, Finding, QualityEvent, Reaction, Source, Transition};
use serde_json::{Value, json};
use set_aside::{Answer, Outcome};

fn batches(rig: &Rig) -> Batches {
    Batches::new("shardId-000000000000", rig.world.now_ms())
}

fn json_of(event: &QualityEvent) -> Value {
    serde_json::from_slice(&event.to_json()).unwrap()
}

fn batch(rig: &Rig, events: &[QualityEvent]) -> Vec<u8> {
    let payloads: Vec<_> = events.iter().map(json_of).collect();
    batches(rig).of(&payloads)
}

fn stopping(mut event: QualityEvent) -> QualityEvent {
    event.reaction = Reaction::StopLine;
    event
}

/// The clearing of `event`'s episode, `seconds` of reading time after it.
fn cleared(event: &QualityEvent, seconds: i64) -> QualityEvent {
    let mut json = json_of(event);
    let source = Source::File {
        file: event.id.to_string(),
        line: 1,
    };
    json["id"] = json!(EventId::derive(&source, "violation", "cleared"));
    json["transition"] = json!("cleared");
    json["time"] = json!(
        quality_event::Timestamp::from_millis(event.time.as_millis() + seconds * 1_000).unwrap()
    );
    json["duration_ms"] = json!(seconds * 1_000);
    json["readings"] = json!(2);
    json["extreme"] = json!({"power": 9500.0});
    QualityEvent::from_json(json.to_string().as_bytes()).unwrap()
}

fn ongoing(mut event: QualityEvent) -> QualityEvent {
    if let Finding::Violation(violation) = &mut event.finding {
        violation.transition = Some(Transition::Ongoing);
    }
    event
}

/// Answers after a moment, so that what else hangs is seen to hang.
fn slow(rig: &Rig, service: Service, operation: &str) {
    rig.world
        .fault(Fault::new(service, operation).then(Effect::Slow(Duration::from_millis(20))));
}

fn many(n: i64) -> Vec<QualityEvent> {
    (0..n)
        .map(|n| opened(&format!("press-{n:03}"), "power", n))
        .collect()
}

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
    let body = redriving(&batches(&rig).batch(&[
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
async fn a_stop_goes_to_the_lines_gateway_with_its_expiry() {
    let rig = Rig::new();
    let event = stopping(opened("press-1", "power", 0));
    let batch = batch(&rig, std::slice::from_ref(&event));
    rig.alert(&batch).await;
    assert_eq!(rig.alert(&batch).await, None);
    assert_eq!((rig.alerts().len(), rig.line_stops().len()), (1, 1));
    let stop: Value = serde_json::from_str(&rig.line_stops()[0].message).unwrap();
    assert_eq!(stop["expires"], "2026-11-20T01:01:00.000Z");
    assert_eq!(stop["id"], json!(event.id));
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
async fn the_cool_down_never_holds_back_a_stop() {
    let rig = Rig::new();
    let events = [
        stopping(opened("press-1", "power", 0)),
        stopping(opened("press-1", "power", 10)),
    ];
    assert_eq!(rig.alert(&batch(&rig, &events)).await, None);
    assert_eq!((rig.alerts().len(), rig.line_stops().len()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn anothers_live_claim_sends_the_record_back_and_its_expiry_frees_it() {
    let rig = Rig::new();
    let batch = batch(&rig, &[opened("press-1", "power", 0)]);
    // The holder publishes nothing: its answer from the topic never comes, and its environment dies.
    rig.world.fault(
        Fault::new(Service::Sns, "PublishBatch")
            .when(When::nth(1))
            .then(Effect::TimeoutBefore),
    );
    assert_eq!(rig.alert(&batch).await, Some(Batches::sequence_number(1)));
    assert_eq!(
        rig.alert(&batch).await,
        Some(Batches::sequence_number(1)),
        "the claim is live"
    );
    assert_eq!(rig.metric("MessagesHeld", &[("reason", "live-claim")]), 1.0);
    assert!(rig.alerts().is_empty());
    rig.clock
        .advance(i64::try_from(FUNCTION_TIMEOUT.as_millis()).unwrap() + 10_001);
    assert_eq!(rig.alert(&batch).await, None);
    assert_eq!(rig.alerts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_repeats_the_alert_only_after_the_lease() {
    for effect in [Effect::DropAfter, Effect::FailAfter, Effect::TimeoutAfter] {
        let rig = Rig::new();
        let batch = batch(&rig, &[opened("press-1", "power", 0)]);
        let fault = Fault::new(Service::Sns, "PublishBatch");
        rig.world
            .fault(fault.when(When::nth(1)).then(effect.clone()));
        assert_eq!(
            rig.alert(&batch).await,
            Some(Batches::sequence_number(1)),
            "{effect:?}"
        );
        assert_eq!(rig.alerts().len(), 1, "{effect:?}: it had its effect");
        assert_eq!(
            rig.alert(&batch).await,
            Some(Batches::sequence_number(1)),
            "{effect:?}"
        );
        assert_eq!(
            rig.alerts().len(),
            1,
            "{effect:?}: nothing is repeated while the claim holds"
        );
        rig.clock.advance(70_001);
        assert_eq!(rig.alert(&batch).await, None, "{effect:?}");
        assert_eq!(rig.alerts().len(), 2, "{effect:?}: the stated window");
        assert_eq!(rig.metric("ClaimsTakenOver", &[]), 1.0, "{effect:?}");
    }
}

/// Whoever takes a claim over may be repeating its message, however often it had to ask.
#[tokio::test(start_paused = true)]
async fn a_take_over_whose_answer_is_lost_is_counted_all_the_same() {
    for effect in [Effect::DropAfter, Effect::FailAfter, Effect::TimeoutAfter] {
        for lost in [1, 3, 4, 7, 10, 30] {
            let rig = Rig::new();
            let batch = batch(&rig, &[opened("press-1", "power", 0)]);
            let published = Fault::new(Service::Sns, "PublishBatch");
            rig.world
                .fault(published.when(When::nth(1)).then(Effect::DropAfter));
            assert!(rig.alert(&batch).await.is_some());
            rig.clock.advance(70_001);
            // The first call finds the claim expired, the second one takes it over.
            let taken_over = Fault::new(Service::DynamoDb, "TransactWriteItems");
            let answers = When::always().after(1).times(lost);
            rig.world
                .fault(taken_over.when(answers).then(effect.clone()));
            let mut deliveries = 1;
            while rig.alert(&batch).await.is_some() {
                deliveries += 1;
                assert!(deliveries < 20, "{effect:?} {lost}: never finished");
            }
            assert_eq!(rig.alerts().len(), 2, "{effect:?} {lost}");
            let counted = rig.metric("ClaimsTakenOver", &[]);
            assert!(counted >= 1.0, "{effect:?} {lost}: not counted");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_take_over_that_publishes_nothing_is_taken_over_again_at_once() {
    let rig = Rig::new();
    let batch = batch(&rig, &[opened("press-1", "power", 0)]);
    let publish = || Fault::new(Service::Sns, "PublishBatch");
    rig.world
        .fault(publish().when(When::nth(1)).then(Effect::DropAfter));
    assert!(rig.alert(&batch).await.is_some());
    rig.clock.advance(70_001);
    rig.world
        .fault(publish().when(When::first(1)).then(Effect::AccessDenied));
    assert!(rig.alert(&batch).await.is_some(), "known to have failed");
    assert_eq!(rig.alert(&batch).await, None, "without waiting for a lease");
    assert_eq!(rig.alerts().len(), 2);
    assert_eq!(rig.metric("ClaimsTakenOver", &[]), 2.0);
}

/// What may have been told holds its cool-down, whatever becomes of its repetition.
#[tokio::test(start_paused = true)]
async fn the_cool_down_of_what_may_be_told_outlives_a_failed_repetition() {
    let rig = Rig::new();
    let (first, second) = (opened("press-1", "power", 0), opened("press-1", "power", 5));
    let publish = || Fault::new(Service::Sns, "PublishBatch");
    rig.world
        .fault(publish().when(When::nth(1)).then(Effect::DropAfter));
    rig.alert(&batch(&rig, std::slice::from_ref(&first))).await;
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
async fn a_known_failure_releases_the_claim_for_the_next_delivery() {
    let rig = Rig::new();
    let batch = batch(&rig, &[opened("press-1", "power", 0)]);
    let fault = rig.world.fault(
        Fault::new(Service::Sns, "PublishBatch")
            .when(When::first(1))
            .then(Effect::AccessDenied),
    );
    assert_eq!(rig.alert(&batch).await, Some(Batches::sequence_number(1)));
    assert_eq!(fault.fired(), 1);
    assert_eq!(
        rig.alert(&batch).await,
        None,
        "at once, without waiting for a lease"
    );
    assert_eq!(rig.alerts().len(), 1);
}

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
async fn claims_that_cannot_be_decided_hold_their_records() {
    let rig = Rig::new();
    rig.world
        .fault(Fault::new(Service::DynamoDb, "TransactWriteItems").when(When::mentions("press-2")));
    let events = [opened("press-1", "power", 0), opened("press-2", "power", 0)];
    assert_eq!(
        rig.alert(&batch(&rig, &events)).await,
        Some(Batches::sequence_number(2))
    );
    assert_eq!(rig.alerts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn faults_of_the_claim_before_and_after_its_effect_end_in_one_alert() {
    for effect in [
        Effect::FailBefore,
        Effect::FailAfter,
        Effect::DropAfter,
        Effect::TimeoutAfter,
    ] {
        let rig = Rig::new();
        rig.world.fault(
            Fault::new(Service::DynamoDb, "TransactWriteItems")
                .when(When::first(1))
                .then(effect.clone()),
        );
        assert_eq!(
            rig.alert(&batch(&rig, &[opened("press-1", "power", 0)]))
                .await,
            None,
            "{effect:?}"
        );
        assert_eq!(rig.alerts().len(), 1, "{effect:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_cannot_be_marked_is_counted_and_the_record_is_done() {
    let rig = Rig::new();
    rig.world
        .fault(Fault::new(Service::DynamoDb, "UpdateItem").then(Effect::AccessDenied));
    assert_eq!(
        rig.alert(&batch(&rig, &[opened("press-1", "power", 0)]))
            .await,
        None
    );
    assert_eq!(rig.metric("ClaimsUnmarked", &[]), 1.0);
    assert_eq!(rig.alerts().len(), 1);
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
    let body = batches(&rig).batch(&[("a", b"junk".as_slice()), ("b", good.as_bytes())]);
    assert_eq!(rig.alert(&body).await, None);
    assert_eq!(
        (rig.alerts().len(), rig.quarantine()[0].data.as_slice()),
        (1, b"junk".as_slice())
    );
}

#[tokio::test(start_paused = true)]
async fn claims_of_one_machine_that_hang_hold_back_no_other() {
    let rig = Rig::new();
    rig.world.fault(
        Fault::new(Service::DynamoDb, "TransactWriteItems")
            .when(When::mentions("press-2"))
            .then(Effect::TimeoutBefore),
    );
    slow(&rig, Service::Sns, "PublishBatch");
    let events = [
        opened("press-1", "power", 0),
        opened("press-2", "power", 0),
        opened("press-2", "power", 400),
        stopping(opened("press-3", "power", 0)),
    ];
    rig.alert(&batch(&rig, &events)).await;
    assert_eq!((rig.alerts().len(), rig.line_stops().len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn marking_stays_within_the_time_out() {
    let rig = Rig::new();
    rig.world.fault(
        Fault::new(Service::Sns, "PublishBatch")
            .then(Effect::Partial(Parts::mentioning("press-007"))),
    );
    rig.world
        .fault(Fault::new(Service::DynamoDb, "UpdateItem").then(Effect::TimeoutBefore));
    let start = tokio::time::Instant::now();
    rig.alert(&batch(&rig, &many(25))).await;
    assert!(start.elapsed() < FUNCTION_TIMEOUT, "{:?}", start.elapsed());
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
async fn an_event_beyond_the_contract_is_quarantined() {
    for (field, value) in [
        ("summary", "x".repeat(100_000)),
        ("machine", "x".repeat(3_000)),
    ] {
        let rig = Rig::new();
        let mut event = json_of(&opened("press-1", "power", 0));
        event[field] = json!(value);
        assert_eq!(
            rig.alert(&batches(&rig).of(&[event])).await,
            None,
            "{field}"
        );
        assert_eq!(rig.quarantine().len(), 1, "{field}");
    }
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

#[tokio::test(start_paused = true)]
async fn a_conflict_with_a_transaction_is_worth_another_attempt() {
    let rig = Rig::new();
    let conflict = Effect::Refused(
        400,
        "TransactionConflictException",
        "Transaction is ongoing for the item",
    );
    rig.world.fault(
        Fault::new(Service::DynamoDb, "UpdateItem")
            .when(When::first(1))
            .then(conflict),
    );
    rig.alert(&batch(&rig, &[opened("press-1", "power", 0)]))
        .await;
    assert_eq!(rig.metric("ClaimsUnmarked", &[]), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_claim_given_up_is_no_live_claim() {
    let rig = Rig::new();
    rig.world.fault(
        Fault::new(Service::DynamoDb, "TransactWriteItems")
            .when(When::first(12))
            .then(Effect::FailAfter),
    );
    let batch = batch(&rig, &[opened("press-1", "power", 0)]);
    rig.alert(&batch).await;
    rig.world.clear_faults();
    assert_eq!(rig.alert(&batch).await, None);
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
