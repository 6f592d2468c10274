//! From what a batch holds to what is set aside.

use std::fmt::Display;

use kinesis_batch::{MalformedRecord, UserRecord};
use quality_event::{Timestamp, truncated};

use crate::{Holds, SetAside};

/// Of the detail: causes may quote the data.
const MAX_DETAIL_CHARS: usize = 1_024;

impl SetAside {
    /// A record whose payload could be taken out; `reason` is one word, `cause` tells it to a person.
    pub fn user_record(
        record: &UserRecord<'_>,
        reason: &str,
        cause: &(impl Display + ?Sized),
    ) -> Self {
        Self {
            reason: reason.to_owned(),
            detail: truncated(&cause.to_string(), MAX_DETAIL_CHARS).into_owned(),
            holds: Holds::Payload,
            stream: Some(record.stream_arn.to_owned()),
            shard: Some(record.shard.to_owned()),
            sequence_number: Some(record.sequence_number.to_owned()),
            sub_sequence_number: record.sub_sequence_number,
            partition_key: Some(record.partition_key.clone().into_owned()),
            arrived: Timestamp::from_millis(record.arrived_ms).ok(),
            data: record.data.to_vec(),
        }
    }

    /// A record that cannot be read: its bytes are the record as it stood in the event.
    pub fn malformed(record: &MalformedRecord<'_>) -> Self {
        Self {
            reason: record.reason.as_str().to_owned(),
            detail: record.reason.to_string(),
            holds: Holds::Envelope,
            stream: record.stream_arn.map(str::to_owned),
            shard: record.shard.map(str::to_owned),
            sequence_number: record.sequence_number.map(str::to_owned),
            sub_sequence_number: None,
            partition_key: None,
            arrived: None,
            data: record.raw.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use kinesis_batch::Batch;

    use super::*;

    const EVENT: &str = r#"{"Records":[
        {"kinesis":{"partitionKey":"press-07","sequenceNumber":"4959","data":"bm90IEpTT04=",
         "approximateArrivalTimestamp":1545084650.987},"eventID":"shardId-000000000006:4959",
         "eventSourceARN":"arn:aws:kinesis:us-east-2:123456789012:stream/readings"},
        {"kinesis":{"partitionKey":"press-07","sequenceNumber":"4960","data":"?",
         "approximateArrivalTimestamp":1545084650.987},"eventID":"shardId-000000000006:4960",
         "eventSourceARN":"arn:aws:kinesis:us-east-2:123456789012:stream/readings"}]}"#;

    #[test]
    fn a_user_record_keeps_its_place_and_payload() {
        let mut buffer = Vec::new();
        let batch = Batch::decode(EVENT.as_bytes(), &mut buffer).unwrap();
        let record = batch.user_records().next().unwrap();
        let aside = SetAside::user_record(record, "not-json", &"x".repeat(5_000));
        assert_eq!(
            (aside.reason.as_str(), aside.holds),
            ("not-json", Holds::Payload)
        );
        assert_eq!(aside.detail.chars().count(), MAX_DETAIL_CHARS);
        assert_eq!(aside.data, b"not JSON");
        assert_eq!(aside.sequence_number.as_deref(), Some("4959"));
        assert_eq!(aside.partition_key.as_deref(), Some("press-07"));
        assert_eq!(
            aside.arrived.unwrap().to_string(),
            "2018-12-17T22:10:50.987Z"
        );
    }

    #[test]
    fn a_malformed_record_keeps_the_whole_record() {
        let mut buffer = Vec::new();
        let batch = Batch::decode(EVENT.as_bytes(), &mut buffer).unwrap();
        let aside = SetAside::malformed(&batch.malformed()[0]);
        assert_eq!(
            (aside.reason.as_str(), aside.holds),
            ("bad-base64", Holds::Envelope)
        );
        assert_eq!(aside.shard.as_deref(), Some("shardId-000000000006"));
        let record: serde_json::Value = serde_json::from_slice(&aside.data).unwrap();
        assert_eq!(record["kinesis"]["data"], "?");
    }
}
