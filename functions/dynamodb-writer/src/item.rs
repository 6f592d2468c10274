//! An event as a DynamoDB item. Pure.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use quality_event::QualityEvent;
use serde_json::Value;

/// An event's item: the event's own JSON fields as attributes, the sort key `time_id` and `expires_at`.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The partition key.
    pub machine: String,
    /// The sort key: `<time>#<id>`, so that a machine's events read in the order of their readings.
    pub time_id: String,
    /// Whether it gives way to what stands under its keys: a late finding to the one that was made in its turn.
    pub gives_way: bool,
    /// Every attribute, the keys included.
    pub attributes: HashMap<String, AttributeValue>,
}

impl Item {
    /// The item of `event`, to be deleted `keep` after the reading's record arrived.
    pub fn of(event: &QualityEvent, keep: Duration) -> Self {
        let time_id = format!("{}#{}", event.time, event.id);
        let expires_at = event
            .arrived
            .as_millis()
            .div_euclid(1_000)
            .saturating_add_unsigned(keep.as_secs());
        let json = serde_json::from_slice::<Value>(&event.to_json()).unwrap_or_default();
        let mut attributes = match attribute(json) {
            AttributeValue::M(fields) => fields,
            _ => HashMap::new(),
        };
        // An index key must not be empty; an item without it is simply not in the index.
        attributes
            .retain(|name, value| name != "line" || *value != AttributeValue::S(String::new()));
        attributes.insert("time_id".into(), AttributeValue::S(time_id.clone()));
        attributes.insert(
            "expires_at".into(),
            AttributeValue::N(expires_at.to_string()),
        );
        Self {
            machine: event.machine.clone(),
            time_id,
            gives_way: event.late,
            attributes,
        }
    }
}

fn attribute(json: Value) -> AttributeValue {
    match json {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(value) => AttributeValue::Bool(value),
        Value::Number(number) => number_attribute(&number),
        Value::String(text) => AttributeValue::S(text),
        Value::Array(values) => AttributeValue::L(values.into_iter().map(attribute).collect()),
        Value::Object(fields) => AttributeValue::M(
            fields
                .into_iter()
                .map(|(name, value)| (name, attribute(value)))
                .collect(),
        ),
    }
}

/// DynamoDB's numbers reach from 1e-130 to just under 1e126; a double beyond that is kept as text.
fn number_attribute(number: &serde_json::Number) -> AttributeValue {
    let magnitude = number.as_f64().unwrap_or_default().abs();
    if magnitude == 0.0 || (1e-130..1e126).contains(&magnitude) {
        AttributeValue::N(number.to_string())
    } else {
        AttributeValue::S(number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(extra: Value) -> QualityEvent {
        let mut json = serde_json::json!({
            "id": "5f1c0000000000000000000000000001", "kind": "violation", "transition": "opened",
            "episode": "5f1c0000000000000000000000000001", "rule": "power-out-of-range",
            "severity": "critical", "reaction": "stop-line", "machine": "press-07", "line": "L2",
            "time": "2026-11-20T01:02:03.456Z", "arrived": "2026-11-20T01:02:03.610Z", "tests": [],
            "values": {"power": 9421.5}, "summary": "power", "plan": "sha256:0000",
            "source": {"stream": "arn", "shard": "s", "sequence_number": "1", "sub_sequence_number": null},
        });
        for (name, value) in extra.as_object().unwrap() {
            json[name] = value.clone();
        }
        QualityEvent::from_json(json.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn keys_follow_the_reading_and_the_ttl_follows_the_arrival() {
        let item = Item::of(&event(serde_json::json!({})), Duration::from_secs(60));
        assert_eq!(
            item.time_id,
            "2026-11-20T01:02:03.456Z#5f1c0000000000000000000000000001"
        );
        assert_eq!(
            item.attributes["machine"],
            AttributeValue::S("press-07".into())
        );
        assert_eq!(
            item.attributes["time_id"],
            AttributeValue::S(item.time_id.clone())
        );
        assert_eq!(
            item.attributes["expires_at"],
            AttributeValue::N("1795136583".into())
        );
    }

    #[test]
    fn every_field_of_the_event_is_an_attribute_of_its_type() {
        let item = Item::of(&event(serde_json::json!({})), Duration::ZERO);
        let values = HashMap::from([("power".to_owned(), AttributeValue::N("9421.5".into()))]);
        assert_eq!(item.attributes["values"], AttributeValue::M(values));
        assert_eq!(item.attributes["tests"], AttributeValue::L(Vec::new()));
        assert_eq!(item.attributes["line"], AttributeValue::S("L2".into()));
        assert!(
            matches!(&item.attributes["source"], AttributeValue::M(fields) if fields["sub_sequence_number"].is_null())
        );
    }

    #[test]
    fn an_empty_line_stays_out_of_the_index() {
        let item = Item::of(&event(serde_json::json!({"line": ""})), Duration::ZERO);
        assert!(!item.attributes.contains_key("line"));
    }

    #[test]
    fn a_number_that_the_table_cannot_hold_is_kept_as_text() {
        let item = Item::of(
            &event(serde_json::json!({"values": {"big": 1e300, "small": 1e-300, "fine": 1e125}})),
            Duration::ZERO,
        );
        let AttributeValue::M(values) = &item.attributes["values"] else {
            panic!("a map")
        };
        assert!(values["big"].is_s() && values["small"].is_s() && values["fine"].is_n());
    }
}
