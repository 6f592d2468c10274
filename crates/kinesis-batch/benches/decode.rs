//! Decoding one full invocation (6.28 MB, 7,506 records of 222 bytes): this crate beside the two usual ways on the same
//! bytes, from the raw body to every record's data.
//!
//! `cargo bench -p kinesis-batch`

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot run has to say why"
)]

#[path = "event/mod.rs"]
mod event;

use std::hint::black_box;

use aws_lambda_events::event::kinesis::KinesisEvent;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use kinesis_batch::Batch;
use kinesis_batch::aggregate::{Encoder, Member};
use kinesis_batch::envelope::Event;
use serde::Deserialize;

criterion_group!(benches, decode);
criterion_main!(benches);

fn decode(criterion: &mut Criterion) {
    let event = event::plain();
    check_same_answers(&event);
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(event.len() as u64));
    let mut buffer = Vec::new();
    group.bench_function("kinesis-batch", |bencher| {
        bencher.iter(|| {
            Batch::decode(black_box(&event), &mut buffer)
                .expect("an event")
                .user_records()
                .len()
        });
    });
    group.bench_function("aws_lambda_events", |bencher| {
        bencher.iter(|| {
            serde_json::from_slice::<KinesisEvent>(black_box(&event))
                .expect("an event")
                .records
                .len()
        });
    });
    group.bench_function("serde_json, typed and owned", |bencher| {
        bencher.iter(|| typed(black_box(&event)).len());
    });
    let broken = with_broken_record(&event);
    group.bench_function("kinesis-batch, one record malformed", |bencher| {
        bencher.iter(|| {
            Batch::decode(black_box(&broken), &mut buffer)
                .expect("an event")
                .user_records()
                .len()
        });
    });
    let aggregates = aggregated_event();
    group.throughput(Throughput::Bytes(aggregates.len() as u64));
    group.bench_function("kinesis-batch, aggregates of 200", |bencher| {
        bencher.iter(|| {
            Batch::decode(black_box(&aggregates), &mut buffer)
                .expect("an event")
                .user_records()
                .len()
        });
    });
    group.throughput(Throughput::Elements(event::RECORDS as u64));
    let mut kept = Vec::new();
    let batch = Batch::decode(&event, &mut kept).expect("an event");
    group.bench_function("outcomes, all done", |bencher| {
        bencher.iter_batched(
            || batch.outcomes(),
            |mut outcomes| {
                (0..batch.len()).for_each(|parent| outcomes.done(parent));
                outcomes.response()
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn aggregated_event() -> Vec<u8> {
    let mut batch = Event::new();
    let readings: Vec<_> = (0..90 * 200).map(event::reading).collect();
    for (n, readings) in readings.chunks(200).enumerate() {
        let mut aggregate = Encoder::default();
        for (index, data) in readings.iter().enumerate() {
            let key = format!("press-{:02}", index % 16);
            aggregate.push(Member {
                partition_key: &key,
                explicit_hash_key: None,
                data,
            });
        }
        batch.push(&event::record(
            &event::sequence_number(n),
            "a",
            &aggregate.finish(),
            n,
        ));
    }
    batch.finish()
}

/// The middle record's data is no longer a string.
fn with_broken_record(event: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(event).expect("JSON is text");
    let middle = text.len() / 2
        + text[text.len() / 2..]
            .find("\"data\":\"")
            .expect("a record");
    let end = middle + 8 + text[middle + 8..].find('"').expect("its data's end");
    [&text[..middle], "\"data\":7", &text[end + 1..]]
        .concat()
        .into_bytes()
}

/// What a function without a library would write: the fields it needs, owned, data as base64 decoded after.
fn typed(event: &[u8]) -> Vec<(TypedRecord, Vec<u8>)> {
    let event: TypedEvent = serde_json::from_slice(event).expect("an event");
    event
        .records
        .into_iter()
        .map(|record| {
            let data = base64_simd::STANDARD
                .decode_to_vec(&record.kinesis.data)
                .expect("base64");
            (record, data)
        })
        .collect()
}

#[derive(Deserialize)]
struct TypedEvent {
    #[serde(rename = "Records")]
    records: Vec<TypedRecord>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "decoding a field is what is measured")]
struct TypedRecord {
    kinesis: TypedKinesis,
    #[serde(rename = "eventID")]
    event_id: String,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "decoding a field is what is measured")]
struct TypedKinesis {
    partition_key: String,
    sequence_number: String,
    data: String,
    approximate_arrival_timestamp: f64,
}

/// The three ways are worth comparing only if they hand over the same data.
fn check_same_answers(event: &[u8]) {
    let mut buffer = Vec::new();
    let batch = Batch::decode(event, &mut buffer).expect("an event");
    let by_crate: KinesisEvent = serde_json::from_slice(event).expect("an event");
    let by_types = typed(event);
    println!(
        "event: {} bytes, {} records of {} bytes",
        event.len(),
        batch.len(),
        event::reading(0).len()
    );
    assert!(
        batch
            .user_records()
            .map(|user| user.data)
            .eq(by_crate.records.iter().map(|r| &r.kinesis.data.0[..]))
    );
    assert!(
        batch
            .user_records()
            .map(|user| user.data)
            .eq(by_types.iter().map(|(_, data)| &data[..]))
    );
}
