//! The Kinesis event fixtures: recorded, and of AWS's own shape. A new fixture needs no new code.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kinesis_batch::Batch;
use quality_event::{EventId, QualityEvent, Source, Transition};
use serde_json::Value;

fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// Every event of a stream: its case and its bytes.
fn fixtures(stream: &str) -> Vec<(String, Vec<u8>)> {
    let folder = events().join("kinesis").join(stream);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), read(path))).collect()
}

fn case(stream: &str, name: &str) -> Vec<u8> {
    read(
        &events()
            .join("kinesis")
            .join(stream)
            .join(name)
            .with_extension("json"),
    )
}

/// Every path in the JSON with its type: `Records[].kinesis.data: string`.
fn shape(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| shape(value, &format!("{path}.{name}"), found)),
        Value::Array(items) => items
            .iter()
            .for_each(|item| shape(item, &format!("{path}[]"), found)),
        Value::String(_) => drop(found.insert(format!("{path}: string"))),
        Value::Number(_) => drop(found.insert(format!("{path}: number"))),
        Value::Bool(_) => drop(found.insert(format!("{path}: bool"))),
        Value::Null => drop(found.insert(format!("{path}: null"))),
    }
}

#[test]
fn every_record_has_the_fields_of_the_published_sample() {
    let sample: Value =
        serde_json::from_slice(&read(&events().join("kinesis/aws-sample.json"))).unwrap();
    let record = |value: &Value| {
        let mut found = BTreeSet::new();
        shape(value, "", &mut found);
        found
    };
    let published = record(&sample["Records"][0]);
    assert_eq!(published.len(), 12);
    for stream in ["readings", "quality-events"] {
        for (case, bytes) in fixtures(stream) {
            let event: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(
                event.as_object().unwrap().keys().collect::<Vec<_>>(),
                ["Records"],
                "{stream}/{case}"
            );
            for fixture in event["Records"].as_array().unwrap() {
                assert_eq!(record(fixture), published, "{stream}/{case}");
                let text = |pointer: &str| fixture.pointer(pointer).unwrap().as_str().unwrap();
                assert_eq!(
                    text("/eventID"),
                    format!("shardId-000000000000:{}", text("/kinesis/sequenceNumber"))
                );
                assert!(
                    text("/eventSourceARN").ends_with(&format!(":123456789012:stream/{stream}")),
                    "{stream}/{case}"
                );
                for constant in [
                    "/kinesis/kinesisSchemaVersion",
                    "/eventSource",
                    "/eventVersion",
                    "/eventName",
                ] {
                    assert_eq!(
                        fixture.pointer(constant),
                        sample["Records"][0].pointer(constant),
                        "{constant}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_record_can_be_read() {
    for stream in ["readings", "quality-events"] {
        for (case, bytes) in fixtures(stream) {
            let mut buffer = Vec::new();
            let batch = Batch::decode(&bytes, &mut buffer).unwrap();
            assert!(batch.malformed().is_empty(), "{stream}/{case}");
            assert_eq!(batch.is_empty(), case == "empty", "{stream}/{case}");
        }
    }
}

/// The recorded payloads are the lines of the recorded shift: nothing was lost or changed on the way.
#[test]
fn readings_are_lines_of_the_recorded_files() {
    let files =
        ["shift.ndjson", "korean.ndjson"].map(|file| read(&events().join("readings").join(file)));
    let lines: BTreeSet<&[u8]> = files
        .iter()
        .flat_map(|file| file.split(|byte| *byte == b'\n'))
        .collect();
    for (case, bytes) in fixtures("readings") {
        let mut buffer = Vec::new();
        let batch = Batch::decode(&bytes, &mut buffer).unwrap();
        for record in batch.user_records() {
            assert!(
                lines.contains(record.data),
                "{case}: {}",
                String::from_utf8_lossy(record.data)
            );
        }
    }
}

#[track_caller]
fn counts(stream: &str, name: &str) -> (usize, usize, usize) {
    let bytes = case(stream, name);
    let mut buffer = Vec::new();
    let batch = Batch::decode(&bytes, &mut buffer).unwrap();
    let keys: BTreeSet<_> = batch
        .user_records()
        .map(|record| record.partition_key.to_string())
        .collect();
    (batch.len(), batch.user_records().count(), keys.len())
}

#[test]
fn cases_are_what_they_are_called() {
    for stream in ["readings", "quality-events"] {
        assert_eq!(counts(stream, "single").1, 1);
        assert!(counts(stream, "several-machines").2 >= 3, "{stream}");
        let (records, user_records, machines) = counts(stream, "kpl-aggregate");
        assert!(records < user_records && machines >= 3, "{stream}");
        let once = counts(stream, "several-machines");
        assert_eq!(
            counts(stream, "duplicate-delivery"),
            (2 * once.0, 2 * once.1, once.2)
        );
        assert_eq!(counts(stream, "empty"), (0, 0, 0));
        let korean = case(stream, "korean-names");
        let mut buffer = Vec::new();
        let batch = Batch::decode(&korean, &mut buffer).unwrap();
        assert!(
            batch
                .user_records()
                .all(|record| record.partition_key.starts_with("프레스-")),
            "{stream}"
        );
    }
}

#[test]
fn a_malformed_payload_stands_among_sound_ones() {
    for stream in ["readings", "quality-events"] {
        let bytes = case(stream, "malformed-in-the-middle");
        let mut buffer = Vec::new();
        let batch = Batch::decode(&bytes, &mut buffer).unwrap();
        let sound: Vec<bool> = batch
            .user_records()
            .map(|record| serde_json::from_slice::<Value>(record.data).is_ok())
            .collect();
        assert_eq!(sound.iter().filter(|sound| !**sound).count(), 1, "{stream}");
        assert!(sound[0] && sound[sound.len() - 1], "{stream}");
    }
}

/// The recorder computes ids in another language, from the documented recipe: the two must agree.
#[test]
fn quality_events_carry_the_ids_that_their_sources_give() {
    let mut opened = 0;
    for (case, bytes) in fixtures("quality-events") {
        let mut buffer = Vec::new();
        let batch = Batch::decode(&bytes, &mut buffer).unwrap();
        for record in batch.user_records() {
            let Ok(event) = QualityEvent::from_json(record.data) else {
                assert_eq!(case, "malformed-in-the-middle");
                continue;
            };
            assert_eq!(
                event.id,
                EventId::derive(&event.source, "violation", event.subject()),
                "{case}"
            );
            assert!(matches!(event.source, Source::Stream { .. }), "{case}");
            assert_eq!(record.partition_key, event.machine, "{case}");
            if event.transition() == Some(Transition::Opened) {
                opened += 1;
                assert_eq!(
                    event.violation().unwrap().episode.as_ref(),
                    Some(&event.id),
                    "{case}"
                );
            }
        }
    }
    assert!(opened > 10);
}

#[test]
fn the_origin_of_every_file_is_told() {
    let readme = std::fs::read_to_string(events().join("README.md")).unwrap();
    let mut folders = vec![events()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            match path.is_dir() {
                true => folders.push(path),
                false => assert!(
                    name == "README.md" || readme.contains(&format!("`{name}`")),
                    "{}",
                    path.display()
                ),
            }
        }
    }
}
