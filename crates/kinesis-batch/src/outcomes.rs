//! What became of a batch, and Lambda's partial batch response.
//!
//! Every record starts as failed and becomes done, so that what was never reached is retried. The checkpoint is the
//! **numerically** lowest unfinished sequence number, because that is the one Lambda honours and retries from; a
//! batch comes from one shard, where the numbers ascend and the lowest is also the first.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::batch::Parent;
use crate::sequence_number;

/// The ledger of one batch: for every record, how many of its user records are not done.
#[derive(Clone, Debug)]
pub struct Outcomes {
    /// All sequence numbers, one behind the other.
    numbers: String,
    parents: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    number: Option<Range<usize>>,
    pending: usize,
}

/// The answer to Lambda (`ReportBatchItemFailures`): none failed, or everything from one record on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchResponse {
    /// Empty, or the checkpoint alone.
    pub batch_item_failures: Vec<ItemFailure>,
}

/// Where Lambda is to resume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// A sequence number of the batch; empty: the batch failed as a whole.
    pub item_identifier: String,
}

impl Outcomes {
    pub(crate) fn new(parents: &[Parent<'_>]) -> Self {
        let mut numbers = String::with_capacity(
            parents
                .iter()
                .filter_map(|p| p.sequence_number)
                .map(str::len)
                .sum(),
        );
        let parents = parents
            .iter()
            .map(|parent| {
                let number = parent.sequence_number.map(|number| {
                    let start = numbers.len();
                    numbers.push_str(number);
                    start..numbers.len()
                });
                Entry {
                    number,
                    pending: parent.pending,
                }
            })
            .collect();
        Self { numbers, parents }
    }

    /// One user record of the record at index `parent`, or that record itself if it is malformed, is done.
    ///
    /// Called more often than the record has user records, it is the caller's fault: debug builds panic, others
    /// ignore it, since a function that judged everything must not lose its answer.
    pub fn done(&mut self, parent: usize) {
        match self.parents.get_mut(parent) {
            Some(entry) if entry.pending > 0 => entry.pending -= 1,
            _ => debug_assert!(false, "record {parent} has nothing pending"),
        }
    }

    /// Whether the record at index `parent` is done. An aggregate without user records is done from the start.
    pub fn is_done(&self, parent: usize) -> bool {
        self.parents
            .get(parent)
            .is_some_and(|entry| entry.pending == 0)
    }

    /// How many records are not done.
    pub fn unfinished(&self) -> usize {
        self.parents
            .iter()
            .filter(|entry| entry.pending > 0)
            .count()
    }

    /// The answer to Lambda: the lowest sequence number that is not done.
    ///
    /// A malformed record without a readable sequence number that is not done sends the batch back to its lowest
    /// readable record, or as a whole where no readable record comes before it: a checkpoint must not pass it.
    pub fn response(&self) -> BatchResponse {
        let unnumbered = self
            .parents
            .iter()
            .position(|entry| entry.pending > 0 && entry.number.is_none());
        let checkpoint = match unnumbered {
            Some(position)
                if self.parents[..position]
                    .iter()
                    .all(|entry| entry.number.is_none()) =>
            {
                Some("")
            }
            Some(_) => self.lowest(|_| true),
            None => self.lowest(|entry| entry.pending > 0),
        };
        BatchResponse {
            batch_item_failures: checkpoint
                .map(|number| ItemFailure {
                    item_identifier: number.to_owned(),
                })
                .into_iter()
                .collect(),
        }
    }

    fn lowest(&self, filter: impl Fn(&Entry) -> bool) -> Option<&str> {
        self.parents
            .iter()
            .filter(|entry| filter(entry))
            .filter_map(|entry| Some(&self.numbers[entry.number.clone()?]))
            .min_by(|left, right| sequence_number::compare(left, right))
    }
}

impl BatchResponse {
    /// The sequence number to resume from; empty for the whole batch, none if everything is done.
    pub fn checkpoint(&self) -> Option<&str> {
        self.batch_item_failures
            .first()
            .map(|failure| failure.item_identifier.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNNUMBERED: Option<&str> = None;

    fn outcomes(parents: &[(Option<&str>, usize)]) -> Outcomes {
        let parents: Vec<_> = parents
            .iter()
            .map(|&(sequence_number, pending)| Parent {
                sequence_number,
                pending,
            })
            .collect();
        Outcomes::new(&parents)
    }

    /// The checkpoint once the records at `done` are done, each mentioned once per user record.
    #[track_caller]
    fn check(parents: &[(Option<&str>, usize)], done: &[usize], expected: Option<&str>) {
        let mut outcomes = outcomes(parents);
        done.iter().for_each(|&parent| outcomes.done(parent));
        assert_eq!(
            outcomes.response().checkpoint(),
            expected,
            "{parents:?} {done:?}"
        );
    }

    #[test]
    fn unprocessed_means_failed() {
        let batch = [(Some("101"), 1), (Some("102"), 1), (Some("103"), 1)];
        check(&batch, &[], Some("101"));
        check(&batch, &[0], Some("102"));
        check(&batch, &[1, 2], Some("101"));
        check(&batch, &[2, 0], Some("102"));
        check(&batch, &[0, 1, 2], None);
    }

    #[test]
    fn the_lowest_is_the_numerically_lowest() {
        check(&[(Some("99"), 1), (Some("100"), 1)], &[], Some("99"));
        check(&[(Some("100"), 1), (Some("99"), 1)], &[], Some("99"));
        check(&[(Some("100"), 1), (Some("99"), 1)], &[1], Some("100"));
    }

    #[test]
    fn an_aggregate_is_done_with_its_last_user_record() {
        let batch = [(Some("101"), 3), (Some("102"), 1)];
        check(&batch, &[0, 0, 1], Some("101"));
        check(&batch, &[0, 0, 1, 0], None);
    }

    #[test]
    fn an_empty_aggregate_is_done_by_itself() {
        check(&[(Some("101"), 0)], &[], None);
        check(&[(Some("101"), 0), (Some("102"), 1)], &[], Some("102"));
    }

    #[test]
    fn an_empty_batch_is_done() {
        check(&[], &[], None);
    }

    #[test]
    fn a_checkpoint_never_passes_a_record_without_number() {
        let later = [(Some("101"), 1), (Some("102"), 1), (UNNUMBERED, 1)];
        check(&later, &[0, 1], Some("101"));
        check(&later, &[0, 1, 2], None);
        let leading = [(UNNUMBERED, 1), (Some("101"), 1)];
        check(&leading, &[1], Some(""));
        check(&leading, &[0], Some("101"));
        check(&[(UNNUMBERED, 1)], &[], Some(""));
        check(
            &[(UNNUMBERED, 1), (Some("101"), 1), (UNNUMBERED, 1)],
            &[0, 1],
            Some("101"),
        );
    }

    #[test]
    #[should_panic(expected = "record 0 has nothing pending")]
    fn done_too_often_shows_in_debug_builds() {
        let mut outcomes = outcomes(&[(Some("101"), 1), (Some("102"), 1)]);
        outcomes.done(0);
        outcomes.done(0);
    }

    #[test]
    #[should_panic(expected = "record 7 has nothing pending")]
    fn an_index_outside_the_batch_shows_in_debug_builds() {
        outcomes(&[(Some("101"), 1)]).done(7);
    }

    #[test]
    fn is_lambdas_json() {
        let mut outcomes = outcomes(&[(Some("101"), 1)]);
        let failed = serde_json::to_string(&outcomes.response()).unwrap();
        assert_eq!(
            failed,
            r#"{"batchItemFailures":[{"itemIdentifier":"101"}]}"#
        );
        assert_eq!(
            serde_json::from_str::<BatchResponse>(&failed).unwrap(),
            outcomes.response()
        );
        assert_eq!((outcomes.unfinished(), outcomes.is_done(0)), (1, false));
        outcomes.done(0);
        assert_eq!(
            serde_json::to_string(&outcomes.response()).unwrap(),
            r#"{"batchItemFailures":[]}"#
        );
        assert_eq!((outcomes.unfinished(), outcomes.is_done(0)), (0, true));
    }

    proptest! {
        /// Against the definition, spelt out with machine integers.
        #[test]
        fn is_the_minimum_of_what_is_pending(batch in prop::collection::vec((any::<u64>(), 0_usize..4, 0_usize..4), 0..20)) {
            let numbers: Vec<String> = batch.iter().map(|(number, ..)| number.to_string()).collect();
            let parents: Vec<_> = batch.iter().zip(&numbers).map(|((_, all, _), n)| (Some(n.as_str()), *all)).collect();
            let mut outcomes = outcomes(&parents);
            for (index, (_, all, done)) in batch.iter().enumerate() {
                (0..*done.min(all)).for_each(|_| outcomes.done(index));
            }
            let expected = batch.iter().filter(|(_, all, done)| done < all).map(|(number, ..)| *number).min();
            let response = outcomes.response();
            prop_assert_eq!(response.checkpoint().map(|n| n.parse::<u64>().unwrap()), expected);
        }
    }
}
