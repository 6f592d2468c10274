//! Which fault a call meets: drawn from the seed, the function and the number of the call. Pure.

use std::time::Duration;

use super::call::Service;
use crate::simulate::random::Random;

/// What a call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails without an effect.
    ErrorBefore,
    /// It has its effect, and fails.
    ErrorAfter,
    /// It is never answered, and has no effect.
    SilentBefore,
    /// It has its effect, and is never answered.
    SilentAfter,
    /// It has its effect when nobody waits for it any more.
    LateEffect,
    /// Its connection breaks once it has its effect.
    Dropped,
    /// The service throttles.
    Throttled,
    /// The service is down for a while.
    Outage,
    /// It is done in part.
    Partial,
    /// The function's processes die before it has an effect.
    CrashBefore,
    /// The function's processes die once it has its effect.
    CrashAfter,
}

impl Fault {
    /// Its name in the summary.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ErrorBefore => "error-before",
            Self::ErrorAfter => "error-after",
            Self::SilentBefore => "silent-before",
            Self::SilentAfter => "silent-after",
            Self::LateEffect => "late-effect",
            Self::Dropped => "dropped",
            Self::Throttled => "throttled",
            Self::Outage => "outage",
            Self::Partial => "partial",
            Self::CrashBefore => "crash-before",
            Self::CrashAfter => "crash-after",
        }
    }
}

/// Faults with their weights: what costs a function's whole time-out, or its processes, is rarer.
const WEIGHTS: [(Fault, u32); 9] = [
    (Fault::ErrorBefore, 6),
    (Fault::ErrorAfter, 6),
    (Fault::Dropped, 4),
    (Fault::Throttled, 6),
    (Fault::Partial, 6),
    (Fault::LateEffect, 2),
    (Fault::SilentBefore, 1),
    (Fault::SilentAfter, 1),
    (Fault::CrashAfter, 2),
];
/// Of a hundred calls, so many meet a fault of their own.
const SHARE_PERCENT: u32 = 6;
/// A late effect comes about so much later.
pub const LATE: Duration = Duration::from_secs(8);
/// Outages: one window in so many, of so many ms each.
const OUTAGE_MS: i64 = 1_500;
const OUTAGES_ONE_IN: u32 = 6;

/// The faults of one function's calls.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The seed of the run.
    pub seed: u64,
    /// Tells functions apart.
    pub function: u64,
}

impl Plan {
    /// What call number `number` meets, `at_ms` after the start.
    pub fn fault(&self, number: u64, at_ms: i64, service: Service) -> Option<Fault> {
        let window = u64::try_from(at_ms / OUTAGE_MS).unwrap_or_default();
        let mut of_window = self.random(1, (window << 3) | service as u64);
        if of_window.between(1, OUTAGES_ONE_IN) == 1 {
            // Throttled for a while, or down.
            return Some(match of_window.between(0, 1) {
                0 => Fault::Throttled,
                _ => Fault::Outage,
            });
        }
        let mut of_call = self.random(2, number);
        if of_call.between(1, 100) > SHARE_PERCENT {
            return None;
        }
        let all: u32 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        let mut at = of_call.between(1, all);
        let (fault, _) = WEIGHTS.iter().find(|(_, weight)| {
            let found = at <= *weight;
            at = at.saturating_sub(*weight);
            found
        })?;
        match (fault, of_call.between(0, 1)) {
            (Fault::CrashAfter, 0) => Some(Fault::CrashBefore),
            (fault, _) => Some(*fault),
        }
    }

    /// Whether an entry of a call that is done in part goes on.
    pub fn goes_on(&self, number: u64) -> impl FnMut() -> bool + use<> {
        let mut random = self.random(3, number);
        move || random.between(0, 1) == 1
    }

    fn random(&self, purpose: u64, number: u64) -> Random {
        Random::new(
            self.seed,
            (purpose << 60) | (self.function << 52) | (number & ((1 << 52) - 1)),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_fault_occurs_and_most_calls_are_spared() {
        let plan = Plan {
            seed: 1,
            function: 0,
        };
        let mut counts = BTreeMap::new();
        let calls = 20_000;
        for number in 0..calls {
            let at_ms = i64::try_from(number).unwrap() * 10;
            let fault = plan.fault(number, at_ms, Service::Kinesis);
            *counts.entry(fault.map(Fault::as_str)).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 12, "{counts:?}");
        assert!(counts[&None] > calls * 7 / 10, "{counts:?}");
    }

    #[test]
    fn the_seed_decides() {
        let faults = |seed| -> Vec<_> {
            let plan = Plan { seed, function: 1 };
            (0..1_000)
                .map(|number| plan.fault(number, 0, Service::S3))
                .collect()
        };
        assert_eq!(faults(7), faults(7));
        assert_ne!(faults(7), faults(8));
    }
}
