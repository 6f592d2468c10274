//! Retries, record age and bisecting.
//!
//! "Retain discarded batch records for a Kinesis Data Streams event source in Lambda",
//! <https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html>; bisecting also in "Configuring
//! partial batch response with Kinesis Data Streams and Lambda",
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html>; what a retry is also in
//! "Process Amazon Kinesis Data Streams records with Lambda",
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html>.

use event_source_mapping::{Answer, Condition, Settings, Source};

use crate::world::{SHARD, START, World, error, failed, numbers, of, ok, record, source};

fn retrying(retries: u32) -> Settings {
    Settings {
        maximum_retry_attempts: Some(retries),
        ..Settings::default()
    }
}

fn bisecting(settings: Settings) -> Settings {
    Settings {
        bisect_batch_on_function_error: true,
        report_batch_item_failures: true,
        ..settings
    }
}

/// Fails whatever has this record until it is given up; the batches that were invoked.
fn with_poison(settings: Settings, poison: u64, answer: &Answer) -> (World, Vec<Vec<u64>>) {
    let mut world = World::new(settings);
    world.put_now(1..=8);
    let mut invoked = Vec::new();
    while world.checkpoint() != Some(8) {
        for invocation in world.invoked() {
            let numbers = numbers(&invocation);
            let answer = if numbers.contains(&poison) {
                answer.clone()
            } else {
                ok()
            };
            world.answer(&invocation, &answer);
            invoked.push(numbers);
        }
        world.now_ms += 100;
    }
    (world, invoked)
}

#[test]
fn a_failed_batch_is_retried_and_blocks_its_shard() {
    let mut world = World::new(Settings {
        batch_size: 2,
        ..Settings::default()
    });
    world.put_now([1, 2, 3]);
    for attempt in 1..=20 {
        let invocation = world.next_invocation();
        assert_eq!(
            (numbers(&invocation), invocation.attempt),
            (vec![1, 2], attempt)
        );
        world.answer(&invocation, &error());
    }
    let invocation = world.next_invocation();
    world.answer(&invocation, &ok());
    assert_eq!(
        (numbers(&world.next_invocation()), world.discarded.len()),
        (vec![3], 0)
    );
}

#[test]
fn a_batch_is_discarded_after_maximum_retry_attempts() {
    for retries in [0, 1, 3] {
        let (world, invoked) = with_poison(retrying(retries), 5, &error());
        assert_eq!(invoked.len(), 1 + retries as usize);
        assert_eq!(
            world.discarded[0].condition,
            Condition::RetryAttemptsExhausted
        );
        assert_eq!(of(&world.discarded[0].records), (1..=8).collect::<Vec<_>>());
    }
}

#[test]
fn throttles_use_no_retry() {
    let mut world = World::new(retrying(2));
    world.put_now([1]);
    for _ in 0..5 {
        let invocation = world.next_invocation();
        assert_eq!(invocation.attempt, 1);
        world.answer(&invocation, &Answer::Throttled);
    }
    for attempt in 1..=3 {
        let invocation = world.next_invocation();
        assert_eq!(invocation.attempt, attempt, "both retries are left");
        world.answer(&invocation, &error());
    }
    assert_eq!(world.invoked(), []);
    assert_eq!(world.discarded[0].invocations, 3);
}

#[test]
fn throttled_records_are_retried_until_they_are_too_old() {
    let settings = Settings {
        maximum_record_age_s: Some(60),
        maximum_retry_attempts: Some(0),
        ..Settings::default()
    };
    let mut world = World::new(settings);
    world.put_now([1]);
    while world.discarded.is_empty() && world.now_ms < START + 90_000 {
        for invocation in world.invoked() {
            world.answer(&invocation, &Answer::Throttled);
        }
        world.now_ms += 100;
    }
    assert_eq!(world.discarded[0].condition, Condition::RecordAgeExceeded);
    assert_eq!(world.checkpoint(), Some(1));
}

#[test]
fn a_record_beyond_the_maximum_age_is_not_sent() {
    let mut world = World::new(Settings {
        maximum_record_age_s: Some(60),
        ..Settings::default()
    });
    world.put(
        [60_002, 60_001, 60_000, 0]
            .iter()
            .zip(1..)
            .map(|(age, number)| record(number, "a", START - age)),
    );
    assert_eq!(numbers(&world.one()), [3, 4]);
    assert_eq!(of(&world.discarded[0].records), [1, 2]);
    assert_eq!(world.discarded[0].condition, Condition::RecordAgeExceeded);
    assert_eq!(world.checkpoint(), Some(2));
}

#[test]
fn a_failing_batch_is_discarded_at_the_maximum_age() {
    let mut world = World::new(Settings {
        maximum_record_age_s: Some(60),
        ..Settings::default()
    });
    world.put_now([1, 2]);
    while world.discarded.is_empty() {
        assert!(world.now_ms <= START + 60_001, "too old to be sent");
        for invocation in world.invoked() {
            world.answer(&invocation, &error());
        }
        world.now_ms += 1;
    }
    assert_eq!(world.now_ms, START + 60_002);
    assert_eq!(of(&world.discarded[0].records), [1, 2]);
}

/// -1 is without limit, up to the stream's own retention.
#[test]
fn records_are_retried_until_the_stream_drops_them() {
    let source = Source {
        retention_ms: Some(86_400_000),
        ..source()
    };
    let mut world = World::without_shards(Settings::default(), source);
    world.shard(SHARD, &[]);
    world.put_now([1]);
    let invocation = world.one();
    world.answer(&invocation, &error());
    world.now_ms = START + 86_400_000;
    let invocation = world.one();
    world.answer(&invocation, &error());
    world.now_ms += 1;
    assert_eq!(world.invoked(), []);
    assert_eq!(world.discarded.len(), 1);
}

#[test]
fn bisect_splits_a_failed_batch_in_two() {
    for answer in [error(), Answer::TimedOut, Answer::Crashed] {
        let (_, invoked) = with_poison(bisecting(retrying(0)), 3, &answer);
        let expected: [&[u64]; 7] = [
            &[1, 2, 3, 4, 5, 6, 7, 8],
            &[1, 2, 3, 4],
            &[1, 2],
            &[3, 4],
            &[3],
            &[4],
            &[5, 6, 7, 8],
        ];
        assert_eq!(invoked, expected, "{answer:?}");
    }
}

#[test]
fn bisecting_uses_no_retry() {
    let (world, invoked) = with_poison(bisecting(retrying(2)), 3, &error());
    assert_eq!(
        invoked.iter().filter(|batch| **batch == [3]).count(),
        3,
        "one attempt and two retries: {invoked:?}"
    );
    assert_eq!(of(&world.discarded[0].records), [3]);
    assert_eq!(world.discarded.len(), 1);
}

#[test]
fn an_invocation_error_is_bisected_whether_or_not_failures_are_reported() {
    for report in [false, true] {
        let settings = Settings {
            report_batch_item_failures: report,
            ..bisecting(retrying(0))
        };
        let (_, invoked) = with_poison(settings, 8, &error());
        assert_eq!(
            invoked[..2],
            [vec![1, 2, 3, 4, 5, 6, 7, 8], vec![1, 2, 3, 4]]
        );
    }
}

#[test]
fn a_partial_response_splits_at_the_returned_number_and_only_the_rest_is_retried() {
    let mut world = World::new(bisecting(Settings::default()));
    world.put_now(1..=8);
    let invocation = world.one();
    world.answer(&invocation, &failed(&[6]));
    assert_eq!(world.checkpoint(), Some(5));
    assert_eq!(numbers(&world.next_invocation()), [6, 7, 8]);
}

#[test]
fn without_bisect_a_failed_batch_is_retried_whole() {
    let (_, invoked) = with_poison(retrying(2), 3, &error());
    assert_eq!(invoked, vec![(1..=8).collect::<Vec<_>>(); 3]);
}

/// "Using AWS Lambda with Amazon Kinesis": a discarded batch does not stop the shard.
#[test]
fn behind_a_discarded_batch_the_shard_goes_on() {
    let mut world = World::new(Settings {
        batch_size: 2,
        ..retrying(0)
    });
    world.put_now(1..=4);
    let invocation = world.one();
    world.answer(&invocation, &error());
    assert_eq!(numbers(&world.next_invocation()), [3, 4]);
    assert_eq!(world.checkpoint(), Some(2));
}
