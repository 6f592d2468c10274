//! What subscribers read: one text per protocol, all from the same event. Pure.

mod chat;
mod subject;

use std::collections::BTreeMap;
use std::fmt::Write;

use quality_event::{Finding, QualityEvent, Timestamp, Transition};
use serde_json::json;

use crate::topic::Message;

/// A text message that fits one part: 160 characters of the basic alphabet, or 70 of any.
const SMS_CHARS: (usize, usize) = (160, 70);

/// What people read.
pub fn alert(event: &QualityEvent) -> Message {
    let short = short(event);
    let queue = json!({"version": 1, "type": "alert", "event": event}).to_string();
    let body = json!({
        "default": short,
        "email": long(event),
        "sms": sms(&short),
        "sqs": queue,
        "lambda": queue,
        "http": queue,
        // Chat clients subscribe over HTTPS and drop any other JSON.
        "https": chat::notification(event).to_string(),
    });
    Message {
        subject: Some(subject::subject(&short)),
        body: body.to_string(),
        per_protocol: true,
        attributes: attributes(event),
    }
}

/// What a line's gateway reads. It obeys until `expires_ms`, in milliseconds since the epoch, and not after.
pub fn line_stop(event: &QualityEvent, expires_ms: i64) -> Message {
    let expires = Timestamp::from_millis(expires_ms).unwrap_or(event.arrived);
    let body = json!({
        "version": 1,
        "type": "line-stop",
        "id": event.id,
        "machine": event.machine,
        "line": event.line,
        "time": event.time,
        "expires": expires,
        "event": event,
    });
    Message {
        subject: None,
        body: body.to_string(),
        per_protocol: false,
        attributes: attributes(event),
    }
}

/// What subscribers filter by. A topic refuses a message with an empty value.
fn attributes(event: &QualityEvent) -> BTreeMap<&'static str, String> {
    let kind = match &event.finding {
        Finding::Violation(_) => "violation",
        Finding::Prediction(_) => "prediction",
    };
    let subject = match &event.finding {
        Finding::Violation(violation) => ("rule", violation.rule.as_str()),
        Finding::Prediction(prediction) => ("model", prediction.model.as_str()),
    };
    let transition = event.transition().map_or("", Transition::as_str);
    let all = [
        ("kind", kind),
        ("severity", event.severity.as_str()),
        ("reaction", event.reaction.as_str()),
        ("transition", transition),
        ("machine", &event.machine),
        ("line", event.line.as_deref().unwrap_or_default()),
        subject,
    ];
    all.into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name, value.to_owned()))
        .collect()
}

/// One line: `CRITICAL press-07 (L2): Power 9421.5 W outside 3500..9000 W on press-07`.
fn short(event: &QualityEvent) -> String {
    format!("{} {}: {}", heading(event), place(event), event.summary)
}

/// `CRITICAL`, `CLEARED` or `PREDICTED`: a rule's violation, its end, a model's expectation.
fn heading(event: &QualityEvent) -> String {
    match (&event.finding, event.transition()) {
        (_, Some(Transition::Cleared)) => "CLEARED".to_owned(),
        (Finding::Prediction(_), _) => {
            format!("PREDICTED {}", event.severity.as_str().to_uppercase())
        }
        _ => event.severity.as_str().to_uppercase(),
    }
}

fn place(event: &QualityEvent) -> String {
    match event.line.as_deref().filter(|line| !line.is_empty()) {
        Some(line) => format!("{} ({line})", event.machine),
        None => event.machine.clone(),
    }
}

fn sms(short: &str) -> String {
    let (basic, any) = SMS_CHARS;
    quality_event::truncated(short, if short.is_ascii() { basic } else { any }).into_owned()
}

/// The e-mail: the sentence, then one fact a line.
fn long(event: &QualityEvent) -> String {
    let mut text = format!("{}\n\n", event.summary);
    for (name, value) in facts(event) {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:<12}{value}", format!("{name}:"));
    }
    text
}

/// What there is to know, in the order in which a person asks.
fn facts(event: &QualityEvent) -> Vec<(String, String)> {
    let mut facts = vec![
        ("state".to_owned(), heading(event)),
        ("machine".to_owned(), event.machine.clone()),
    ];
    let mut add = |name: &str, value: String| facts.push((name.to_owned(), value));
    if let Some(line) = &event.line {
        add("line", line.clone());
    }
    add("time", event.time.to_string());
    for (name, value) in &event.values {
        add(name, readable(*value));
    }
    match &event.finding {
        Finding::Violation(violation) => {
            add("rule", violation.rule.clone());
            if !violation.tests.is_empty() {
                add("tests", violation.tests.join(", "));
            }
            if let Some(ended) = &violation.ended {
                add(
                    "lasted",
                    format!("{} s", ended.duration_ms as f64 / 1_000.0),
                );
                add("readings", ended.readings.to_string());
                for (name, value) in &ended.extreme {
                    add("extreme", format!("{name} {}", readable(*value)));
                }
            }
            if let Some(episode) = &violation.episode {
                add("episode", episode.to_string());
            }
        }
        Finding::Prediction(prediction) => {
            add("model", prediction.model.clone());
            if let Some(score) = prediction.score {
                add("score", readable(score));
            }
        }
    }
    add("reaction", event.reaction.to_string());
    add("event", event.id.to_string());
    add("plan", event.plan.clone());
    facts
}

/// A number to six significant digits: what a person compares with a limit. The queue's JSON has it exactly.
fn readable(value: f64) -> String {
    format!("{value:.5e}").parse().unwrap_or(value).to_string()
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;

    use super::*;

    pub(crate) fn event(changes: Value) -> QualityEvent {
        let mut json = json!({
            "id": "5f1c0000000000000000000000000001", "kind": "violation", "transition": "opened",
            "episode": "5f1c0000000000000000000000000001", "rule": "power-out-of-range",
            "severity": "critical", "reaction": "stop-line", "machine": "press-07", "line": "L2",
            "time": "2026-11-20T01:02:03.456Z", "arrived": "2026-11-20T01:02:03.610Z", "tests": [],
            "values": {"power": 9421.5}, "summary": "Power 9421.5 W outside 3500..9000 W on press-07",
            "plan": "sha256:0000",
            "source": {"stream": "arn", "shard": "s", "sequence_number": "1", "sub_sequence_number": null},
        });
        for (name, value) in changes.as_object().unwrap() {
            json[name] = value.clone();
        }
        QualityEvent::from_json(json.to_string().as_bytes()).unwrap()
    }

    fn text(message: &Message, protocol: &str) -> String {
        let bodies: Value = serde_json::from_str(&message.body).unwrap();
        bodies[protocol].as_str().unwrap().to_owned()
    }

    #[test]
    fn every_protocol_has_its_text() {
        let message = alert(&event(json!({})));
        let short = "CRITICAL press-07 (L2): Power 9421.5 W outside 3500..9000 W on press-07";
        assert_eq!(text(&message, "default"), short);
        assert_eq!(text(&message, "sms"), short);
        assert_eq!(message.subject.as_deref(), Some(short));
        assert!(text(&message, "email").contains("\nrule:       power-out-of-range\n"));
        for protocol in ["sqs", "lambda", "http"] {
            let body: Value = serde_json::from_str(&text(&message, protocol)).unwrap();
            assert_eq!(body["event"]["values"]["power"], 9421.5, "{protocol}");
        }
        let chat: Value = serde_json::from_str(&text(&message, "https")).unwrap();
        assert_eq!(
            (&chat["version"], &chat["source"]),
            (&json!("1.0"), &json!("custom"))
        );
    }

    #[test]
    fn names_in_any_script_stay_in_the_bodies() {
        let message = alert(&event(
            json!({"machine": "프레스-07", "line": "라인-2", "summary": "토크 이상"}),
        ));
        for protocol in ["default", "email", "sms", "https"] {
            assert!(text(&message, protocol).contains("프레스-07"), "{protocol}");
        }
        assert_eq!(message.attributes["machine"], "프레스-07");
        assert!(message.subject.unwrap().is_ascii());
    }

    #[test]
    fn a_text_message_fits_one_part() {
        let ascii = alert(&event(json!({"summary": "x".repeat(400)})));
        assert_eq!(text(&ascii, "sms").chars().count(), 160);
        let korean = alert(&event(json!({"summary": "토".repeat(400)})));
        assert_eq!(text(&korean, "sms").chars().count(), 70);
    }

    #[test]
    fn an_end_and_a_prediction_read_differently() {
        let cleared = event(
            json!({"transition": "cleared", "duration_ms": 1500, "readings": 4, "extreme": {"power": 9600.0}}),
        );
        assert!(text(&alert(&cleared), "default").starts_with("CLEARED press-07"));
        assert!(text(&alert(&cleared), "email").contains("lasted:     1.5 s"));
        let mut predicted =
            json!({"kind": "prediction", "model": "failure-soon", "score": 0.93, "flagged": true});
        predicted["transition"] = json!(null);
        assert!(text(&alert(&event(predicted)), "default").starts_with("PREDICTED CRITICAL"));
    }

    #[test]
    fn numbers_read_to_six_significant_digits() {
        for (value, expected) in [
            (9397.435632707637, "9397.44"),
            (0.1 + 0.2, "0.3"),
            (42.0, "42"),
            (-1e-7 / 3.0, "-0.0000000333333"),
        ] {
            assert_eq!(readable(value), expected);
        }
    }

    #[test]
    fn no_attribute_is_empty() {
        let message = alert(&event(json!({"line": ""})));
        assert!(!message.attributes.contains_key("line"));
        assert!(message.attributes.values().all(|value| !value.is_empty()));
        assert_eq!(message.attributes["severity"], "critical");
    }

    #[test]
    fn a_line_stop_says_until_when_it_holds() {
        let event = event(json!({}));
        let message = line_stop(&event, event.arrived.as_millis() + 60_000);
        let body: Value = serde_json::from_str(&message.body).unwrap();
        assert_eq!(
            (&body["type"], &body["expires"]),
            (&json!("line-stop"), &json!("2026-11-20T01:03:03.610Z"))
        );
        assert_eq!(
            (&body["machine"], &body["line"]),
            (&json!("press-07"), &json!("L2"))
        );
        assert!(!message.per_protocol);
    }
}
