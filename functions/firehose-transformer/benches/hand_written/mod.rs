//! The programs as one would write them by hand, over `serde_json::Value`: the same checks, the same rows.

use chrono::{DateTime, SecondsFormat, Utc};
use lake_program::partition_value;
use serde_json::{Map, Value, json};

/// A record's row and its partition, or nothing where it is dropped or fails.
pub type Transformation = fn(&Value) -> Option<(Value, Vec<String>)>;

pub fn named(program: &str) -> Transformation {
    match program {
        "press-readings" => press_readings,
        "quality-events" => quality_events,
        "game-activity" => game_activity,
        _ => clickstream,
    }
}

/// One record, from bytes to bytes.
pub fn run(
    transformation: Transformation,
    payload: &[u8],
    rows: &mut Vec<u8>,
) -> Option<Vec<String>> {
    let record: Value = serde_json::from_slice(payload).ok()?;
    let (row, partition) = transformation(&record)?;
    serde_json::to_writer(&mut *rows, &row).ok()?;
    rows.push(b'\n');
    Some(partition)
}

fn press_readings(record: &Value) -> Option<(Value, Vec<String>)> {
    let machine = record.get("machine")?.as_str()?;
    let time = time(record.get("time")?.as_str()?)?;
    let line = optional_text(record, "line")?;
    optional_text(record, "product")?;
    optional_text(record, "grade")?;
    let none = Map::new();
    let measurements = match record.get("measurements") {
        None => &none,
        Some(measurements) => measurements.as_object()?,
    };
    let mut row = Map::new();
    let text = time.to_rfc3339_opts(SecondsFormat::Millis, true);
    row.insert("id".into(), format!("{machine}@{text}").into());
    row.insert("machine".into(), machine.into());
    row.insert("line".into(), field(record, "line"));
    row.insert("time".into(), text.into());
    row.insert("arrived".into(), Value::Null);
    row.insert("product".into(), field(record, "product"));
    row.insert("grade".into(), field(record, "grade"));
    for name in [
        "air_temperature",
        "process_temperature",
        "rotational_speed",
        "torque",
        "tool_wear",
    ] {
        let value = measurements.get(name).unwrap_or(&Value::Null);
        if !value.is_null() && !value.is_number() {
            return None;
        }
        row.insert(name.into(), value.clone());
    }
    for name in ["shard", "sequence_number", "sub_sequence_number"] {
        row.insert(name.into(), Value::Null);
    }
    let partition = vec![partition_value(line.unwrap_or_default()), day(&time)];
    Some((row.into(), partition))
}

fn quality_events(record: &Value) -> Option<(Value, Vec<String>)> {
    let fields = record.as_object()?;
    for name in [
        "id", "kind", "severity", "reaction", "machine", "time", "arrived", "summary", "plan",
    ] {
        fields.get(name)?.as_str()?;
    }
    for name in ["line", "rule", "transition", "episode", "model", "unscored"] {
        optional_text(record, name)?;
    }
    let numbers = |name| match fields.get(name) {
        None => true,
        Some(Value::Object(values)) => values.values().all(Value::is_number),
        Some(_) => false,
    };
    if !numbers("values") || !numbers("extreme") || !fields.get("source")?.is_object() {
        return None;
    }
    if let Some(tests) = fields.get("tests")
        && !tests.as_array()?.iter().all(Value::is_string)
    {
        return None;
    }
    let time = time(fields.get("time")?.as_str()?)?;
    let kind = partition_value(fields.get("kind")?.as_str()?);
    Some((record.clone(), vec![kind, day(&time)]))
}

fn game_activity(record: &Value) -> Option<(Value, Vec<String>)> {
    if record.get("premium")?.as_bool()? {
        return None;
    }
    optional_text(record, "location")?;
    optional_text(record, "activity")?;
    let playing_time = record.get("playing_time")?.as_number()?;
    let playing_time = match playing_time.as_i64() {
        Some(whole) => whole.to_string(),
        None => playing_time.as_f64()?.to_string(),
    };
    let row = json!({"age": field(record, "age"), "location": field(record, "location"),
        "activity": field(record, "activity"), "playing_time": playing_time});
    Some((row, Vec::new()))
}

fn clickstream(record: &Value) -> Option<(Value, Vec<String>)> {
    let agent = optional_text(record, "user_agent")?
        .unwrap_or_default()
        .to_lowercase();
    if ["bot", "crawler", "spider"]
        .iter()
        .any(|robot| agent.contains(robot))
    {
        return None;
    }
    let time = DateTime::from_timestamp_millis(record.get("time")?.as_i64()?)?;
    let url = record.get("url")?.as_str()?;
    let path = url.split(['?', '#']).next()?;
    let path = match path.split_once("://") {
        None => path.to_owned(),
        Some(_) => {
            let (_, after_host) = path
                .split_once("://")?
                .1
                .split_once('/')
                .unwrap_or_default();
            format!("/{after_host}")
        }
    };
    let referrer = optional_text(record, "referrer")?.and_then(|referrer| {
        let (_, rest) = referrer.split_once("://")?;
        rest.split('/').next()
    });
    for name in ["event_id", "session", "type"] {
        record.get(name)?.as_str()?;
    }
    let shop = optional_text(record, "shop")?;
    let row = json!({"id": field(record, "event_id"), "session": field(record, "session"),
        "shop": field(record, "shop"), "time": time.to_rfc3339_opts(SecondsFormat::Millis, true),
        "type": field(record, "type"), "path": path, "referrer": referrer,
        "campaign": field(record, "campaign"), "product": field(record, "product"),
        "amount": field(record, "amount")});
    Some((
        row,
        vec![partition_value(shop.unwrap_or_default()), day(&time)],
    ))
}

fn field(record: &Value, name: &str) -> Value {
    record.get(name).cloned().unwrap_or(Value::Null)
}

/// The text of a field that may be absent or null; none at all if it is something else.
fn optional_text<'r>(record: &'r Value, name: &str) -> Option<Option<&'r str>> {
    match record.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(Value::String(text)) => Some(Some(text)),
        Some(_) => None,
    }
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|time| time.to_utc())
}

fn day(time: &DateTime<Utc>) -> String {
    time.format("%F").to_string()
}
