//! The circuit breaker: an endpoint that keeps failing is left alone, and probed with one call after a pause.
//!
//! Pure but for what it remembers: the time is given to it. An environment has one, over all its invocations.

use std::time::Duration;

/// Whether the endpoint may be called.
#[derive(Clone, Debug)]
pub struct Breaker {
    most_failures: u32,
    pause_ms: i64,
    failures: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed,
    Open { until_ms: i64 },
    Probing,
}

/// What a call is told before it is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Call.
    Go,
    /// Call: this one decides for all.
    Probe,
    /// Do not call.
    Rejected,
}

impl Breaker {
    /// Opens after so many failures in a row, for so long.
    pub fn new(most_failures: u32, pause: Duration) -> Self {
        Self {
            most_failures,
            pause_ms: i64::try_from(pause.as_millis()).unwrap_or(i64::MAX),
            failures: 0,
            state: State::Closed,
        }
    }

    /// Asked before each call. Whoever is admitted reports how the call ended.
    pub fn admit(&mut self, now_ms: i64) -> Admission {
        match self.state {
            State::Closed => Admission::Go,
            State::Open { until_ms } if now_ms >= until_ms => {
                self.state = State::Probing;
                Admission::Probe
            }
            State::Open { .. } | State::Probing => Admission::Rejected,
        }
    }

    /// The endpoint answered. Returns whether that closed the breaker.
    pub fn succeeded(&mut self) -> bool {
        self.failures = 0;
        std::mem::replace(&mut self.state, State::Closed) != State::Closed
    }

    /// The call failed. Returns whether that opened the breaker.
    pub fn failed(&mut self, admission: Admission, now_ms: i64) -> bool {
        self.failures = self.failures.saturating_add(1);
        let open = State::Open {
            until_ms: now_ms.saturating_add(self.pause_ms),
        };
        match (self.state, admission) {
            (State::Closed, _) if self.failures >= self.most_failures => {
                self.state = open;
                true
            }
            (State::Probing, Admission::Probe) => {
                self.state = open;
                false
            }
            // A call that was under way when others opened it decides nothing more.
            _ => false,
        }
    }

    /// The call was given up before it could tell anything: another one may probe.
    pub fn abandoned(&mut self, admission: Admission, now_ms: i64) {
        if (self.state, admission) == (State::Probing, Admission::Probe) {
            self.state = State::Open { until_ms: now_ms };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Admission::{Go, Probe, Rejected};

    fn opened() -> Breaker {
        let mut breaker = Breaker::new(3, Duration::from_secs(30));
        for failure in 1..=3 {
            assert_eq!(breaker.admit(0), Go);
            assert_eq!(breaker.failed(Go, 0), failure == 3);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(29_999), Rejected);
        let mut interrupted = Breaker::new(3, Duration::from_secs(30));
        for _ in 0..10 {
            interrupted.failed(Go, 0);
            interrupted.failed(Go, 0);
            assert!(!interrupted.succeeded());
        }
        assert_eq!(interrupted.admit(0), Go);
    }

    #[test]
    fn after_the_pause_one_call_decides() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(30_000), Probe);
        assert_eq!(breaker.admit(30_000), Rejected, "one at a time");
        assert!(!breaker.failed(Probe, 31_000));
        assert_eq!(breaker.admit(60_999), Rejected);
        assert_eq!(breaker.admit(61_000), Probe);
        assert!(breaker.succeeded());
        assert_eq!(breaker.admit(61_000), Go);
        assert!(!breaker.failed(Go, 61_000), "it counts from nothing again");
    }

    #[test]
    fn a_late_failure_of_before_prolongs_nothing() {
        let mut breaker = opened();
        assert!(!breaker.failed(Go, 20_000));
        assert_eq!(breaker.admit(30_000), Probe);
        assert!(!breaker.failed(Go, 30_001));
        assert_eq!(breaker.admit(30_002), Rejected, "the probe is still out");
    }

    #[test]
    fn an_abandoned_probe_makes_room_for_another() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(30_000), Probe);
        breaker.abandoned(Probe, 30_500);
        assert_eq!(breaker.admit(30_500), Probe);
    }
}
