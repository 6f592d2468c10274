//! The object's key: a pure function of the records.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::{Fate, SetAside};

const UNKNOWN: &str = "unknown";
/// Of a name in the key; a key has at most 1,024 bytes.
const MAX_NAME_CHARS: usize = 128;

/// Where `records` of one invocation are kept. Equal records have equal keys, whatever the reason says;
/// different records have different keys even if they begin alike.
pub fn object_key(fate: Fate, function: &str, records: &[SetAside]) -> String {
    let date = records
        .iter()
        .find_map(|record| record.arrived)
        .and_then(|arrived| Some(arrived.to_string().split_once('T')?.0.replace('-', "/")));
    let shard = records.iter().find_map(|record| record.shard.as_deref());
    let sequence_number = records
        .iter()
        .find_map(|record| record.sequence_number.as_deref());
    format!(
        "{}/{}/{}/{}-{}-{}.ndjson",
        fate.prefix(),
        name(Some(function)),
        date.as_deref().unwrap_or(UNKNOWN),
        name(shard),
        name(sequence_number),
        hash(records),
    )
}

/// What may stand in a key without escaping.
fn name(text: Option<&str>) -> String {
    match text {
        None | Some("") => UNKNOWN.to_owned(),
        Some(text) => text
            .chars()
            .take(MAX_NAME_CHARS)
            .map(|c| {
                if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                    c
                } else {
                    '_'
                }
            })
            .collect(),
    }
}

/// Eight hexadecimal digits over places and bytes.
fn hash(records: &[SetAside]) -> String {
    let mut hasher = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_be_bytes());
        hasher.update(bytes);
    };
    for record in records {
        for text in [&record.stream, &record.shard, &record.sequence_number] {
            part(text.as_deref().unwrap_or_default().as_bytes());
        }
        let place = record.sub_sequence_number.map(|place| place.to_string());
        part(place.unwrap_or_default().as_bytes());
        part(&record.data);
    }
    hasher
        .finalize()
        .iter()
        .take(4)
        .fold(String::new(), |mut digits, byte| {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests::{malformed, not_json};

    #[track_caller]
    fn check(records: &[SetAside], expected: &str) {
        let key = object_key(Fate::Quarantine, "andon-quality-evaluator", records);
        let (start, hash) = key.rsplit_once('-').unwrap();
        assert_eq!(start, expected);
        assert_eq!(hash.len(), "01234567.ndjson".len(), "{key}");
    }

    #[test]
    fn names_function_day_shard_and_first_record() {
        check(
            &[not_json("4959"), not_json("4960")],
            "quarantine/andon-quality-evaluator/2026/11/20/shardId-000000000006-4959",
        );
        check(
            &[malformed(), not_json("4960")],
            "quarantine/andon-quality-evaluator/2026/11/20/shardId-000000000006-4960",
        );
        check(
            &[malformed()],
            "quarantine/andon-quality-evaluator/unknown/unknown-unknown",
        );
        assert!(
            object_key(Fate::Parked, "f", &[not_json("1")]).starts_with("parked/f/2026/11/20/")
        );
    }

    #[test]
    fn nothing_in_a_record_escapes_its_part_of_the_key() {
        let mut record = not_json("../../1?x");
        record.shard = Some("a/b\n\u{d504}".repeat(200));
        let key = object_key(Fate::Parked, "f", &[record]);
        assert_eq!(key.matches('/').count(), 5, "{key}");
        assert!(key.is_ascii() && key.len() < 512, "{key}");
    }

    #[test]
    fn a_retry_has_the_same_key_and_other_records_another() {
        let key = |records: &[SetAside]| object_key(Fate::Quarantine, "f", records);
        let records = [not_json("1"), not_json("2")];
        let mut judged_again = records.clone();
        judged_again[1].reason = "no-machine".to_owned();
        assert_eq!(key(&records), key(&judged_again));

        let mut other_bytes = records.clone();
        other_bytes[1].data.push(b'x');
        let mut user_record = records.clone();
        user_record[0].sub_sequence_number = Some(0);
        for other in [&records[..1], &other_bytes, &user_record] {
            assert_ne!(key(&records), key(other));
        }
    }

    #[test]
    fn the_key_is_the_same_in_every_version() {
        assert_eq!(
            object_key(Fate::Quarantine, "f", &[not_json("1")]),
            "quarantine/f/2026/11/20/shardId-000000000006-1-d1bc93b0.ndjson"
        );
    }
}
