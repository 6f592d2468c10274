//! How far a mapping is behind on one shard: exact, because every record read is counted until it is passed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use event_source_mapping::SourceRecord;
use kinesis_batch::SequenceNumber;
use tokio::time::Instant;

/// One shard as one mapping sees it.
#[derive(Debug)]
pub struct Lag {
    /// The package of the mapping's function.
    pub function: String,
    /// The stream's ARN.
    pub stream_arn: String,
    /// The shard's id.
    pub shard: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Arrivals of the records that are read and not passed, in ms since the epoch.
    open: BTreeMap<SequenceNumber, i64>,
    passed: u64,
    given_up: u64,
    most_ms: i64,
    /// When the read was begun that found nothing behind the last record.
    tip: Option<Instant>,
    /// Whether the shard is closed and read to its end.
    ended: bool,
}

/// What a shard's lag is at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    /// The package of the mapping's function.
    pub function: String,
    /// The shard's id.
    pub shard: String,
    /// Records that are read and not passed.
    pub records: usize,
    /// The age of the oldest of them, in ms.
    pub ms: i64,
    /// Records that were passed.
    pub passed: u64,
    /// Those among them that were given up.
    pub given_up: u64,
    /// The oldest that a record was when it was passed, in ms.
    pub most_ms: i64,
}

impl Lag {
    /// Nothing read yet.
    pub fn new(function: &str, stream_arn: &str, shard: &str) -> Self {
        Self {
            function: function.to_owned(),
            stream_arn: stream_arn.to_owned(),
            shard: shard.to_owned(),
            state: Mutex::default(),
        }
    }

    /// Records were read.
    pub fn read(&self, records: &[Arc<SourceRecord>]) {
        let arrivals = records
            .iter()
            .map(|record| (record.sequence_number.clone(), record.arrived_ms));
        self.state().open.extend(arrivals);
    }

    /// A read that began at `begun` found nothing.
    pub fn at_tip(&self, begun: Instant) {
        self.state().tip = Some(begun);
    }

    /// The shard is read to its end.
    pub fn end(&self) {
        self.state().ended = true;
    }

    /// These records are passed: done, or given up.
    pub fn pass(&self, records: &[Arc<SourceRecord>], given_up: bool, now_ms: i64) {
        let mut state = self.state();
        for record in records {
            if let Some(arrived_ms) = state.open.remove(&record.sequence_number) {
                state.most_ms = state.most_ms.max(now_ms.saturating_sub(arrived_ms));
                state.passed += 1;
                state.given_up += u64::from(given_up);
            }
        }
    }

    /// Whether everything that was on the shard at `since` is passed.
    pub fn is_caught_up(&self, since: Instant) -> bool {
        let state = self.state();
        let is_read = state.ended || state.tip.is_some_and(|tip| tip >= since);
        state.open.is_empty() && is_read
    }

    /// How far behind it is.
    pub fn behind(&self, now_ms: i64) -> Behind {
        let state = self.state();
        Behind {
            function: self.function.clone(),
            shard: self.shard.clone(),
            records: state.open.len(),
            ms: state.open.first_key_value().map_or(0, |(_, arrived_ms)| {
                now_ms.saturating_sub(*arrived_ms).max(0)
            }),
            passed: state.passed,
            given_up: state.given_up,
            most_ms: state.most_ms,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::record;
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn counts_what_is_read_until_it_is_passed() {
        let lag = Lag::new("sns-alerter", "arn", "shardId-000000000000");
        let start = Instant::now();
        let records = [record(1, 100), record(2, 200), record(10, 300)];
        lag.read(&records);
        let behind = lag.behind(1_100);
        assert_eq!((behind.records, behind.ms), (3, 1_000));
        lag.pass(&records[1..2], false, 1_200);
        let behind = lag.behind(1_200);
        assert_eq!(
            (behind.records, behind.ms),
            (2, 1_100),
            "the oldest is open, whatever is passed behind it"
        );
        lag.pass(&records[..1], false, 1_200);
        let behind = lag.behind(1_300);
        assert_eq!(
            (behind.records, behind.ms, behind.passed, behind.most_ms),
            (1, 1_000, 2, 1_100)
        );
        lag.at_tip(start);
        assert!(!lag.is_caught_up(start), "a record is open");
        lag.pass(&records[2..], true, 1_300);
        assert!(lag.is_caught_up(start));
        let later = start + Duration::from_millis(1);
        assert!(!lag.is_caught_up(later), "the read began before");
        assert_eq!((lag.behind(0).records, lag.behind(0).given_up), (0, 1));
        lag.end();
        assert!(lag.is_caught_up(later), "nothing can come any more");
    }
}
