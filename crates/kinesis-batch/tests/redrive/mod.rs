//! Events that bring records back: a user record of an aggregate comes alone and under its own number.

use kinesis_batch::envelope::{Event, Record, write_user_record};
use kinesis_batch::{Batch, Field, MalformedReason, aggregate};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::records::{STREAM, decode, sound};

/// A record whose data are `e30=`, `{}`, with this as its sub-sequence number.
fn at(place: Value) -> Value {
    let mut record = sound("press-07", "102");
    record["kinesis"]["subSequenceNumber"] = place;
    record
}

/// The places of the user records, wherever `redrive` stands in the body.
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#[track_caller]
fn check(redrive: &str, records: &[Value], expected: &[Option<u64>]) {
    let records = json!(records);
    for body in [
        format!(r#"{{"redrive":{redrive},"Records":{records}}}"#),
        format!(r#"{{"Records":{records},"redrive":{redrive}}}"#),
    ] {
        let decoded = decode(body.as_bytes()).unwrap();
        let places: Vec<_> = decoded.users.iter().map(|user| user.1).collect();
        assert_eq!(places, expected, "{body}");
        assert_eq!(decoded.malformed, []);
    }
}

#[test]
fn a_user_record_comes_back_under_its_own_number() {
    check("true", &[at(json!(3))], &[Some(3)]);
    check(
        "true",
        &[sound("a", "101"), at(json!(0)), at(json!(u64::MAX))],
        &[None, Some(0), Some(u64::MAX)],
    );
    check("true", &[at(Value::Null)], &[None]);
}

#[test]
fn elsewhere_the_number_means_nothing() {
    for redrive in ["false", "null", "\"true\"", "1"] {
        check(redrive, &[at(json!(3)), at(json!("x"))], &[None, None]);
    }
    let alone = json!({"Records": [at(json!(3))]}).to_string();
    assert_eq!(decode(alone.as_bytes()).unwrap().users[0].1, None);
}

#[test]
fn a_number_that_is_none_costs_only_its_record() {
    for place in [json!("3"), json!(-1), json!(1.5), json!([3]), json!(1e3)] {
        let body =
            json!({"redrive": true, "Records": [sound("a", "101"), at(place), at(json!(4))]});
        let decoded = decode(body.to_string().as_bytes()).unwrap();
        assert_eq!(
            decoded.malformed,
            [(1, MalformedReason::WrongType(Field::SubSequenceNumber))]
        );
        assert_eq!(decoded.users.len(), 2);
    }
}

/// What was a user record once stays one, even if its bytes look like an aggregate.
#[test]
fn its_data_are_not_opened() {
    let inner = aggregate::encode([aggregate::Member {
        partition_key: "inner",
        explicit_hash_key: None,
        data: b"{}",
    }]);
    for (place, key, number) in [(Some(3), "press-07", 3), (None, "inner", 0)] {
        let body = redrive(&[(place, &inner)]);
        let mut buffer = Vec::new();
        let batch = Batch::decode(&body, &mut buffer).unwrap();
        let users: Vec<_> = batch.user_records().collect();
        assert_eq!(users.len(), 1);
        assert_eq!(users[0].partition_key, key);
        assert_eq!(users[0].sub_sequence_number, Some(number));
        assert!(users[0].aggregated);
    }
}

/// User records of one aggregate are records of their own here: each waits for itself alone.
#[test]
fn each_is_done_for_itself() {
    let body = redrive(&[(Some(0), b"a"), (Some(1), b"b")]);
    let mut buffer = Vec::new();
    let batch = Batch::decode(&body, &mut buffer).unwrap();
    let mut outcomes = batch.outcomes();
    outcomes.done(1);
    assert!(!outcomes.is_done(0) && outcomes.is_done(1));
    assert_eq!(outcomes.response().checkpoint(), Some("102"));
}

/// A second word on it, and nobody knows which counts.
#[test]
fn redrive_is_said_once() {
    for body in [
        r#"{"redrive":true,"Records":[],"redrive":true}"#,
        r#"{"redrive":true,"redrive":false,"Records":[]}"#,
    ] {
        assert!(decode(body.as_bytes()).is_err(), "{body}");
    }
}

fn redrive(records: &[(Option<u64>, &[u8])]) -> Vec<u8> {
    let mut event = Event::redrive();
    for (place, data) in records {
        let mut json = Vec::new();
        write_user_record(&mut json, &record(data), *place);
        event.push_json(&json);
    }
    event.finish()
}

fn record(data: &[u8]) -> Record<'_> {
    Record {
        source_arn: STREAM,
        region: "us-east-2",
        role_arn: "arn:aws:iam::123456789012:role/lambda-role",
        shard: "shardId-000000000006",
        sequence_number: "102",
        partition_key: "press-07",
        data,
        arrived_ms: 1_545_084_650_987,
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back(data in prop::collection::vec(any::<u8>(), 0..64), places in prop::collection::vec(any::<u64>(), 0..5)) {
        let records: Vec<_> = places.iter().map(|place| (Some(*place), data.as_slice())).collect();
        let body = redrive(&records);
        prop_assert!(serde_json::from_slice::<Value>(&body).is_ok());
        let mut buffer = Vec::new();
        let batch = Batch::decode(&body, &mut buffer).unwrap();
        prop_assert!(batch.is_redrive());
        let read: Vec<_> = batch.user_records().map(|user| (user.sub_sequence_number, user.data)).collect();
        prop_assert_eq!(read, records);
    }

    /// A broken record sends the batch down the slower path, which must read the others alike.
    #[test]
    fn both_paths_read_alike(places in prop::collection::vec(prop::option::of(any::<u64>()), 0..5)) {
        let records: Vec<_> = places.iter().map(|place| (*place, &b"{}"[..])).collect();
        let sound = String::from_utf8(redrive(&records)).unwrap();
        let broken = crate::with_a_broken_record(&sound, records.len());
        let (sound, broken) = (decode(sound.as_bytes()).unwrap(), decode(broken.as_bytes()).unwrap());
        prop_assert_eq!(&sound.users, &broken.users);
        prop_assert_eq!((sound.malformed.len(), broken.malformed.len()), (0, 1));
    }
}
