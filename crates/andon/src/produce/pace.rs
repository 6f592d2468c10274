//! So many readings a second, on tokio's clock.

use std::time::Duration;

use tokio::time::Instant;

/// Readings fall due in short ticks rather than one by one: a call then carries a tick's worth of them.
const TICK: Duration = Duration::from_millis(50);

/// After a pause so much is made up for, no more: what waited behind it would go all at once.
const MADE_UP: Duration = Duration::from_secs(1);

/// When each reading may go.
#[derive(Clone, Debug)]
pub struct Pace {
    start: Instant,
    rate: Option<f64>,
    taken: u64,
}

impl Pace {
    /// At most `rate` readings a second from now on; without a rate all are due.
    pub fn new(rate: Option<f64>) -> Self {
        Self {
            start: Instant::now(),
            rate,
            taken: 0,
        }
    }

    /// When the next reading is due.
    pub fn next_due(&mut self) -> Instant {
        let Some(rate) = self.rate else {
            return self.start;
        };
        let behind = Instant::now().saturating_duration_since(self.due(rate));
        self.start += behind.saturating_sub(MADE_UP);
        self.due(rate)
    }

    fn due(&self, rate: f64) -> Instant {
        let due =
            Duration::try_from_secs_f64(self.taken as f64 / rate).unwrap_or(Duration::MAX / 4);
        let ticks = due.as_nanos().div_ceil(TICK.as_nanos());
        self.start + TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX))
    }

    /// Counts a reading as taken.
    pub fn take(&mut self) {
        self.taken += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn keeps_the_rate() {
        let mut pace = Pace::new(Some(500.0));
        let start = Instant::now();
        let mut due = Vec::new();
        for _ in 0..1_001 {
            due.push(pace.next_due() - start);
            pace.take();
        }
        assert_eq!(due[0], Duration::ZERO);
        assert_eq!(due[1], TICK);
        assert_eq!(due[25], TICK);
        assert_eq!(due[26], 2 * TICK);
        assert_eq!(due[1_000], Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_not_made_up_for() {
        let mut pace = Pace::new(Some(100.0));
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        let at_once = |pace: &mut Pace| {
            let mut count = 0;
            while pace.next_due() <= Instant::now() {
                pace.take();
                count += 1;
            }
            count
        };
        let first = at_once(&mut pace);
        assert!((100..=106).contains(&first), "{first}");
        tokio::time::sleep(Duration::from_secs(1)).await;
        let next = at_once(&mut pace);
        assert!((95..=105).contains(&next), "{next}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_all_is_due() {
        let mut pace = Pace::new(None);
        (0..1_000).for_each(|_| pace.take());
        assert!(pace.next_due() <= Instant::now());
    }
}
