//! Records to put into an event, and what a test looks at when it is decoded.

use kinesis_batch::{Batch, BatchError, MalformedReason, MalformedRecord, UserRecord};
use serde_json::{Value, json};

pub const STREAM: &str = "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream";

/// What a test looks at, detached from the batch.
#[derive(Debug, PartialEq)]
pub struct Decoded {
    pub users: Vec<(usize, Option<u64>, String, Vec<u8>)>,
    pub malformed: Vec<(usize, MalformedReason)>,
}

pub fn decode(body: &[u8]) -> Result<Decoded, BatchError> {
    let mut buffer = Vec::new();
    let batch = Batch::decode(body, &mut buffer)?;
    let user = |user: &UserRecord<'_>| {
        (
            user.parent,
            user.sub_sequence_number,
            user.partition_key.to_string(),
            user.data.to_vec(),
        )
    };
    let malformed = |record: &MalformedRecord<'_>| (record.parent, record.reason);
    Ok(Decoded {
        users: batch.user_records().map(user).collect(),
        malformed: batch.malformed().iter().map(malformed).collect(),
    })
}

pub fn sound(key: &str, sequence_number: &str) -> Value {
    json!({
        "kinesis": {
            "kinesisSchemaVersion": "1.0", "partitionKey": key, "sequenceNumber": sequence_number, "data": "e30=",
            "approximateArrivalTimestamp": 1545084650.987,
        },
        "eventSource": "aws:kinesis", "eventVersion": "1.0",
        "eventID": format!("shardId-000000000006:{sequence_number}"), "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role", "awsRegion": "us-east-2",
        "eventSourceARN": STREAM,
    })
}

/// An event of a sound record, the record, and another sound one.
pub fn between_sound_ones(record: &str) -> Vec<u8> {
    format!(
        r#"{{"Records":[{},{record},{}]}}"#,
        sound("before", "101"),
        sound("after", "103")
    )
    .into_bytes()
}

pub fn alone(record: &Value) -> Vec<u8> {
    json!({"Records": [record]}).to_string().into_bytes()
}
