//! Messages as subscribers get them: what they filter by, and what a line's gateway obeys.

use std::collections::BTreeMap;

use fake_aws::Published;
use quality_event::{QualityEvent, Timestamp};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::alerts::millis;
use super::world::LINE_STOP_EXPIRY;

/// Messages about an event, each with its time and the event in it.
pub type Messages = BTreeMap<String, Vec<(i64, QualityEvent)>>;

/// The messages of a topic by event, as subscribers by `protocol` get them, and what is wrong with them.
pub fn by_event(published: &[Published], protocol: &str) -> (Messages, Vec<String>) {
    let (mut messages, mut wrong) = (Messages::new(), Vec::new());
    for message in published {
        let text = message.text_for(protocol);
        let Some(event) = event_in(&text) else {
            wrong.push(format!("no event in {text}"));
            continue;
        };
        let attributes = message.attributes.iter();
        let attributes = attributes.map(|(name, one)| (name.as_str(), one.value.as_str()));
        if !attributes.eq(filtered_by(&event)) {
            wrong.push(format!("attributes of {}", event.id));
        }
        if message.structure.is_none() && !is_stop_of(&text, &event) {
            wrong.push(format!("the stop of {} is {text}", event.id));
        }
        messages
            .entry(event.id.to_string())
            .or_default()
            .push((message.at_ms, event));
    }
    (messages, wrong)
}

fn event_in(text: &str) -> Option<QualityEvent> {
    let fields: BTreeMap<&str, &RawValue> = serde_json::from_str(text).ok()?;
    QualityEvent::from_json(fields.get("event")?.get().as_bytes()).ok()
}

/// The attributes that subscriptions of this event filter by.
fn filtered_by(event: &QualityEvent) -> BTreeMap<&'static str, &str> {
    let line = event.line.as_deref().map(|line| ("line", line));
    let transition = event.transition();
    let transition = transition.map(|transition| ("transition", transition.as_str()));
    let always = [
        ("kind", "violation"),
        ("severity", event.severity.as_str()),
        ("reaction", event.reaction.as_str()),
        ("machine", event.machine.as_str()),
        ("rule", event.subject()),
    ];
    always.into_iter().chain(line).chain(transition).collect()
}

/// Whether a gateway is told which machine of which line to stop, and until when that holds.
fn is_stop_of(text: &str, event: &QualityEvent) -> bool {
    let expires_ms = event.arrived.as_millis() + millis(LINE_STOP_EXPIRY);
    let stop: Value = serde_json::from_str(text).unwrap_or_default();
    stop["type"] == "line-stop"
        && stop["id"] == event.id.as_str()
        && stop["machine"] == event.machine
        && stop["line"] == json!(event.line)
        && stop["time"] == json!(event.time)
        && Timestamp::from_millis(expires_ms).is_ok_and(|at| stop["expires"] == json!(at))
}
