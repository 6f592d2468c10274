//! What `quality-events` declares is what the functions exchange.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};

use lake_program::Bundled;
use serde_json::Value;

/// A field's types, as one schema or the other writes them.
fn types(schema: &Value, root: &Value) -> BTreeSet<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.strip_prefix('#').unwrap();
        return types(root.pointer(pointer).unwrap(), root);
    }
    let several = ["anyOf", "oneOf"]
        .iter()
        .find_map(|key| schema[key].as_array());
    if let Some(several) = several {
        return several.iter().flat_map(|one| types(one, root)).collect();
    }
    match &schema["type"] {
        Value::String(one) => BTreeSet::from([one.clone()]),
        Value::Array(many) => many
            .iter()
            .map(|one| one.as_str().unwrap().to_owned())
            .collect(),
        other => panic!("{other} in {schema}"),
    }
}

fn fields(schema: &Value, root: &Value, into: &mut BTreeMap<String, BTreeSet<String>>) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        into.entry(name.clone())
            .or_default()
            .extend(types(field, root));
    }
    for one in schema["oneOf"].as_array().into_iter().flatten() {
        fields(one, root, into);
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.strip_prefix('#').unwrap();
        fields(root.pointer(pointer).unwrap(), root, into);
    }
}

#[test]
fn quality_events_are_declared_as_their_schema_says() {
    let schema: Value = serde_json::from_str(include_str!(
        "../../quality-event/quality-event.schema.json"
    ))
    .unwrap();
    let declared: Value =
        serde_json::from_str(Bundled::named("quality-events").unwrap().declared()).unwrap();
    let mut expected = BTreeMap::new();
    fields(&schema, &schema, &mut expected);
    let mut found = BTreeMap::new();
    fields(&declared["input"], &declared["input"], &mut found);
    assert_eq!(found, expected);

    let names = |names: &Value| -> BTreeSet<String> {
        let names = names.as_array().unwrap().iter();
        names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    };
    let mut required = names(&schema["required"]);
    required.insert("kind".into());
    assert_eq!(names(&declared["input"]["required"]), required);
}
