//! Parents before children.
//!
//! "Complete the resharding action",
//! <https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html>.

use event_source_mapping::{Position, Settings, StartingPosition};

use crate::world::{START, World, error, numbers, ok, record, source};

fn world(settings: Settings) -> World {
    World::without_shards(settings, source())
}

#[test]
fn children_wait_until_their_parent_is_read_to_its_end_and_finished() {
    let mut world = world(Settings {
        batch_size: 1,
        ..Settings::default()
    });
    world.shard("parent", &[]);
    world.shard("left", &["parent"]);
    world.shard("right", &["parent"]);
    world.put_to(
        "parent",
        [record(1, "press-07", START), record(2, "press-07", START)],
    );
    world.put_to("left", [record(3, "press-07", START)]);
    world.put_to("right", [record(4, "press-08", START)]);
    world.close("parent");
    for expected in [1, 2] {
        let invocation = world.next_invocation();
        assert_eq!(numbers(&invocation), [expected]);
        if expected == 2 {
            world.answer(&invocation, &error());
            assert_eq!(
                world.invoked(),
                [],
                "a parent with a failing record is not finished"
            );
            let again = world.next_invocation();
            assert_eq!(numbers(&again), [2]);
            world.answer(&again, &ok());
        } else {
            world.answer(&invocation, &ok());
        }
    }
    let children: Vec<_> = world.invoked().iter().map(numbers).collect();
    assert_eq!(children, [[3], [4]]);
}

#[test]
fn a_merged_shard_waits_for_both_parents() {
    let mut world = world(Settings::default());
    world.shard("left", &[]);
    world.shard("right", &[]);
    world.shard("merged", &["left", "right"]);
    world.put_to("left", [record(1, "press-07", START)]);
    world.put_to("right", [record(2, "press-08", START)]);
    world.put_to("merged", [record(3, "press-07", START)]);
    ["left", "right"]
        .iter()
        .for_each(|shard| world.close(shard));
    let invoked = world.invoked();
    assert_eq!(invoked.iter().map(numbers).collect::<Vec<_>>(), [[1], [2]]);
    world.answer(&invoked[0], &ok());
    assert_eq!(world.invoked(), []);
    world.answer(&invoked[1], &ok());
    assert_eq!(numbers(&world.one()), [3]);
}

#[test]
fn a_parent_that_has_left_the_stream_holds_back_nobody() {
    let mut world = world(Settings::default());
    world.shard("child", &["expired"]);
    world.put_to("child", [record(1, "press-07", START)]);
    assert_eq!(numbers(&world.one()), [1]);
}

#[test]
fn a_shard_that_comes_up_later_is_read_from_its_beginning() {
    let mut world = world(Settings {
        starting_position: StartingPosition::Latest,
        ..Settings::default()
    });
    world.shard("parent", &[]);
    assert_eq!(world.invoked(), []);
    world.close("parent");
    world.shard("child", &["parent"]);
    world.put_to("child", [record(1, "press-07", world.now_ms)]);
    assert_eq!(numbers(&world.next_invocation()), [1]);
    let child: Vec<_> = world
        .reads
        .iter()
        .filter(|read| &*read.shard == "child")
        .collect();
    assert_eq!(child[0].after, Position::TrimHorizon);
}

#[test]
fn a_drained_stream_shows() {
    let mut world = world(Settings::default());
    world.shard("parent", &[]);
    world.put_to("parent", [record(1, "press-07", START)]);
    world.close("parent");
    let invocation = world.one();
    assert!(!world.mapping.is_drained());
    world.answer(&invocation, &ok());
    assert!(world.mapping.is_drained());
    // A listing that tells of it again changes nothing.
    world.find("parent", &[]);
    assert!(world.mapping.is_drained());
}
