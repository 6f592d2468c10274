//! The world's time: injected, or a fixed start that moves by a millisecond per call.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_async::time::TimeSource;

/// Milliseconds since 1970, as the world sees them.
#[derive(Clone)]
pub struct Clock(Kind);

#[derive(Clone)]
enum Kind {
    Injected(Arc<dyn Fn() -> i64 + Send + Sync>),
    PerCall(Arc<AtomicI64>),
}

impl Clock {
    /// 2026-11-20T01:00:00Z, where worlds begin unless told otherwise.
    pub const START_MS: i64 = 1_795_136_400_000;

    /// Time that somebody else moves.
    pub fn new(now_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Kind::Injected(Arc::new(now_ms)))
    }

    /// Time that moves by 1 ms at each call.
    pub fn per_call(start_ms: i64) -> Self {
        Self(Kind::PerCall(Arc::new(AtomicI64::new(start_ms))))
    }

    /// The time now; looking does not move it.
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Kind::Injected(now_ms) => now_ms(),
            Kind::PerCall(now_ms) => now_ms.load(Ordering::Relaxed),
        }
    }

    /// The time of the call that arrives now.
    pub(crate) fn tick(&self) -> i64 {
        match &self.0 {
            Kind::Injected(now_ms) => now_ms(),
            Kind::PerCall(now_ms) => now_ms.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Moves a per-call clock forward; an injected one is moved by its owner.
    pub(crate) fn advance(&self, by: Duration) {
        if let Kind::PerCall(now_ms) = &self.0 {
            let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            now_ms.fetch_add(by_ms, Ordering::Relaxed);
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::per_call(Self::START_MS)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now_ms()).finish()
    }
}

/// The SDK signs with the world's time.
impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        let now_ms = u64::try_from(self.now_ms()).unwrap_or(0);
        UNIX_EPOCH + Duration::from_millis(now_ms)
    }
}
