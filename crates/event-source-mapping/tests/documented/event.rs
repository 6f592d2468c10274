//! The event is Lambda's.
//!
//! "Using Lambda to process records from Amazon Kinesis Data Streams",
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>.

use aws_lambda_events::event::kinesis::KinesisEvent;
use event_source_mapping::{Settings, SourceRecord};
use kinesis_batch::Batch;
use serde_json::Value;

use crate::world::World;

const SAMPLE: &str = include_str!("../../../../events/kinesis/aws-sample.json");

/// The records of the sample, as its shard held them.
fn sample() -> Vec<SourceRecord> {
    let mut buffer = Vec::new();
    let batch = Batch::decode(SAMPLE.as_bytes(), &mut buffer).unwrap();
    batch
        .user_records()
        .map(|record| SourceRecord {
            sequence_number: record.sequence_number.parse().unwrap(),
            partition_key: record.partition_key.to_string(),
            data: record.data.to_vec(),
            arrived_ms: record.arrived_ms,
        })
        .collect()
}

#[test]
fn an_event_is_the_one_that_lambda_publishes() {
    let mut world = World::new(Settings::default());
    world.put(sample());
    let event = world.one().event;
    let written: Value = serde_json::from_slice(&event).unwrap();
    let published: Value = serde_json::from_str(SAMPLE).unwrap();
    assert_eq!(written, published);
    let mut buffer = Vec::new();
    let batch = Batch::decode(&event, &mut buffer).unwrap();
    assert_eq!(
        (batch.user_records().count(), batch.malformed().len()),
        (2, 0)
    );
}

/// The types of `aws_lambda_events`: a second reader, and it finds again what the shard held.
#[test]
fn an_event_is_read_by_the_types_that_functions_use() {
    let mut world = World::new(Settings::default());
    let mut records = sample();
    // Text that has to be escaped, bytes that are no text, a millisecond that no fraction hits.
    records[0].partition_key = "press-07 \"north\"\\\n\u{1F6D1}".into();
    records[1].data = (0..=255).collect();
    records[1].arrived_ms = 1_545_084_711_001;
    world.put(records.clone());
    let event: KinesisEvent = serde_json::from_slice(&world.one().event).unwrap();
    assert_eq!(event.records.len(), records.len());
    for (read, put) in event.records.iter().zip(&records) {
        let kinesis = &read.kinesis;
        assert_eq!(kinesis.sequence_number, put.sequence_number.as_str());
        assert_eq!(kinesis.partition_key, put.partition_key);
        assert_eq!(kinesis.data.0, put.data);
        assert_eq!(
            kinesis.approximate_arrival_timestamp.timestamp_millis(),
            put.arrived_ms
        );
        assert_eq!(read.event_source.as_deref(), Some("aws:kinesis"));
        assert_eq!(
            read.event_source_arn.as_deref(),
            Some(world.mapping.source().event_source_arn.as_str())
        );
    }
}
