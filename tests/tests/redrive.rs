//! Redrive from end to end: what the functions set aside comes back through the functions themselves, and every record is
//! accounted for.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};

use andon::redrive::{Became, Held, Kind, Options, Queue, Report, write};
use fake_aws::{Effect, Fault, Service, When};
use kinesis_batch::aggregate::{Member, encode};
use pipeline_tests::bring_back::{InProcess, bring_back, bring_back_lines, bucket, redriver};
use pipeline_tests::{Batches, Rig, opened, overpowered};
use quality_event::Source;
use serde_json::{Value, json};

const TOO_LONG: i64 = 300_000;
const EXECUTE: Options = Options {
    execute: true,
    again: false,
};
const AGAIN: Options = Options {
    execute: true,
    again: true,
};

/// The lines of all objects of `kind`, with `edit` done to each.
async fn edited(rig: &Rig, kind: Kind, edit: impl Fn(&mut Value)) -> Vec<u8> {
    let bucket = bucket(rig);
    let mut held: Vec<Held> = Vec::new();
    for key in bucket.keys(kind).await.unwrap() {
        held.extend(bucket.read(&key).await.unwrap());
    }
    let lines = write(&held).unwrap();
    let lines = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let lines = lines.map(|line| {
        let mut line: Value = serde_json::from_slice(line).unwrap();
        edit(&mut line);
        line.to_string() + "\n"
    });
    lines.collect::<String>().into_bytes()
}

/// What lies on the quality-events stream, as a batch for its consumers.
fn events_batch(rig: &Rig) -> Vec<u8> {
    let records = rig.world.records("quality-events");
    let records: Vec<_> = records
        .iter()
        .map(|record| (record.partition_key.as_str(), record.data.clone()))
        .collect();
    rig.batches().batch(&records)
}

fn block_commits(rig: &Rig, machine: &str) {
    let table = Fault::new(Service::DynamoDb, "PutItem");
    let broken = table.when(When::mentions(machine));
    rig.world.fault(broken.then(Effect::FailBefore));
}

/// Sequence and sub-sequence number of what an event was found in.
fn place(event: &quality_event::QualityEvent) -> (String, Option<u64>) {
    match &event.source {
        Source::Stream {
            sequence_number,
            sub_sequence_number,
            ..
        } => (sequence_number.clone(), *sub_sequence_number),
        Source::File { .. } => panic!("an event of a stream"),
    }
}

/// Records 1 and 2 are plain, record 3 is an aggregate of three. All readings violate, so that each has an event; those
/// of press-2 are parked, one is junk.
async fn a_bad_shift(rig: &Rig) {
    let texts = [
        overpowered("press-1", 0).to_string(),
        overpowered("press-2", 1).to_string(),
        overpowered("press-2", 2).to_string(),
        overpowered("press-1", 3).to_string(),
    ];
    let member = |data| Member {
        partition_key: "press-2",
        explicit_hash_key: None,
        data,
    };
    let aggregate = encode([
        member(texts[2].as_bytes()),
        member(b"{\"machine\":\"press-1\""),
        member(texts[3].as_bytes()),
    ]);
    let batch = rig.batches().batch(&[
        ("press-1", texts[0].as_bytes()),
        ("press-2", texts[1].as_bytes()),
        ("press-2", &aggregate),
    ]);
    block_commits(rig, "press-2");
    rig.clock.advance(TOO_LONG);
    assert_eq!(rig.judge(&batch).await, None, "the shard goes on");
    rig.world.clear_faults();
    assert_eq!((rig.parked().len(), rig.quarantine().len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn whatever_was_set_aside_comes_back_and_every_reading_is_accounted_for() {
    let rig = Rig::new();
    a_bad_shift(&rig).await;
    let state = rig.world.items("state");

    let parked = bring_back(&rig, Kind::Parked, EXECUTE).await;
    assert_eq!(parked.sum(), [(Became::Judged, 2)].into());
    let junk = bring_back(&rig, Kind::Quarantine, EXECUTE).await;
    assert_eq!(junk.sum(), [(Became::Unreadable, 1)].into());
    assert_eq!(junk.records[0].reason.as_deref(), Some("not-json"));
    let fixed = overpowered("press-1", 9).to_string();
    let lines = edited(&rig, Kind::Quarantine, |line| {
        assert_eq!(line["text"], "{\"machine\":\"press-1\"");
        line["text"] = json!(fixed);
    });
    let edited = bring_back_lines(&rig, &lines.await, EXECUTE).await;
    assert_eq!(edited.sum(), [(Became::Judged, 1)].into());

    // Five readings, five places, each with its event under its own numbers.
    let places: BTreeSet<_> = rig.events().iter().map(place).collect();
    let number = Batches::sequence_number;
    let expected = [
        (number(1), None),
        (number(2), None),
        (number(3), Some(0)),
        (number(3), Some(1)),
        (number(3), Some(2)),
    ];
    assert_eq!(places, expected.into());
    assert_eq!(rig.world.items("state"), state, "state stays as it is");
    let late = rig.events().into_iter().filter(|event| event.late);
    assert_eq!(late.count(), 3);
}

/// Press-2's events were published before its state could not be written: brought back, they are the same events.
#[tokio::test(start_paused = true)]
async fn late_events_are_stored_where_none_are_and_alert_nobody() {
    let rig = Rig::new();
    a_bad_shift(&rig).await;
    let batch = events_batch(&rig);
    assert_eq!(rig.store(&batch).await, None);
    assert_eq!(rig.alert(&batch).await, None);
    let (stored, alerts) = (rig.world.items("events"), rig.alerts().len());
    assert!(!stored.is_empty() && alerts > 0);

    bring_back(&rig, Kind::Parked, EXECUTE).await;
    let fixed = overpowered("press-1", 9).to_string();
    let lines = edited(&rig, Kind::Quarantine, |line| line["text"] = json!(fixed));
    bring_back_lines(&rig, &lines.await, EXECUTE).await;
    let batch = events_batch(&rig);
    assert_eq!(rig.store(&batch).await, None);
    assert_eq!(rig.alert(&batch).await, None);

    let ids = |items: &[fake_aws::Item]| -> BTreeMap<String, bool> {
        let id = |item: &fake_aws::Item| item["id"].as_s().unwrap().to_owned();
        items
            .iter()
            .map(|item| (id(item), item.contains_key("late")))
            .collect()
    };
    let (before, after) = (ids(&stored), ids(&rig.world.items("events")));
    assert!(
        before.iter().all(|(id, late)| after[id] == *late),
        "they give way"
    );
    let added: Vec<_> = after
        .iter()
        .filter(|(id, _)| !before.contains_key(*id))
        .collect();
    assert!(
        !added.is_empty() && added.iter().all(|(_, late)| **late),
        "{added:?}"
    );
    assert_eq!(rig.alerts().len(), alerts);
    assert!(rig.line_stops().is_empty());
    assert_eq!(rig.metric("MessagesSuppressed", &[("reason", "late")]), 3.0);
}

#[tokio::test(start_paused = true)]
async fn bringing_records_back_twice_changes_nothing() {
    let rig = Rig::new();
    a_bad_shift(&rig).await;
    let aside: Vec<_> = [rig.parked(), rig.quarantine()].concat();
    bring_back(&rig, Kind::Parked, EXECUTE).await;
    let events = rig.events().len();
    assert_eq!(rig.store(&events_batch(&rig)).await, None);
    let items = rig.world.items("events");

    let report = bring_back(&rig, Kind::Parked, EXECUTE).await;
    assert_eq!(report.left_out, [(Became::Judged, 2)].into());
    assert_eq!(rig.events().len(), events, "nothing was invoked");

    let report = bring_back(&rig, Kind::Parked, AGAIN).await;
    assert_eq!(report.sum(), [(Became::Judged, 2)].into());
    let all = rig.events();
    let known: BTreeSet<_> = all[..events].iter().map(|event| event.id.clone()).collect();
    assert!(all[events..].iter().all(|event| known.contains(&event.id)));
    assert_eq!(rig.store(&events_batch(&rig)).await, None);
    assert_eq!(rig.world.items("events"), items);
    assert_eq!(
        [rig.parked(), rig.quarantine()].concat(),
        aside,
        "nothing is deleted"
    );
}

#[tokio::test(start_paused = true)]
async fn without_execute_nothing_happens() {
    let rig = Rig::new();
    a_bad_shift(&rig).await;
    let (events, objects) = (rig.events(), rig.world.objects("set-aside"));
    let report = bring_back(&rig, Kind::Parked, Options::default()).await;
    assert_eq!((report.calls.len(), report.calls[0].records), (1, 2));
    assert_eq!(rig.events(), events);
    assert_eq!(rig.world.objects("set-aside"), objects);
}

#[tokio::test(start_paused = true)]
async fn readings_whose_events_cannot_be_published_come_back_the_next_time() {
    let rig = Rig::new();
    a_bad_shift(&rig).await;
    let stream = Fault::new(Service::Kinesis, "PutRecords");
    rig.world.fault(stream.then(Effect::AccessDenied));
    let report = bring_back(&rig, Kind::Parked, EXECUTE).await;
    assert_eq!(report.sum(), [(Became::Failed, 2)].into());
    assert!(report.verdict().is_err());
    rig.world.clear_faults();
    let report = bring_back(&rig, Kind::Parked, EXECUTE).await;
    assert_eq!(report.sum(), [(Became::Judged, 2)].into());
    assert!(report.left_out.is_empty() && report.verdict().is_ok());
}

/// Lambda's record of a batch that it gave up.
fn given_up(function: &str, batch: &[u8]) -> Value {
    json!({
        "requestContext": {
            "requestId": "c9b8fa9f",
            "functionArn": format!("arn:aws:lambda:eu-central-1:123456789012:function:{function}"),
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 3,
        },
        "version": "1.0",
        "payload": String::from_utf8(batch.to_vec()).unwrap(),
    })
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_lambda_gave_up_comes_back_whole() {
    let rig = Rig::new();
    let texts = [overpowered("press-1", 0), overpowered("press-2", 1)].map(|one| one.to_string());
    let member = |text: &'static str| Member {
        partition_key: "press-3",
        explicit_hash_key: None,
        data: text.as_bytes(),
    };
    let aggregate = encode([member("{}"), member("junk")]);
    let batch = rig.batches().batch(&[
        ("press-1", texts[0].as_bytes()),
        ("press-2", texts[1].as_bytes()),
        ("press-3", &aggregate),
    ]);
    let batch = String::from_utf8(batch).unwrap();
    // A record that is none, as Lambda would never write it.
    let batch = batch.replace("{\"Records\":[", "{\"Records\":[{\"eventID\":7},");
    let key = "aws/lambda/50f67ad3/shardId-000000000000/2026/11/20/x";
    let object = given_up("quality-evaluator", batch.as_bytes());
    rig.world.put_object("set-aside", key, object.to_string());
    let report = bring_back(&rig, Kind::Failed, EXECUTE).await;
    let told: Vec<_> = report
        .records
        .iter()
        .map(|told| {
            let line = told.origin.as_ref().unwrap().line;
            (line, told.sub_sequence_number, told.outcome)
        })
        .collect();
    assert_eq!(
        told,
        [
            (1, None, Became::Unreadable),
            (2, None, Became::Judged),
            (3, None, Became::Judged),
            (4, Some(0), Became::Unreadable),
            (4, Some(1), Became::Unreadable),
        ]
    );
    assert_eq!(rig.events().len(), 2);
    assert!(rig.quarantine().is_empty(), "it lies in the failed batch");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_was_put_right_is_stored() {
    let rig = Rig::new();
    let event = opened("press-1", "power", 0).to_json();
    let event = String::from_utf8(event).unwrap();
    let broken = event.replace("\"critical\"", "\"grave\"");
    let batch = rig.batches().batch(&[("press-1", &broken)]);
    assert_eq!(rig.store(&batch).await, None);
    assert!(rig.world.items("events").is_empty());
    let report = bring_back(&rig, Kind::Quarantine, EXECUTE).await;
    assert_eq!(report.sum(), [(Became::Unreadable, 1)].into());
    let lines = edited(&rig, Kind::Quarantine, |line| line["text"] = json!(event));
    let report = bring_back_lines(&rig, &lines.await, EXECUTE).await;
    assert_eq!(report.sum(), [(Became::Done, 1)].into());
    assert_eq!(rig.world.items("events").len(), 1);
    assert_eq!(rig.quarantine().len(), 1, "what was set aside stays there");
}

#[tokio::test(start_paused = true)]
async fn pointers_of_a_queue_are_read_back_from_the_stream() {
    let rig = Rig::new();
    let batch = rig.batches().of(&[overpowered("press-1", 0)]);
    assert_eq!(rig.judge(&batch).await, None);
    let stored = rig.world.records("quality-events");
    let mut message = given_up("dynamodb-writer", b"");
    message.as_object_mut().unwrap().remove("payload");
    message["KinesisBatchInfo"] = json!({
        "shardId": stored[0].shard,
        "startSequenceNumber": stored[0].sequence_number,
        "endSequenceNumber": stored[0].sequence_number,
        "batchSize": 1,
        "streamArn": "arn:aws:kinesis:eu-central-1:123456789012:stream/quality-events",
    });
    let sdk = rig.world.sdk_config();
    let (url, client) = (
        rig.world.create_queue("failed"),
        aws_sdk_sqs::Client::new(&sdk),
    );
    let send = client.send_message().queue_url(&url);
    send.message_body(message.to_string()).send().await.unwrap();

    let (bucket, invoker) = (bucket(&rig), InProcess(&rig));
    let redriver = redriver(&rig, &bucket, &invoker, EXECUTE);
    let (queue, streams) = (Queue::new(client, &url), aws_sdk_kinesis::Client::new(&sdk));
    let mut report = Report::default();
    let drained = redriver.queue(&queue, &streams, |_| true, &mut report);
    assert_eq!(drained.await.unwrap(), 1);
    assert_eq!(report.sum(), [(Became::Done, 1)].into());
    assert_eq!(rig.world.items("events").len(), 1);
    assert!(rig.world.messages(&url).is_empty());
}
