//! How far a mapping is behind on one shard: exact, because every record read is counted until its batch is passed.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

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
    open: VecDeque<i64>,
    passed: u64,
    given_up: u64,
    most_ms: i64,
    /// When the read was begun that found nothing behind the last record.
    tip: Option<Instant>,
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
    /// Those among them that went to the failure destination.
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

    /// Records were read, in their order.
    pub fn read(&self, arrivals_ms: impl IntoIterator<Item = i64>) {
        self.state().open.extend(arrivals_ms);
    }

    /// A read that began at `begun` found nothing.
    pub fn at_tip(&self, begun: Instant) {
        self.state().tip = Some(begun);
    }

    /// The first `records` of those that are open are passed.
    pub fn pass(&self, records: usize, given_up: bool, now_ms: i64) {
        let mut state = self.state();
        for arrived in state.open.drain(..records).collect::<Vec<_>>() {
            state.most_ms = state.most_ms.max(now_ms.saturating_sub(arrived));
            state.passed += 1;
            state.given_up += u64::from(given_up);
        }
    }

    /// Whether everything that was on the shard at `since` is passed.
    pub fn is_caught_up(&self, since: Instant) -> bool {
        let state = self.state();
        state.open.is_empty() && state.tip.is_some_and(|tip| tip >= since)
    }

    /// How far behind it is.
    pub fn behind(&self, now_ms: i64) -> Behind {
        let state = self.state();
        Behind {
            function: self.function.clone(),
            shard: self.shard.clone(),
            records: state.open.len(),
            ms: state
                .open
                .front()
                .map_or(0, |arrived| now_ms.saturating_sub(*arrived).max(0)),
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

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn counts_what_is_read_until_it_is_passed() {
        let lag = Lag::new("sns-alerter", "arn", "shardId-000000000000");
        let start = Instant::now();
        lag.read([100, 200, 300]);
        let behind = lag.behind(1_100);
        assert_eq!((behind.records, behind.ms), (3, 1_000));
        lag.pass(2, false, 1_200);
        let behind = lag.behind(1_300);
        assert_eq!(
            (behind.records, behind.ms, behind.passed, behind.most_ms),
            (1, 1_000, 2, 1_100)
        );
        lag.at_tip(start);
        assert!(!lag.is_caught_up(start), "a record is open");
        lag.pass(1, true, 1_300);
        assert!(lag.is_caught_up(start));
        assert!(
            !lag.is_caught_up(start + Duration::from_millis(1)),
            "the read began before"
        );
        assert_eq!((lag.behind(0).records, lag.behind(0).given_up), (0, 1));
    }
}
