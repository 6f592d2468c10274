//! The table of quality events, held against the stream.

use std::collections::BTreeSet;

use fake_aws::{Item, Value};
use quality_event::{QualityEvent, Transition};
use serde_json::Value as Json;

use super::audit::Audit;
use super::function::Function;
use super::world::{EVENTS_TABLE, Plant};

/// What the table still lacks of an event that was to be stored.
pub fn unstored(plant: &Plant, event: &QualityEvent) -> Option<String> {
    if event.transition() == Some(Transition::Ongoing) {
        return None;
    }
    let is_missing = plant
        .world
        .look_at(EVENTS_TABLE, &event.machine, Some(&key(event)), |item| {
            item.is_none()
        });
    is_missing.then(|| format!("the event {} is not in the table", event.id))
}

/// Each distinct event that is to be stored is one item, with all that the event says; there are no others.
pub fn check(audit: &mut Audit, plant: &Plant) {
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    for id in &audit.order {
        let contents = &audit.events[id];
        let mut stored: Vec<_> = contents
            .iter()
            .filter(|event| event.transition() != Some(Transition::Ongoing))
            .collect();
        // What was found late gives way.
        if stored.iter().any(|event| !event.late) {
            stored.retain(|event| !event.late);
        }
        let Some(event) = stored.first() else {
            continue;
        };
        known.insert((event.machine.clone(), key(event)));
        if audit.is_given_up(Function::Writer, event) {
            continue;
        }
        match plant
            .world
            .item(EVENTS_TABLE, &event.machine, Some(&key(event)))
        {
            None => wrong.push(format!("the event {id} is not in the table")),
            Some(item) if !stored.iter().any(|event| is_of(&item, event)) => {
                wrong.push(format!("the item of {id} is {item:?}"));
            }
            Some(_) => {}
        }
    }
    for item in plant.world.items(EVENTS_TABLE) {
        let text = |name: &str| {
            item.get(name)
                .and_then(Value::as_s)
                .unwrap_or_default()
                .to_owned()
        };
        if !known.contains(&(text("machine"), text("time_id"))) {
            wrong.push(format!("an item of no event: {item:?}"));
        }
    }
    for what in wrong {
        audit.violation("the table is that of a run without faults", what);
    }
}

fn key(event: &QualityEvent) -> String {
    format!("{}#{}", event.time, event.id)
}

/// Whether the item says what the event says, and when it is to go.
fn is_of(item: &Item, event: &QualityEvent) -> bool {
    const KEPT_S: i64 = 90 * 86_400;
    let json: Json = serde_json::from_slice(&event.to_json()).unwrap();
    let Json::Object(fields) = json else {
        return false;
    };
    let expires_at = event.arrived.as_millis().div_euclid(1_000) + KEPT_S;
    fields.len() + 2 == item.len()
        && fields
            .iter()
            .all(|(name, value)| item.get(name).is_some_and(|stored| says(stored, value)))
        && item.get("expires_at").and_then(Value::as_i64) == Some(expires_at)
}

fn says(stored: &Value, json: &Json) -> bool {
    match (stored, json) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(stored), Json::Bool(json)) => stored == json,
        (Value::S(stored), Json::String(json)) => stored == json,
        (Value::N(stored), Json::Number(json)) => {
            stored.to_string().parse::<f64>().ok() == json.as_f64()
        }
        (Value::L(stored), Json::Array(json)) => {
            stored.len() == json.len()
                && stored.iter().zip(json).all(|(one, other)| says(one, other))
        }
        (Value::M(stored), Json::Object(json)) => {
            stored.len() == json.len()
                && json
                    .iter()
                    .all(|(name, json)| stored.get(name).is_some_and(|stored| says(stored, json)))
        }
        _ => false,
    }
}
