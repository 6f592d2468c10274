//! Every way in which a record can be broken: each costs that record alone.

#![expect(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod records;

use kinesis_batch::{Batch, Field, MalformedReason};
use proptest::prelude::*;
use records::{STREAM, alone, between_sound_ones, decode, sound};
use serde_json::{Value, json};

/// The record stands between two sound ones, which it must not cost.
#[track_caller]
fn check_malformed(record: &str, expected: MalformedReason) {
    let body = between_sound_ones(record);
    let mut buffer = Vec::new();
    let batch = Batch::decode(&body, &mut buffer).unwrap();
    let keys: Vec<_> = batch
        .user_records()
        .map(|user| (user.parent, user.partition_key.as_ref()))
        .collect();
    assert_eq!(keys, [(0, "before"), (2, "after")], "{record}");
    let [malformed] = batch.malformed() else {
        panic!("one malformed record: {:?} in {record}", batch.malformed())
    };
    assert_eq!(
        (malformed.parent, malformed.reason),
        (1, expected),
        "{record}"
    );
    assert_eq!(malformed.raw, record.as_bytes());

    let mut outcomes = batch.outcomes();
    outcomes.done(0);
    outcomes.done(2);
    let checkpoint = malformed.sequence_number.unwrap_or("101");
    assert_eq!(
        outcomes.response().checkpoint(),
        Some(checkpoint),
        "{record}"
    );
    outcomes.done(1);
    assert_eq!(outcomes.response().checkpoint(), None, "{record}");
}

const FIELDS: [(Field, &str); 7] = [
    (Field::Kinesis, "/kinesis"),
    (Field::SequenceNumber, "/kinesis/sequenceNumber"),
    (Field::PartitionKey, "/kinesis/partitionKey"),
    (Field::Data, "/kinesis/data"),
    (
        Field::ApproximateArrivalTimestamp,
        "/kinesis/approximateArrivalTimestamp",
    ),
    (Field::EventId, "/eventID"),
    (Field::EventSourceArn, "/eventSourceARN"),
];

#[test]
fn a_missing_field() {
    for (field, pointer) in FIELDS {
        let mut record = sound("key", "102");
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        record
            .pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(name)
            .unwrap();
        check_malformed(&record.to_string(), MalformedReason::Missing(field));
    }
}

#[test]
fn a_field_of_another_type() {
    for (field, pointer) in FIELDS {
        for wrong in [
            json!(null),
            json!(true),
            json!([1, "2"]),
            json!({"a": []}),
            json!("text"),
            json!(-1.5),
        ] {
            let fits = match field {
                Field::Kinesis => wrong.is_object(),
                Field::ApproximateArrivalTimestamp => wrong.is_number(),
                _ => wrong.is_string(),
            };
            if !fits {
                let mut record = sound("key", "102");
                *record.pointer_mut(pointer).unwrap() = wrong;
                check_malformed(&record.to_string(), MalformedReason::WrongType(field));
            }
        }
    }
}

#[test]
fn a_record_that_is_no_object() {
    for record in [
        "null",
        "7",
        "\"text\"",
        "[]",
        "[[\"1\",\"k\",\"e30=\",1.5],\"s:1\",\"arn\"]",
        "1e999",
        "\"\\ud800\"",
    ] {
        check_malformed(record, MalformedReason::NotAnObject);
    }
    check_malformed(
        &format!("{}{}", "[".repeat(500), "]".repeat(500)),
        MalformedReason::NotAnObject,
    );
}

#[test]
fn text_that_is_not_unicode() {
    let record = sound("KEY", "102").to_string().replace("KEY", r"\ud800");
    check_malformed(&record, MalformedReason::WrongType(Field::PartitionKey));
}

#[test]
fn data_that_is_not_base64() {
    for data in [
        "e30", "e30=e30=", "e3 0=", "!!!!", "=", "e30=\n", "e30-", "가",
    ] {
        let mut record = sound("key", "102");
        record["kinesis"]["data"] = json!(data);
        check_malformed(&record.to_string(), MalformedReason::BadBase64);
    }
}

#[test]
fn an_arrival_time_out_of_range() {
    for time in ["-1", "1e400", "1e18", "253402207201"] {
        let record = sound("key", "102")
            .to_string()
            .replace("1545084650.987", time);
        check_malformed(&record, MalformedReason::BadArrivalTime);
    }
}

#[test]
fn a_sequence_number_that_is_none() {
    for number in ["", "-5", "0x10", "10 ", "١"] {
        check_malformed(
            &sound("key", number).to_string(),
            MalformedReason::BadSequenceNumber,
        );
    }
}

#[test]
fn an_event_id_without_shard() {
    for id in ["", "102", ":102"] {
        let mut record = sound("key", "102");
        record["eventID"] = json!(id);
        check_malformed(&record.to_string(), MalformedReason::BadEventId);
    }
}

#[test]
fn what_can_be_read_of_a_malformed_record_is_kept() {
    let mut record = sound("key", "102");
    record["eventSourceARN"] = json!(format!("{STREAM}/consumer/evaluator:1700000000"));
    for fault in [json!(5), json!("not base64")] {
        record["kinesis"]["data"] = fault;
        let body = alone(&record);
        let mut buffer = Vec::new();
        let batch = Batch::decode(&body, &mut buffer).unwrap();
        let malformed = &batch.malformed()[0];
        assert_eq!(malformed.sequence_number, Some("102"));
        assert_eq!(malformed.shard, Some("shardId-000000000006"));
        assert_eq!(malformed.stream_arn, Some(STREAM));
    }
}

#[test]
fn reasons_read_well() {
    let check = |reason: MalformedReason, word: &str, text: &str| {
        assert_eq!((reason.as_str(), reason.to_string().as_str()), (word, text));
    };
    check(
        MalformedReason::Missing(Field::EventId),
        "missing-field",
        "eventID is missing",
    );
    check(
        MalformedReason::WrongType(Field::Data),
        "wrong-type",
        "kinesis.data has the wrong type",
    );
    check(
        MalformedReason::BadBase64,
        "bad-base64",
        "kinesis.data is not base64",
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let name = prop_oneof![
            Just("kinesis".to_owned()),
            Just("data".to_owned()),
            any::<String>()
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..4).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    /// One field replaced by anything: the neighbours are read as ever.
    #[test]
    fn whatever_stands_in_a_field_its_neighbours_are_read(index in 0..FIELDS.len(), value in any_json()) {
        let mut record = sound("key", "102");
        *record.pointer_mut(FIELDS[index].1).unwrap() = value;
        let decoded = decode(&between_sound_ones(&record.to_string())).unwrap();
        prop_assert_eq!(decoded.users.len() + decoded.malformed.len(), 3);
        prop_assert_eq!(decoded.users[0].2.as_str(), "before");
        prop_assert_eq!(decoded.users.last().unwrap().2.as_str(), "after");
    }
}
