//! What an answer means for a batch, and what follows. Pure: the rules of Lambda's Kinesis event source mapping.
//!
//! Promise: a record is passed only if the function is done with it, or if its batch went to the failure destination.

use std::cmp::Ordering;
use std::time::Duration;

use kinesis_batch::SequenceNumber;
use serde::Deserialize;
use serde_json::Value;

/// What an invocation says of its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every record is done.
    Done,
    /// The records before this index are done.
    DoneBefore(usize),
    /// Nothing is known to be done.
    Failed,
}

/// What bounds the retries of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Retries after the first attempt; `None` is without limit.
    pub retries: Option<u32>,
    /// The age from which a record is not retried; `None` is without limit.
    pub record_age: Option<Duration>,
    /// Whether a failed batch is halved.
    pub bisect: bool,
}

/// What happens to the batch next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is behind the checkpoint.
    Pass,
    /// The records from this index on are invoked again after a wait; so many retries have been used then.
    Retry {
        /// The first record that is not done.
        from: usize,
        /// Retries used, this one included.
        retries: u32,
    },
    /// Split before this index: both parts start without a retry used.
    Split {
        /// The first record of the second part.
        at: usize,
    },
    /// The records of `from..to` go to the failure destination, those behind them are invoked again.
    Discard {
        /// The first record that is not done.
        from: usize,
        /// The first record behind the discarded ones.
        to: usize,
        /// Why, as Lambda words it.
        condition: Condition,
    },
}

/// Why a batch is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The retries are used up.
    RetryAttemptsExhausted,
    /// The records are too old to be retried.
    RecordAgeExceeded,
}

impl Condition {
    /// The word in the invocation record.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Self::RecordAgeExceeded => "RecordAgeExceeded",
        }
    }
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "itemIdentifier")]
    identifier: Option<String>,
}

/// Reads a function's answer; `sequence_numbers` are those of the batch, in its order.
///
/// With `partial`, `batchItemFailures` counts: an empty or null answer, or such a list in it, is success; the lowest of
/// several identifiers counts; an empty or null one, one that is not in the batch, or a wrong key fails the batch.
/// Without it, whatever was answered is success.
pub fn verdict(answer: &[u8], partial: bool, sequence_numbers: &[&str]) -> Verdict {
    if !partial || answer.trim_ascii().is_empty() {
        return Verdict::Done;
    }
    let items = match serde_json::from_slice(answer) {
        Ok(Value::Null) => return Verdict::Done,
        Ok(Value::String(text)) if text.is_empty() => return Verdict::Done,
        Ok(Value::Array(list)) if list.is_empty() => return Verdict::Done,
        Ok(Value::Object(mut fields)) => match fields.remove("batchItemFailures") {
            None | Some(Value::Null) => return Verdict::Done,
            Some(items) => items,
        },
        _ => return Verdict::Failed,
    };
    let Ok(items) = serde_json::from_value::<Vec<Item>>(items) else {
        return Verdict::Failed;
    };
    let mut first = None;
    for item in items {
        let Some(place) = item
            .identifier
            .and_then(|identifier| position(&identifier, sequence_numbers))
        else {
            return Verdict::Failed;
        };
        first = Some(first.map_or(place, |first: usize| first.min(place)));
    }
    first.map_or(Verdict::Done, Verdict::DoneBefore)
}

/// A batch is of one shard: the lowest number is the first.
fn position(identifier: &str, sequence_numbers: &[&str]) -> Option<usize> {
    let wanted: SequenceNumber = identifier.parse().ok()?;
    sequence_numbers
        .binary_search_by(|number| match number.parse::<SequenceNumber>() {
            Ok(number) => number.cmp(&wanted),
            Err(_) => Ordering::Less,
        })
        .ok()
}

/// What follows. `arrivals_ms` are the records' arrivals, `retries` those used up so far.
///
/// A checkpoint that moved starts the count of retries anew: what is left is another batch. Halving uses no retry, and
/// is for invocations that failed as a whole: a partial failure has said where to split.
pub fn next(
    verdict: Verdict,
    limits: &Limits,
    retries: u32,
    arrivals_ms: &[i64],
    now_ms: i64,
) -> Next {
    let from = match verdict {
        Verdict::Done => return Next::Pass,
        Verdict::DoneBefore(index) => index,
        Verdict::Failed => 0,
    };
    let left = arrivals_ms.get(from..).unwrap_or_default();
    if left.is_empty() {
        return Next::Pass;
    }
    let expired = left
        .iter()
        .take_while(|arrived| is_expired(**arrived, limits, now_ms))
        .count();
    if expired > 0 {
        return Next::Discard {
            from,
            to: from + expired,
            condition: Condition::RecordAgeExceeded,
        };
    }
    if from > 0 {
        return Next::Retry { from, retries: 0 };
    }
    // A partial failure is split where it says, and at the first record that is the whole batch again.
    if limits.bisect && verdict == Verdict::Failed && left.len() > 1 {
        return Next::Split { at: left.len() / 2 };
    }
    match limits.retries {
        Some(limit) if retries >= limit => Next::Discard {
            from,
            to: arrivals_ms.len(),
            condition: Condition::RetryAttemptsExhausted,
        },
        _ => Next::Retry {
            from,
            retries: retries.saturating_add(1),
        },
    }
}

/// Whether a record is too old to be tried (again).
pub fn is_expired(arrived_ms: i64, limits: &Limits, now_ms: i64) -> bool {
    limits.record_age.is_some_and(|age| {
        now_ms.saturating_sub(arrived_ms) > i64::try_from(age.as_millis()).unwrap_or(i64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: [&str; 4] = ["101", "102", "103", "1000"];

    #[track_caller]
    fn reads(answer: &str, expected: Verdict) {
        assert_eq!(
            verdict(answer.as_bytes(), true, &BATCH),
            expected,
            "{answer}"
        );
    }

    #[test]
    fn every_documented_success() {
        for answer in [
            "",
            "null",
            "\"\"",
            "[]",
            "{}",
            r#"{"batchItemFailures":[]}"#,
            r#"{"batchItemFailures":null}"#,
        ] {
            reads(answer, Verdict::Done);
        }
    }

    #[test]
    fn every_documented_failure_of_the_whole_batch() {
        for answer in [
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"identifier":"102"}]}"#,
            r#"{"batchItemFailures":[{}]}"#,
            r#"{"batchItemFailures":"102"}"#,
            "not JSON",
            "\"ok\"",
            "7",
        ] {
            reads(answer, Verdict::Failed);
        }
    }

    #[test]
    fn an_identifier_that_is_not_in_the_batch_fails_it() {
        reads(
            r#"{"batchItemFailures":[{"itemIdentifier":"999"}]}"#,
            Verdict::Failed,
        );
        reads(
            r#"{"batchItemFailures":[{"itemIdentifier":"102"},{"itemIdentifier":"999"}]}"#,
            Verdict::Failed,
        );
    }

    #[test]
    fn the_lowest_identifier_counts_as_a_number() {
        for (identifiers, expected) in [
            (vec!["101"], 0),
            (vec!["103"], 2),
            (vec!["1000", "102"], 1),
            (vec!["0103", "1000"], 2),
        ] {
            let items: Vec<_> = identifiers
                .iter()
                .map(|id| serde_json::json!({"itemIdentifier": id}))
                .collect();
            let answer = serde_json::json!({"batchItemFailures": items}).to_string();
            reads(&answer, Verdict::DoneBefore(expected));
        }
    }

    #[test]
    fn without_partial_failures_any_answer_is_success() {
        for answer in [r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, "7", ""] {
            assert_eq!(verdict(answer.as_bytes(), false, &BATCH), Verdict::Done);
        }
    }

    const FOR_EVER: Limits = Limits {
        retries: None,
        record_age: None,
        bisect: false,
    };
    const NOW: i64 = 1_000_000;
    const YOUNG: [i64; 4] = [NOW - 10; 4];

    #[test]
    fn what_is_done_is_passed() {
        assert_eq!(next(Verdict::Done, &FOR_EVER, 3, &YOUNG, NOW), Next::Pass);
        assert_eq!(
            next(Verdict::DoneBefore(4), &FOR_EVER, 0, &YOUNG, NOW),
            Next::Pass
        );
    }

    #[test]
    fn a_partial_failure_resumes_at_the_record_with_its_retries_anew() {
        let moved = Next::Retry {
            from: 2,
            retries: 0,
        };
        assert_eq!(
            next(Verdict::DoneBefore(2), &FOR_EVER, 7, &YOUNG, NOW),
            moved
        );
        let bisecting = Limits {
            bisect: true,
            ..FOR_EVER
        };
        assert_eq!(
            next(Verdict::DoneBefore(2), &bisecting, 7, &YOUNG, NOW),
            moved
        );
        let no_retry = Limits {
            retries: Some(0),
            ..FOR_EVER
        };
        assert_eq!(
            next(Verdict::DoneBefore(2), &no_retry, 0, &YOUNG, NOW),
            moved
        );
    }

    #[test]
    fn a_checkpoint_that_does_not_move_uses_retries() {
        for verdict in [Verdict::Failed, Verdict::DoneBefore(0)] {
            assert_eq!(
                next(verdict, &FOR_EVER, 7, &YOUNG, NOW),
                Next::Retry {
                    from: 0,
                    retries: 8
                }
            );
        }
    }

    #[test]
    fn a_partial_failure_at_the_first_record_is_not_halved() {
        let limits = Limits {
            bisect: true,
            ..FOR_EVER
        };
        let again = Next::Retry {
            from: 0,
            retries: 1,
        };
        assert_eq!(next(Verdict::DoneBefore(0), &limits, 0, &YOUNG, NOW), again);
    }

    #[test]
    fn used_up_retries_end_in_the_failure_destination() {
        let limits = Limits {
            retries: Some(2),
            ..FOR_EVER
        };
        assert_eq!(
            next(Verdict::Failed, &limits, 1, &YOUNG, NOW),
            Next::Retry {
                from: 0,
                retries: 2
            }
        );
        let discard = Next::Discard {
            from: 0,
            to: 4,
            condition: Condition::RetryAttemptsExhausted,
        };
        assert_eq!(next(Verdict::Failed, &limits, 2, &YOUNG, NOW), discard);
    }

    #[test]
    fn a_failed_batch_is_halved_before_a_retry_is_used() {
        let limits = Limits {
            retries: Some(0),
            bisect: true,
            ..FOR_EVER
        };
        assert_eq!(
            next(Verdict::Failed, &limits, 0, &YOUNG, NOW),
            Next::Split { at: 2 }
        );
        assert_eq!(
            next(Verdict::Failed, &limits, 0, &YOUNG[..3], NOW),
            Next::Split { at: 1 }
        );
        let discard = Next::Discard {
            from: 0,
            to: 1,
            condition: Condition::RetryAttemptsExhausted,
        };
        assert_eq!(next(Verdict::Failed, &limits, 0, &YOUNG[..1], NOW), discard);
    }

    #[test]
    fn only_the_records_that_are_too_old_are_given_up() {
        let limits = Limits {
            record_age: Some(Duration::from_secs(60)),
            bisect: true,
            ..FOR_EVER
        };
        let arrivals = [NOW - 60_002, NOW - 60_001, NOW - 60_000, NOW];
        let discard = |from| Next::Discard {
            from,
            to: 2,
            condition: Condition::RecordAgeExceeded,
        };
        assert_eq!(
            next(Verdict::Failed, &limits, 0, &arrivals, NOW),
            discard(0)
        );
        assert_eq!(
            next(Verdict::DoneBefore(1), &limits, 0, &arrivals, NOW),
            discard(1)
        );
        assert_eq!(
            next(Verdict::DoneBefore(2), &limits, 0, &arrivals, NOW),
            Next::Retry {
                from: 2,
                retries: 0
            }
        );
    }
}
