//! Where a mapping starts in a stream.
//!
//! "Process Amazon Kinesis Data Streams records with Lambda",
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html>, and "How Lambda processes records from
//! stream and queue-based event sources", <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html>.

use event_source_mapping::{Position, Settings, StartingPosition};

use crate::world::{START, World, numbers, ok, record};

fn world(starting_position: StartingPosition) -> World {
    World::new(Settings {
        starting_position,
        ..Settings::default()
    })
}

#[test]
fn trim_horizon_starts_with_the_oldest_record() {
    let mut world = world(StartingPosition::TrimHorizon);
    world.put([
        record(1, "press-07", START - 86_000_000),
        record(2, "press-07", START),
    ]);
    assert_eq!(numbers(&world.one()), [1, 2]);
    assert_eq!(world.reads[0].after, Position::TrimHorizon);
}

#[test]
fn latest_starts_behind_the_newest_record() {
    let mut world = world(StartingPosition::Latest);
    world.put([record(1, "press-07", START - 1)]);
    assert_eq!(world.invoked(), []);
    assert_eq!(world.reads[0].after, Position::Latest);
    world.now_ms += 300;
    world.put_now([2]);
    assert_eq!(
        numbers(&world.next_invocation()),
        [2],
        "what arrives between two reads is not missed"
    );
}

#[test]
fn at_timestamp_starts_with_the_first_record_of_that_time() {
    let mut world = world(StartingPosition::AtTimestamp(START - 1_000));
    world.put(
        [1_001, 1_000, 999]
            .iter()
            .zip(1..)
            .map(|(age, number)| record(number, "press-07", START - age)),
    );
    assert_eq!(numbers(&world.one()), [2, 3]);
    assert_eq!(world.reads[0].after, Position::At(START - 1_000));
}

#[test]
fn after_the_first_records_reading_goes_on_behind_the_last_one() {
    let mut world = world(StartingPosition::TrimHorizon);
    world.put_now([1, 2]);
    let invocation = world.one();
    world.answer(&invocation, &ok());
    world.now_ms += 5_000;
    world.put_now([3]);
    assert_eq!(numbers(&world.one()), [3]);
    assert_eq!(
        world.reads.last().unwrap().after,
        Position::After("2".parse().unwrap())
    );
}
