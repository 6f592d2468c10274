//! What an invocation did to the world, as JSON. Only what there is appears.

use fake_aws::{Item, Published};
use quality_event::QualityEvent;
use serde_json::{Map, Value, json};

use super::bench::Bench;

/// The effects on `bench`'s world: `events` published, the machines whose `states` were committed, `items`,
/// `claims`, `alerts`, `line_stops`, records in `quarantine`, and the calls made by operation.
pub fn effects(bench: &Bench) -> Map<String, Value> {
    let world = &bench.world;
    let mut effects = Map::new();
    let mut add = |name: &str, values: Vec<Value>| {
        if !values.is_empty() {
            effects.insert(name.to_owned(), values.into());
        }
    };
    add(
        "events",
        world
            .records(Bench::QUALITY_STREAM)
            .iter()
            .map(|record| json_or_text(&record.data))
            .collect(),
    );
    add(
        "states",
        world
            .items(Bench::STATE_TABLE)
            .iter()
            .map(|item| text(item, "machine"))
            .collect(),
    );
    let key =
        |item: &Item| json!({"machine": text(item, "machine"), "time_id": text(item, "time_id")});
    add(
        "items",
        world.items(Bench::EVENTS_TABLE).iter().map(key).collect(),
    );
    let claim = |item: &Item| json!({"claim": text(item, "claim"), "status": text(item, "status")});
    add(
        "claims",
        world.items(Bench::CLAIMS_TABLE).iter().map(claim).collect(),
    );
    add(
        "alerts",
        world
            .published(&bench.alert_topic)
            .iter()
            .map(message)
            .collect(),
    );
    add(
        "line_stops",
        world
            .published(&bench.line_stop_topic)
            .iter()
            .map(message)
            .collect(),
    );
    let objects = world.objects(Bench::SET_ASIDE_BUCKET);
    let lines = objects
        .values()
        .flat_map(|object| object.body.split(|byte| *byte == b'\n'));
    add(
        "quarantine",
        lines
            .filter(|line| !line.is_empty())
            .map(json_or_text)
            .collect(),
    );
    effects
}

fn text(item: &Item, name: &str) -> Value {
    json!(item.get(name).and_then(|value| value.as_s()))
}

fn message(published: &Published) -> Value {
    json!({"subject": published.subject, "body": json_or_text(published.message.as_bytes())})
}

/// An event in the order of its fields, other JSON as it is, other bytes as text.
fn json_or_text(bytes: &[u8]) -> Value {
    if let Ok(event) = QualityEvent::from_json(bytes)
        && let Ok(value) = serde_json::to_value(&event)
    {
        return value;
    }
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned().into())
}
