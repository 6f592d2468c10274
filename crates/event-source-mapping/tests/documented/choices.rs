//! Where the documentation is silent or disagrees with itself. Nothing may depend on these; they are tested so that they
//! do not change by accident.

use event_source_mapping::{
    Answer, Condition, Position, Settings, Source, SourceRecord, StartingPosition,
};
use kinesis_batch::envelope::MAX_EVENT_BYTES;
use serde_json::Value;

use crate::responses;
use crate::world::{SHARD, START, World, error, failed, numbers, of, ok, record, source};

/// Known from snapshots of the service that emulators keep, not from a page.
#[test]
fn an_empty_text_or_list_as_response_is_success() {
    responses::check("\"\"", &[]);
    responses::check("[]", &[]);
}

/// Likewise.
#[test]
fn an_identifier_that_is_not_in_the_batch_fails_it() {
    responses::check(
        r#"{"batchItemFailures":[{"itemIdentifier":"7"}]}"#,
        &[8, 9, 10, 11],
    );
    responses::check(
        r#"{"batchItemFailures":[{"itemIdentifier":"10"},{"itemIdentifier":"12"}]}"#,
        &[8, 9, 10, 11],
    );
}

#[test]
fn a_response_that_is_no_partial_response_fails_the_batch() {
    for response in [
        "not JSON",
        "7",
        "\"ok\"",
        "[1]",
        r#"{"batchItemFailures":"10"}"#,
    ] {
        responses::check(response, &[8, 9, 10, 11]);
    }
}

/// A bad identifier is a complete failure of the batch, and that is treated as a failed invocation.
#[test]
fn a_complete_failure_by_response_is_bisected() {
    let settings = Settings {
        bisect_batch_on_function_error: true,
        report_batch_item_failures: true,
        ..Settings::default()
    };
    let mut world = World::new(settings);
    world.put_now(1..=4);
    let invocation = world.one();
    world
        .mapping
        .answered(invocation.id, &failed(&[99]), world.now_ms)
        .unwrap();
    assert_eq!(numbers(&world.next_invocation()), [1, 2]);
}

#[test]
fn a_checkpoint_that_moves_starts_the_retries_anew() {
    let settings = Settings {
        maximum_retry_attempts: Some(0),
        report_batch_item_failures: true,
        ..Settings::default()
    };
    let mut world = World::new(settings);
    world.put_now(1..=3);
    let first = world.one();
    world.answer(&first, &failed(&[2]));
    let second = world.one();
    assert_eq!(
        numbers(&second),
        [2, 3],
        "at once, the checkpoint having moved"
    );
    world.answer(&second, &failed(&[2]));
    assert_eq!(world.invoked(), []);
    assert_eq!(of(&world.discarded[0].records), [2, 3]);
}

/// The rest after the first record is the whole batch: nothing to split at, so that it is a retry.
#[test]
fn a_partial_failure_at_the_first_record_uses_a_retry() {
    let settings = Settings {
        bisect_batch_on_function_error: true,
        report_batch_item_failures: true,
        maximum_retry_attempts: Some(1),
        ..Settings::default()
    };
    let mut world = World::new(settings);
    world.put_now([1, 2]);
    for _ in 0..2 {
        let invocation = world.next_invocation();
        assert_eq!(numbers(&invocation), [1, 2]);
        world.answer(&invocation, &failed(&[1]));
    }
    assert_eq!(world.invoked(), []);
    assert_eq!(of(&world.discarded[0].records), [1, 2]);
}

#[test]
fn retries_wait_twice_as_long_each_time_up_to_ten_seconds() {
    let mut world = World::new(Settings::default());
    world.put_now([1]);
    let mut last_ms = START;
    let mut waits = Vec::new();
    for _ in 0..9 {
        let invocation = world.next_invocation();
        waits.push(world.now_ms - last_ms);
        last_ms = world.now_ms;
        world.answer(&invocation, &error());
    }
    assert_eq!(
        waits,
        [0, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]
    );
}

#[test]
fn a_split_batch_is_invoked_without_a_wait() {
    let mut world = World::new(Settings {
        bisect_batch_on_function_error: true,
        ..Settings::default()
    });
    world.put_now(1..=4);
    for expected in [vec![1, 2, 3, 4], vec![1, 2]] {
        let invocation = world.one();
        assert_eq!(numbers(&invocation), expected);
        world.answer(&invocation, &error());
    }
    assert_eq!(world.now_ms, START);
}

#[test]
fn of_an_ageing_batch_only_the_old_records_are_discarded() {
    let mut world = World::new(Settings {
        maximum_record_age_s: Some(60),
        ..Settings::default()
    });
    world.put([
        record(1, "press-07", START - 59_950),
        record(2, "press-07", START),
    ]);
    let invocation = world.one();
    world.answer(&invocation, &error());
    assert_eq!(numbers(&world.next_invocation()), [2]);
    assert_eq!(of(&world.discarded[0].records), [1]);
}

/// No page has the word. It stands in objects that the service has written, and emulators keep it.
#[test]
fn the_condition_of_records_that_are_too_old_is_record_age_exceeded() {
    let mut world = World::new(Settings {
        maximum_record_age_s: Some(60),
        ..Settings::default()
    });
    world.put([record(1, "press-07", START - 60_001)]);
    assert_eq!(world.invoked(), []);
    let pointer: Value = serde_json::from_str(&world.discarded[0].to_pointer_json()).unwrap();
    assert_eq!(pointer["requestContext"]["condition"], "RecordAgeExceeded");
}

/// Lambda may join what it tells of several parts, so that a message can name more than one record after bisecting:
/// "AWS::Lambda::EventSourceMapping",
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html>.
#[test]
fn each_part_of_a_split_batch_that_is_given_up_is_told_on_its_own() {
    let mut world = World::new(Settings {
        bisect_batch_on_function_error: true,
        maximum_retry_attempts: Some(0),
        ..Settings::default()
    });
    world.put_now([1, 2]);
    for _ in 0..3 {
        let invocation = world.next_invocation();
        world.answer(&invocation, &error());
    }
    assert_eq!(world.invoked(), []);
    let told: Vec<_> = world
        .discarded
        .iter()
        .map(|discarded| of(&discarded.records))
        .collect();
    assert_eq!(told, [[1], [2]]);
}

/// A retry of the whole batch is not one of its parts.
#[test]
fn the_parts_of_a_split_batch_have_all_retries() {
    let mut world = World::new(Settings {
        bisect_batch_on_function_error: true,
        report_batch_item_failures: true,
        maximum_retry_attempts: Some(1),
        ..Settings::default()
    });
    world.put_now([1, 2]);
    // The whole batch: a retry, then a split. Then each part: an attempt and a retry.
    let answers = [failed(&[1]), error(), error(), error(), error(), error()];
    for (answer, expected) in
        answers
            .iter()
            .zip([vec![1, 2], vec![1, 2], vec![1], vec![1], vec![2], vec![2]])
    {
        let invocation = world.next_invocation();
        assert_eq!(numbers(&invocation), expected);
        world.answer(&invocation, answer);
    }
    assert_eq!(world.invoked(), []);
    assert_eq!(world.discarded.len(), 2);
}

/// Lambda refuses to create such a mapping. Settings are checked without a clock, so that here it waits.
#[test]
fn a_start_that_lies_ahead_is_waited_for() {
    let mut world = World::new(Settings {
        starting_position: StartingPosition::AtTimestamp(START + 5_000),
        ..Settings::default()
    });
    world.put_now([1]);
    assert_eq!(world.invoked(), []);
    world.now_ms += 5_000;
    world.put_now([2]);
    assert_eq!(numbers(&world.next_invocation()), [2]);
    assert_eq!(world.now_ms, START + 5_000);
}

/// Lambda's word for it is not known; waiting for its age would block the shard for up to a week.
#[test]
fn a_record_that_no_invocation_can_carry_is_discarded_at_once() {
    let mut world = World::new(Settings::default());
    let large = SourceRecord {
        data: vec![b'x'; 5 << 20],
        ..record(2, "press-07", START)
    };
    world.put([
        record(1, "press-07", START),
        large,
        record(3, "press-07", START),
    ]);
    for expected in [[1], [3]] {
        let invocation = world.next_invocation();
        assert_eq!(numbers(&invocation), expected);
        world.answer(&invocation, &ok());
    }
    assert_eq!(
        (
            of(&world.discarded[0].records),
            world.discarded[0].condition
        ),
        (vec![2], Condition::RecordTooLarge)
    );
    assert_eq!(world.checkpoint(), Some(3));
}

#[test]
fn a_window_without_records_begins_with_the_next_record() {
    let mut world = World::new(Settings {
        batching_window_s: 30,
        ..Settings::default()
    });
    world.put_now([1]);
    let invocation = world.next_invocation();
    world.answer(&invocation, &ok());
    world.now_ms += 100_000;
    world.put_now([2]);
    let put_ms = world.now_ms;
    assert_eq!(world.invoked(), []);
    assert_eq!(numbers(&world.next_invocation()), [2]);
    assert_eq!(world.now_ms, put_ms + 30_000);
}

#[test]
fn at_the_end_of_a_shard_a_batch_does_not_wait_for_its_window() {
    let mut world = World::new(Settings {
        batching_window_s: 300,
        ..Settings::default()
    });
    world.put_now([1]);
    world.close(SHARD);
    assert_eq!(numbers(&world.one()), [1]);
}

#[test]
fn a_response_context_names_an_error_only_where_the_function_failed() {
    let settings = Settings {
        maximum_retry_attempts: Some(0),
        report_batch_item_failures: true,
        ..Settings::default()
    };
    let mut world = World::new(settings);
    world.put_now([1]);
    let invocation = world.one();
    world.answer(&invocation, &failed(&[1]));
    assert_eq!(world.invoked(), []);
    let pointer: Value = serde_json::from_str(&world.discarded[0].to_pointer_json()).unwrap();
    assert_eq!(
        pointer["responseContext"],
        serde_json::json!({"statusCode": 200, "executedVersion": "$LATEST"})
    );
}

#[test]
fn a_fan_out_mapping_names_the_consumer_in_events_and_the_stream_in_failures() {
    let event_source_arn = format!("{}/consumer/con1:1540591608", source().event_source_arn);
    let settings = Settings {
        maximum_retry_attempts: Some(0),
        ..Settings::default()
    };
    let mut world = World::without_shards(
        settings,
        Source {
            event_source_arn: event_source_arn.clone(),
            ..source()
        },
    );
    world.shard(SHARD, &[]);
    world.put_now([1]);
    let invocation = world.one();
    let event: Value = serde_json::from_slice(&invocation.event).unwrap();
    assert_eq!(event["Records"][0]["eventSourceARN"], event_source_arn);
    world.answer(&invocation, &error());
    assert_eq!(world.invoked(), []);
    assert_eq!(world.discarded[0].stream_arn, source().event_source_arn);
}

/// One page measures when the batch is sent, another when it is done: here, when it is answered.
#[test]
fn iterator_age_is_the_age_of_the_last_record_when_its_batch_is_answered() {
    let mut world = World::new(Settings::default());
    world.put([
        record(1, "press-07", START - 9_000),
        record(2, "press-07", START - 500),
    ]);
    let invocation = world.one();
    let age = |world: &World| world.mapping.shard(SHARD).unwrap().iterator_age_ms;
    assert_eq!(age(&world), None);
    world.answer(&invocation, &Answer::Throttled);
    assert_eq!(age(&world), None, "the batch did not reach the function");
    let invocation = world.next_invocation();
    world.now_ms = START + 250;
    world.answer(&invocation, &ok());
    assert_eq!(age(&world), Some(750));
}

/// What is read ahead is bounded by what is not behind the checkpoint: a failing batch stops its shard in the end.
#[test]
fn a_failing_batch_stops_reading_one_batch_for_each_lane_and_one_more_ahead() {
    let mut world = World::new(Settings {
        batch_size: 10,
        ..Settings::default()
    });
    world.put_now(1..=100);
    for _ in 0..50 {
        let invocation = world.next_invocation();
        world.answer(&invocation, &error());
    }
    let status = world.mapping.shard(SHARD).unwrap();
    assert_eq!((status.pending, status.checkpoint), (20, None));
    assert_eq!(world.reads.last().unwrap().after, Position::TrimHorizon);
}

/// An answer that holds more than was asked for is read again from where there was no more room.
#[test]
fn more_records_than_asked_for_are_asked_for_again() {
    let mut world = World::new(Settings {
        batch_size: 2,
        ..Settings::default()
    });
    let event_source_mapping::Action::Read(read) = world.mapping.next(START) else {
        panic!("reads first")
    };
    assert_eq!(read.limit, 4);
    let records: Vec<_> = (1..=6)
        .map(|number| record(number, "press-07", START))
        .collect();
    world
        .mapping
        .records(SHARD, records.clone(), true, START)
        .unwrap();
    world.put(records);
    world.close(SHARD);
    let mut seen = Vec::new();
    while !world.mapping.is_drained() {
        let invocation = world.next_invocation();
        seen.extend(numbers(&invocation));
        world.answer(&invocation, &ok());
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn records_of_a_megabyte_are_read_ahead_by_their_bytes() {
    let mut world = World::new(Settings {
        batch_size: 10_000,
        ..Settings::default()
    });
    world.put((1..=60).map(|number| SourceRecord {
        data: vec![b'x'; 1 << 20],
        ..record(number, "press-07", START)
    }));
    let mut seen = Vec::new();
    while world.checkpoint() != Some(60) {
        let invocation = world.next_invocation();
        let bytes = world.mapping.shard(SHARD).unwrap().pending_bytes;
        assert!(
            bytes < 2 * MAX_EVENT_BYTES + (2 << 20),
            "{bytes} bytes are held"
        );
        seen.extend(numbers(&invocation));
        world.answer(&invocation, &ok());
    }
    assert_eq!(seen, (1..=60).collect::<Vec<_>>());
}
