//! How an event differs from what it should be, field by field. Pure.

use std::collections::BTreeSet;

use quality_event::QualityEvent;
use serde_json::{Map, Value};

/// The fields of its JSON in which an event differs from what it should be, with both contents; none where it does not.
pub fn unlike(found: &QualityEvent, expected: &QualityEvent) -> Option<String> {
    if found == expected {
        return None;
    }
    let (found, expected) = (fields(found), fields(expected));
    let names: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
    let told: Vec<_> = names
        .into_iter()
        .map(|name| (name, found.get(name), expected.get(name)))
        .filter(|(_, found, expected)| found != expected)
        .map(|(name, found, expected)| {
            format!("{name} {} instead of {}", text(found), text(expected))
        })
        .collect();
    Some(told.join(", "))
}

fn fields(event: &QualityEvent) -> Map<String, Value> {
    match serde_json::to_value(event) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn text(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), Value::to_string)
}

#[cfg(test)]
mod tests {
    use super::super::tests::event;
    use super::*;

    #[test]
    fn each_differing_field_is_named_with_both_contents() {
        let expected = event(1, "ongoing", "notify");
        assert_eq!(unlike(&expected, &expected), None);
        let mut found = event(1, "opened", "notify");
        found.line = None;
        assert_eq!(
            unlike(&found, &expected).as_deref(),
            Some(r#"line nothing instead of "L2", transition "opened" instead of "ongoing""#)
        );
    }
}
