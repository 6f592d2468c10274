//! Until when an invocation may work: the time-out less a margin in which it still answers.
//!
//! Counted on tokio's clock, so that tests move it.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

/// How long an invocation may take that comes without an end.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

const YEAR_2001_MS: u64 = 978_307_200_000;

/// The last moment at which work may still be in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Instant);

/// The deadline passed before the work was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the deadline passed")]
pub struct DeadlinePassed;

impl Deadline {
    /// `duration` from now.
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    /// The deadline of an invocation that Lambda ends at `ends_ms`, seen at `now_ms` (both milliseconds
    /// since the epoch), less `margin` or a third of what is left, whichever is shorter: a function with a
    /// short time-out keeps time to work.
    ///
    /// An end before the year 2001 is no time of day (cargo-lambda's emulator gives every invocation the same small
    /// number): the invocation is taken to end after [`DEFAULT_TIMEOUT`].
    pub fn of_invocation(ends_ms: u64, now_ms: i64, margin: Duration) -> Self {
        let now_ms = u64::try_from(now_ms).unwrap_or(0);
        let left = match ends_ms < YEAR_2001_MS {
            true => DEFAULT_TIMEOUT,
            false => Duration::from_millis(ends_ms.saturating_sub(now_ms)),
        };
        Self::after(left - margin.min(left / 3))
    }

    /// The time left; zero once it has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether nothing new may start.
    pub fn is_past(self) -> bool {
        self.remaining().is_zero()
    }

    /// Whether `duration` from now is still before it.
    pub fn leaves(self, duration: Duration) -> bool {
        duration < self.remaining()
    }

    /// This deadline, or `most` from now where that is earlier: one step must not use up the time of all.
    pub fn within(self, most: Duration) -> Self {
        Self(self.0.min(Instant::now() + most))
    }

    /// Runs `work` until it is done or the deadline passes, whichever comes first.
    pub async fn run<T>(self, work: impl Future<Output = T>) -> Result<T, DeadlinePassed> {
        tokio::time::timeout_at(self.0, work)
            .await
            .map_err(|_| DeadlinePassed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[track_caller]
    fn check(ends_ms: u64, now_ms: i64, margin: Duration, expected_ms: u64) {
        let deadline =
            Deadline::of_invocation(YEAR_2001_MS + ends_ms, 978_307_200_000 + now_ms, margin);
        assert_eq!(deadline.remaining(), Duration::from_millis(expected_ms));
    }

    #[tokio::test(start_paused = true)]
    async fn the_margin_is_kept_but_never_more_than_a_third() {
        check(60_000, 0, 2 * SECOND, 58_000);
        check(61_000, 1_000, 2 * SECOND, 58_000);
        check(3_000, 0, 2 * SECOND, 2_000);
        check(6_000, 0, 2 * SECOND, 4_000);
        check(60_000, 0, Duration::ZERO, 60_000);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_behind_the_clock_is_past() {
        check(1_000, 5_000, SECOND, 0);
        assert!(Deadline::of_invocation(YEAR_2001_MS, 978_307_205_000, SECOND).is_past());
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_that_is_no_time_of_day_is_none() {
        let deadline = Deadline::of_invocation(600_000, 1_795_136_400_000, 2 * SECOND);
        assert_eq!(deadline.remaining(), DEFAULT_TIMEOUT - 2 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn time_runs_out() {
        let deadline = Deadline::after(10 * SECOND);
        assert!(deadline.leaves(9 * SECOND) && !deadline.leaves(10 * SECOND));
        tokio::time::advance(4 * SECOND).await;
        assert_eq!(deadline.remaining(), 6 * SECOND);
        tokio::time::advance(60 * SECOND).await;
        assert!(deadline.is_past());
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_ends_no_later_than_the_whole() {
        let deadline = Deadline::after(10 * SECOND);
        assert_eq!(deadline.within(3 * SECOND).remaining(), 3 * SECOND);
        assert_eq!(deadline.within(30 * SECOND), deadline);
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_cut_off_at_the_deadline() {
        let deadline = Deadline::after(SECOND);
        assert_eq!(deadline.run(async { 7 }).await, Ok(7));
        assert_eq!(
            deadline.run(std::future::pending::<()>()).await,
            Err(DeadlinePassed)
        );
        assert!(deadline.is_past());
    }
}
