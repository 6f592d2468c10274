//! Records, as a delivery stream takes them in and hands them to its function.

use std::io::Write;

use kinesis_batch::aggregate;

/// A record that a delivery stream took in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its bytes.
    pub data: Vec<u8>,
    /// When the delivery stream took it, or the stream that it reads from; in milliseconds since the epoch.
    pub arrived_ms: i64,
    /// Where it comes from, unless it was put directly.
    pub place: Option<Place>,
}

/// A record's place in a Kinesis stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The shard's id.
    pub shard: String,
    /// The sequence number.
    pub sequence_number: String,
    /// The place in an aggregate; 0 for a plain record.
    pub sub_sequence_number: u64,
    /// The record's partition key.
    pub partition_key: String,
}

impl Record {
    /// The records that a stream's record holds: the members of an aggregate, or itself.
    pub fn of_stream(data: &[u8], arrived_ms: i64, place: Place) -> Vec<Self> {
        let Some(members) = aggregate::decode(data) else {
            return vec![Self {
                data: data.to_vec(),
                arrived_ms,
                place: Some(place),
            }];
        };
        let members = members.into_iter().zip(0..);
        members
            .map(|(member, sub_sequence_number)| Self {
                data: member.data.to_vec(),
                arrived_ms,
                place: Some(Place {
                    sub_sequence_number,
                    partition_key: member.partition_key.to_owned(),
                    ..place.clone()
                }),
            })
            .collect()
    }
}

/// Appends a record as it stands in the function's event.
pub(crate) fn write(out: &mut Vec<u8>, id: &str, record: &Record) {
    let arrived_ms = record.arrived_ms;
    // Writing to memory does not fail.
    let _ = write!(
        out,
        "{{\"recordId\":\"{id}\",\"approximateArrivalTimestamp\":{arrived_ms},\"data\":\""
    );
    base64_simd::STANDARD.encode_append(&record.data, out);
    out.push(b'"');
    if let Some(place) = &record.place {
        let metadata = serde_json::json!({
            "sequenceNumber": place.sequence_number,
            "subsequenceNumber": place.sub_sequence_number,
            "partitionKey": place.partition_key,
            "shardId": place.shard,
            "approximateArrivalTimestamp": arrived_ms,
        });
        let _ = write!(out, ",\"kinesisRecordMetadata\":{metadata}");
    }
    out.push(b'}');
}
