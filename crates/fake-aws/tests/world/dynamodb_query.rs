//! Query and Scan.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::AttributeValue;
use fake_aws::{Item, World};

use crate::dynamodb::s;

/// Events t1 to t5 of two machines, every other one of line L2; the last has no line.
fn world() -> (World, Client) {
    let world = World::default();
    world.create_table("events", "machine", Some("time_id"));
    world.create_index("events", "by-line", "line", Some("time_id"));
    for machine in ["press-08", "press-07"] {
        for place in 1..=5 {
            let mut item = Item::from([
                ("machine".into(), machine.into()),
                ("time_id".into(), format!("t{place}").into()),
            ]);
            if place < 5 {
                item.insert("line".into(), format!("L{}", 1 + place % 2).into());
            }
            world.put_item("events", item);
        }
    }
    let client = Client::new(&world.sdk_config());
    (world, client)
}

fn named(items: &[HashMap<String, AttributeValue>]) -> Vec<String> {
    let text = |item: &HashMap<_, AttributeValue>, name: &str| item[name].as_s().unwrap().clone();
    items
        .iter()
        .map(|item| format!("{}/{}", &text(item, "machine")[6..], text(item, "time_id")))
        .collect()
}

#[tokio::test]
async fn a_table_is_queried_in_the_order_of_its_range_key() {
    let (_, client) = world();
    let query = |forward: bool| {
        let query = client
            .query()
            .table_name("events")
            .key_condition_expression("machine = :m AND time_id > :t");
        let query = query
            .expression_attribute_values(":m", s("press-07"))
            .expression_attribute_values(":t", s("t2"));
        query.scan_index_forward(forward).send()
    };
    assert_eq!(
        named(query(true).await.unwrap().items()),
        ["07/t3", "07/t4", "07/t5"]
    );
    let output = query(false).await.unwrap();
    assert_eq!(named(output.items()), ["07/t5", "07/t4", "07/t3"]);
    assert_eq!(
        (
            output.count,
            output.scanned_count,
            output.last_evaluated_key
        ),
        (3, 3, None)
    );
}

#[tokio::test]
async fn an_index_holds_the_items_that_have_its_keys() {
    let (_, client) = world();
    let query = client
        .query()
        .table_name("events")
        .index_name("by-line")
        .key_condition_expression("line = :l");
    let output = query
        .expression_attribute_values(":l", s("L2"))
        .send()
        .await
        .unwrap();
    assert_eq!(named(output.items()), ["07/t1", "08/t1", "07/t3", "08/t3"]);
    let scan = client.scan().table_name("events").send().await.unwrap();
    assert_eq!(scan.count, 10);
}

#[tokio::test]
async fn pages_follow_one_another_in_both_directions_and_lose_nothing() {
    let (_, client) = world();
    for (forward, expected) in [
        (true, ["07/t1", "08/t1", "07/t3", "08/t3"]),
        (false, ["08/t3", "07/t3", "08/t1", "07/t1"]),
    ] {
        let (mut found, mut start, mut pages) = (Vec::new(), None, 0);
        loop {
            let query = client
                .query()
                .table_name("events")
                .index_name("by-line")
                .key_condition_expression("line = :l");
            let query = query
                .expression_attribute_values(":l", s("L2"))
                .limit(2)
                .scan_index_forward(forward);
            let output = query.set_exclusive_start_key(start).send().await.unwrap();
            pages += 1;
            found.extend(named(output.items()));
            start = output.last_evaluated_key;
            match &start {
                None => break,
                Some(key) => assert_eq!(key.len(), 3, "the index's keys and the table's"),
            }
        }
        assert_eq!(found, expected);
        assert_eq!(
            pages, 3,
            "a full page may be the last one: only the next tells"
        );
    }
}

#[tokio::test]
async fn a_page_ends_at_a_megabyte() {
    let (world, client) = world();
    for place in 0..4 {
        let text = "x".repeat(350 * 1024);
        world.put_item(
            "events",
            Item::from([
                ("machine".into(), "big".into()),
                ("time_id".into(), format!("t{place}").into()),
                ("v".into(), text.into()),
            ]),
        );
    }
    let query = client
        .query()
        .table_name("events")
        .key_condition_expression("machine = :m");
    let pages = query
        .expression_attribute_values(":m", s("big"))
        .into_paginator()
        .send();
    let counts: Vec<i32> = pages
        .collect::<Result<Vec<_>, _>>()
        .await
        .unwrap()
        .iter()
        .map(|page| page.count)
        .collect();
    assert_eq!(counts, [3, 1]);
}

#[tokio::test]
async fn a_filter_drops_what_was_read_already() {
    let (_, client) = world();
    let query = client
        .query()
        .table_name("events")
        .key_condition_expression("machine = :m");
    let query = query
        .filter_expression("attribute_exists(line) AND line <> :l")
        .projection_expression("machine, time_id");
    let query = query
        .expression_attribute_values(":m", s("press-07"))
        .expression_attribute_values(":l", s("L1"));
    let output = query.limit(3).send().await.unwrap();
    assert_eq!((output.count, output.scanned_count), (2, 3));
    assert_eq!(named(output.items()), ["07/t1", "07/t3"]);
    assert_eq!(output.items()[0].len(), 2);
}

#[tokio::test]
async fn what_is_no_query_is_refused() {
    let (_, client) = world();
    let base = || {
        client
            .query()
            .table_name("events")
            .expression_attribute_values(":m", s("a"))
    };
    for (query, message) in [
        (
            base().key_condition_expression("time_id = :m"),
            "Query condition missed key schema element: machine",
        ),
        (
            base()
                .key_condition_expression("machine = :m")
                .index_name("by-machine"),
            "The table does not have the specified index: by-machine",
        ),
        (
            base()
                .key_condition_expression("line = :m")
                .index_name("by-line")
                .consistent_read(true),
            "Consistent reads are not supported on global secondary indexes",
        ),
        (
            base()
                .key_condition_expression("machine = :m")
                .filter_expression("time_id = :m"),
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: time_id",
        ),
        (
            base()
                .key_condition_expression("machine = :m")
                .exclusive_start_key("machine", s("a")),
            "The provided starting key is invalid",
        ),
        (
            base().key_condition_expression("machine = :m").limit(0),
            "greater than or equal to 1",
        ),
    ] {
        let error = query.send().await.unwrap_err().into_service_error();
        assert!(
            error.message().unwrap_or_default().contains(message),
            "{message}: {error:?}"
        );
    }
}
