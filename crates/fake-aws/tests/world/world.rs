//! The world itself: its log, its clock, its sameness from run to run.

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use aws_sdk_kinesis::primitives::Blob;
use fake_aws::{Call, Effect, Fault, Item, Record, Service, When, World};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::dynamodb::s;

/// Everything that a run leaves behind.
async fn run() -> (Vec<Call>, Vec<Record>, Vec<Item>) {
    let world = World::default();
    world.create_stream("quality-events", 3);
    world.create_table("events", "machine", Some("time_id"));
    world.fault(
        Fault::new(Service::Kinesis, "*")
            .when(When::nth(2))
            .then(Effect::FailAfter),
    );
    world.fault(
        Fault::new(Service::DynamoDb, "*")
            .when(When::mentions("press-03"))
            .then(Effect::TimeoutAfter),
    );
    let config = world.sdk_config();
    let kinesis = aws_sdk_kinesis::Client::new(&config);
    let dynamodb = aws_sdk_dynamodb::Client::new(&config);
    for machine in 0..6 {
        let machine = format!("press-{machine:02}");
        let put = kinesis
            .put_record()
            .stream_name("quality-events")
            .partition_key(&machine);
        put.data(Blob::new(format!("{{\"machine\":\"{machine}\"}}")))
            .send()
            .await
            .unwrap();
        let item = PutRequest::builder()
            .item("machine", s(&machine))
            .item("time_id", s("t"))
            .build()
            .unwrap();
        let write = dynamodb.batch_write_item();
        let write = write.request_items(
            "events",
            vec![WriteRequest::builder().put_request(item).build()],
        );
        drop(tokio::time::timeout(Duration::from_secs(3), write.send()).await);
    }
    (
        world.calls(),
        world.records("quality-events"),
        world.items("events"),
    )
}

#[tokio::test(start_paused = true)]
async fn two_runs_leave_the_same_behind() {
    let (first, second) = (run().await, run().await);
    assert_eq!(first, second);
    assert_eq!(first.0.len(), 13, "one retry");
    assert_eq!(
        (first.1.len(), first.2.len()),
        (7, 6),
        "the failed put had happened"
    );
}

#[tokio::test]
async fn the_log_says_who_called_what_about_what() {
    let world = World::default();
    world.create_stream("readings", 1);
    let client = aws_sdk_kinesis::Client::new(&world.sdk_config());
    client
        .put_record()
        .stream_name("readings")
        .partition_key("press-07")
        .data(Blob::new("{\"torque\":1}"))
        .send()
        .await
        .unwrap();
    let calls = world.calls_to(Service::Kinesis, "PutRecord");
    let call = &calls[0];
    assert_eq!(
        (call.number, call.at_ms, call.attempt),
        (1, 1_795_136_400_000, 1)
    );
    assert_eq!(
        (call.resource.as_str(), call.parts[0].key.as_str()),
        ("readings", "press-07")
    );
    assert!(call.mentions("torque") && call.succeeded());
    assert_eq!(
        world.now_ms(),
        1_795_136_400_001,
        "a call takes a millisecond"
    );
}

#[tokio::test]
async fn time_may_come_from_outside() {
    let now_ms = Arc::new(AtomicI64::new(1_000_000));
    let clock = Arc::clone(&now_ms);
    let world = World::with_clock(move || clock.load(Ordering::Relaxed));
    world.create_stream("readings", 1);
    let client = aws_sdk_kinesis::Client::new(&world.sdk_config());
    for at_ms in [1_000_000, 1_000_000, 2_000_000] {
        now_ms.store(at_ms, Ordering::Relaxed);
        client
            .put_record()
            .stream_name("readings")
            .partition_key("a")
            .data(Blob::new("x"))
            .send()
            .await
            .unwrap();
    }
    let arrived: Vec<_> = world
        .records("readings")
        .into_iter()
        .map(|record| record.arrived_ms)
        .collect();
    assert_eq!(arrived, [1_000_000, 1_000_000, 2_000_000]);
}

#[test]
fn time_to_live_deletes_what_is_over_and_only_when_told() {
    let world = World::default();
    world.create_table("claims", "claim", None);
    let now_s = world.now_ms() / 1000;
    for (claim, expires_at) in [
        ("over", Some(now_s - 1)),
        ("live", Some(now_s + 60)),
        ("for-ever", None),
    ] {
        let mut item = Item::from([("claim".into(), claim.into())]);
        item.extend(expires_at.map(|at| ("expires_at".to_owned(), at.into())));
        world.put_item("claims", item);
    }
    assert_eq!(world.items("claims").len(), 3);
    assert_eq!(world.expire_items("claims", "expires_at"), 1);
    assert_eq!(world.item("claims", "over", None), None);
}

#[test]
#[should_panic(expected = "the world has no table \"nowhere\"")]
fn asking_for_what_was_never_created_is_a_faulty_test() {
    World::default().items("nowhere");
}
