//! A Firehose event's records, one JSON line each.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What stands in a Firehose event and in no Kinesis event.
#[derive(Deserialize)]
pub struct Batch {
    records: Vec<Value>,
}

#[derive(Serialize)]
struct Line<'a> {
    record_id: &'a str,
    partition_key: Option<&'a str>,
    sequence_number: Option<&'a str>,
    sub_sequence_number: Option<u64>,
    data: &'a str,
}

impl Batch {
    /// If the body is such an event.
    pub fn decode(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// Writes what can be read, and gives the places of what cannot.
    pub fn write_lines(&self, out: &mut impl Write) -> io::Result<Vec<usize>> {
        let mut unreadable = Vec::new();
        for (place, record) in self.records.iter().enumerate() {
            match line(record) {
                Some(line) => {
                    serde_json::to_writer(&mut *out, &line)?;
                    writeln!(out)?;
                }
                None => unreadable.push(place),
            }
        }
        Ok(unreadable)
    }
}

/// A record that was put directly has no place in a stream.
fn line(record: &Value) -> Option<Line<'_>> {
    let stream = &record["kinesisRecordMetadata"];
    Some(Line {
        record_id: record["recordId"].as_str()?,
        partition_key: stream["partitionKey"].as_str(),
        sequence_number: stream["sequenceNumber"].as_str(),
        sub_sequence_number: sub_sequence_number(&stream["subsequenceNumber"]),
        data: record["data"].as_str()?,
    })
}

/// A number, or its text.
fn sub_sequence_number(written: &Value) -> Option<u64> {
    match written {
        Value::String(digits) => digits.parse().ok(),
        written => written.as_u64(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(records: &Value) -> (Vec<Value>, Vec<usize>) {
        let body = json!({"invocationId": "i", "records": records}).to_string();
        let mut out = Vec::new();
        let unreadable = Batch::decode(body.as_bytes())
            .unwrap()
            .write_lines(&mut out)
            .unwrap();
        let lines = std::str::from_utf8(&out).unwrap().lines();
        let lines = lines.map(|line| serde_json::from_str(line).unwrap());
        (lines.collect(), unreadable)
    }

    #[test]
    fn a_record_is_told_with_its_place() {
        for (written, sub) in [
            (json!("3"), json!(3)),
            (json!(3), json!(3)),
            (json!(""), Value::Null),
        ] {
            let stream = json!({"partitionKey": "프레스-07", "sequenceNumber": "4959", "subsequenceNumber": written, "shardId": "s"});
            let record =
                json!({"recordId": "r-1", "data": "e30=", "kinesisRecordMetadata": stream});
            let (lines, unreadable) = run(&json!([record]));
            assert_eq!(
                lines,
                [
                    json!({"record_id": "r-1", "partition_key": "프레스-07", "sequence_number": "4959", "sub_sequence_number": sub, "data": "e30="})
                ]
            );
            assert_eq!(unreadable, [0_usize; 0]);
        }
    }

    #[test]
    fn what_was_put_directly_has_no_place_and_what_is_broken_is_named() {
        let records =
            json!([{"recordId": "r-1", "data": "e30="}, {"recordId": "r-2"}, {"data": "e30="}]);
        let (lines, unreadable) = run(&records);
        assert_eq!(
            lines,
            [
                json!({"record_id": "r-1", "partition_key": null, "sequence_number": null, "sub_sequence_number": null, "data": "e30="})
            ]
        );
        assert_eq!(unreadable, [1, 2]);
    }

    #[test]
    fn a_kinesis_event_is_none_of_firehoses() {
        assert!(Batch::decode(br#"{"Records":[]}"#).is_none());
        assert!(Batch::decode(b"[]").is_none());
    }
}
