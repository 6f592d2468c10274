//! Amazon Q Developer's custom notification, the one JSON that chat channels show. One thread per episode.

use quality_event::{Finding, QualityEvent, Severity, Transition};
use serde_json::{Value, json};

/// The notification for `event`.
pub fn notification(event: &QualityEvent) -> Value {
    let facts = super::facts(event)
        .into_iter()
        .map(|(name, value)| format!("*{name}* {value}"));
    let description = format!(
        "{}\n{}",
        event.summary,
        facts.collect::<Vec<_>>().join("\n")
    );
    let thread = match &event.finding {
        Finding::Violation(violation) => violation.episode.as_ref().unwrap_or(&event.id),
        Finding::Prediction(_) => &event.id,
    };
    let mut notification = json!({
        "version": "1.0",
        "source": "custom",
        "id": event.id,
        "content": {
            "textType": "client-markdown",
            "title": format!("{} {} {}", lamp(event), super::heading(event), super::place(event)),
            "description": description,
            "keywords": keywords(event),
        },
        "metadata": {
            "threadId": thread,
            "summary": event.summary,
            "eventType": event.subject(),
            "relatedResources": [event.machine],
        },
    });
    if event.transition() != Some(Transition::Cleared) {
        notification["content"]["nextSteps"] =
            json!(["Follow the reaction plan of the control plan for this rule"]);
    }
    notification
}

/// The andon's lamp.
fn lamp(event: &QualityEvent) -> &'static str {
    match (event.transition(), event.severity) {
        (Some(Transition::Cleared), _) => ":large_green_circle:",
        (_, Severity::Critical) => ":red_circle:",
        (_, Severity::Warning) => ":large_yellow_circle:",
        (_, Severity::Info) => ":large_blue_circle:",
    }
}

fn keywords(event: &QualityEvent) -> Vec<&str> {
    let line = event.line.as_deref().filter(|line| !line.is_empty());
    [event.severity.as_str(), event.subject()]
        .into_iter()
        .chain(line)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tests::event;

    #[test]
    fn has_what_the_custom_notification_asks_for() {
        let notification = notification(&event(json!({})));
        assert_eq!(notification["version"], "1.0");
        assert_eq!(notification["source"], "custom");
        assert_eq!(notification["content"]["textType"], "client-markdown");
        assert_eq!(
            notification["content"]["title"],
            ":red_circle: CRITICAL press-07 (L2)"
        );
        assert_eq!(
            notification["metadata"]["threadId"],
            "5f1c0000000000000000000000000001"
        );
        assert!(notification["content"]["nextSteps"].is_array());
    }

    #[test]
    fn an_episode_is_one_thread() {
        let cleared = json!({
            "id": "5f1c0000000000000000000000000002", "transition": "cleared",
            "duration_ms": 1, "readings": 1, "extreme": {},
        });
        let notification = notification(&event(cleared));
        assert_eq!(
            notification["metadata"]["threadId"],
            "5f1c0000000000000000000000000001"
        );
        assert!(notification["content"].get("nextSteps").is_none());
    }
}
