//! Readings as they come: twice, in aggregates, on several shards, or unreadable.

use std::time::Duration;

use fake_aws::{Effect, Fault, Service, When};
use kinesis_batch::aggregate;
use lambda_function::deadline::Deadline;
use pipeline_tests::{Batches, Rig, overpowered, reading};
use quality_event::Transition;
use serde_json::json;

use crate::{commits, story};

#[tokio::test(start_paused = true)]
async fn a_replay_judges_nothing_twice() {
    let rig = Rig::new();
    let batch = rig
        .batches()
        .of(&[overpowered("press-1", 0), overpowered("press-2", 1)]);
    assert_eq!(
        (rig.judge(&batch).await, rig.judge(&batch).await),
        (None, None)
    );
    assert_eq!((rig.events().len(), commits(&rig)), (2, 2));
    assert_eq!(rig.metric("ReadingsReplayed", &[]), 2.0);
}

#[tokio::test(start_paused = true)]
async fn one_malformed_record_among_good_ones_costs_only_itself() {
    let rig = Rig::new();
    let good = |machine: &str| overpowered(machine, 0).to_string().into_bytes();
    let bad = b"{\"machine\":\"press-2\",\xff".to_vec();
    let batch = rig.batches().batch(&[
        ("press-1", good("press-1")),
        ("press-2", bad.clone()),
        ("press-3", good("press-3")),
    ]);
    assert_eq!(rig.judge(&batch).await, None, "empty batchItemFailures");
    assert_eq!((rig.events().len(), commits(&rig)), (2, 2));
    let quarantine = rig.quarantine();
    assert_eq!((quarantine.len(), &quarantine[0].data), (1, &bad));
    assert_eq!(
        quarantine[0].sequence_number.as_ref(),
        Some(&Batches::sequence_number(2))
    );
    assert_eq!(rig.metric("Quarantined", &[("reason", "not-json")]), 1.0);
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_unreadable_reading_is_set_aside_with_its_reason() {
    let mut no_time = reading("press-1", 0);
    no_time["time"] = json!("yesterday");
    let no_time = no_time.to_string();
    let cases: [(&[u8], &str); 5] = [
        (b"", "not-json"),
        (b"not json", "not-json"),
        (b"[1, 2]", "no-machine"),
        (b"{\"time\":\"2026-11-20T01:00:00Z\"}", "no-machine"),
        (no_time.as_bytes(), "bad-time"),
    ];
    for (payload, reason) in cases {
        let rig = Rig::new();
        assert_eq!(
            rig.judge(&rig.batches().batch(&[("press-1", payload)]))
                .await,
            None,
            "{reason}"
        );
        let quarantine = rig.quarantine();
        assert_eq!(
            (quarantine[0].reason.as_str(), quarantine[0].data.as_slice()),
            (reason, payload)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_quarantined_stays_in_front_of_the_checkpoint() {
    let rig = Rig::new();
    rig.world
        .fault(Fault::new(Service::S3, "PutObject").then(Effect::FailBefore));
    let good = overpowered("press-1", 0).to_string();
    let batch = rig.batches().batch(&[
        ("a", good.as_bytes()),
        ("b", b"junk"),
        ("c", good.as_bytes()),
    ]);
    assert_eq!(rig.judge(&batch).await, Some(Batches::sequence_number(2)));
    assert_eq!(commits(&rig), 1);
}

#[tokio::test(start_paused = true)]
async fn watermarks_are_kept_for_each_shard() {
    let rig = Rig::new();
    let late =
        Batches::new("shardId-000000000001", rig.world.now_ms()).of(&[overpowered("press-1", 9)]);
    let mut ahead = rig.batches();
    ahead.of(&vec![reading("press-9", 0); 500]);
    assert_eq!(
        rig.judge(&ahead.of(&[overpowered("press-1", 1)])).await,
        None
    );
    assert_eq!(
        rig.judge(&late).await,
        None,
        "its lower sequence number is another shard's"
    );
    assert_eq!(rig.metric("ReadingsReplayed", &[]), 0.0);
    assert_eq!(rig.events().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn user_records_of_an_aggregate_are_judged_and_checkpointed_by_their_parent() {
    let rig = Rig::new();
    let payloads = [
        overpowered("press-1", 0).to_string(),
        overpowered("press-2", 1).to_string(),
        reading("press-1", 2).to_string(),
    ];
    let members = payloads
        .iter()
        .zip(["press-1", "press-2", "press-1"])
        .map(|(data, key)| aggregate::Member {
            partition_key: key,
            explicit_hash_key: None,
            data: data.as_bytes(),
        });
    let data = aggregate::encode(members);
    let batch = rig.batches().batch(&[("a", data)]);
    rig.world.fault(
        Fault::new(Service::DynamoDb, "PutItem")
            .when(When::mentions("press-2"))
            .then(Effect::AccessDenied),
    );
    assert_eq!(rig.judge(&batch).await, Some(Batches::sequence_number(1)));
    rig.world.clear_faults();
    assert_eq!(rig.judge(&batch).await, None);
    let numbers: Vec<_> = rig
        .events()
        .iter()
        .map(|event| serde_json::to_value(&event.source).unwrap()["sub_sequence_number"].clone())
        .collect();
    assert_eq!(
        numbers.iter().filter(|number| **number == json!(2)).count(),
        1,
        "{numbers:?}"
    );
    assert_eq!(rig.metric("ReadingsReplayed", &[]), 2.0);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_no_kinesis_event_fails_the_invocation() {
    let rig = Rig::new();
    let evaluator = rig.evaluator().await.unwrap();
    assert!(
        evaluator
            .invoke(b"{}", "request", Rig::deadline())
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn another_streams_shard_is_another_shard() {
    let rig = Rig::new();
    let mut ahead = rig.batches();
    ahead.of(&vec![reading("press-9", 0); 50]);
    rig.judge(&ahead.of(&[overpowered("press-1", 1)])).await;
    let other = String::from_utf8(rig.batches().of(&[overpowered("press-1", 2)])).unwrap();
    rig.judge(
        other
            .replace("stream/readings", "stream/readings-2")
            .as_bytes(),
    )
    .await;
    assert_eq!(
        (rig.events().len(), rig.metric("ReadingsReplayed", &[])),
        (2, 0.0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_quarantine_that_does_not_answer_holds_up_no_good_record() {
    let rig = Rig::new();
    let evaluator = rig.evaluator().await.unwrap();
    rig.world
        .fault(Fault::new(Service::S3, "PutObject").then(Effect::TimeoutBefore));
    rig.answer_slowly(Service::DynamoDb, "BatchGetItem");
    let good = overpowered("press-1", 0).to_string();
    let body = rig
        .batches()
        .batch(&[("a", b"junk".as_slice()), ("b", good.as_bytes())]);
    evaluator
        .invoke(&body, "a", Deadline::after(Duration::from_secs(8)))
        .await
        .unwrap();
    assert_eq!(rig.events().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_its_producer_sends_twice_is_judged_once() {
    let rig = Rig::with_plan(
        &pipeline_tests::SCENARIO_PLAN.replace("time: /time,", "time: /time, id: /id,"),
    );
    let mut batches = rig.batches();
    let sent = |second, id: &str| {
        let mut reading = overpowered("press-1", second);
        reading["id"] = json!(id);
        reading
    };
    let first = batches.of(&[sent(0, "a"), sent(0, "a"), sent(1, "b")]);
    assert_eq!(rig.judge(&first).await, None);
    assert_eq!(
        rig.judge(&batches.of(&[sent(0, "a"), sent(2, "c")])).await,
        None
    );
    let told: Vec<_> = story(&rig)
        .into_iter()
        .map(|(.., transition)| transition)
        .collect();
    assert_eq!(
        told,
        [Transition::Opened, Transition::Ongoing, Transition::Ongoing]
    );
    assert_eq!(rig.metric("ReadingsDuplicate", &[]), 2.0);
    assert_eq!(rig.metric("ReadingsJudged", &[]), 3.0);
}
