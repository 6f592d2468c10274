//! Dynamic partitioning.
//!
//! "Partition streaming data in Amazon Data Firehose",
//! <https://docs.aws.amazon.com/firehose/latest/dev/dynamic-partitioning.html>, and its pages on keys, prefixes, buffering and
//! errors.

use firehose_delivery::{Action, MAX_ACTIVE_PARTITIONS, Settings};
use serde_json::json;

use crate::world::{World, failures, ok, ok_in, partitioned};

#[test]
fn rows_are_gathered_by_their_keys() {
    let mut world = World::new(partitioned());
    for data in [&b"L1"[..], b"L2", b"L1"] {
        world.put(data);
    }
    let invocation = world.invoked();
    world.results(&invocation, |line| ok_in(&format!("{line}\n"), line));
    let (first, second) = (world.stored(), world.stored());
    assert!(
        first.key.starts_with("readings/line=L1/readings-1-"),
        "{}",
        first.key
    );
    assert_eq!(first.body, b"L1\nL1\n");
    assert!(
        second.key.starts_with("readings/line=L2/readings-1-"),
        "{}",
        second.key
    );
    assert_eq!(second.body, b"L2\n");
}

#[test]
fn each_partition_waits_for_itself() {
    let mut world = World::new(partitioned());
    world.put(b"L1");
    let first = world.invoked();
    world.results(&first, |line| ok_in("early\n", line));
    world.now_ms += 30_000;
    world.put(b"L2");
    let early = world.stored();
    assert_eq!(early.body, b"early\n");
    let second = world.invoked();
    world.results(&second, |line| ok_in("late\n", line));
    let answered_ms = world.now_ms;
    assert_eq!(world.stored().body, b"late\n");
    assert_eq!(world.now_ms, answered_ms + 60_000);
}

#[test]
fn a_record_without_its_keys_is_kept_under_the_error_prefix() {
    for answer in [
        ok("row"),
        ok_in("row", ""),
        json!({"result": "Ok", "data": "", "metadata": {}}),
        json!({"result": "Ok", "data": "", "metadata": {"partitionKeys": {"line": null}}}),
    ] {
        let mut world = World::new(partitioned());
        world.put(b"a");
        let invocation = world.invoked();
        world.results(&invocation, |_| answer.clone());
        let object = world.stored();
        assert!(
            object.key.starts_with("errors/metadata-extraction-failed/"),
            "{}",
            object.key
        );
        let failures = failures(&object);
        assert_eq!(
            failures[0]["errorCode"],
            "DynamicPartitioning.MetadataExtractionFailed"
        );
        assert_eq!(failures[0]["rawData"], "YQ==");
    }
}

#[test]
fn beyond_500_active_partitions_records_are_kept_under_the_error_prefix() {
    let mut world = World::new(partitioned());
    for line in 0..MAX_ACTIVE_PARTITIONS + 2 {
        world.put(format!("L{line}").as_bytes());
    }
    world.put(b"L0");
    let invocation = world.invoked();
    world.results(&invocation, |line| ok_in("row\n", line));
    let (mut delivered, mut failed) = (0, 0);
    while let Action::Put(object) = world.later() {
        world.delivery.stored(object.id).unwrap();
        match object.error_output_type {
            None => delivered += object.records,
            Some(_) => failed += object.records,
        }
    }
    assert_eq!((delivered, failed), (MAX_ACTIVE_PARTITIONS + 1, 2));
}

#[test]
fn a_partition_is_active_until_it_is_stored() {
    let mut world = World::new(partitioned());
    for line in 0..MAX_ACTIVE_PARTITIONS {
        world.put(format!("L{line}").as_bytes());
    }
    let invocation = world.invoked();
    world.results(&invocation, |line| ok_in("row\n", line));
    let mut objects = Vec::new();
    while let Action::Put(object) = world.later() {
        objects.push(object);
    }
    let one_more = |world: &mut World| {
        world.put(b"more");
        let invocation = world.invoked();
        world.results(&invocation, |line| ok_in("row\n", line));
        let stored = world.stored();
        stored.error_output_type
    };
    assert_eq!(
        one_more(&mut world),
        Some("active-partition-limit-exceeded")
    );
    world.delivery.stored(objects[0].id).unwrap();
    assert_eq!(one_more(&mut world), None);
}

#[test]
fn dynamic_partitioning_needs_keys_a_large_buffer_and_an_error_prefix() {
    let faults = Settings::from_json(
        &json!({"DynamicPartitioningConfiguration": {"Enabled": true}, "Prefix": "a/",
            "BufferingHints": {"IntervalInSeconds": 0}})
        .to_string(),
    )
    .unwrap_err();
    let settings: Vec<_> = faults.faults.iter().map(|fault| fault.setting).collect();
    assert_eq!(
        settings,
        [
            "BufferingHints.SizeInMBs",
            "BufferingHints.IntervalInSeconds",
            "Prefix",
            "ErrorOutputPrefix"
        ]
    );
    let faults = Settings::from_json(
        &json!({"Prefix": "!{partitionKeyFromLambda:line}/", "ErrorOutputPrefix": "e/!{firehose:error-output-type}/"}).to_string(),
    )
    .unwrap_err();
    assert_eq!(
        faults.to_string(),
        "Prefix: the partition key line needs dynamic partitioning"
    );
    let faults = Settings::from_json(
        &json!({"Prefix": "!{partitionKeyFromLambda:line}/", "ErrorOutputPrefix": "e/!{firehose:error-output-type}/",
            "BufferingHints": {"SizeInMBs": 64}, "DynamicPartitioningConfiguration": {"Enabled": true}}).to_string(),
    )
    .unwrap_err();
    assert_eq!(
        faults.to_string(),
        "Prefix: the partition key line comes from a function, and no Lambda processor is on"
    );
}
