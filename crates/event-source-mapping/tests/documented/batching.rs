//! When a batch is invoked: size, window, payload.
//!
//! "Using Lambda to process records from Amazon Kinesis Data Streams",
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>, and "How Lambda processes records from stream and
//! queue-based event sources", <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html>.

use event_source_mapping::{Settings, Source, SourceRecord};
use kinesis_batch::envelope::MAX_EVENT_BYTES;

use crate::world::{SHARD, START, World, numbers, ok, record, source};

fn large(number: u64, bytes: usize) -> SourceRecord {
    SourceRecord {
        data: vec![b'x'; bytes],
        ..record(number, "press-07", START)
    }
}

#[test]
fn without_a_window_a_function_is_invoked_as_soon_as_records_are_available() {
    let mut world = World::new(Settings::default());
    world.put_now([1]);
    assert_eq!(numbers(&world.one()), [1]);
}

#[test]
fn a_batch_has_at_most_batch_size_records() {
    let mut world = World::new(Settings {
        batch_size: 3,
        batching_window_s: 300,
        ..Settings::default()
    });
    world.put_now(1..=7);
    for expected in [[1, 2, 3], [4, 5, 6]] {
        let invocation = world.next_invocation();
        assert!(
            world.now_ms < START + 5_000,
            "a full batch does not wait for the window"
        );
        assert_eq!(numbers(&invocation), expected);
        world.answer(&invocation, &ok());
    }
}

#[test]
fn a_batch_is_gathered_until_the_window_ends() {
    let mut world = World::new(Settings {
        batching_window_s: 30,
        ..Settings::default()
    });
    world.put_now([1]);
    assert_eq!(world.invoked(), []);
    world.now_ms = START + 20_000;
    world.put_now([2]);
    assert_eq!(world.invoked(), []);
    let invocation = world.next_invocation();
    assert_eq!(
        (numbers(&invocation), world.now_ms),
        (vec![1, 2], START + 30_000)
    );
}

#[test]
fn the_next_window_begins_when_the_previous_invocation_completes() {
    let mut world = World::new(Settings {
        batching_window_s: 30,
        ..Settings::default()
    });
    world.put_now([1]);
    let first = world.next_invocation();
    // Read well before the invocation completes, so that it is not the read that the window begins with.
    world.put_now([2]);
    world.now_ms += 2_000;
    assert_eq!(world.invoked(), [], "one batch of a shard at a time");
    world.now_ms += 10_000;
    world.answer(&first, &ok());
    let completed_ms = world.now_ms;
    assert_eq!(numbers(&world.next_invocation()), [2]);
    assert_eq!(world.now_ms, completed_ms + 30_000);
}

#[test]
fn a_batch_is_invoked_when_its_payload_reaches_6_mb() {
    let mut world = World::new(Settings {
        batching_window_s: 300,
        ..Settings::default()
    });
    // 1 MB is 1.33 MB in base64: four of them fit into 6 MB.
    world.put((1..=6).map(|number| large(number, 1 << 20)));
    let invocation = world.one();
    assert_eq!(numbers(&invocation), [1, 2, 3, 4]);
    assert!(invocation.event.len() <= MAX_EVENT_BYTES);
    world.answer(&invocation, &ok());
    assert_eq!(world.invoked(), [], "what is left waits for its own window");
}

#[test]
fn a_shard_has_one_batch_under_way() {
    let mut world = World::new(Settings {
        batch_size: 2,
        ..Settings::default()
    });
    world.put_now(1..=4);
    let invocation = world.one();
    world.now_ms += 60_000;
    assert_eq!(world.invoked(), []);
    world.answer(&invocation, &ok());
    assert_eq!(numbers(&world.one()), [3, 4]);
}

#[test]
fn a_batch_has_records_of_one_shard() {
    let mut world = World::new(Settings::default());
    world.shard("shardId-000000000007", &[]);
    world.put_now([1, 2]);
    world.put_to("shardId-000000000007", [record(3, "press-07", START)]);
    let mut invoked = world.invoked();
    invoked.sort_by_key(numbers);
    let shards: Vec<_> = invoked
        .iter()
        .map(|invocation| (&*invocation.shard, numbers(invocation)))
        .collect();
    assert_eq!(
        shards,
        [(SHARD, vec![1, 2]), ("shardId-000000000007", vec![3])]
    );
}

#[test]
fn a_shard_at_its_tip_is_polled_once_a_second() {
    let mut world = World::new(Settings::default());
    let mut reads_at = Vec::new();
    for _ in 0..4 {
        assert_eq!(world.invoked(), []);
        reads_at.push((world.reads.len(), world.now_ms - START));
        world.now_ms += 1_000;
    }
    assert_eq!(reads_at, [(1, 0), (2, 1_000), (3, 2_000), (4, 3_000)]);
}

/// Pushed over a connection of its own, about 70 ms after a record arrives: "Develop enhanced fan-out consumers with
/// dedicated throughput", <https://docs.aws.amazon.com/streams/latest/dev/enhanced-consumers.html>.
#[test]
fn a_fan_out_consumer_does_not_wait_for_a_poll() {
    let event_source_arn = format!("{}/consumer/con1:1540591608", source().event_source_arn);
    let mut world = World::without_shards(
        Settings::default(),
        Source {
            event_source_arn,
            ..source()
        },
    );
    world.shard(SHARD, &[]);
    assert_eq!(world.invoked(), []);
    world.put_now([1]);
    assert_eq!(numbers(&world.next_invocation()), [1]);
    assert_eq!(world.now_ms, START + 70);
}
