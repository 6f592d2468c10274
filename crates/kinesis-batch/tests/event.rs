//! Lambda's event, decoded: AWS's published example field by field, then what else an event may hold.

mod records;
mod redrive;

use kinesis_batch::envelope::{Event, Record};
use kinesis_batch::{Batch, UserRecord, aggregate};
use proptest::prelude::*;
use records::{STREAM, alone, between_sound_ones, decode, sound};
use serde_json::json;

const SAMPLE: &[u8] = include_bytes!("../../../events/kinesis/aws-sample.json");
const FIRST: &str = "49590338271490256608559692538361571095921575989136588898";
const SECOND: &str = "49590338271490256608559692540925702759324208523137515618";

fn sample_record(
    sequence_number: &'static str,
    data: &'static [u8],
    arrived_ms: i64,
) -> Record<'static> {
    Record {
        source_arn: STREAM,
        region: "us-east-2",
        role_arn: "arn:aws:iam::123456789012:role/lambda-role",
        shard: "shardId-000000000006",
        sequence_number,
        partition_key: "1",
        data,
        arrived_ms,
    }
}

#[test]
fn awss_example_field_by_field() {
    let mut buffer = Vec::new();
    let batch = Batch::decode(SAMPLE, &mut buffer).unwrap();
    let record = |parent, sequence_number, data, arrived_ms| UserRecord {
        parent,
        stream_arn: STREAM,
        shard: "shardId-000000000006",
        sequence_number,
        sub_sequence_number: None,
        partition_key: "1".into(),
        explicit_hash_key: None,
        arrived_ms,
        data,
        aggregated: false,
    };
    let expected = [
        record(0, FIRST, &b"Hello, this is a test."[..], 1_545_084_650_987),
        record(1, SECOND, b"This is only a test.", 1_545_084_711_166),
    ];
    assert!(batch.user_records().eq(&expected));
    assert_eq!(
        (
            batch.len(),
            batch.is_empty(),
            batch.malformed().len(),
            batch.is_redrive()
        ),
        (2, false, 0, false)
    );
    let id = expected[0].id();
    assert_eq!(
        (id.stream_arn.as_str(), id.shard.as_str()),
        (STREAM, "shardId-000000000006")
    );
    assert_eq!(
        (id.sequence_number.as_str(), id.sub_sequence_number),
        (FIRST, None)
    );
}

#[test]
fn the_written_envelope_is_awss_example() {
    let mut event = Event::new();
    event.push(&sample_record(
        FIRST,
        b"Hello, this is a test.",
        1_545_084_650_987,
    ));
    event.push(&sample_record(
        SECOND,
        b"This is only a test.",
        1_545_084_711_166,
    ));
    let written = event.finish();
    // None of the example's strings holds a space.
    let compact: String = std::str::from_utf8(SAMPLE)
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(String::from_utf8(written).unwrap(), compact);
}

#[test]
fn what_is_written_reads_back() {
    let mut event = Event::new();
    let key = "프레스 \"07\"\n\\";
    event.push(&Record {
        partition_key: key,
        ..sample_record("7", &[0, 159, 255], 1_607_497_475_000)
    });
    let body = event.finish();
    let mut buffer = Vec::new();
    let batch = Batch::decode(&body, &mut buffer).unwrap();
    let user = batch.user_records().next().unwrap();
    assert_eq!(
        (user.partition_key.as_ref(), user.data, user.arrived_ms),
        (key, &[0, 159, 255][..], 1_607_497_475_000)
    );
}

#[test]
fn an_empty_batch_is_fine() {
    for body in [r#"{"Records":[]}"#, " {\n\"Records\" : [ ] } "] {
        let mut buffer = Vec::new();
        let batch = Batch::decode(body.as_bytes(), &mut buffer).unwrap();
        assert!(batch.is_empty() && batch.outcomes().response().checkpoint().is_none());
    }
}

#[test]
fn what_has_no_records_is_no_batch() {
    let bodies: [&[u8]; 14] = [
        b"",
        b"null",
        b"[]",
        b"[[]]",
        b"7",
        b"{}",
        br#"{"records":[]}"#,
        br#"{"Records":null}"#,
        br#"{"Records":{}}"#,
        br#"{"Records":"[]"}"#,
        br#"{"Records":[}"#,
        br#"{"Records":[]} trailing"#,
        br#"{"Records":[],"Records":[]}"#,
        b"{\"Records\":[\"\xFF\"]}",
    ];
    for body in bodies {
        assert!(decode(body).is_err(), "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn unknown_fields_are_ignored() {
    let mut record = sound("key", "102");
    record["kinesis"]["encryptionType"] = json!({"deep": [[[1.5e300]]]});
    record["extra"] = json!([null, true]);
    let body = json!({
        "Records": [record], "window": {"start": "2020-12-09T07:04:00Z"}, "state": {"1": 282},
        "shardId": "shardId-000000000006", "isFinalInvokeForWindow": false,
    });
    let decoded = decode(body.to_string().as_bytes()).unwrap();
    assert_eq!((decoded.users.len(), decoded.malformed.len()), (1, 0));
}

#[test]
fn only_what_is_needed_is_demanded() {
    let mut record = sound("key", "102");
    for unneeded in [
        "eventSource",
        "eventVersion",
        "eventName",
        "invokeIdentityArn",
        "awsRegion",
    ] {
        record.as_object_mut().unwrap().remove(unneeded);
    }
    record["kinesis"]
        .as_object_mut()
        .unwrap()
        .remove("kinesisSchemaVersion");
    assert_eq!(decode(&alone(&record)).unwrap().users.len(), 1);
}

#[test]
fn escapes_are_undone_wherever_they_stand() {
    let record = r#"{"kinesis":{"partition\u004bey":"\ud504\ub808\uc2a4\/07","sequenceNumber":"\u00310\u0032","data":"\/\/79",
        "approximateArrivalTimestamp":1545084650.987},"eventID":"shardId\u002d1:102",
        "eventSourceARN":"arn:aws:kinesis:us-east-2:123456789012:stream\/readings\/consumer\/a:1"}"#;
    let body = between_sound_ones(record);
    let mut buffer = Vec::new();
    let batch = Batch::decode(&body, &mut buffer).unwrap();
    let user = batch.user_records().nth(1).unwrap();
    assert_eq!(
        (
            user.partition_key.as_ref(),
            user.sequence_number,
            user.shard
        ),
        ("프레스/07", "102", "shardId-1")
    );
    assert_eq!(user.data, [0xFF, 0xFE, 0xFD]);
    assert_eq!(
        user.stream_arn,
        "arn:aws:kinesis:us-east-2:123456789012:stream/readings"
    );
    assert_eq!(batch.malformed(), []);
}

#[test]
fn of_a_field_that_stands_twice_the_last_counts() {
    let record = sound("key", "102").to_string().replacen(
        "\"partitionKey\":",
        "\"partitionKey\":\"first\",\"partitionKey\":",
        1,
    );
    assert_eq!(
        decode(&between_sound_ones(&record)).unwrap().users[1].2,
        "key"
    );
}

#[test]
fn redrive_is_a_word_beside_the_records() {
    for (redrive, expected) in [
        ("true", true),
        ("false", false),
        ("null", false),
        ("\"true\"", false),
        ("1", false),
    ] {
        for record in [sound("key", "1").to_string(), "7".to_owned()] {
            let body = format!(r#"{{"redrive":{redrive},"Records":[{record}]}}"#);
            let mut buffer = Vec::new();
            assert_eq!(
                Batch::decode(body.as_bytes(), &mut buffer)
                    .unwrap()
                    .is_redrive(),
                expected,
                "{body}"
            );
        }
    }
}

#[test]
fn one_buffer_serves_batch_after_batch() {
    let mut buffer = Vec::new();
    for (key, data) in [
        ("long", "bG9uZyBkYXRhIGluIHRoZSBidWZmZXI="),
        ("short", "eA=="),
        ("none", ""),
    ] {
        let mut record = sound(key, "1");
        record["kinesis"]["data"] = json!(data);
        let body = alone(&record);
        let batch = Batch::decode(&body, &mut buffer).unwrap();
        let user = batch.user_records().next().unwrap();
        assert_eq!(
            user.data,
            base64_simd::STANDARD.decode_to_vec(data).unwrap()
        );
    }
    let kept = buffer.capacity();
    Batch::decode(&alone(&sound("key", "1")), &mut buffer).unwrap();
    assert_eq!(buffer.capacity(), kept);
}

#[test]
fn an_aggregate_is_opened_in_place_and_mapped_to_its_parent() {
    let member = |partition_key, data| aggregate::Member {
        partition_key,
        explicit_hash_key: Some("5"),
        data,
    };
    let packed = aggregate::encode([member("a", &b"1"[..]), member("b", b"2")]);
    let mut event = Event::new();
    event.push(&sample_record("101", b"plain", 1));
    event.push(&Record {
        partition_key: "outer",
        data: &packed,
        ..sample_record("102", b"", 2)
    });
    event.push(&sample_record("103", b"plain", 3));
    let body = event.finish();
    let mut buffer = Vec::new();
    let batch = Batch::decode(&body, &mut buffer).unwrap();
    let read: Vec<_> = batch
        .user_records()
        .map(|u| {
            (
                u.parent,
                u.sequence_number,
                u.sub_sequence_number,
                u.partition_key.as_ref(),
                u.arrived_ms,
            )
        })
        .collect();
    let expected = [
        (0, "101", None, "1", 1),
        (1, "102", Some(0), "a", 2),
        (1, "102", Some(1), "b", 2),
        (2, "103", None, "1", 3),
    ];
    assert_eq!(read, expected);
    assert_eq!(
        batch.user_records().filter(|user| user.aggregated).count(),
        2
    );

    let mut outcomes = batch.outcomes();
    [0, 1, 2].iter().for_each(|&parent| outcomes.done(parent));
    assert_eq!(
        outcomes.response().checkpoint(),
        Some("102"),
        "its second user record is not done"
    );
    outcomes.done(1);
    assert_eq!(outcomes.response().checkpoint(), None);
}

#[test]
fn lines_hold_what_a_reader_wants() {
    let member = |explicit_hash_key| aggregate::Member {
        partition_key: "a",
        explicit_hash_key,
        data: b"{}",
    };
    let packed = aggregate::encode([member(None), member(Some("5"))]);
    let mut event = Event::new();
    event.push(&sample_record("101", b"{}", 1));
    event.push(&sample_record("102", b"", 2));
    let body = event.finish();
    let body = String::from_utf8(body).unwrap().replace(
        "\"data\":\"\"",
        &format!(
            "\"data\":{}",
            json!(base64_simd::STANDARD.encode_to_string(&packed))
        ),
    );
    let (mut buffer, mut lines) = (Vec::new(), Vec::new());
    Batch::decode(body.as_bytes(), &mut buffer)
        .unwrap()
        .write_lines(&mut lines)
        .unwrap();
    let expected = concat!(
        r#"{"partition_key":"1","explicit_hash_key":null,"sequence_number":"101","sub_sequence_number":null,"aggregated":false,"data":"e30="}"#,
        "\n",
        r#"{"partition_key":"a","explicit_hash_key":null,"sequence_number":"102","sub_sequence_number":0,"aggregated":true,"data":"e30="}"#,
        "\n",
        r#"{"partition_key":"a","explicit_hash_key":"5","sequence_number":"102","sub_sequence_number":1,"aggregated":true,"data":"e30="}"#,
        "\n",
    );
    assert_eq!(String::from_utf8(lines).unwrap(), expected);
}

#[test]
fn a_truncated_body_is_no_batch() {
    for end in 0..SAMPLE.trim_ascii_end().len() {
        assert!(decode(&SAMPLE[..end]).is_err(), "cut at {end}");
    }
}

/// The event with one more record, which is none.
#[expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
fn with_a_broken_record(event: &str, records: usize) -> String {
    let open = event.strip_suffix("]}").unwrap();
    format!("{open}{}0]}}", if records == 0 { "" } else { "," })
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&body);
    }

    /// A byte of the example changed: if the event is still one, every record is accounted for.
    #[test]
    fn no_record_is_lost_to_another(at in 0..SAMPLE.len(), byte: u8) {
        let mut body = SAMPLE.to_vec();
        body[at] = byte;
        if let Ok(decoded) = decode(&body) {
            let mut parents: Vec<_> = decoded.users.iter().map(|user| user.0).chain(decoded.malformed.iter().map(|m| m.0)).collect();
            parents.sort_unstable();
            prop_assert!(parents.iter().copied().eq(0..parents.len()));
        }
    }

    /// A broken record sends the batch down the slower path, which must read the others alike.
    #[test]
    fn both_paths_read_alike(keys in prop::collection::vec(any::<String>(), 0..5), data in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut event = Event::new();
        for key in &keys {
            event.push(&Record { partition_key: key, data: &data, ..sample_record("5", b"", 77) });
        }
        let sound = String::from_utf8(event.finish()).unwrap();
        let broken = with_a_broken_record(&sound, keys.len());
        let (sound, broken) = (decode(sound.as_bytes()).unwrap(), decode(broken.as_bytes()).unwrap());
        prop_assert_eq!(&sound.users, &broken.users);
        prop_assert_eq!((sound.malformed.len(), broken.malformed.len()), (0, 1));
    }
}
