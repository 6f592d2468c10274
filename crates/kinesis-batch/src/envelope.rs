//! Lambda's Kinesis event, written: what the service would hand to a function for these records.
//! Every length is known beforehand, so that a batch can be closed at the payload limit.

use std::io::Write;

/// The most bytes that Lambda puts into one invocation: 6 MB of the encoded event.
pub const MAX_EVENT_BYTES: usize = 6 * 1024 * 1024;

/// One record of a shard, and through which mapping it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The ARN of the stream, or of the fan-out consumer that the mapping reads from.
    pub source_arn: &'a str,
    /// The stream's region.
    pub region: &'a str,
    /// The role that the function runs as.
    pub role_arn: &'a str,
    /// The shard's id.
    pub shard: &'a str,
    /// The record's sequence number.
    pub sequence_number: &'a str,
    /// The record's partition key.
    pub partition_key: &'a str,
    /// The record's bytes.
    pub data: &'a [u8],
    /// When the stream took the record, in milliseconds since the epoch.
    pub arrived_ms: i64,
}

/// An event in the making.
#[derive(Clone, Debug)]
pub struct Event {
    body: Vec<u8>,
    records: usize,
}

const OPEN: &[u8] = b"{\"Records\":[";
/// Said before the records, so that they can be read in one pass.
const OPEN_REDRIVE: &[u8] = b"{\"redrive\":true,\"Records\":[";
const CLOSE: &[u8] = b"]}";

impl Event {
    /// An event without records.
    pub fn new() -> Self {
        Self {
            body: OPEN.to_vec(),
            records: 0,
        }
    }

    /// An event without records that is to bring records back.
    pub fn redrive() -> Self {
        Self {
            body: OPEN_REDRIVE.to_vec(),
            records: 0,
        }
    }

    /// Adds a record behind the others.
    pub fn push(&mut self, record: &Record<'_>) {
        self.separate();
        write_record(&mut self.body, record);
    }

    /// Adds a record that is written already: one JSON value.
    pub fn push_json(&mut self, record: &[u8]) {
        self.separate();
        self.body.extend_from_slice(record);
    }

    fn separate(&mut self) {
        if self.records > 0 {
            self.body.push(b',');
        }
        self.records += 1;
    }

    /// How many records the event has.
    pub fn len(&self) -> usize {
        self.records
    }

    /// Whether the event has no records.
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The event's length in bytes, finished now.
    pub fn encoded_len(&self) -> usize {
        self.body.len() + CLOSE.len()
    }

    /// The event's length in bytes, finished after one more record.
    pub fn len_with(&self, record: &Record<'_>) -> usize {
        self.encoded_len() + usize::from(self.records > 0) + encoded_len(record)
    }

    /// The event's JSON.
    pub fn finish(mut self) -> Vec<u8> {
        self.body.extend_from_slice(CLOSE);
        self.body
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

/// Appends one record as it stands in `Records`, its fields in the order of AWS's published example.
pub fn write_record(out: &mut Vec<u8>, record: &Record<'_>) {
    write_user_record(out, record, None);
}

/// Appends a record for an event that brings records back. With a sub-sequence number it is the user record at that
/// place of an aggregate, and key and data are its own; no other event says so.
pub fn write_user_record(out: &mut Vec<u8>, record: &Record<'_>, sub_sequence_number: Option<u64>) {
    out.extend_from_slice(b"{\"kinesis\":{\"kinesisSchemaVersion\":\"1.0\",\"partitionKey\":");
    write_text(out, &[record.partition_key]);
    out.extend_from_slice(b",\"sequenceNumber\":");
    write_text(out, &[record.sequence_number]);
    if let Some(place) = sub_sequence_number {
        // Writing to memory does not fail.
        let _ = write!(out, ",\"subSequenceNumber\":{place}");
    }
    out.extend_from_slice(b",\"data\":\"");
    base64_simd::STANDARD.encode_append(record.data, out);
    out.extend_from_slice(b"\",\"approximateArrivalTimestamp\":");
    write_seconds(out, record.arrived_ms);
    out.extend_from_slice(
        b"},\"eventSource\":\"aws:kinesis\",\"eventVersion\":\"1.0\",\"eventID\":",
    );
    write_text(out, &[record.shard, ":", record.sequence_number]);
    out.extend_from_slice(b",\"eventName\":\"aws:kinesis:record\",\"invokeIdentityArn\":");
    write_text(out, &[record.role_arn]);
    out.extend_from_slice(b",\"awsRegion\":");
    write_text(out, &[record.region]);
    out.extend_from_slice(b",\"eventSourceARN\":");
    write_text(out, &[record.source_arn]);
    out.push(b'}');
}

/// How many bytes [`write_record`] appends.
pub fn encoded_len(record: &Record<'_>) -> usize {
    let texts = [
        record.partition_key,
        record.sequence_number,
        record.shard,
        record.sequence_number,
        record.role_arn,
        record.region,
        record.source_arn,
    ];
    let data = base64_simd::STANDARD.encoded_length(record.data.len());
    FIXED_LEN
        + texts.into_iter().map(text_len).sum::<usize>()
        + data
        + seconds_len(record.arrived_ms)
}

/// Everything that is the same in every record: punctuation, names and constants.
const FIXED_LEN: usize = br#"{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"","sequenceNumber":"","data":"","approximateArrivalTimestamp":},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":":","eventName":"aws:kinesis:record","invokeIdentityArn":"","awsRegion":"","eventSourceARN":""}"#.len();

/// A JSON string of the parts, one behind the other.
fn write_text(out: &mut Vec<u8>, parts: &[&str]) {
    out.push(b'"');
    for byte in parts.iter().flat_map(|part| part.bytes()) {
        match escape(byte) {
            Escape::None => out.push(byte),
            Escape::Short(letter) => out.extend_from_slice(&[b'\\', letter]),
            Escape::Unicode => {
                let digit = |nibble: u8| {
                    if nibble < 10 {
                        b'0' + nibble
                    } else {
                        b'a' + nibble - 10
                    }
                };
                out.extend_from_slice(&[
                    b'\\',
                    b'u',
                    b'0',
                    b'0',
                    digit(byte >> 4),
                    digit(byte & 15),
                ]);
            }
        }
    }
    out.push(b'"');
}

fn text_len(text: &str) -> usize {
    let extra = |byte| match escape(byte) {
        Escape::None => 0,
        Escape::Short(_) => 1,
        Escape::Unicode => 5,
    };
    text.len() + text.bytes().map(extra).sum::<usize>()
}

/// How a byte of text stands in a JSON string (RFC 8259, section 7).
enum Escape {
    None,
    Short(u8),
    Unicode,
}

fn escape(byte: u8) -> Escape {
    match byte {
        b'"' | b'\\' => Escape::Short(byte),
        0x08 => Escape::Short(b'b'),
        b'\t' => Escape::Short(b't'),
        b'\n' => Escape::Short(b'n'),
        0x0C => Escape::Short(b'f'),
        b'\r' => Escape::Short(b'r'),
        0x00..=0x1F => Escape::Unicode,
        _ => Escape::None,
    }
}

/// Seconds with exactly three decimals, as AWS's examples show them: `1545084650.987`, `1607497475.000`.
fn write_seconds(out: &mut Vec<u8>, ms: i64) {
    let sign = if ms < 0 { "-" } else { "" };
    let magnitude = ms.unsigned_abs();
    // Writing to memory does not fail.
    let _ = write!(out, "{sign}{}.{:03}", magnitude / 1000, magnitude % 1000);
}

fn seconds_len(ms: i64) -> usize {
    let digits = (ms.unsigned_abs() / 1000)
        .checked_ilog10()
        .map_or(1, |log| log as usize + 1);
    usize::from(ms < 0) + digits + ".000".len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check_seconds(ms: i64, expected: &str) {
        let mut out = Vec::new();
        write_seconds(&mut out, ms);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        assert_eq!(seconds_len(ms), expected.len(), "{ms}");
    }

    #[test]
    fn seconds_have_three_decimals() {
        check_seconds(1_545_084_650_987, "1545084650.987");
        check_seconds(1_545_084_650_980, "1545084650.980");
        check_seconds(1_545_084_650_098, "1545084650.098");
        check_seconds(1_545_084_650_008, "1545084650.008");
        check_seconds(1_607_497_475_000, "1607497475.000");
        check_seconds(0, "0.000");
        check_seconds(999, "0.999");
        check_seconds(9_999, "9.999");
        check_seconds(10_000, "10.000");
        check_seconds(-1, "-0.001");
        check_seconds(i64::MIN, "-9223372036854775.808");
    }

    proptest! {
        #[test]
        fn text_is_the_json_that_serde_writes(text: String) {
            let mut out = Vec::new();
            write_text(&mut out, &[&text]);
            prop_assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(&text).unwrap());
        }

        #[test]
        fn the_length_is_known_beforehand(keys in prop::collection::vec(any::<String>(), 0..4),
                data in prop::collection::vec(any::<u8>(), 0..64), arrived_ms: i64) {
            let mut event = Event::new();
            for key in &keys {
                let record = Record {
                    source_arn: "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
                    region: "us-east-2",
                    role_arn: "arn:aws:iam::123456789012:role/lambda-role",
                    shard: "shardId-000000000006",
                    sequence_number: "49590338271490256608559692538361571095921575989136588898",
                    partition_key: key,
                    data: &data,
                    arrived_ms,
                };
                let foretold = event.len_with(&record);
                event.push(&record);
                prop_assert_eq!(event.encoded_len(), foretold);
            }
            prop_assert_eq!(event.len(), keys.len());
            let foretold = event.encoded_len();
            prop_assert_eq!(event.finish().len(), foretold);
        }
    }
}
