use std::collections::BTreeMap;

use control_plan::ControlPlan;
use quality_event::{EventId, Reaction};

use super::*;
use crate::local::checks::tests::event;
use crate::local::expected::expected;
use crate::record::StreamRecord;

/// The figures of a small shift: a machine is to be told of within 4 parts, and alerts again after 3.
fn figures() -> Figures {
    let json = serde_json::json!({
        "model": "wear", "horizon": 4, "cycle_s": 60, "cool_down": 3, "readings_per_shift": 20,
        "shift": {"seed": 1, "machines": 1, "parts": 10},
        "thresholds": [{"reaction": "notify", "score": 0.5, "shift": {
            "failures": 1, "told": 1, "median_lead_parts": 3.0, "false_alarms": 1,
        }}],
    });
    serde_json::from_value(json).unwrap()
}

fn prediction(n: u32, score: Option<f64>) -> QualityEvent {
    let mut event = event(n, "opened", "record");
    event.finding = Finding::Prediction(quality_event::Prediction {
        model: "wear".into(),
        score,
        flagged: score.is_some_and(|score| score >= 0.5),
        unscored: score.is_none().then(|| "breaker-open".to_owned()),
    });
    event
}

/// A machine's parts, a minute apart, with their scores, that failed after some of them.
fn world(scores: &[Option<f64>], failures: &[u64]) -> (Model, BTreeMap<String, QualityEvent>) {
    let mut events = BTreeMap::new();
    let mut asked = Vec::new();
    for (part, score) in (1..).zip(scores) {
        let (scored, unscored) = (part, 1_000 + part);
        let event = prediction(if score.is_some() { scored } else { unscored }, *score);
        events.insert(event.id.to_string(), event);
        asked.push(Asked {
            machine: "worn-01".into(),
            time: Timestamp::from_millis(i64::from(part) * 60_000).unwrap(),
            scored: format!("{scored:032x}"),
            unscored: format!("{unscored:032x}"),
            score: *score,
        });
    }
    let failures = [("worn-01".to_owned(), failures.to_vec())];
    let model = Model {
        id: "wear".into(),
        thresholds: vec![("notify".into(), 0.5)],
        asked,
        truth: Some(Truth {
            machines: "worn-".into(),
            failures: failures.into(),
            of_card: true,
        }),
        figures: figures(),
    };
    (model, events)
}

const LOW: Option<f64> = Some(0.1);
const HIGH: Option<f64> = Some(0.9);

#[track_caller]
fn threshold(scores: &[Option<f64>], failures: &[u64]) -> OfThreshold {
    let (model, events) = world(scores, failures);
    let found = predictions(&model, &events);
    found.worth.unwrap().thresholds.remove(0)
}

#[test]
fn a_failure_is_told_by_the_first_alarm_within_the_horizon() {
    // Parts 1 to 10; it fails after part 9: parts 6 to 9 are within the horizon.
    let scores = [LOW, HIGH, HIGH, LOW, LOW, HIGH, HIGH, LOW, HIGH, LOW];
    let found = threshold(&scores, &[9]);
    assert_eq!((found.failures, found.failures_told), (1, 1));
    assert_eq!(found.median_lead_parts, Some(3.0));
    assert_eq!(found.median_lead_min, Some(3.0));
    // Alarms at 2 (false), 6 and 9: 3 and 7 come within the cool-down.
    assert_eq!((found.alarms, found.false_alarms), (3, 1));
    assert_eq!(found.false_alarms_per_shift, 2.0);
    assert_eq!(
        found.confusion,
        Confusion {
            true_positive: 3,
            false_positive: 2,
            false_negative: 1,
            true_negative: 4,
        }
    );
}

#[test]
fn what_fails_too_early_or_untold_is_counted_as_such() {
    for (scores, failures, expected) in [
        // Before a whole horizon has passed.
        (&[HIGH, LOW, LOW, LOW, LOW][..], &[3][..], (0, 0, None)),
        (&[LOW; 8], &[8], (1, 0, None)),
        // After the last part.
        (&[HIGH; 5], &[9], (0, 0, None)),
        // Two in a row, a median in between.
        (
            &[LOW, LOW, LOW, LOW, LOW, HIGH, LOW, LOW, HIGH, LOW],
            &[6, 10],
            (2, 2, Some(0.5)),
        ),
    ] {
        let found = threshold(scores, failures);
        let found = (found.failures, found.failures_told, found.median_lead_parts);
        assert_eq!(found, expected, "{failures:?}");
    }
}

#[test]
fn machines_that_the_truth_does_not_tell_of_are_left_out() {
    let (mut model, events) = world(&[HIGH, LOW, HIGH], &[]);
    model.asked[0].machine = "press-01".into();
    let found = predictions(&model, &events);
    assert_eq!(found.scored, 3);
    let worth = found.worth.unwrap();
    assert_eq!((worth.machines, worth.readings), (1, 2));
    model.truth = None;
    assert_eq!(predictions(&model, &events).worth, None);
}

#[test]
fn each_reading_is_scored_or_unscored_by_its_own_event() {
    let (model, events) = world(&[HIGH, None, LOW], &[]);
    assert_eq!(said(&model, &events), Vec::<String>::new());
    let counts = predictions(&model, &events);
    assert_eq!(
        (counts.scored, &counts.unscored),
        (2, &[("breaker-open".to_owned(), 1)].into())
    );
    let mut missing = events.clone();
    missing.remove(&format!("{:032x}", 1_002));
    assert_eq!(said(&model, &missing).len(), 1);
    let mut surplus = events;
    let other = prediction(77, HIGH);
    surplus.insert(other.id.to_string(), other);
    let told = said(&model, &surplus);
    assert!(told[0].ends_with("is not expected"), "{told:?}");
}

#[test]
fn a_reading_that_the_model_scores_may_not_pass_unscored() {
    let (mut model, events) = world(&[HIGH, None, LOW], &[]);
    assert_eq!(passed(&model, &events), Vec::<String>::new());
    model.asked[1].score = LOW;
    let told = passed(&model, &events);
    assert!(
        told.len() == 1 && told[0].contains("passed unscored"),
        "{told:?}"
    );
}

#[test]
fn a_score_that_belongs_to_another_row_is_found() {
    let (mut model, events) = world(&[HIGH, LOW, None], &[]);
    assert_eq!(scores(&model, &events), Vec::<String>::new());
    model.asked[0].score = LOW;
    model.asked[1].score = HIGH;
    assert_eq!(scores(&model, &events).len(), 2);
}

#[test]
fn the_card_is_met_within_its_tolerance() {
    let scores = [LOW, HIGH, HIGH, LOW, LOW, HIGH, HIGH, LOW, HIGH, LOW];
    let (model, events) = world(&scores, &[9]);
    let worth = predictions(&model, &events).worth.unwrap();
    let check = |change: &dyn Fn(&mut Worth), expected: usize| {
        let mut worth = worth.clone();
        change(&mut worth);
        let told = compared(&worth, &figures());
        assert_eq!(told.len(), expected, "{told:?}");
    };
    check(&|_| {}, 0);
    check(&|worth| worth.thresholds[0].false_alarms = 2, 0);
    check(&|worth| worth.thresholds[0].false_alarms = 3, 1);
    check(
        &|worth| worth.thresholds[0].median_lead_parts = Some(2.0),
        0,
    );
    check(
        &|worth| worth.thresholds[0].median_lead_parts = Some(1.5),
        1,
    );
    check(&|worth| worth.thresholds[0].median_lead_parts = None, 1);
    check(&|worth| worth.thresholds[0].failures_told = 0, 1);
    check(&|worth| worth.readings = 9, 1);
    check(&|worth| worth.thresholds.clear(), 1);
}

const PLAN: &str = "version: 1
reading: {machine: /machine, time: /time, line: /line}
characteristics:
  torque: {at: /torque, unit: Nm}
rules:
  - id: too-tight
    when: torque > 60.0
model:
  id: wear
  features: [torque]
  thresholds: [{score: 0.5}, {score: 0.9, severity: critical, reaction: stop-line}]
";

const ARN: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/andon-readings";

/// What the event about this reading should say that was published with this score, or with this reason for none.
fn should_say(reading: &str, score: Option<f64>, reason: Option<&str>) -> QualityEvent {
    let plan = ControlPlan::parse("plan.yaml", PLAN).unwrap();
    let record = StreamRecord {
        sequence_number: "101".to_owned(),
        partition_key: "press-07".to_owned(),
        data: reading.into(),
        arrived_ms: 1_795_136_523_610,
    };
    let shards = [("shardId-000000000000".to_owned(), vec![record])];
    let (_, questions) = expected(&plan, ARN, &shards, None);
    let questions: Vec<_> = questions.into_iter().map(|(asked, _)| asked).collect();
    let asked = &questions[0].asked;
    let id = match score {
        Some(_) => &asked.scored,
        None => &asked.unscored,
    };
    let mut published = prediction(1, score);
    published.id = EventId::try_from(id.clone()).unwrap();
    if let Finding::Prediction(prediction) = &mut published.finding {
        prediction.unscored = reason.map(str::to_owned);
    }
    let events: BTreeMap<_, _> = [(id.clone(), published)].into();
    let mut found = expected_events(&plan, &questions, &events);
    found.remove(id).unwrap()
}

const READING: &str =
    r#"{"machine":"press-07","time":"2026-11-20T01:02:03.456Z","line":"L2","torque":50}"#;
const FEATURELESS: &str = r#"{"machine":"press-07","time":"2026-11-20T01:02:03.456Z"}"#;

#[test]
fn what_a_score_calls_for_follows_from_the_plan() {
    for (score, flagged, severity, reaction) in [
        (0.49, false, Severity::Info, Reaction::Record),
        (0.5, true, Severity::Warning, Reaction::Notify),
        (0.9, true, Severity::Critical, Reaction::StopLine),
    ] {
        let event = should_say(READING, Some(score), None);
        assert_eq!((event.severity, event.reaction), (severity, reaction));
        let prediction = quality_event::Prediction {
            model: "wear".into(),
            score: Some(score),
            flagged,
            unscored: None,
        };
        assert_eq!(event.finding, Finding::Prediction(prediction));
    }
    let event = should_say(READING, HIGH, None);
    assert_eq!(
        (event.machine.as_str(), event.line.as_deref()),
        ("press-07", Some("L2"))
    );
    assert_eq!(event.time.to_string(), "2026-11-20T01:02:03.456Z");
    assert_eq!(event.arrived.to_string(), "2026-11-20T01:02:03.610Z");
    let values = BTreeMap::from([("torque".to_owned(), 50.0)]);
    assert_eq!(event.values, values);
    assert_eq!(
        event.summary,
        "wear: the model predicts a failure of press-07 (score 0.9)"
    );
    assert!(!event.late);
}

#[test]
fn a_reading_without_a_feature_has_that_reason_and_no_other_does() {
    for (reading, reason, expected) in [
        (READING, "stale", "stale"),
        (READING, "breaker-open", "breaker-open"),
        (
            READING,
            "missing-feature",
            "a reason for a reading with every feature",
        ),
        (
            READING,
            "boredom",
            "a reason for a reading with every feature",
        ),
        (FEATURELESS, "stale", "missing-feature"),
    ] {
        let event = should_say(reading, None, Some(reason));
        assert_eq!(reason_of(&event), Some(expected));
        assert_eq!(event.reaction, Reaction::Record);
    }
}

#[test]
fn a_prediction_that_is_published_again_says_the_same() {
    let because = |reason: &str| {
        let mut event = prediction(1, None);
        if let Finding::Prediction(prediction) = &mut event.finding {
            prediction.unscored = Some(reason.into());
        }
        event
    };
    let (open, stale) = (because("breaker-open"), because("stale"));
    assert_eq!(repeated(&open, &stale, true), stale);
    assert_eq!(repeated(&open, &stale, false), open);
    let (first, near) = (prediction(1, Some(0.7)), prediction(1, Some(0.7 + 1e-12)));
    assert_eq!(repeated(&first, &near, false), near);
    let far = prediction(1, Some(0.8));
    assert_eq!(repeated(&first, &far, true), first);
    let mut unflagged = near;
    if let Finding::Prediction(prediction) = &mut unflagged.finding {
        prediction.flagged = false;
    }
    assert_ne!(repeated(&first, &unflagged, true), unflagged);
}
