//! What the endpoint can do, over real sockets, and what becomes of every reading: nothing is lost, nothing is said twice.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod rig;

use std::time::Duration;

use quality_event::{Reaction, Severity};
use rig::server::{Reply, Server};
use rig::{NOW_MS, POLICY, Rig};
use sagemaker_caller::config::{Policy, WhenOpen};

const LONG: Duration = Duration::from_secs(20);

/// What becomes of ten readings of 10 to 100 Nm in calls of eight, and how many calls it took.
#[track_caller]
fn check(
    script: impl Fn(usize, &[f64]) -> Reply + Send + Sync + 'static,
    expected: &str,
    calls: std::ops::RangeInclusive<usize>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (told, sizes) = runtime.block_on(async {
        let rig = Rig::new(Server::start(script).await, POLICY);
        let torques: Vec<f64> = (1..=10).map(|n| f64::from(n) * 10.0).collect();
        let told = rig.score(&torques, LONG).await;
        (told.join(" "), rig.server.sizes())
    });
    assert_eq!(told, expected);
    assert!(calls.contains(&sizes.len()), "{sizes:?}");
}

const ALL_SCORED: &str = "0.1 0.2 0.3 0.4 0.5! 0.6! 0.7! 0.8! 0.9! 1!";
const EIGHT_HELD: &str = "held held held held held held held held 0.9! 1!";

/// The first call about the first eight readings is answered so, everything else is scored.
fn first(reply: Reply) -> impl Fn(usize, &[f64]) -> Reply + Send + Sync {
    let told = std::sync::atomic::AtomicBool::new(false);
    move |_, rows| match rows[0] == 10.0 && !told.swap(true, std::sync::atomic::Ordering::Relaxed) {
        true => reply,
        false => Reply::Scores,
    }
}

/// Every call about the first eight readings is answered so.
fn always(reply: Reply) -> impl Fn(usize, &[f64]) -> Reply + Send + Sync {
    move |_, rows| {
        if rows[0] == 10.0 {
            reply
        } else {
            Reply::Scores
        }
    }
}

#[test]
fn readings_are_scored_in_micro_batches() {
    check(|_, _| Reply::Scores, ALL_SCORED, 2..=2);
}

#[test]
fn what_passes_is_tried_again() {
    for reply in [
        Reply::Service(400, "ThrottlingException"),
        Reply::Service(503, "ServiceUnavailable"),
        Reply::Service(500, "InternalFailure"),
        Reply::Service(530, "InternalDependencyException"),
        Reply::Model(500),
        Reply::Model(429),
        Reply::Dropped,
        Reply::CutOff,
        Reply::OneTooFew,
        Reply::Late(Duration::from_millis(600)),
    ] {
        check(first(reply), ALL_SCORED, 3..=3);
    }
}

#[test]
fn what_does_not_pass_holds_the_rows_of_its_call_alone() {
    for reply in [
        Reply::Service(400, "ThrottlingException"),
        Reply::Model(503),
        Reply::Service(400, "ValidationError"),
        Reply::Dropped,
        Reply::CutOff,
        Reply::OneTooFew,
        Reply::Late(Duration::from_millis(600)),
    ] {
        check(always(reply), EIGHT_HELD, 4..=4);
    }
}

#[test]
fn a_score_that_is_none_passes_without_a_retry() {
    let none = ["not-a-number"; 8].join(" ");
    check(always(Reply::NotANumber), &format!("{none} 0.9! 1!"), 2..=2);
}

/// Eight rows: the whole, then half, quarter and the one, each with what was left beside it.
#[test]
fn a_poison_row_is_found_by_halving_and_costs_its_neighbours_nothing() {
    check(
        |_, rows| match rows.contains(&30.0) {
            true => Reply::Model(400),
            false => Reply::Scores,
        },
        "0.1 0.2 refused-by-model 0.4 0.5! 0.6! 0.7! 0.8! 0.9! 1!",
        8..=8,
    );
}

#[tokio::test]
async fn a_model_that_refuses_everything_is_not_asked_about_each() {
    let policy = Policy {
        limits: lambda_function::CallLimits {
            entries: 500,
            bytes: 4_500_000,
        },
        ..POLICY
    };
    let rig = Rig::new(Server::start(|_, _| Reply::Model(400)).await, policy);
    let told = rig.score(&[1.0; 500], LONG).await;
    assert!(told.iter().all(|told| told == "refused-by-model"));
    assert!(
        rig.server.sizes().len() < 100,
        "{}",
        rig.server.sizes().len()
    );
}

#[tokio::test]
async fn an_endpoint_that_is_slow_past_the_deadline_holds_what_is_left() {
    let policy = Policy {
        call_timeout: Duration::from_secs(10),
        ..POLICY
    };
    let rig = Rig::new(
        Server::start(always(Reply::Late(Duration::from_secs(30)))).await,
        policy,
    );
    let began = tokio::time::Instant::now();
    let torques: Vec<f64> = (1..=10).map(|n| f64::from(n) * 10.0).collect();
    let told = rig.score(&torques, Duration::from_secs(2)).await;
    assert_eq!(told.join(" "), EIGHT_HELD);
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn the_breaker_opens_and_closes() {
    let policy = Policy {
        breaker_failures: 3,
        ..POLICY
    };
    let up = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_up = std::sync::Arc::clone(&up);
    let script = move |_: usize, _: &[f64]| match is_up.load(std::sync::atomic::Ordering::Relaxed) {
        true => Reply::Scores,
        false => Reply::Dropped,
    };
    let rig = Rig::new(Server::start(script).await, policy);
    assert_eq!(rig.score(&[10.0], LONG).await, ["held"], "three failures");
    assert_eq!(rig.metric("BreakerChanges", &[("to", "open")]), 1.0);
    assert_eq!(rig.score(&[10.0], LONG).await, ["breaker-open"]);
    let unscored = rig.events()[0].clone();
    assert_eq!(rig.server.sizes().len(), 3, "it is left alone");

    rig.clock.advance(30_000);
    assert_eq!(
        rig.score(&[10.0], LONG).await,
        ["breaker-open"],
        "the probe fails"
    );
    assert_eq!(rig.server.sizes().len(), 4);
    up.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(rig.score(&[10.0], LONG).await, ["breaker-open"]);
    rig.clock.advance(30_000);
    assert_eq!(rig.score(&[10.0], LONG).await, ["0.1"]);
    assert_eq!(rig.metric("BreakerChanges", &[("to", "closed")]), 1.0);
    assert_ne!(
        rig.events()[0].id,
        unscored.id,
        "a score overwrites nothing"
    );
}

#[tokio::test]
async fn the_breaker_can_hold_the_stream_back() {
    let policy = Policy {
        breaker_failures: 1,
        when_open: WhenOpen::Hold,
        ..POLICY
    };
    let rig = Rig::new(Server::start(|_, _| Reply::Dropped).await, policy);
    for _ in 0..2 {
        assert_eq!(rig.score(&[10.0], LONG).await, ["held"]);
    }
    assert_eq!(rig.server.sizes().len(), 1);
    rig.clock.advance(900_001);
    assert_eq!(
        rig.score(&[10.0], LONG).await,
        ["stale"],
        "but not for ever"
    );
}

#[tokio::test]
async fn records_are_what_they_are() {
    let rig = Rig::new(Server::start(|_, _| Reply::Scores).await, POLICY);
    let payloads = [
        r#"{"machine":"a","time":0,"torque":95}"#,
        "not json",
        r#"{"machine":"a","time":0}"#,
        r#"{"machine":"a","time":0,"torque":60}"#,
    ];
    let told = rig.deliver(&payloads, false, LONG).await;
    assert_eq!(told, ["0.95!", "skipped", "missing-feature", "0.6!"]);
    let event = |score: f64| {
        let events = rig.events();
        let found = events.into_iter().find(|event| match &event.finding {
            quality_event::Finding::Prediction(prediction) => prediction.score == Some(score),
            quality_event::Finding::Violation(_) => false,
        });
        found.unwrap()
    };
    let (high, low) = (event(0.95), event(0.6));
    assert_eq!(
        (high.severity, high.reaction),
        (Severity::Critical, Reaction::StopLine)
    );
    assert_eq!(
        (low.severity, low.reaction),
        (Severity::Warning, Reaction::Notify)
    );
    assert_eq!(high.values["torque"], 95.0);
    assert_eq!(high.arrived.as_millis(), NOW_MS);
    assert_eq!(rig.metric("ReadingsScored", &[("variant", "blue")]), 2.0);
    assert_eq!(
        rig.metric("ReadingsSkipped", &[("reason", "not-json")]),
        1.0
    );
    let again = rig.deliver(&payloads, false, LONG).await;
    assert_eq!(again, told);
    assert_eq!(
        event(0.95).id,
        high.id,
        "a replay says the same under the same id"
    );

    rig.clock.advance(900_001);
    let late = rig.deliver(&payloads, true, LONG).await;
    assert_eq!(
        late, told,
        "what is brought back is scored whatever its age"
    );
    assert!(rig.events().iter().all(|event| event.late));
}
