//! When records are delivered, and what objects hold.
//!
//! "Understand data delivery in Amazon Data Firehose", <https://docs.aws.amazon.com/firehose/latest/dev/basic-deliver.html>,
//! and "Configure Amazon S3 object name format", <https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html>.

use firehose_delivery::Action;
use serde_json::json;

use crate::world::{START, World, gunzip, plain};

#[test]
fn an_object_is_delivered_when_the_interval_is_over() {
    let mut world = World::new(plain(
        json!({"BufferingHints": {"SizeInMBs": 5, "IntervalInSeconds": 60}}),
    ));
    world.put(b"a");
    world.now_ms += 20_000;
    world.put(b"b");
    let object = world.stored();
    assert_eq!((object.body.as_slice(), object.records), (&b"ab"[..], 2));
    assert_eq!(world.now_ms, START + 60_000);
    assert_eq!(world.next(), Action::Idle);
}

#[test]
fn an_object_is_delivered_when_the_size_is_reached() {
    let mut world = World::new(plain(
        json!({"BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 900}}),
    ));
    world.put(&vec![b'x'; 600_000]);
    assert!(matches!(world.next(), Action::Wait { .. }));
    world.put(&vec![b'x'; 600_000]);
    let object = world.stored();
    assert_eq!((object.body.len(), world.now_ms), (1_200_000, START));
}

#[test]
fn records_are_concatenated_without_delimiters() {
    let mut world = World::new(plain(json!({})));
    world.put(b"{}");
    world.put(b"{}\n");
    assert_eq!(world.stored().body, b"{}{}\n");
}

#[test]
fn a_delimiter_is_added_where_that_is_configured() {
    let mut world = World::new(plain(json!({"ProcessingConfiguration": {"Enabled": true,
        "Processors": [{"Type": "AppendDelimiterToRecord"}]}})));
    world.put(b"a");
    world.put(b"b");
    assert_eq!(world.stored().body, b"a\nb\n");
}

#[test]
fn an_object_is_compressed_and_its_name_says_so() {
    let mut world = World::new(plain(json!({"CompressionFormat": "GZIP"})));
    world.put(b"a\n");
    world.put(b"b\n");
    let object = world.stored();
    assert_eq!(gunzip(&object.body), "a\nb\n");
    assert!(object.key.ends_with(".gz"), "{}", object.key);
}

#[test]
fn an_objects_name_has_stream_version_time_and_a_uuid() {
    let mut world = World::new(plain(json!({})));
    world.put(b"a");
    let first = world.stored().key;
    let name = first.strip_prefix("2018/08/27/10/").unwrap();
    let uuid = name
        .strip_prefix("readings-1-2018-08-27-10-30-00-")
        .unwrap();
    assert_eq!(
        uuid.split('-').map(str::len).collect::<Vec<_>>(),
        [8, 4, 4, 4, 12]
    );
    world.put(b"a");
    assert_ne!(world.stored().key, first);
}
