//! SAM's functions and their events, spelt out as the functions and mappings that they become.

use crate::deployment::Resource;
use crate::value::{Entry, Located, Map, Part, Text, Value};

/// Events that become event source mappings, with the property that names the source.
const SOURCES: [(&str, &str); 3] = [
    ("Kinesis", "Stream"),
    ("DynamoDB", "Stream"),
    ("SQS", "Queue"),
];

/// Replaces the SAM functions of one stack by what they become.
pub(crate) fn spell_out(resources: &mut Vec<Resource>, path: &str, globals: Option<&Located>) {
    let defaults = globals.and_then(|globals| globals.get("Function"));
    let mut mappings = Vec::new();
    for resource in resources.iter_mut() {
        if resource.kind != "AWS::Serverless::Function" || !is_in(&resource.id, path) {
            continue;
        }
        resource.kind = "AWS::Lambda::Function".to_owned();
        resource.by_sam = true;
        if let Some(defaults) = defaults {
            merge(&mut resource.properties, defaults);
        }
        if let Some(events) = resource.properties.get("Events") {
            mappings.extend(
                events
                    .entries()
                    .iter()
                    .filter_map(|event| mapping(resource, event)),
            );
        }
    }
    resources.extend(mappings);
}

fn is_in(id: &str, path: &str) -> bool {
    id.strip_prefix(path)
        .is_some_and(|name| !name.contains('/'))
}

/// Adds what `defaults` has and `value` has not.
fn merge(value: &mut Located, defaults: &Located) {
    let Value::Map(map) = &mut value.value else {
        return;
    };
    map.open |= defaults.is_open();
    for default in defaults.entries() {
        match map.entries.iter_mut().find(|own| own.key == default.key) {
            Some(own) => merge(&mut own.value, &default.value),
            None => map.entries.push(default.clone()),
        }
    }
}

fn mapping(function: &Resource, event: &Entry) -> Option<Resource> {
    let kind = event.value.get("Type")?.literal()?;
    let (_, source) = SOURCES.iter().find(|(name, _)| *name == kind)?;
    let mut map = match event.value.get("Properties").map(|it| &it.value) {
        Some(Value::Map(map)) => map.clone(),
        Some(_) => return None,
        None => Map::default(),
    };
    for entry in &mut map.entries {
        if entry.key == *source {
            "EventSourceArn".clone_into(&mut entry.key);
        }
    }
    let name = Text::of(Part::Attribute {
        resource: function.id.clone(),
        attribute: String::new(),
    });
    map.entries.push(Entry {
        key: "FunctionName".to_owned(),
        place: event.place,
        value: Located::new(event.place, Value::Text(name)),
    });
    Some(Resource {
        id: format!("{}{}", function.id, event.key),
        owner: function.id.clone(),
        kind: "AWS::Lambda::EventSourceMapping".to_owned(),
        place: event.place,
        properties: Located::new(event.place, Value::Map(map)),
        metadata: function.metadata.clone(),
        depends_on: Vec::new(),
        by_sam: true,
    })
}
