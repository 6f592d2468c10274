//! BatchGetItem and BatchWriteItem.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeValue, DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest,
};
use fake_aws::{Effect, Fault, Item, Parts, Service, World};

use crate::dynamodb::{n, s};

fn world() -> (World, Client) {
    let world = World::default();
    world.create_table("state", "machine", None);
    world.create_table("events", "machine", Some("time_id"));
    let client = Client::new(&world.sdk_config());
    (world, client)
}

fn put(machine: &str) -> WriteRequest {
    let put = PutRequest::builder()
        .item("machine", s(machine))
        .item("version", n(1))
        .build()
        .unwrap();
    WriteRequest::builder().put_request(put).build()
}

fn delete(machine: &str) -> WriteRequest {
    let delete = DeleteRequest::builder()
        .key("machine", s(machine))
        .build()
        .unwrap();
    WriteRequest::builder().delete_request(delete).build()
}

fn machines(items: &[Item]) -> Vec<String> {
    items
        .iter()
        .filter_map(|item| item["machine"].as_s().map(str::to_owned))
        .collect()
}

fn keys(machines: &[&str]) -> KeysAndAttributes {
    let key = |machine: &&str| HashMap::from([("machine".to_owned(), s(machine))]);
    KeysAndAttributes::builder()
        .set_keys(Some(machines.iter().map(key).collect()))
        .consistent_read(true)
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_batch_puts_and_deletes_in_several_tables() {
    let (world, client) = world();
    world.put_item("state", Item::from([("machine".into(), "gone".into())]));
    let event = PutRequest::builder()
        .item("machine", s("a"))
        .item("time_id", s("t#1"))
        .build()
        .unwrap();
    let output = client
        .batch_write_item()
        .request_items("state", vec![put("b"), put("a"), delete("gone")])
        .request_items(
            "events",
            vec![WriteRequest::builder().put_request(event).build()],
        )
        .send()
        .await
        .unwrap();
    assert_eq!(output.unprocessed_items, Some(HashMap::new()));
    assert_eq!(machines(&world.items("state")), ["a", "b"]);
    assert_eq!(world.items("events").len(), 1);
}

#[tokio::test]
async fn what_is_no_batch_is_refused_as_a_whole() {
    let (world, client) = world();
    let many = |count: usize| {
        (0..count)
            .map(|i| put(&format!("m{i:02}")))
            .collect::<Vec<_>>()
    };
    let big = |machine: &str| {
        let item = PutRequest::builder()
            .item("machine", s(machine))
            .item("v", s(&"x".repeat(400 * 1024)));
        WriteRequest::builder()
            .put_request(item.build().unwrap())
            .build()
    };
    for (requests, message) in [
        (
            many(26),
            "Too many items requested for the BatchWriteItem call",
        ),
        (vec![], "Member must have length greater than or equal to 1"),
        (
            vec![put("a"), put("a")],
            "Provided list of item keys contains duplicates",
        ),
        (
            vec![put("a"), delete("a")],
            "Provided list of item keys contains duplicates",
        ),
        (
            vec![put("a"), put("")],
            "cannot contain an empty string value. Key: machine",
        ),
        (
            vec![put("a"), big("b")],
            "Item size has exceeded the maximum allowed size",
        ),
    ] {
        let error = client
            .batch_write_item()
            .request_items("state", requests)
            .send()
            .await
            .unwrap_err();
        let error = error.into_service_error();
        assert_eq!(error.code(), Some("ValidationException"), "{message}");
        assert!(
            error.message().unwrap().contains(message),
            "{message}: {:?}",
            error.message()
        );
        assert!(world.items("state").is_empty(), "{message}");
    }
    client
        .batch_write_item()
        .request_items("state", many(25))
        .send()
        .await
        .unwrap();
    assert_eq!(world.items("state").len(), 25);
}

#[tokio::test]
async fn unprocessed_items_come_back_as_they_were_asked() {
    let (world, client) = world();
    world.fault(
        Fault::new(Service::DynamoDb, "BatchWriteItem").then(Effect::Partial(Parts::keyed("b"))),
    );
    let requests = vec![put("a"), put("b1"), delete("b2")];
    let output = client
        .batch_write_item()
        .request_items("state", requests.clone())
        .send()
        .await
        .unwrap();
    assert_eq!(machines(&world.items("state")), ["a"]);
    let unprocessed = output.unprocessed_items.unwrap();
    assert_eq!(unprocessed["state"], requests[1..]);

    world.clear_faults();
    let again = client
        .batch_write_item()
        .set_request_items(Some(unprocessed))
        .send()
        .await
        .unwrap();
    assert_eq!(again.unprocessed_items, Some(HashMap::new()));
    assert_eq!(machines(&world.items("state")), ["a", "b1"]);
}

#[tokio::test]
async fn a_batch_of_which_nothing_is_processed_is_throttled() {
    let (world, client) = world();
    let fault = world.fault(Fault::new(Service::DynamoDb, "*").then(Effect::Partial(Parts::Every)));
    let write = client
        .batch_write_item()
        .request_items("state", vec![put("a")])
        .send()
        .await
        .unwrap_err();
    assert!(
        write
            .into_service_error()
            .is_provisioned_throughput_exceeded_exception()
    );
    let read = client
        .batch_get_item()
        .request_items("state", keys(&["a"]))
        .send()
        .await
        .unwrap_err();
    assert!(
        read.into_service_error()
            .is_provisioned_throughput_exceeded_exception()
    );
    assert_eq!(fault.fired(), 6, "the SDK tried each three times");
}

#[tokio::test]
async fn a_batch_reads_what_is_there_and_names_what_it_left() {
    let (world, client) = world();
    for machine in ["a", "b", "c"] {
        world.put_item("state", Item::from([("machine".into(), machine.into())]));
    }
    let read =
        |asked: KeysAndAttributes| client.batch_get_item().request_items("state", asked).send();
    let found = |items: &[HashMap<String, AttributeValue>]| {
        items
            .iter()
            .map(|item| item["machine"].as_s().unwrap().clone())
            .collect::<Vec<_>>()
    };
    let output = read(keys(&["c", "absent", "a"])).await.unwrap();
    assert_eq!(found(&output.responses.unwrap()["state"]), ["c", "a"]);
    assert_eq!(output.unprocessed_keys, Some(HashMap::new()));

    world.fault(
        Fault::new(Service::DynamoDb, "BatchGetItem").then(Effect::Partial(Parts::After(1))),
    );
    let output = read(keys(&["c", "b", "a"])).await.unwrap();
    assert_eq!(found(&output.responses.unwrap()["state"]), ["c"]);
    assert_eq!(
        output.unprocessed_keys.unwrap()["state"],
        keys(&["b", "a"]),
        "with the same consistency"
    );
}

#[tokio::test]
async fn a_batch_reads_at_most_a_hundred_keys_none_twice() {
    let (_, client) = world();
    let names: Vec<String> = (0..101).map(|i| format!("m{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (asked, message) in [
        (names, "Too many items requested for the BatchGetItem call"),
        (
            vec!["a", "a"],
            "Provided list of item keys contains duplicates",
        ),
        (vec![""], "cannot contain an empty string value"),
    ] {
        let error = client
            .batch_get_item()
            .request_items("state", keys(&asked))
            .send()
            .await
            .unwrap_err();
        assert!(
            error
                .into_service_error()
                .message()
                .unwrap()
                .contains(message),
            "{message}"
        );
    }
}
