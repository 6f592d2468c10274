//! Waiting between attempts: exponential with full jitter and a cap, never past the deadline.
//!
//! Full jitter (a uniform draw between zero and the exponential bound) spreads callers that failed
//! together best: M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.

use std::time::Duration;

use crate::deadline::{Deadline, DeadlinePassed};

/// The waits of one operation's attempts.
#[derive(Debug)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    attempt: u32,
    random: fastrand::Rng,
}

impl Backoff {
    /// The n-th wait (from 0) is drawn from zero to `base * 2^n`, at most `cap`.
    pub fn new(base: Duration, cap: Duration) -> Self {
        Self::with_random(base, cap, fastrand::Rng::new())
    }

    /// The same with a chosen seed: equal seeds wait alike.
    pub fn seeded(base: Duration, cap: Duration, seed: u64) -> Self {
        Self::with_random(base, cap, fastrand::Rng::with_seed(seed))
    }

    fn with_random(base: Duration, cap: Duration, random: fastrand::Rng) -> Self {
        Self {
            base,
            cap,
            attempt: 0,
            random,
        }
    }

    /// Draws the next wait.
    pub fn next_delay(&mut self) -> Duration {
        let factor = 1_u32.checked_shl(self.attempt).unwrap_or(u32::MAX);
        let bound = self.base.saturating_mul(factor).min(self.cap);
        self.attempt = self.attempt.saturating_add(1);
        bound.mul_f64(self.random.f64())
    }

    /// Waits, or says at once that the wait would not end before the deadline.
    pub async fn wait(&mut self, deadline: Deadline) -> Result<(), DeadlinePassed> {
        let delay = self.next_delay();
        if !deadline.leaves(delay) {
            return Err(DeadlinePassed);
        }
        tokio::time::sleep(delay).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_millis(50);
    const CAP: Duration = Duration::from_secs(2);

    #[test]
    fn every_wait_stays_under_its_bound_and_the_cap() {
        for seed in 0..100 {
            let mut backoff = Backoff::seeded(BASE, CAP, seed);
            for attempt in 0..80 {
                let bound = BASE.saturating_mul(1 << attempt.min(20)).min(CAP);
                let delay = backoff.next_delay();
                assert!(
                    delay <= bound,
                    "seed {seed}, attempt {attempt}: {delay:?} over {bound:?}"
                );
            }
        }
    }

    #[test]
    fn the_draw_covers_the_whole_range() {
        let draws: Vec<_> = (0..200)
            .map(|seed| Backoff::seeded(BASE, CAP, seed).next_delay())
            .collect();
        assert!(draws.iter().any(|delay| *delay < BASE / 4));
        assert!(draws.iter().any(|delay| *delay > BASE * 3 / 4));
    }

    #[test]
    fn equal_seeds_wait_alike() {
        let waits = |seed| {
            let mut backoff = Backoff::seeded(BASE, CAP, seed);
            (0..5).map(|_| backoff.next_delay()).collect::<Vec<_>>()
        };
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
    }

    #[tokio::test(start_paused = true)]
    async fn never_waits_past_the_deadline() {
        let deadline = Deadline::after(Duration::from_millis(500));
        let mut backoff = Backoff::seeded(BASE, CAP, 3);
        while backoff.wait(deadline).await.is_ok() {
            assert!(!deadline.is_past());
        }
        assert!(!deadline.is_past(), "the refusal comes before the wait");
    }
}
