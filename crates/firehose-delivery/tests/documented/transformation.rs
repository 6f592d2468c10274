//! The function in front.
//!
//! "Transform source data in Amazon Data Firehose",
//! <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html>, and "Required parameters for data
//! transformation", <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-status-model.html>.

use firehose_delivery::{Action, Delivery, MAX_PAYLOAD_BYTES, Place, Record};
use kinesis_batch::aggregate::{self, Member};
use serde_json::{Value, json};

use crate::world::{START, World, ok, records, source, transformed};

#[test]
fn records_are_gathered_for_a_minute() {
    let mut world = World::new(transformed(json!({})));
    world.put(b"a");
    world.now_ms += 30_000;
    world.put(b"b");
    let invocation = world.invoked();
    assert_eq!((invocation.records, world.now_ms), (2, START + 60_000));
}

#[test]
fn records_are_gathered_up_to_one_mb() {
    let mut world = World::new(transformed(json!({})));
    for _ in 0..5 {
        world.put(&vec![b'x'; 300_000]);
    }
    let invocation = world.invoked();
    assert_eq!((invocation.records, world.now_ms), (3, START));
}

#[test]
fn what_is_ok_is_delivered_in_order() {
    let mut world = World::new(transformed(json!({})));
    for data in [&b"a"[..], b"b", b"c"] {
        world.put(data);
    }
    let invocation = world.invoked();
    world.results(&invocation, |data| ok(&format!("{data}{data}\n")));
    let object = world.stored();
    assert_eq!(object.body, b"aa\nbb\ncc\n");
    assert_eq!(world.delivery.counts().delivered, 3);
    assert!(world.delivery.is_drained());
}

#[test]
fn what_is_dropped_is_gone() {
    let mut world = World::new(transformed(json!({})));
    world.put(b"a");
    let invocation = world.invoked();
    world.results(&invocation, |_| json!({"result": "Dropped"}));
    assert_eq!(world.next(), Action::Idle);
    assert_eq!(world.delivery.counts().dropped, 1);
    assert!(world.delivery.is_drained());
}

#[test]
fn the_event_is_the_one_that_functions_read() {
    let mut delivery = Delivery::new(
        transformed(json!({})),
        firehose_delivery::Source {
            kinesis_stream_arn: Some("arn:aws:kinesis:us-east-1:123456789012:stream/s".into()),
            ..source()
        },
    );
    let place = Place {
        shard: "shardId-000000000000".into(),
        sequence_number: "4959".into(),
        sub_sequence_number: 0,
        partition_key: "press-07".into(),
    };
    for record in Record::of_stream(b"{}", START, place) {
        delivery.put(record, START);
    }
    let Action::Invoke(invocation) = delivery.next(START + 60_000) else {
        panic!("nothing is invoked");
    };
    let event: Value = serde_json::from_slice(&invocation.event).unwrap();
    assert_eq!(
        event["sourceKinesisStreamArn"],
        "arn:aws:kinesis:us-east-1:123456789012:stream/s"
    );
    assert_eq!(event["deliveryStreamArn"], source().stream_arn);
    assert_eq!(event["region"], "us-east-1");
    assert!(event["invocationId"].is_string());
    let record = &event["records"][0];
    assert_eq!(record["data"], "e30=");
    assert_eq!(record["approximateArrivalTimestamp"], START);
    assert_eq!(
        record["kinesisRecordMetadata"],
        json!({"sequenceNumber": "4959", "subsequenceNumber": 0, "partitionKey": "press-07",
            "shardId": "shardId-000000000000", "approximateArrivalTimestamp": START})
    );
}

/// "Firehose de-aggregates the records before it delivers them to AWS Lambda."
#[test]
fn an_aggregate_is_opened_before_the_function_sees_it() {
    let member = |data| Member {
        partition_key: "a",
        explicit_hash_key: None,
        data,
    };
    let data = aggregate::encode([member(b"1"), member(b"2")]);
    let place = Place {
        shard: "shardId-000000000000".into(),
        sequence_number: "4959".into(),
        sub_sequence_number: 0,
        partition_key: "outer".into(),
    };
    let places: Vec<_> = Record::of_stream(&data, START, place)
        .into_iter()
        .map(|record| {
            let place = record.place.unwrap();
            (record.data, place.sub_sequence_number, place.partition_key)
        })
        .collect();
    assert_eq!(
        places,
        [
            (b"1".to_vec(), 0, "a".into()),
            (b"2".to_vec(), 1, "a".into())
        ]
    );
}

#[test]
fn an_event_has_at_most_6_mb() {
    let mut destination = json!({});
    destination["ProcessingConfiguration"] = json!({"Enabled": true, "Processors": [{"Type": "Lambda", "Parameters": [
        {"ParameterName": "LambdaArn", "ParameterValue": "arn:f"},
        {"ParameterName": "BufferSizeInMBs", "ParameterValue": "3"}]}]});
    let mut world = World::new(crate::world::plain(destination));
    for _ in 0..40_000 {
        world.put(b"a small record that costs more to name than to carry");
    }
    let mut seen = 0;
    while seen < 40_000 {
        let invocation = world.invoked();
        assert!(invocation.event.len() <= MAX_PAYLOAD_BYTES);
        seen += records(&invocation).len();
        world.results(&invocation, |_| json!({"result": "Dropped"}));
    }
}
