//! The alerter: one message per finding, whoever delivers it how often, and none that comes too late.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod claims;
mod cool_down;
mod findings;
mod line_stops;
mod publication;

use pipeline_tests::{Rig, json_of, opened};
use quality_event::{EventId, Finding, QualityEvent, Reaction, Source, Transition};
use serde_json::json;

fn batch(rig: &Rig, events: &[QualityEvent]) -> Vec<u8> {
    let payloads: Vec<_> = events.iter().map(json_of).collect();
    rig.batches().of(&payloads)
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

fn many(n: i64) -> Vec<QualityEvent> {
    (0..n)
        .map(|n| opened(&format!("press-{n:03}"), "power", n))
        .collect()
}
