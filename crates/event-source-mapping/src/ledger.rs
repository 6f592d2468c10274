//! What of a shard is read and not behind the checkpoint.
//!
//! Promise: the checkpoint is the last record before which every record is finished.

use std::collections::VecDeque;

use kinesis_batch::SequenceNumber;

#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// The ordinal of the first entry.
    first: u64,
    entries: VecDeque<Entry>,
    checkpoint: Option<SequenceNumber>,
    unfinished: usize,
    unfinished_bytes: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    number: SequenceNumber,
    bytes: usize,
    finished: bool,
}

impl Ledger {
    /// Takes a record, and gives the name under which it is finished.
    pub(crate) fn push(&mut self, number: SequenceNumber, bytes: usize) -> u64 {
        self.entries.push_back(Entry {
            number,
            bytes,
            finished: false,
        });
        self.unfinished += 1;
        self.unfinished_bytes += bytes;
        self.first + self.entries.len() as u64 - 1
    }

    /// A record is finished, for the first time.
    pub(crate) fn finish(&mut self, ordinal: u64) {
        let index = ordinal
            .checked_sub(self.first)
            .and_then(|index| usize::try_from(index).ok());
        let Some(entry) = index
            .and_then(|index| self.entries.get_mut(index))
            .filter(|entry| !entry.finished)
        else {
            debug_assert!(false, "record {ordinal} is finished already");
            return;
        };
        entry.finished = true;
        self.unfinished -= 1;
        self.unfinished_bytes -= entry.bytes;
        while self.entries.front().is_some_and(|entry| entry.finished) {
            self.first += 1;
            self.checkpoint = self.entries.pop_front().map(|entry| entry.number);
        }
    }

    /// The last record of the finished ones at the shard's beginning.
    pub(crate) fn checkpoint(&self) -> Option<&SequenceNumber> {
        self.checkpoint.as_ref()
    }

    /// Records behind the checkpoint, the finished ones among them included.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn unfinished(&self) -> usize {
        self.unfinished
    }

    pub(crate) fn unfinished_bytes(&self) -> usize {
        self.unfinished_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(records: u32) -> Ledger {
        let mut ledger = Ledger::default();
        (1..=records).for_each(|number| {
            ledger.push(number.to_string().parse().unwrap(), 10);
        });
        ledger
    }

    #[track_caller]
    fn check(finished: &[u64], checkpoint: Option<&str>, len: usize) {
        let mut ledger = ledger(5);
        finished.iter().for_each(|ordinal| ledger.finish(*ordinal));
        assert_eq!(
            ledger.checkpoint().map(SequenceNumber::as_str),
            checkpoint,
            "{finished:?}"
        );
        assert_eq!(
            (ledger.len(), ledger.unfinished()),
            (len, 5 - finished.len()),
            "{finished:?}"
        );
        assert_eq!(ledger.unfinished_bytes(), 10 * ledger.unfinished());
    }

    #[test]
    fn the_checkpoint_is_the_end_of_the_finished_prefix() {
        check(&[], None, 5);
        check(&[0], Some("1"), 4);
        check(&[1, 2], None, 5);
        check(&[1, 2, 0], Some("3"), 2);
        check(&[4, 0], Some("1"), 4);
        check(&[0, 1, 2, 3, 4], Some("5"), 0);
    }

    #[test]
    #[should_panic(expected = "finished already")]
    fn a_record_is_finished_once() {
        let mut ledger = ledger(2);
        ledger.finish(0);
        ledger.finish(0);
    }
}
