//! What a function's response says about its batch.
//!
//! "Configuring partial batch response with Kinesis Data Streams and Lambda",
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html>.

use event_source_mapping::{Answer, Settings};

use crate::world::{World, failed, numbers};

/// What of a batch of the records 8 to 11 is retried after this response, given without further ado.
#[track_caller]
pub fn retried(report_batch_item_failures: bool, answer: &Answer) -> Vec<u64> {
    let mut world = World::new(Settings {
        report_batch_item_failures,
        ..Settings::default()
    });
    world.put_now(8..=11);
    let invocation = world.one();
    world.answer(&invocation, answer);
    if world.checkpoint() == Some(11) {
        return Vec::new();
    }
    let again = numbers(&world.next_invocation());
    assert_eq!(
        world.checkpoint(),
        again
            .first()
            .map(|first| first - 1)
            .filter(|before| *before >= 8)
    );
    again
}

#[track_caller]
pub fn check(response: &str, expected: &[u64]) {
    assert_eq!(
        retried(true, &Answer::Returned(response.into())),
        expected,
        "{response}"
    );
}

#[test]
fn an_empty_list_is_success() {
    check(r#"{"batchItemFailures":[]}"#, &[]);
}

#[test]
fn a_null_list_is_success() {
    check(r#"{"batchItemFailures":null}"#, &[]);
}

#[test]
fn an_empty_response_is_success() {
    check("", &[]);
    check("{}", &[]);
}

#[test]
fn a_null_response_is_success() {
    check("null", &[]);
}

#[test]
fn an_empty_identifier_fails_the_batch() {
    check(
        r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
        &[8, 9, 10, 11],
    );
}

#[test]
fn a_null_identifier_fails_the_batch() {
    check(
        r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
        &[8, 9, 10, 11],
    );
}

#[test]
fn an_identifier_with_a_bad_key_fails_the_batch() {
    check(
        r#"{"batchItemFailures":[{"identifier":"10"}]}"#,
        &[8, 9, 10, 11],
    );
    check(
        r#"{"batchItemFailures":[{"ItemIdentifier":"10"}]}"#,
        &[8, 9, 10, 11],
    );
    check(r#"{"batchItemFailures":[{}]}"#, &[8, 9, 10, 11]);
}

#[test]
fn everything_from_the_failed_record_on_is_retried() {
    check(
        r#"{"batchItemFailures":[{"itemIdentifier":"10"}]}"#,
        &[10, 11],
    );
    check(
        r#"{"batchItemFailures":[{"itemIdentifier":"8"}]}"#,
        &[8, 9, 10, 11],
    );
    check(r#"{"batchItemFailures":[{"itemIdentifier":"11"}]}"#, &[11]);
}

#[test]
fn of_several_identifiers_the_lowest_counts() {
    // As a number: as text, 10 and 11 come before 9.
    assert_eq!(retried(true, &failed(&[11, 9, 10])), [9, 10, 11]);
}

#[test]
fn a_partial_response_is_ignored_unless_the_mapping_asks_for_it() {
    assert_eq!(retried(false, &failed(&[9])), [0_u64; 0]);
    assert_eq!(retried(false, &Answer::Returned(b"7".to_vec())), [0_u64; 0]);
}

#[test]
fn an_error_a_timeout_or_a_crash_fails_the_batch() {
    for answer in [
        Answer::FunctionError("ValueError".into()),
        Answer::TimedOut,
        Answer::Crashed,
    ] {
        for report in [false, true] {
            assert_eq!(retried(report, &answer), [8, 9, 10, 11], "{answer:?}");
        }
    }
}
