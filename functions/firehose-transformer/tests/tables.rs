//! The tables of the lake, the prefixes that fill them and the programs that make their rows say the same. Glue drops a
//! field that no column names, and a column that no row has is null for good; neither is an error to anybody but this test.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};

use lake_program::{About, Bundled, Program, Verdict};
use serde_json::{Value, json};

const TEMPLATE: &str = include_str!("../../../infra/lake.yaml");

/// Columns and their types.
type Columns = BTreeMap<String, String>;

#[test]
fn readings_are_the_columns_of_their_table() {
    let program = program("Readings");
    let about = About {
        arrived_ms: Some(1_795_136_523_456),
        shard: Some("shardId-000000000000"),
        sequence_number: Some("7"),
        sub_sequence_number: Some(3),
        ..About::default()
    };
    let reading = json!({"machine": "press-07", "line": "L2", "time": "2026-11-20T01:02:03.456Z", "product": "M14860", "grade": "M",
        "measurements": {"air_temperature": 298.1, "process_temperature": 308.6, "rotational_speed": 1551.5, "torque": 42.8,
            "tool_wear": 0.5}});
    let mut rows = Vec::new();
    let verdict = program
        .runner()
        .run(reading.to_string().as_bytes(), &about, &mut rows);
    assert!(matches!(verdict, Ok(Verdict::Kept { .. })), "{verdict:?}");
    let row: BTreeMap<String, Value> = serde_json::from_slice(&rows).unwrap();
    let made: Columns = row
        .into_iter()
        .map(|(name, value)| (name, held(&value).to_owned()))
        .collect();
    assert_eq!(columns("ReadingsTable", "Columns"), made);
}

#[test]
fn quality_events_are_the_columns_of_their_table() {
    let program = program("QualityEvents");
    let written = include_str!("../../../crates/lake-program/programs/quality-events.json");
    assert_eq!(program.name(), "quality-events");
    let written: Value = serde_json::from_str(written).unwrap();
    let declared: Columns = written["input"]["properties"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, schema)| (name.clone(), glue(schema)))
        .collect();
    let columns: Columns = columns("QualityEventsTable", "Columns")
        .into_iter()
        .map(|(name, kind)| (name, in_order(&kind)))
        .collect();
    assert_eq!(columns, declared);
}

#[test]
fn prefixes_are_made_of_the_programs_keys_and_are_where_the_tables_look() {
    for (part, name) in [
        ("Readings", "readings"),
        ("QualityEvents", "quality-events"),
    ] {
        let prefix = setting(&format!("{part}Delivery"), "Prefix: ");
        let location = setting(
            &format!("{part}Table"),
            "storage.location.template: !Sub s3://${LakeBucket}/",
        );
        let (mut keys, mut partitions) = (Vec::new(), Vec::new());
        let mut looked_at = format!("{name}/");
        for segment in prefix
            .strip_prefix(&looked_at)
            .unwrap()
            .split_terminator('/')
        {
            let (partition, expression) = segment.split_once('=').unwrap();
            let key = expression.strip_prefix("!{partitionKeyFromLambda:");
            keys.push(key.unwrap().strip_suffix('}').unwrap());
            partitions.push(partition.to_owned());
            // `${!name}` is how `Fn::Sub` writes `${name}`.
            looked_at += &format!("{partition}=${{!{partition}}}/");
        }
        assert_eq!(keys, program(part).partition_keys(), "{part}");
        assert_eq!(location, looked_at, "{part}");
        let keys_of_table: BTreeSet<String> = columns(&format!("{part}Table"), "PartitionKeys")
            .into_keys()
            .collect();
        assert_eq!(keys_of_table, BTreeSet::from_iter(partitions), "{part}");
        let both = columns(&format!("{part}Table"), "Columns");
        assert!(
            keys_of_table.iter().all(|key| !both.contains_key(key)),
            "{part}: Glue takes no name twice"
        );
    }
}

/// The program that a transformer is set to.
fn program(part: &str) -> Program {
    let name = setting(&format!("{part}Transformer"), "PROGRAM: ");
    let bundled: Bundled = name.parse().unwrap();
    bundled.compile().unwrap()
}

/// The lines of a resource.
fn resource(name: &str) -> impl Iterator<Item = &'static str> {
    let head = format!("  {name}:");
    let mut lines = TEMPLATE.lines().skip_while(move |line| *line != head);
    assert!(lines.next().is_some(), "no resource {name}");
    lines.take_while(|line| line.is_empty() || line.starts_with("   "))
}

fn setting(name: &str, key: &str) -> &'static str {
    let found = resource(name).find_map(|line| line.trim_start().strip_prefix(key));
    found.unwrap()
}

/// What stands in a table's `list`, as `- {Name: torque, Type: double}`.
fn columns(table: &str, list: &str) -> Columns {
    let head = format!("{list}:");
    resource(table)
        .skip_while(|line| line.trim() != head)
        .skip(1)
        .map_while(|line| {
            let column = line.trim().strip_prefix("- {Name: ")?.strip_suffix('}')?;
            let (name, kind) = column.split_once(", Type: ")?;
            Some((name.to_owned(), kind.trim_matches('\'').to_owned()))
        })
        .collect()
}

/// The type that holds a value of a row.
fn held(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() => "bigint",
        Value::Number(_) => "double",
        other => panic!("no column holds {other}"),
    }
}

/// The type that holds what is declared.
fn glue(schema: &Value) -> String {
    let kind = match &schema["type"] {
        Value::Array(several) => several.iter().find(|kind| *kind != "null").unwrap(),
        one => one,
    };
    match kind.as_str().unwrap() {
        "string" => "string".to_owned(),
        "boolean" => "boolean".to_owned(),
        "integer" => "bigint".to_owned(),
        "number" => "double".to_owned(),
        "array" => format!("array<{}>", glue(&schema["items"])),
        "object" => match schema["properties"].as_object() {
            Some(fields) => {
                let fields: BTreeSet<String> = fields
                    .iter()
                    .map(|(name, schema)| format!("{name}:{}", glue(schema)))
                    .collect();
                let fields: Vec<_> = fields.into_iter().collect();
                format!("struct<{}>", fields.join(","))
            }
            None => format!("map<string,{}>", glue(&schema["additionalProperties"])),
        },
        other => panic!("no column holds {other}"),
    }
}

/// A struct's fields by name: their order says nothing.
fn in_order(kind: &str) -> String {
    let fields = kind
        .strip_prefix("struct<")
        .and_then(|rest| rest.strip_suffix('>'));
    let Some(fields) = fields else {
        return kind.to_owned();
    };
    let mut fields: Vec<&str> = fields.split(',').collect();
    fields.sort_unstable();
    format!("struct<{}>", fields.join(","))
}
