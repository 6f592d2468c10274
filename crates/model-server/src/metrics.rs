//! Counts and times since the start, in Prometheus's text format.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What is counted.
#[derive(Default)]
pub(crate) struct Metrics {
    /// Invocations by status.
    answered: Mutex<BTreeMap<u16, u64>>,
    in_flight: AtomicI64,
    rows: AtomicU64,
    request_ns: AtomicU64,
    model_ns: AtomicU64,
}

/// An invocation under way.
pub(crate) struct InFlight<'m>(&'m Metrics);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    pub(crate) fn begin(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self)
    }

    /// Rows that the model has answered, and how long it took.
    pub(crate) fn scored(&self, rows: usize, took: Duration) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
        self.model_ns.fetch_add(nanos(took), Ordering::Relaxed);
    }

    /// An invocation that is answered, from its whole body to its whole answer.
    pub(crate) fn answered(&self, status: u16, took: Duration) {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        *answered.entry(status).or_default() += 1;
        self.request_ns.fetch_add(nanos(took), Ordering::Relaxed);
    }

    pub(crate) fn text(&self) -> String {
        let answered = self
            .answered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut text = String::from(
            "# HELP invocations_total Invocations by status.\n# TYPE invocations_total counter\n",
        );
        for (status, count) in &answered {
            let _ = writeln!(text, "invocations_total{{status=\"{status}\"}} {count}");
        }
        let seconds = |ns: &AtomicU64| ns.load(Ordering::Relaxed) as f64 / 1e9;
        for (name, kind, help, value) in [
            (
                "invocations_in_flight",
                "gauge",
                "Invocations under way.",
                self.in_flight.load(Ordering::Relaxed) as f64,
            ),
            (
                "rows_total",
                "counter",
                "Rows that the model has answered.",
                self.rows.load(Ordering::Relaxed) as f64,
            ),
            (
                "invocation_seconds_total",
                "counter",
                "Time in invocations, once their body is there.",
                seconds(&self.request_ns),
            ),
            (
                "model_seconds_total",
                "counter",
                "Time in the model's runtime.",
                seconds(&self.model_ns),
            ),
        ] {
            let _ = writeln!(
                text,
                "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
            );
        }
        text
    }
}

fn nanos(took: Duration) -> u64 {
    u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)
}
