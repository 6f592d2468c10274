//! One record that is set aside, and its line of JSON.

use base64_simd::STANDARD;
use quality_event::Timestamp;
use serde::{Deserialize, Serialize};

/// A record with the reason and its place in the stream. What a malformed record does not tell is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// Why, as one word: the dimension of the metric that counts it.
    pub reason: String,
    /// Why, for a person.
    pub detail: String,
    /// What `data` is.
    pub holds: Holds,
    /// The stream's ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// The shard's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shard: Option<String>,
    /// The sequence number of the Kinesis record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence_number: Option<String>,
    /// The place within an aggregated record, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_sequence_number: Option<u64>,
    /// The (user) record's partition key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_key: Option<String>,
    /// When the record arrived at the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrived: Option<Timestamp>,
    /// The bytes; base64 in the line.
    #[serde(with = "base64")]
    pub data: Vec<u8>,
}

/// What the bytes of a record that is set aside are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// The producer's payload.
    Payload,
    /// The record as it stood in the event, as JSON: its payload could not be taken out.
    Envelope,
}

/// A line of an object is no record that was set aside.
#[derive(Debug, thiserror::Error)]
#[error("line {line} is no record that was set aside")]
pub struct BadLine {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub source: serde_json::Error,
}

/// The object's contents: one line per record.
pub fn encode(records: &[SetAside]) -> Result<Vec<u8>, serde_json::Error> {
    let mut lines = Vec::new();
    for record in records {
        serde_json::to_writer(&mut lines, record)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// The records of an object.
pub fn decode(object: &[u8]) -> Result<Vec<SetAside>, BadLine> {
    object
        .split(|byte| *byte == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
        .map(|(index, line)| {
            serde_json::from_slice(line).map_err(|source| BadLine {
                line: index + 1,
                source,
            })
        })
        .collect()
}

mod base64 {
    use std::borrow::Cow;

    use serde::{Deserialize, Deserializer, Serializer, de};

    use super::STANDARD;

    pub(super) fn serialize<S: Serializer>(data: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode_to_string(data))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        STANDARD
            .decode_to_vec(text.as_bytes())
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A payload that is not JSON, at `sequence_number` of shard 6.
    pub(crate) fn not_json(sequence_number: &str) -> SetAside {
        SetAside {
            reason: "not-json".to_owned(),
            detail: "expected value at line 1 column 1".to_owned(),
            holds: Holds::Payload,
            stream: Some("arn:aws:kinesis:eu-central-1:123456789012:stream/readings".to_owned()),
            shard: Some("shardId-000000000006".to_owned()),
            sequence_number: Some(sequence_number.to_owned()),
            sub_sequence_number: None,
            partition_key: Some("press-07".to_owned()),
            arrived: "2026-11-20T23:59:59.999Z".parse().ok(),
            data: b"\xffnot JSON\n\0".to_vec(),
        }
    }

    /// A record of which nothing but its bytes is known.
    pub(crate) fn malformed() -> SetAside {
        SetAside {
            reason: "no-sequence-number".to_owned(),
            detail: String::new(),
            holds: Holds::Envelope,
            stream: None,
            shard: None,
            sequence_number: None,
            sub_sequence_number: None,
            partition_key: None,
            arrived: None,
            data: b"{}".to_vec(),
        }
    }

    #[test]
    fn records_come_back_as_they_were() {
        let mut user_record = not_json("49590338271490256608559692538361571095921575989136588898");
        user_record.sub_sequence_number = Some(u64::MAX);
        user_record.partition_key = Some("\u{d504}\u{b808}\u{c2a4}-1".to_owned());
        let records = [not_json("1"), user_record, malformed()];
        let object = encode(&records).unwrap();
        assert_eq!(object.iter().filter(|byte| **byte == b'\n').count(), 3);
        assert_eq!(decode(&object).unwrap(), records);
    }

    #[test]
    fn a_line_shows_what_is_known_and_leaves_out_the_rest() {
        let object = encode(&[not_json("49"), malformed()]).unwrap();
        let lines: Vec<Value> = object
            .split(|b| *b == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect();
        assert_eq!(
            lines,
            [
                json!({
                    "reason": "not-json",
                    "detail": "expected value at line 1 column 1",
                    "holds": "payload",
                    "stream": "arn:aws:kinesis:eu-central-1:123456789012:stream/readings",
                    "shard": "shardId-000000000006",
                    "sequence_number": "49",
                    "partition_key": "press-07",
                    "arrived": "2026-11-20T23:59:59.999Z",
                    "data": "/25vdCBKU09OCgA=",
                }),
                json!({"reason": "no-sequence-number", "detail": "", "holds": "envelope", "data": "e30="}),
            ]
        );
    }

    #[test]
    fn a_bad_line_is_named() {
        let mut object = encode(&[malformed()]).unwrap();
        object.extend_from_slice(b"{\"reason\":1}\n");
        assert_eq!(decode(&object).unwrap_err().line, 2);
    }
}
