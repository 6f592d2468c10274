//! Records that this environment has finished: where a batch comes again because another of its records failed, they
//! cost neither decoding nor a call.
//!
//! Only what is finished for good is remembered (committed, quarantined or parked), so that forgetting is always safe:
//! then the machine's watermark tells.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kinesis_batch::{Batch, Outcomes, UserRecord};

use crate::verdict::shard_key;

/// As many as two of the largest batches have; more shards than that fill it, and it starts over.
const MAX_RECORDS: usize = 20_000;

/// The finished records of the last batch of each shard.
#[derive(Debug, Default)]
pub struct Finished(Mutex<HashMap<String, Numbers>>);

impl Finished {
    /// For each of the batch's records, whether it is finished.
    pub fn known(&self, batch: &Batch<'_>) -> Vec<bool> {
        let finished = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = vec![false; batch.len()];
        if finished.is_empty() {
            return known;
        }
        for records in by_shard(batch) {
            let Some(numbers) = finished.get(&shard_key(&records[0])) else {
                continue;
            };
            let mut numbers = numbers.iter().peekable();
            for record in records {
                let number = record.sequence_number;
                while numbers.next_if(|first| is_before(first, number)).is_some() {}
                known[record.parent] = numbers.peek() == Some(&number);
            }
        }
        known
    }

    /// Remembers what `outcomes` says of the batch, in place of what was known of its shards.
    pub fn remember(&self, batch: &Batch<'_>, outcomes: &Outcomes) {
        let mut now: HashMap<String, Numbers> = HashMap::new();
        for records in by_shard(batch) {
            let numbers = now.entry(shard_key(&records[0])).or_default();
            // The user records of an aggregate are one record.
            for of_one in records.chunk_by(|left, right| left.parent == right.parent) {
                if outcomes.is_done(of_one[0].parent) {
                    numbers.push(of_one[0].sequence_number);
                }
            }
        }
        let mut finished = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept: usize = finished.values().map(Numbers::len).sum();
        if kept + batch.len() > MAX_RECORDS {
            finished.clear();
        }
        finished.extend(now);
    }
}

/// The batch's records, those of one shard together; a batch has one.
fn by_shard<'a, 'b>(batch: &'a Batch<'b>) -> impl Iterator<Item = &'a [UserRecord<'b>]> {
    let records = batch.user_records().as_slice();
    records.chunk_by(|left, right| left.shard == right.shard && left.stream_arn == right.stream_arn)
}

/// Sequence numbers in the order of their shard, one behind the other in one text: thousands of texts and their hashes
/// would cost more than all else that a replay does after decoding.
#[derive(Debug, Default)]
struct Numbers {
    text: String,
    ends: Vec<usize>,
}

impl Numbers {
    fn push(&mut self, number: &str) {
        self.text.push_str(number);
        self.ends.push(self.text.len());
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let number = &self.text[start..*end];
            start = *end;
            number
        })
    }
}

/// The order of numbers without leading zeros, as Kinesis writes them. Others are not found: then the watermark tells.
fn is_before(left: &str, right: &str) -> bool {
    let by_length = left.len().cmp(&right.len());
    by_length.then_with(|| left.cmp(right)) == Ordering::Less
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
        remember("a", 8..13, &[1, 2, 3]);
        let expected = [false, false, true, true, true, false, false];
        assert_eq!(known("a", 7..14), expected, "9 lies before 10");
        assert_eq!(known("b", 1..3), [true; 2]);
        remember("c", 1..20_001, &[]);
        assert_eq!(known("b", 1..3), [false; 2], "too many are forgotten");
    }
}
