//! Records as lines of JSON that a person can read and edit. What the functions keep in the bucket reads the same way.

use base64_simd::STANDARD;
use quality_event::Timestamp;
use serde::{Deserialize, Serialize};
use set_aside::{Holds, SetAside};

use super::held::{Held, Origin};
use crate::failure::Failure;

/// One record. The payload stands under `text` where it is text, else in base64 under `data`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    function: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    detail: String,
    holds: Holds,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shard: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sequence_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sub_sequence_number: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partition_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arrived: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<String>,
}

/// The records, one a line.
pub fn write(held: &[Held]) -> Result<Vec<u8>, serde_json::Error> {
    let mut lines = Vec::new();
    for one in held {
        serde_json::to_writer(&mut lines, &Line::of(one))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// Reads what [`write`] or a function wrote; `name` is the file's or the object's.
pub fn read(name: &str, bytes: &[u8]) -> Result<Vec<Held>, Failure> {
    let mut held = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let bad = |failure: Failure| {
            failure.cure("a line is one record, as `andon redrive show` prints it")
        };
        let spot = format!("{name}:{}", index + 1);
        let line: Line = serde_json::from_slice(line).map_err(|error| {
            let what = format!("{spot}: not a record that was set aside");
            bad(Failure::input(what).caused_by(error))
        })?;
        held.push(
            line.held(&spot)
                .map_err(|what| bad(Failure::input(format!("{spot}: {what}"))))?,
        );
    }
    Ok(held)
}

impl Line {
    fn of(held: &Held) -> Self {
        let record = held.record.clone();
        let (text, data) = match String::from_utf8(record.data) {
            Ok(text) => (Some(text), None),
            Err(bytes) => (None, Some(STANDARD.encode_to_string(bytes.as_bytes()))),
        };
        Self {
            function: held.function.clone(),
            origin: held.origin.clone(),
            reason: record.reason,
            detail: record.detail,
            holds: record.holds,
            stream: record.stream,
            shard: record.shard,
            sequence_number: record.sequence_number,
            sub_sequence_number: record.sub_sequence_number,
            partition_key: record.partition_key,
            arrived: record.arrived,
            text,
            data,
        }
    }

    fn held(self, spot: &str) -> Result<Held, &'static str> {
        let data = match (self.text, self.data) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(data)) => STANDARD
                .decode_to_vec(data)
                .map_err(|_| "`data` is not base64; put text under `text`")?,
            (Some(_), Some(_)) => return Err("`text` and `data` exclude each other"),
            (None, None) => return Err("it has neither `text` nor `data`"),
        };
        Ok(Held {
            function: self.function,
            origin: self.origin,
            read_from: spot.to_owned(),
            record: SetAside {
                reason: self.reason,
                detail: self.detail,
                holds: self.holds,
                stream: self.stream,
                shard: self.shard,
                sequence_number: self.sequence_number,
                sub_sequence_number: self.sub_sequence_number,
                partition_key: self.partition_key,
                arrived: self.arrived,
                data,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::redrive::held::tests::parked;

    fn binary(line: usize) -> Held {
        let mut held = parked(line);
        held.record.data = vec![0xff, 0];
        held.record.sub_sequence_number = Some(2);
        held
    }

    #[test]
    fn text_is_shown_as_text_and_the_rest_in_base64() {
        let lines = write(&[parked(1), binary(2)]).unwrap();
        let lines: Vec<Value> = lines
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect();
        assert_eq!(
            lines[0],
            json!({
                "function": "andon-quality-evaluator",
                "origin": {"key": "parked/andon-quality-evaluator/2026/11/20/a.ndjson", "line": 1},
                "reason": "commit",
                "detail": "the machine press-07 was held for too long",
                "holds": "payload",
                "stream": "arn:aws:kinesis:eu-central-1:123456789012:stream/readings",
                "shard": "shardId-000000000006",
                "sequence_number": "4951",
                "partition_key": "press-07",
                "arrived": "2026-11-20T01:02:03.610Z",
                "text": "{\"machine\":\"press-07\"}",
            })
        );
        assert_eq!(
            (&lines[1]["data"], &lines[1]["text"]),
            (&json!("/wA="), &Value::Null)
        );
    }

    #[test]
    fn lines_come_back_as_they_were() {
        let held = [parked(1), binary(2), parked(3)];
        assert_eq!(read("a.ndjson", &write(&held).unwrap()).unwrap(), held);
    }

    #[test]
    fn what_a_function_keeps_reads_alike() {
        let records: Vec<_> = [parked(1), binary(2)]
            .into_iter()
            .map(|held| held.record)
            .collect();
        let read = read("f", &set_aside::encode(&records).unwrap()).unwrap();
        assert!(
            read.iter()
                .all(|held| held.function.is_none() && held.origin.is_none())
        );
        assert!(read.into_iter().map(|held| held.record).eq(records));
    }

    #[track_caller]
    fn check_bad(line: &str, expected: &str) {
        let file = format!("{}\n\n{line}\n", r#"{"holds":"payload","text":""}"#);
        let failure = read("fixed.ndjson", file.as_bytes()).unwrap_err();
        assert!(
            failure
                .to_string()
                .starts_with(&format!("fixed.ndjson:3: {expected}")),
            "{failure}"
        );
        assert_eq!(failure.exit_code(), 2);
    }

    #[test]
    fn a_bad_line_is_named() {
        check_bad("junk", "not a record that was set aside: expected value");
        check_bad(
            r#"{"holds":"payload","txet":""}"#,
            "not a record that was set aside: unknown field `txet`",
        );
        check_bad(r#"{"holds":"payload"}"#, "it has neither `text` nor `data`");
        check_bad(
            r#"{"holds":"payload","text":"","data":""}"#,
            "`text` and `data` exclude each other",
        );
        check_bad(
            r#"{"holds":"payload","data":"{}"}"#,
            "`data` is not base64; put text under `text`",
        );
    }
}
