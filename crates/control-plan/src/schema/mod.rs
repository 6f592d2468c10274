//! The plan's language as JSON Schema (draft 7, which editors understand best): completion and a first check while
//! typing. What needs the whole plan (names, expressions, circles, bounds) is left to [`ControlPlan::parse`].
//!
//! The promise: whatever the parser accepts fits the schema, and whatever is wrong with a plan's structure, neither
//! takes. The parser is written by hand for its messages, so tests hold the two together.
//!
//! [`ControlPlan::parse`]: crate::ControlPlan::parse

mod chart;
mod model;
mod plan;
mod rule;
mod scalar;
#[cfg(test)]
mod tests;

use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The schema of a plan file.
pub fn json_schema() -> Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = Value::from(generator.into_root_schema_for::<plan::Plan>());
    tidy(&mut schema);
    schema["$id"] = "urn:andon:control-plan:1".into();
    schema
}

/// An optional key may be absent, not null; formats of numbers mean nothing to a plan's author, nor do line breaks in
/// descriptions.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(members) => {
            members.values_mut().for_each(tidy);
            members.retain(|key, value| key != "format" || !value.is_string());
            if let Some(Value::String(description)) = members.get_mut("description") {
                *description = description.replace('\n', " ");
            }
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    members["type"] = only.clone();
                }
            }
            let Some(Value::Array(options)) = members.get_mut("anyOf") else {
                return;
            };
            options.retain(|option| option != &serde_json::json!({"type": "null"}));
            if let [Value::Object(only)] = options.as_slice() {
                // Beside `$ref`, this draft heeds nothing else.
                let only = only.clone();
                members.remove("anyOf");
                if members.is_empty() || !only.contains_key("$ref") {
                    members.extend(only);
                } else {
                    members.insert("allOf".into(), vec![Value::Object(only)].into());
                }
            }
        }
        _ => {}
    }
}
