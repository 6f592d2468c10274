//! What waits for the stream, and what the next call may take of it. Pure.
//!
//! Order per partition key: entries leave in the order in which they came; while a key has a rejected entry, its
//! later ones wait. Within one call the stream itself may accept a later entry and reject an earlier one of the same
//! key; unless `strict`, which sends one entry of a key per call, this is possible and counted.

use std::collections::{HashSet, VecDeque};

/// The most entries in one call of PutRecords.
pub const MAX_CALL_ENTRIES: usize = 500;
/// The most bytes in one call, keys included: the smaller of the limits that AWS has published.
pub const MAX_CALL_BYTES: usize = 5 * 1024 * 1024;
/// The most bytes of one record, key included, unless the stream is configured for more.
pub const MAX_RECORD_BYTES: usize = 1024 * 1024;

/// One record for the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The record's partition key.
    pub partition_key: String,
    /// The record's bytes.
    pub data: Vec<u8>,
    /// How many readings it carries.
    pub readings: u64,
}

impl Entry {
    /// What the entry counts against the limits, in bytes.
    pub fn size(&self) -> usize {
        self.partition_key.len() + self.data.len()
    }
}

/// Entries in order.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: VecDeque<Waiting>,
    strict: bool,
}

#[derive(Debug)]
struct Waiting {
    entry: Entry,
    /// Whether the stream has rejected it before.
    rejected: bool,
}

/// What a call came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Accepted entries.
    pub records: u64,
    /// The readings in them.
    pub readings: u64,
    /// Their data, in bytes.
    pub bytes: u64,
    /// Rejected entries, which wait again.
    pub rejected: u64,
    /// Rejected entries that an accepted one of the same key has overtaken.
    pub overtaken: u64,
}

impl Queue {
    /// An empty queue.
    pub fn new(strict: bool) -> Self {
        Self {
            strict,
            ..Self::default()
        }
    }

    /// Adds an entry behind the others.
    pub fn push(&mut self, entry: Entry) {
        self.waiting.push_back(Waiting {
            entry,
            rejected: false,
        });
    }

    /// How many entries wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the next call's entries, in order. A key with a rejected entry gives its first one alone.
    pub fn next_call(&mut self) -> Vec<Entry> {
        let mut call: Vec<Entry> = Vec::new();
        let mut bytes = 0;
        let mut alone: HashSet<String> = HashSet::new();
        let mut left = VecDeque::new();
        while let Some(next) = self.waiting.pop_front() {
            let full = call.len() == MAX_CALL_ENTRIES
                || (!call.is_empty() && bytes + next.entry.size() > MAX_CALL_BYTES);
            if full {
                left.push_back(next);
                break;
            }
            if alone.contains(&next.entry.partition_key) {
                left.push_back(next);
                continue;
            }
            if self.strict || next.rejected {
                alone.insert(next.entry.partition_key.clone());
            }
            bytes += next.entry.size();
            call.push(next.entry);
        }
        left.append(&mut self.waiting);
        self.waiting = left;
        call
    }

    /// Takes back what the stream rejected of the call; `rejected` says so by index.
    pub fn settle(&mut self, call: Vec<Entry>, rejected: impl Fn(usize) -> bool) -> Settled {
        let mut settled = Settled::default();
        let mut accepted_later: HashSet<String> = HashSet::new();
        // From the last to the first, so that rejected entries stand in front in their order.
        for (index, entry) in call.into_iter().enumerate().rev() {
            if rejected(index) {
                settled.rejected += 1;
                settled.overtaken += u64::from(accepted_later.contains(&entry.partition_key));
                self.waiting.push_front(Waiting {
                    entry,
                    rejected: true,
                });
            } else {
                settled.records += 1;
                settled.readings += entry.readings;
                settled.bytes += entry.data.len() as u64;
                accepted_later.insert(entry.partition_key);
            }
        }
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, data: &str) -> Entry {
        Entry {
            partition_key: key.into(),
            data: data.into(),
            readings: 1,
        }
    }

    fn queue(strict: bool, entries: &[&str]) -> Queue {
        let mut queue = Queue::new(strict);
        for name in entries {
            queue.push(entry(&name[..1], name));
        }
        queue
    }

    fn names(call: &[Entry]) -> Vec<String> {
        call.iter()
            .map(|entry| String::from_utf8(entry.data.clone()).unwrap())
            .collect()
    }

    #[test]
    fn takes_entries_in_order() {
        let mut queue = queue(false, &["a1", "b1", "a2"]);
        assert_eq!(names(&queue.next_call()), ["a1", "b1", "a2"]);
        assert!(queue.is_empty());
    }

    #[test]
    fn later_entries_of_a_rejected_key_wait() {
        let mut queue = queue(false, &["a1", "b1", "b2"]);
        let call = queue.next_call();
        let settled = queue.settle(call, |index| index != 1);
        assert_eq!(
            settled,
            Settled {
                records: 1,
                readings: 1,
                bytes: 2,
                rejected: 2,
                overtaken: 0
            }
        );
        queue.push(entry("a", "a2"));
        queue.push(entry("b", "b3"));
        queue.push(entry("c", "c1"));
        assert_eq!(names(&queue.next_call()), ["a1", "b2", "c1"]);
        assert_eq!(names(&queue.next_call()), ["a2", "b3"]);
    }

    #[test]
    fn several_rejected_entries_of_a_key_go_one_by_one() {
        let mut queue = queue(false, &["a1", "a2", "a3"]);
        let call = queue.next_call();
        queue.settle(call, |index| index < 2);
        assert_eq!(names(&queue.next_call()), ["a1"]);
        assert_eq!(names(&queue.next_call()), ["a2"]);
    }

    #[test]
    fn counts_what_was_overtaken() {
        let mut queue = queue(false, &["a1", "b1", "a2", "a3", "b2"]);
        let call = queue.next_call();
        // a1 and a2 are rejected while a3 is accepted; b1 is rejected with everything behind it.
        let settled = queue.settle(call, |index| [0, 1, 2, 4].contains(&index));
        assert_eq!((settled.rejected, settled.overtaken), (4, 2));
    }

    #[test]
    fn strict_order_sends_one_entry_of_a_key_per_call() {
        let mut queue = queue(true, &["a1", "a2", "b1", "a3", "b2"]);
        assert_eq!(names(&queue.next_call()), ["a1", "b1"]);
        assert_eq!(names(&queue.next_call()), ["a2", "b2"]);
        assert_eq!(names(&queue.next_call()), ["a3"]);
    }

    #[test]
    fn a_call_keeps_the_limits() {
        let mut many = Queue::new(false);
        (0..1_200).for_each(|n| many.push(entry("k", &n.to_string())));
        assert_eq!(
            [
                many.next_call().len(),
                many.next_call().len(),
                many.next_call().len()
            ],
            [500, 500, 200]
        );
        let mut large = Queue::new(false);
        (0..7).for_each(|_| large.push(entry("k", &"x".repeat(MAX_RECORD_BYTES - 1))));
        assert_eq!([large.next_call().len(), large.next_call().len()], [5, 2]);
    }
}
