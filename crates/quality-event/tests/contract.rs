//! The JSON on the stream, its schema and the types say the same.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use quality_event::{EventId, Finding, QualityEvent, Source, Transition};
use serde_json::{Value, json};

fn opened() -> Value {
    json!({
        "id": "5f1c0000000000000000000000000001", "kind": "violation", "transition": "opened",
        "episode": "5f1c0000000000000000000000000001", "rule": "power-out-of-range",
        "severity": "critical", "reaction": "stop-line", "machine": "press-07", "line": "L2",
        "time": "2026-11-20T01:02:03.456Z", "arrived": "2026-11-20T01:02:03.610Z", "tests": [],
        "values": {"power": 9421.5}, "summary": "Power 9421.5 W outside 3500..9000 W on press-07",
        "plan": "sha256:0000",
        "source": {"stream": "arn:aws:kinesis:eu-central-1:123456789012:stream/readings",
                   "shard": "shardId-000000000006", "sequence_number": "4959", "sub_sequence_number": 3},
    })
}

fn cleared() -> Value {
    let mut event = opened();
    event["transition"] = json!("cleared");
    event["duration_ms"] = json!(12_000);
    event["readings"] = json!(4);
    event["extreme"] = json!({"power": 9600.25});
    event["source"] = json!({"file": "shift.ndjson", "line": 12});
    event
}

fn prediction() -> Value {
    let mut event = opened();
    let fields = event.as_object_mut().unwrap();
    for gone in ["transition", "episode", "rule", "tests"] {
        fields.remove(gone);
    }
    event["kind"] = json!("prediction");
    event["model"] = json!("failure-soon");
    event["score"] = json!(null);
    event["flagged"] = json!(false);
    event["unscored"] = json!("circuit-open");
    event
}

fn late() -> Value {
    let mut event = opened();
    let fields = event.as_object_mut().unwrap();
    fields.remove("transition");
    fields.remove("episode");
    fields.remove("line");
    event["late"] = json!(true);
    event
}

#[test]
fn every_shape_survives_the_types_unchanged_and_fits_the_schema() {
    let validator = jsonschema::validator_for(&quality_event::json_schema()).unwrap();
    for shape in [opened(), cleared(), prediction(), late()] {
        let event = QualityEvent::from_json(shape.to_string().as_bytes()).unwrap();
        let written: Value = serde_json::from_slice(&event.to_json()).unwrap();
        assert_eq!(written, shape);
        let errors: Vec<_> = validator
            .iter_errors(&shape)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:?} in {shape}");
    }
}

#[test]
fn the_schema_refuses_what_the_types_refuse() {
    let validator = jsonschema::validator_for(&quality_event::json_schema()).unwrap();
    let broken: [(&str, Value); 9] = [
        ("machine", json!("")),
        ("machine", json!("x".repeat(257))),
        ("id", json!("not-an-id")),
        ("kind", json!("rumour")),
        ("severity", json!("grave")),
        ("reaction", json!("panic")),
        ("time", json!("yesterday")),
        ("values", json!({"power": null})),
        ("source", json!({"file": "shift.ndjson"})),
    ];
    for (field, value) in broken {
        let mut event = opened();
        event[field] = value;
        assert!(
            QualityEvent::from_json(event.to_string().as_bytes()).is_err(),
            "types take {field}"
        );
        assert!(!validator.is_valid(&event), "schema takes {field}");
    }
}

/// `UPDATE_SCHEMA=1 cargo test -p quality-event` writes the file anew.
#[test]
fn the_committed_schema_is_the_generated_one() {
    let generated = serde_json::to_string_pretty(&quality_event::json_schema()).unwrap() + "\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/quality-event.schema.json");
    #[expect(
        clippy::disallowed_methods,
        reason = "a switch of the test, not of the product"
    )]
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        committed, generated,
        "run: UPDATE_SCHEMA=1 cargo test -p quality-event"
    );
}

#[test]
fn long_texts_are_cut_and_marked() {
    let mut event = QualityEvent::from_json(opened().to_string().as_bytes()).unwrap();
    event.summary = "가".repeat(5_000);
    event.line = Some("L".repeat(5_000));
    let json = event.to_json();
    assert!(json.len() < 8_192, "{} bytes", json.len());
    let read = QualityEvent::from_json(&json).unwrap();
    assert!(read.summary.ends_with('…') && read.line.unwrap().ends_with('…'));
}

#[test]
fn the_opening_event_names_its_own_episode() {
    let event = QualityEvent::from_json(opened().to_string().as_bytes()).unwrap();
    let Finding::Violation(violation) = &event.finding else {
        panic!("a violation")
    };
    assert_eq!(violation.transition, Some(Transition::Opened));
    assert_eq!(violation.episode.as_ref(), Some(&event.id));
    let other = EventId::derive(
        &Source::File {
            file: "f".into(),
            line: 1,
        },
        "violation",
        "r",
    );
    assert_ne!(other, event.id);
}

#[test]
fn texts_beyond_the_contract_and_huge_events_are_refused() {
    let cases = [
        ("line", json!("x".repeat(257)), "`line` has 257 characters"),
        ("rule", json!(""), "`rule` has 0 characters"),
        (
            "summary",
            json!("x".repeat(1_025)),
            "`summary` has 1025 characters",
        ),
        (
            "tests",
            json!(vec!["x".repeat(1_000); 70]),
            "a quality event has at most",
        ),
    ];
    for (field, value, expected) in cases {
        let mut event = opened();
        event[field] = value;
        let error = QualityEvent::from_json(event.to_string().as_bytes()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}
