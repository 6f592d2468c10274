//! What a program costs a record, from its bytes to its rows' bytes: against the same written by hand over
//! `serde_json::Value`, and against the same in Python, all in one run. Then whole invocations of 1 MB, from the event's
//! bytes to the answer's, against a function in Python.
//!
//! Before anything is timed, all three have to give the same rows. Without `python3` its rows are left out.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run fails")]

mod hand_written;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use firehose_transformer::{MAX_RESPONSE_BYTES, transform};
use lake_program::{About, Bundled, Program, Verdict};
use serde_json::{Value, json};

/// The records of one pass.
const RECORDS: usize = 1_000;

/// Of the payloads of one invocation, as Firehose gathers them by default.
const BATCH_BYTES: usize = 1 << 20;

fn records(criterion: &mut Criterion) {
    for bundled in Bundled::all() {
        let program = bundled.compile().unwrap();
        let payloads = payloads(bundled.name());
        let bytes: usize = payloads.iter().map(Vec::len).sum();
        let by_hand = hand_written::named(bundled.name());
        agree(&program, by_hand, &payloads);

        let mut group = criterion.benchmark_group(format!("record/{}", bundled.name()));
        group.throughput(Throughput::ElementsAndBytes {
            elements: RECORDS as u64,
            bytes: bytes as u64,
        });
        let mut rows = Vec::new();
        group.bench_function("program", |bencher| {
            let mut runner = program.runner();
            bencher.iter(|| {
                for payload in &payloads {
                    rows.clear();
                    std::hint::black_box(runner.run(payload, &About::default(), &mut rows).ok());
                }
            });
        });
        group.bench_function("hand-written", |bencher| {
            bencher.iter(|| {
                for payload in &payloads {
                    rows.clear();
                    std::hint::black_box(hand_written::run(by_hand, payload, &mut rows));
                }
            });
        });
        if has_python() {
            let lines = payloads.join(&b'\n');
            group.bench_function("python", |bencher| {
                bencher
                    .iter_custom(|passes| seconds(&[bundled.name(), &passes.to_string()], &lines));
            });
        }
        group.finish();
    }
}

fn batches(criterion: &mut Criterion) {
    for bundled in Bundled::all() {
        let program = bundled.compile().unwrap();
        let (event, records) = event(&payloads(bundled.name()));
        let mut group = criterion.benchmark_group(format!("invocation/{}", bundled.name()));
        group.throughput(Throughput::ElementsAndBytes {
            elements: records as u64,
            bytes: event.len() as u64,
        });
        group.bench_function("function", |bencher| {
            bencher.iter(|| transform(&program, &event, MAX_RESPONSE_BYTES).unwrap());
        });
        if has_python() {
            group.bench_function("python", |bencher| {
                bencher.iter_custom(|passes| {
                    seconds(&["--batch", bundled.name(), &passes.to_string()], &event)
                });
            });
        }
        group.finish();
    }
}

/// All three give the same rows.
fn agree(program: &Program, by_hand: hand_written::Transformation, payloads: &[Vec<u8>]) {
    let value = |row: &[u8]| serde_json::from_slice::<Value>(row).ok();
    let mut runner = program.runner();
    let python = has_python().then(|| {
        let rows = python(&["--rows", program.name()], &payloads.join(&b'\n'));
        rows.split(|byte| *byte == b'\n')
            .map(value)
            .collect::<Vec<_>>()
    });
    for (place, payload) in payloads.iter().enumerate() {
        let (mut rows, mut by_hand_rows) = (Vec::new(), Vec::new());
        let verdict = runner.run(payload, &About::default(), &mut rows);
        let by_hand_partition = hand_written::run(by_hand, payload, &mut by_hand_rows);
        assert_eq!(value(&rows), value(&by_hand_rows), "record {place}");
        let partition = match verdict {
            Ok(Verdict::Kept { partition }) => Some(partition),
            _ => None,
        };
        assert_eq!(partition, by_hand_partition, "record {place}");
        if let Some(python) = &python {
            assert_eq!(value(&rows), python[place], "record {place}");
        }
    }
}

/// As many records as one pass has, over and over the recorded ones.
fn payloads(program: &str) -> Vec<Vec<u8>> {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
    let recorded: Vec<Vec<u8>> = match program {
        "press-readings" => lines(&events.join("readings/shift.ndjson")),
        "game-activity" => lines(&events.join("game/users.ndjson")),
        "clickstream" => lines(&events.join("clickstream/clicks.ndjson")),
        _ => {
            let event = std::fs::read(events.join("firehose/quality-events/several-machines.json"));
            let event: Value = serde_json::from_slice(&event.unwrap()).unwrap();
            let records = event["records"].as_array().unwrap();
            let data = records
                .iter()
                .map(|record| record["data"].as_str().unwrap());
            data.map(|data| base64_simd::STANDARD.decode_to_vec(data).unwrap())
                .collect()
        }
    };
    let sound = recorded.into_iter().filter(|line| line.starts_with(b"{"));
    let sound: Vec<_> = sound.collect();
    sound.iter().cycle().take(RECORDS).cloned().collect()
}

fn lines(path: &PathBuf) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(path).unwrap();
    let lines = bytes.split(|byte| *byte == b'\n');
    lines.map(<[u8]>::to_vec).collect()
}

/// An event from a stream.
fn event(payloads: &[Vec<u8>]) -> (Vec<u8>, usize) {
    let mut bytes = 0;
    let fits = |payload: &&Vec<u8>| {
        bytes += payload.len();
        bytes <= BATCH_BYTES
    };
    let records: Vec<Value> = payloads
        .iter()
        .cycle()
        .take_while(fits)
        .enumerate()
        .map(|(place, payload)| {
            json!({"recordId": format!("{:056}000000", place), "approximateArrivalTimestamp": 1_795_136_523_456_i64,
                "data": base64_simd::STANDARD.encode_to_string(payload),
                "kinesisRecordMetadata": {"sequenceNumber": format!("{:056}", place), "subsequenceNumber": 0,
                    "partitionKey": "press-07", "shardId": "shardId-000000000000",
                    "approximateArrivalTimestamp": 1_795_136_523_456_i64}})
        })
        .collect();
    let event =
        json!({"invocationId": "i", "deliveryStreamArn": "arn", "region": "r", "records": records});
    (event.to_string().into_bytes(), records.len())
}

fn has_python() -> bool {
    let version = Command::new("python3").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

/// The script measures itself: its start is no part of it.
fn seconds(arguments: &[&str], input: &[u8]) -> Duration {
    let printed = String::from_utf8(python(arguments, input)).unwrap();
    Duration::from_secs_f64(printed.trim().parse().unwrap())
}

fn python(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/transform.py"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}

criterion_group!(benches, records, batches);
criterion_main!(benches);
