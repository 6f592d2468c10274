//! The event is Lambda's.
//!
//! "Using Lambda to process records from Amazon Kinesis Data Streams",
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>.

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
