//! What a run amounts to, and what was wrong with it.

use std::fmt;

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub promise: &'static str,
    /// How.
    pub what: String,
}

/// What a run amounts to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Readings put.
    pub readings: usize,
    /// Distinct quality events.
    pub events: usize,
    /// Distinct alerts.
    pub alerts: usize,
    /// Alerts that were sent once more because of the window that the alerter states.
    pub repeated: usize,
    /// Distinct line stops.
    pub line_stops: usize,
    /// Readings that were parked.
    pub parked: usize,
    /// Calls to AWS.
    pub calls: usize,
    /// Records that a mapping with a limit gave up.
    pub discarded: usize,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.what)
    }
}

impl std::ops::AddAssign<&Tally> for Tally {
    fn add_assign(&mut self, other: &Tally) {
        self.readings += other.readings;
        self.events += other.events;
        self.alerts += other.alerts;
        self.repeated += other.repeated;
        self.line_stops += other.line_stops;
        self.parked += other.parked;
        self.calls += other.calls;
        self.discarded += other.discarded;
    }
}
