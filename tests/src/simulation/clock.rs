//! The time of day as tokio's virtual time tells it, so that waits, deadlines, leases and arrivals agree.

use lambda_function::clock::Clock;
use tokio::time::Instant;

/// A clock that moves with the runtime's; `skew_ms` is how far it goes wrong.
#[derive(Clone, Copy, Debug)]
pub struct VirtualClock {
    began: Instant,
    skew_ms: i64,
}

impl VirtualClock {
    /// Starts at [`fake_aws::Clock::START_MS`], now.
    pub fn start() -> Self {
        Self {
            began: Instant::now(),
            skew_ms: 0,
        }
    }

    /// The same clock, wrong by `skew_ms`.
    pub fn skewed(self, skew_ms: i64) -> Self {
        Self { skew_ms, ..self }
    }

    /// The instant at which this clock shows `ms`.
    pub fn instant(&self, ms: i64) -> Instant {
        let since = (ms - self.skew_ms - fake_aws::Clock::START_MS).max(0);
        self.began + std::time::Duration::from_millis(since.unsigned_abs())
    }
}

impl Clock for VirtualClock {
    fn now_ms(&self) -> i64 {
        let elapsed = Instant::now().duration_since(self.began).as_millis();
        fake_aws::Clock::START_MS + i64::try_from(elapsed).unwrap_or(i64::MAX) + self.skew_ms
    }
}
