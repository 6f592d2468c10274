//! Where the documentation is silent or its pages disagree. A function must not depend on these.

use firehose_delivery::{Action, Answer, MAX_PAYLOAD_BYTES, Unexpected};
use serde_json::json;

use crate::world::{START, World, failures, gunzip, ok, ok_in, partitioned, plain, transformed};

#[test]
fn an_invocation_is_tried_again_after_a_second_and_twice_as_long_each_time() {
    let mut world = World::new(transformed(json!({})));
    world.put(b"a");
    let mut at = Vec::new();
    for _ in 0..4 {
        let invocation = world.invoked();
        at.push(world.now_ms - START - 60_000);
        world.answer(&invocation, &Answer::FunctionError);
    }
    assert_eq!(at, [0, 1_000, 3_000, 7_000]);
}

#[test]
fn one_batch_at_a_time_is_with_the_function() {
    let mut world = World::new(transformed(json!({})));
    for _ in 0..8 {
        world.put(&vec![b'x'; 500_000]);
    }
    let first = world.invoked();
    assert_eq!(world.later(), Action::Idle);
    world.results(&first, |_| ok(""));
    world.invoked();
}

#[test]
fn a_response_over_6_mb_is_the_functions_error() {
    let mut world = World::new(transformed(json!({})));
    world.put(b"a");
    for _ in 0..4 {
        let invocation = world.invoked();
        world.results(&invocation, |_| ok(&"x".repeat(MAX_PAYLOAD_BYTES)));
    }
    assert_eq!(
        failures(&world.stored())[0]["errorCode"],
        "Lambda.FunctionError"
    );
}

#[test]
fn a_record_that_no_event_can_carry_fails_without_an_invocation() {
    let mut world = World::new(transformed(json!({})));
    world.put(&vec![b'x'; MAX_PAYLOAD_BYTES]);
    world.put(b"small");
    let failures = failures(&world.stored());
    assert_eq!(
        (failures.len(), &failures[0]["attemptsMade"]),
        (1, &json!(0))
    );
    assert_eq!(world.invoked().records, 1);
}

#[test]
fn an_error_prefix_without_expressions_has_type_and_time_appended() {
    let mut world = World::new(transformed(json!({"ErrorOutputPrefix": "errors/"})));
    world.put(b"a");
    let invocation = world.invoked();
    world.results(&invocation, |_| json!({"result": "ProcessingFailed"}));
    let key = world.stored().key;
    assert!(
        key.starts_with("errors/processing-failed/2018/08/27/10/"),
        "{key}"
    );
}

#[test]
fn a_partitioned_prefix_has_no_time_appended() {
    let mut world = World::new(partitioned());
    world.put(b"a");
    let invocation = world.invoked();
    world.results(&invocation, |_| ok_in("row", "L1"));
    assert!(
        world
            .stored()
            .key
            .starts_with("readings/line=L1/readings-1-")
    );
}

#[test]
fn a_prefix_over_512_characters_fails_its_records() {
    let mut world = World::new(partitioned());
    world.put(b"a");
    let invocation = world.invoked();
    world.results(&invocation, |_| ok_in("row", &"x".repeat(500)));
    assert_eq!(
        world.stored().error_output_type,
        Some("metadata-extraction-failed")
    );
}

#[test]
fn failures_are_gathered_and_compressed_like_rows() {
    let mut world = World::new(transformed(json!({"CompressionFormat": "GZIP"})));
    world.put(b"a");
    let invocation = world.invoked();
    world.results(&invocation, |_| json!({"result": "ProcessingFailed"}));
    let answered_ms = world.now_ms;
    let object = world.stored();
    assert_eq!(world.now_ms, answered_ms + 300_000);
    assert!(object.key.ends_with(".gz"));
    assert!(gunzip(&object.body).starts_with("{\"attemptsMade\":1,"));
}

#[test]
fn an_object_that_cannot_be_put_waits_up_to_five_minutes() {
    let mut world = World::new(plain(json!({"BufferingHints": {"IntervalInSeconds": 0}})));
    world.put(b"a");
    let mut waits = Vec::new();
    let mut before_ms = world.now_ms;
    for _ in 0..12 {
        let Action::Put(object) = world.later() else {
            panic!("nothing is put");
        };
        waits.push((world.now_ms - before_ms) / 1_000);
        before_ms = world.now_ms;
        world
            .delivery
            .store_failed(object.id, world.now_ms)
            .unwrap();
    }
    assert_eq!(waits, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
}

#[test]
fn a_stream_that_is_drained_waits_for_no_buffer() {
    let mut world = World::new(transformed(json!({})));
    world.put(b"a");
    world.delivery.drain();
    let invocation = world.invoked();
    world.results(&invocation, |_| ok("row"));
    assert_eq!(world.stored().body, b"row");
    assert_eq!(world.now_ms, START);
    assert!(world.delivery.is_drained());
}

#[test]
fn answers_that_were_not_asked_for_change_nothing() {
    let mut world = World::new(transformed(json!({})));
    world.put(b"a");
    let invocation = world.invoked();
    world.results(&invocation, |_| ok("row"));
    let again = world
        .delivery
        .answered(invocation.id, &Answer::FunctionError, world.now_ms);
    assert_eq!(again, Err(Unexpected::Invocation(invocation.id)));
    let object = world.stored();
    assert_eq!(
        world.delivery.stored(object.id),
        Err(Unexpected::Object(object.id))
    );
    assert_eq!(world.delivery.counts().delivered, 1);
}
