//! Parity with AWS's own library: every aggregate in `fixtures/` (`NAME.b64`, written by
//! `events/scripts/aggregate_fixtures.py`) decodes to the library's answer beside it (`NAME.json`).

#![expect(clippy::unwrap_used, reason = "a step that fails fails its test")]

use std::path::{Path, PathBuf};

use kinesis_batch::aggregate::{self, Member};
use serde::Deserialize;

/// A user record as the library read it.
#[derive(Debug, PartialEq, Deserialize)]
struct Answer {
    partition_key: String,
    explicit_hash_key: Option<String>,
    sub_sequence_number: Option<u64>,
    aggregated: bool,
    data: String,
}

fn cases() -> Vec<(PathBuf, Vec<u8>, Vec<Answer>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "b64"));
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let bytes = base64_simd::STANDARD.decode_to_vec(text.trim()).unwrap();
            let answers =
                serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap())
                    .unwrap();
            (path, bytes, answers)
        })
        .collect()
}

fn as_answers(bytes: &[u8]) -> Vec<Answer> {
    match aggregate::decode(bytes) {
        Some(members) => members
            .iter()
            .zip(0..)
            .map(|(member, place)| as_answer(member, place))
            .collect(),
        None => vec![Answer {
            partition_key: "outer".into(),
            explicit_hash_key: None,
            sub_sequence_number: None,
            aggregated: false,
            data: base64_simd::STANDARD.encode_to_string(bytes),
        }],
    }
}

fn as_answer(member: &Member<'_>, place: u64) -> Answer {
    Answer {
        partition_key: member.partition_key.into(),
        explicit_hash_key: member.explicit_hash_key.map(Into::into),
        sub_sequence_number: Some(place),
        aggregated: true,
        data: base64_simd::STANDARD.encode_to_string(member.data),
    }
}

#[test]
fn decodes_to_the_librarys_answers() {
    let cases = cases();
    assert!(cases.len() >= 10, "{} fixtures", cases.len());
    for (path, bytes, answers) in cases {
        assert_eq!(as_answers(&bytes), answers, "{}", path.display());
    }
}

#[test]
fn encodes_to_the_librarys_bytes() {
    for (path, bytes, _) in cases() {
        if let Some(members) = aggregate::decode(&bytes) {
            assert_eq!(aggregate::encode(members), bytes, "{}", path.display());
        }
    }
}

#[test]
fn the_fixtures_hold_both_kinds() {
    let aggregated = cases()
        .iter()
        .filter(|(_, _, answers)| answers.iter().all(|a| a.aggregated))
        .count();
    let plain = cases()
        .iter()
        .filter(|(_, _, answers)| answers.iter().all(|a| !a.aggregated))
        .count();
    assert!(
        aggregated >= 6 && plain >= 3,
        "{aggregated} aggregates, {plain} plain records"
    );
}
