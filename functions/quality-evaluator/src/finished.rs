//! Records that this environment has finished: where a batch comes again because another of its records failed, they
//! cost neither decoding nor a call.
//!
//! Only what is finished for good is remembered (committed, quarantined or parked), so that forgetting is always safe:
//! then the machine's watermark tells.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use kinesis_batch::{Batch, Outcomes, UserRecord};

use crate::verdict::shard_key;

/// As many as two of the largest batches have; more shards than that fill it, and it starts over.
const MAX_RECORDS: usize = 20_000;

/// The finished records of the last batch of each shard.
#[derive(Debug, Default)]
pub struct Finished(Mutex<HashMap<String, HashSet<Box<str>>>>);

impl Finished {
    /// For each of the batch's records, whether it is finished.
    pub fn known(&self, batch: &Batch<'_>) -> Vec<bool> {
        let finished = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = vec![false; batch.len()];
        if finished.is_empty() {
            return known;
        }
        let mut shards = Shards::default();
        for record in batch.user_records() {
            let numbers = finished.get(shards.key(record));
            known[record.parent] =
                numbers.is_some_and(|numbers| numbers.contains(record.sequence_number));
        }
        known
    }

    /// Remembers what `outcomes` says of the batch, in place of what was known of its shards.
    pub fn remember(&self, batch: &Batch<'_>, outcomes: &Outcomes) {
        let mut finished = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shards = Shards::default();
        let mut now: HashMap<String, HashSet<Box<str>>> = HashMap::new();
        for record in batch.user_records() {
            let key = shards.key(record);
            if !now.contains_key(key) {
                now.insert(key.to_owned(), HashSet::new());
            }
            if let Some(numbers) = now.get_mut(key)
                && outcomes.is_done(record.parent)
            {
                numbers.insert(record.sequence_number.into());
            }
        }
        let kept: usize = finished.values().map(HashSet::len).sum();
        if kept + batch.len() > MAX_RECORDS {
            finished.clear();
        }
        finished.extend(now);
    }
}

/// The key of a record's shard; in a batch all are the same.
#[derive(Default)]
struct Shards {
    of: (String, String),
    key: String,
}

impl Shards {
    fn key(&mut self, record: &UserRecord<'_>) -> &str {
        if self.of.0 != record.stream_arn || self.of.1 != record.shard {
            self.of = (record.stream_arn.to_owned(), record.shard.to_owned());
            self.key = shard_key(record);
        }
        &self.key
    }
}

#[cfg(test)]
mod tests {
    use kinesis_batch::envelope::{Event, Record};

    use super::*;

    fn event(shard: &str, numbers: std::ops::Range<u64>) -> Vec<u8> {
        let mut event = Event::new();
        for number in numbers {
            event.push(&Record {
                source_arn: "arn:aws:kinesis:eu-central-1:123456789012:stream/readings",
                region: "eu-central-1",
                role_arn: "",
                shard,
                sequence_number: &number.to_string(),
                partition_key: "a",
                data: b"{}",
                arrived_ms: 0,
            });
        }
        event.finish()
    }

    #[test]
    fn the_last_batch_of_each_shard_is_known() {
        let finished = Finished::default();
        let known = |shard: &str, numbers| {
            let (body, mut buffer) = (event(shard, numbers), Vec::new());
            finished.known(&Batch::decode(&body, &mut buffer).unwrap())
        };
        let remember = |shard: &str, numbers, done: &[usize]| {
            let (body, mut buffer) = (event(shard, numbers), Vec::new());
            let batch = Batch::decode(&body, &mut buffer).unwrap();
            let mut outcomes = batch.outcomes();
            done.iter().for_each(|parent| outcomes.done(*parent));
            finished.remember(&batch, &outcomes);
        };
        assert_eq!(known("a", 1..4), [false; 3]);
        remember("a", 1..4, &[0, 2]);
        assert_eq!(known("a", 1..5), [true, false, true, false]);
        assert_eq!(known("b", 1..4), [false; 3]);
        remember("b", 1..3, &[0, 1]);
        remember("a", 2..5, &[0]);
        assert_eq!(known("a", 1..5), [false, true, false, false]);
        assert_eq!(known("b", 1..3), [true; 2]);
        remember("c", 1..20_001, &[]);
        assert_eq!(known("b", 1..3), [false; 2], "too many are forgotten");
    }
}
