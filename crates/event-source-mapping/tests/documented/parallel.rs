//! Several batches of a shard at once.
//!
//! "Using Lambda to process records from Amazon Kinesis Data Streams",
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>, and "New AWS Lambda scaling controls for Kinesis and
//! DynamoDB event sources",
//! <https://aws.amazon.com/blogs/compute/new-aws-lambda-scaling-controls-for-kinesis-and-dynamodb-event-sources/>.

use std::collections::BTreeMap;

use event_source_mapping::{Invocation, Settings};

use crate::world::{START, World, error, numbers, ok, record};

/// So many records of so many machines in turn.
fn world(settings: Settings, machines: u64, records: u64) -> World {
    let mut world = World::new(settings);
    world.put(
        (1..=records)
            .map(|number| record(number, &format!("press-{:02}", number % machines), START)),
    );
    world
}

fn of_factor(parallelization_factor: u32) -> Settings {
    Settings {
        parallelization_factor,
        batch_size: 50,
        ..Settings::default()
    }
}

#[test]
fn as_many_batches_as_the_factor_are_under_way() {
    for factor in [1, 2, 10] {
        let invoked = world(of_factor(factor), 100, 200).invoked();
        assert_eq!(invoked.len(), factor as usize);
        let mut lanes: Vec<_> = invoked.iter().map(|invocation| invocation.lane).collect();
        lanes.sort_unstable();
        assert_eq!(lanes, (0..factor).collect::<Vec<_>>());
    }
}

#[test]
fn a_partition_keys_records_stay_in_order() {
    let mut world = world(of_factor(4), 12, 400);
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    let mut seen = 0;
    while seen < 400 {
        let mut invoked = world.invoked();
        assert!(!invoked.is_empty() || seen == 0, "stalled at {seen}");
        // Answered in reverse: batches overtake one another, keys do not.
        invoked.reverse();
        for invocation in &invoked {
            for record in &invocation.records {
                let number = record.sequence_number.as_str().parse().unwrap();
                let before = last.insert(record.partition_key.clone(), number);
                assert!(
                    before < Some(number),
                    "{} after {before:?}",
                    record.partition_key
                );
                seen += 1;
            }
            world.answer(invocation, &ok());
        }
        world.now_ms += 200;
    }
}

#[test]
fn the_checkpoint_is_the_end_of_what_is_finished_without_gap() {
    let mut world = world(of_factor(2), 10, 20);
    let invoked = world.invoked();
    let first_of = |invocation: &Invocation| numbers(invocation)[0];
    let (early, late) = if first_of(&invoked[0]) == 1 {
        (&invoked[0], &invoked[1])
    } else {
        (&invoked[1], &invoked[0])
    };
    world.answer(late, &ok());
    assert_eq!(world.checkpoint(), None, "record 1 is not finished");
    world.answer(early, &ok());
    assert_eq!(world.checkpoint(), Some(20));
}

#[test]
fn a_batch_that_fails_holds_back_its_own_keys() {
    let mut world = world(of_factor(2), 10, 20);
    let invoked = world.invoked();
    world.answer(&invoked[0], &error());
    world.answer(&invoked[1], &ok());
    let again = world.next_invocation();
    assert_eq!(
        (again.lane, numbers(&again)),
        (invoked[0].lane, numbers(&invoked[0]))
    );
}
