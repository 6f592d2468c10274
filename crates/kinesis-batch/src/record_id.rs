//! A record's coordinates: what ids derive from and what a watermark compares.

use serde::{Deserialize, Serialize};

use crate::SequenceNumber;

/// Where a user record lies. The order is that of a shard: by sequence number, then by place in the aggregate;
/// across shards and streams it means nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RecordId {
    /// The stream's ARN, also where a fan-out consumer delivered the record.
    pub stream_arn: String,
    /// The shard's id.
    pub shard: String,
    /// The sequence number of the record, shared by all user records of an aggregate.
    pub sequence_number: SequenceNumber,
    /// The place in the aggregate, from 0; none for a plain record.
    pub sub_sequence_number: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(sequence_number: &str, sub_sequence_number: Option<u64>) -> RecordId {
        RecordId {
            stream_arn: "arn:aws:kinesis:eu-central-1:123456789012:stream/readings".into(),
            shard: "shardId-000000000006".into(),
            sequence_number: sequence_number.parse().unwrap(),
            sub_sequence_number,
        }
    }

    #[test]
    fn follows_the_shard() {
        let ascending = [
            id("99", None),
            id("100", Some(0)),
            id("100", Some(9)),
            id("100", Some(10)),
            id("101", None),
        ];
        assert!(ascending.is_sorted());
        assert!(ascending.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn survives_json() {
        for id in [id("4959", None), id("4959", Some(3))] {
            let json = serde_json::to_string(&id).unwrap();
            assert_eq!(serde_json::from_str::<RecordId>(&json).unwrap(), id);
        }
    }
}
