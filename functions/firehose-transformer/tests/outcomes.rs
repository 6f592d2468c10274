//! Every payload has the outcome that the documentation gives it, and every record is answered once, in order, within the budget.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod batch;

use std::io::Write;
use std::sync::LazyLock;

use firehose_transformer::{MAX_PAYLOAD_BYTES, MAX_RESPONSE_BYTES, Outcome, transform};
use flate2::Compression;
use flate2::write::GzEncoder;
use lake_program::Program;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::batch::answers;

/// Keeps everything that is not told to go; `times` makes many of one.
static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
    Program::compile(
        "p",
        "%key = .key\nif .drop == true { abort }\nif exists(.pad) { .pad = replace!(.pad, \"x\", \"expanded\") }",
        r#"{"partition_keys": ["key"], "input": {"type": "object",
            "properties": {"drop": {"type": "boolean"}, "pad": {"type": "string"}}}}"#,
    )
    .unwrap()
});

/// A direct put's event with these payloads; the ids are the places.
fn event(payloads: &[&[u8]]) -> String {
    let records: Vec<_> = payloads
        .iter()
        .enumerate()
        .map(|(place, data)| {
            json!({"recordId": place.to_string(), "approximateArrivalTimestamp": 1_795_136_523_456_i64,
                "data": base64_simd::STANDARD.encode_to_string(data)})
        })
        .collect();
    json!({"invocationId": "i", "deliveryStreamArn": "arn:aws:firehose:eu-central-1:123456789012:deliverystream/lake",
        "region": "eu-central-1", "records": records})
    .to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn logs(message_type: &str, messages: &[&str]) -> Vec<u8> {
    let events: Vec<Value> = messages
        .iter()
        .enumerate()
        .map(|(id, message)| json!({"id": id.to_string(), "timestamp": 1_510_109_208_016_i64, "message": message}))
        .collect();
    gzip(
        json!({"messageType": message_type, "owner": "123456789012", "logGroup": "g", "logStream": "s",
            "subscriptionFilters": ["f"], "logEvents": events})
        .to_string()
        .as_bytes(),
    )
}

/// The one record's reason, or its rows.
fn outcome(data: &[u8]) -> String {
    let body = event(&[data]);
    let transformed = transform(&PROGRAM, body.as_bytes(), MAX_RESPONSE_BYTES).unwrap();
    let answer = &answers(&transformed)[0];
    match &transformed.outcomes[0] {
        Outcome::Ok => format!("{} {}", answer.partition["key"], answer.rows),
        Outcome::Dropped => "dropped".into(),
        Outcome::Failed { reason, .. } => (*reason).into(),
    }
}

#[track_caller]
fn check(data: &[u8], expected: &str) {
    assert_eq!(outcome(data), expected, "{}", String::from_utf8_lossy(data));
}

#[test]
fn every_payload_has_its_outcome() {
    check(br#"{"key":"a"}"#, "a {\"key\":\"a\"}\n");
    check(br#"{"key":"../a"}"#, "a {\"key\":\"../a\"}\n");
    check(br#"{"drop":true}"#, "dropped");
    check(b"", "empty");
    check(b"null", "not-as-declared");
    check(b"[]", "not-as-declared");
    check(b"plain text", "not-json");
    check(b"\xff\xfe", "not-json");
    check(br#"{"key":"a"#, "not-json");
    check("[".repeat(200).as_bytes(), "too-deep");
    check(
        format!("{{\"x\":{}}}", "[".repeat(1_000_000)).as_bytes(),
        "too-deep",
    );
}

#[test]
fn compressed_payloads_are_opened() {
    check(&gzip(br#"{"key":"a"}"#), "a {\"key\":\"a\"}\n");
    check(&gzip(b""), "empty");
    check(&gzip(b"text"), "not-json");
    check(&gzip(br#"{"key":"a"}"#)[..12], "not-gzip");
    check(b"\x1f\x8b", "not-gzip");
    let two_members = [gzip(br#"{"key":"#), gzip(br#""a"}"#)].concat();
    check(&two_members, "a {\"key\":\"a\"}\n");
}

#[test]
fn a_decompression_bomb_is_not_let_off() {
    check(&gzip(&vec![b' '; MAX_PAYLOAD_BYTES]), "empty");
    check(&gzip(&vec![b' '; MAX_PAYLOAD_BYTES + 1]), "too-large");
}

#[test]
fn log_events_are_rows_all_or_none() {
    check(
        &logs(
            "DATA_MESSAGE",
            &[r#"{"key":"a","n":1}"#, r#"{"key":"a","n":2}"#],
        ),
        "a {\"key\":\"a\",\"n\":1}\n{\"key\":\"a\",\"n\":2}\n",
    );
    check(
        &logs(
            "DATA_MESSAGE",
            &[r#"{"drop":true}"#, r#"{"key":"a"}"#, r#"{"drop":true}"#],
        ),
        "a {\"key\":\"a\"}\n",
    );
    check(&logs("DATA_MESSAGE", &[r#"{"drop":true}"#]), "dropped");
    check(&logs("DATA_MESSAGE", &[]), "dropped");
    check(
        &logs("CONTROL_MESSAGE", &["CWL CONTROL MESSAGE: Checking health"]),
        "dropped",
    );
    check(&logs("RUMOUR", &["{}"]), "message-type");
    check(
        &logs("DATA_MESSAGE", &[r#"{"key":"a"}"#, "START RequestId: 1"]),
        "not-json",
    );
    check(
        &logs("DATA_MESSAGE", &[r#"{"key":"a"}"#, r#"{"key":"b"}"#]),
        "several-partitions",
    );
}

#[test]
fn data_that_are_none_fail_their_record_alone() {
    let body = r#"{"records":[{"recordId":"1","data":"***"},{"recordId":"2"},{"recordId":"3","data":"e30="}]}"#;
    let transformed = transform(&PROGRAM, body.as_bytes(), MAX_RESPONSE_BYTES).unwrap();
    assert_eq!(
        transformed.response.get(),
        r#"{"records":[{"recordId":"1","result":"ProcessingFailed","data":""},{"recordId":"2","result":"ProcessingFailed","data":""},{"recordId":"3","result":"Ok","data":"e30K","metadata":{"partitionKeys":{"key":"unknown"}}}]}"#
    );
}

#[test]
fn an_event_without_records_has_an_answer() {
    let transformed = transform(&PROGRAM, br#"{"records":[]}"#, MAX_RESPONSE_BYTES).unwrap();
    assert_eq!(transformed.response.get(), r#"{"records":[]}"#);
}

#[test]
fn ids_are_answered_as_they_came() {
    let body = r#"{"records":[{"recordId":"\u0061\/\"프","data":"e30="}]}"#;
    let transformed = transform(&PROGRAM, body.as_bytes(), MAX_RESPONSE_BYTES).unwrap();
    assert!(
        transformed
            .response
            .get()
            .starts_with(r#"{"records":[{"recordId":"\u0061\/\"프","result":"Ok""#)
    );
}

/// Three megabytes that become 24: the answer stays under 6 MB, and what does not fit fails.
#[test]
fn rows_that_expand_stay_within_the_budget() {
    let pad = "x".repeat(10_000);
    let payload = format!("{{\"key\":\"a\",\"pad\":\"{pad}\"}}");
    let body = event(&vec![payload.as_bytes(); 300]);
    let transformed = transform(&PROGRAM, body.as_bytes(), MAX_RESPONSE_BYTES).unwrap();
    assert!(transformed.response.get().len() <= MAX_RESPONSE_BYTES);
    let ok = transformed
        .outcomes
        .iter()
        .filter(|outcome| **outcome == Outcome::Ok)
        .count();
    // 80,000 bytes of text, in base64.
    assert_eq!(ok, MAX_RESPONSE_BYTES / 106_800);
    assert_eq!(answers(&transformed).len(), 300);
}

fn payloads() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let payload = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        Just(br#"{"drop":true}"#.to_vec()),
        "[a-z]{0,30}".prop_map(|key| json!({"key": key}).to_string().into_bytes()),
        "x{0,60}".prop_map(|pad| json!({"pad": pad}).to_string().into_bytes()),
        "x{0,60}".prop_map(|pad| gzip(json!({"pad": pad}).to_string().as_bytes())),
        Just(logs("DATA_MESSAGE", &["{}", "{}"])),
    ];
    prop::collection::vec(payload, 0..12)
}

proptest! {
    #[test]
    fn every_record_is_answered_once_in_order_and_within_the_budget(payloads in payloads(), most in 0_usize..2_000) {
        let data: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
        let body = event(&data);
        let free = transform(&PROGRAM, body.as_bytes(), usize::MAX).unwrap();
        let tight = transform(&PROGRAM, body.as_bytes(), most).unwrap();
        let none: usize = (0..payloads.len()).map(|id| json!({"recordId": id.to_string(), "result": "ProcessingFailed", "data": ""}).to_string().len() + 1).sum();
        let least = r#"{"records":[]}"#.len() + none.saturating_sub(1);
        prop_assert!(tight.response.get().len() <= most.max(least));
        let (free_answers, tight_answers) = (answers(&free), answers(&tight));
        prop_assert_eq!(tight_answers.len(), payloads.len());
        let mut spent = false;
        for (place, (free, tight)) in free_answers.iter().zip(&tight_answers).enumerate() {
            prop_assert_eq!(&tight.id, &place.to_string());
            if tight != free {
                prop_assert_eq!(&tight.result, "ProcessingFailed");
                prop_assert_eq!(&free.result, "Ok", "only rows can be too many");
                spent = true;
            }
        }
        // While a row is weighed, each record behind it has the place of a failed one; a dropped one needs less.
        let dropped = free_answers.iter().filter(|answer| answer.result == "Dropped").count();
        let reserved = dropped * ("ProcessingFailed".len() - "Dropped".len());
        prop_assert!(!spent || free.response.get().len() + reserved > most);
    }

    /// At the boundary: the answer that fits to the byte is given in full, and one byte less fails exactly one record.
    #[test]
    fn the_budget_is_exact(pads in prop::collection::vec(10_usize..60, 1..8)) {
        let payloads: Vec<Vec<u8>> = pads.iter().map(|pad| json!({"pad": "x".repeat(*pad)}).to_string().into_bytes()).collect();
        let data: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
        let body = event(&data);
        let free = transform(&PROGRAM, body.as_bytes(), usize::MAX).unwrap();
        let length = free.response.get().len();
        let fits = transform(&PROGRAM, body.as_bytes(), length).unwrap();
        prop_assert_eq!(fits.response.get(), free.response.get());
        let short = transform(&PROGRAM, body.as_bytes(), length - 1).unwrap();
        let failed = short.outcomes.iter().filter(|outcome| **outcome != Outcome::Ok).count();
        prop_assert_eq!(failed, 1);
        prop_assert!(short.response.get().len() < length);
    }

    #[test]
    fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = transform(&PROGRAM, &body, MAX_RESPONSE_BYTES);
    }
}
