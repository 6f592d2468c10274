//! Metrics as lines in CloudWatch's embedded metric format: counted in memory, written once per
//! invocation.
//!
//! Every metric has the dimension [`FUNCTION`]; one with dimensions of its own (a reason, a rule) is
//! written with them and without, so that an alarm can watch the whole. A machine is never a dimension:
//! each value of a dimension is a metric that is paid for.
//!
//! Functions declare their metrics as constants; alarms are held against these.

mod embedded;
mod sink;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Settings;
use crate::clock::{Clock, SystemClock};

pub use sink::{Captured, Sink, Stdout};

/// The dimension of all metrics: the function's name.
pub const FUNCTION: &str = "function";

/// Counts what every function that reads a stream may leave unfinished.
pub const UNFINISHED: Metric = Metric::count(
    "RecordsUnfinished",
    &[],
    "records that stay in front of the checkpoint",
);

/// A metric as a function declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name in CloudWatch.
    pub name: &'static str,
    /// What its numbers are.
    pub unit: Unit,
    /// The names of its dimensions beside [`FUNCTION`].
    pub dimensions: &'static [&'static str],
    /// What it tells an operator.
    pub meaning: &'static str,
}

/// Of CloudWatch's units, those in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// How long.
    Milliseconds,
    /// How large.
    Bytes,
}

impl Metric {
    /// A number of things; adding to it within an invocation sums up.
    pub const fn count(
        name: &'static str,
        dimensions: &'static [&'static str],
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            unit: Unit::Count,
            dimensions,
            meaning,
        }
    }

    /// Durations; every one is kept, so that percentiles are right.
    pub const fn millis(
        name: &'static str,
        dimensions: &'static [&'static str],
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            unit: Unit::Milliseconds,
            dimensions,
            meaning,
        }
    }
}

impl Unit {
    /// As CloudWatch spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::Bytes => "Bytes",
        }
    }
}

/// Counts in memory until [`Metrics::flush`].
pub struct Metrics {
    namespace: String,
    function: String,
    clock: Box<dyn Clock>,
    sink: Arc<dyn Sink>,
    pending: Mutex<Pending>,
}

/// Names and values of a set of dimensions, beside [`FUNCTION`].
type Dimensions = Vec<(&'static str, String)>;

/// What was measured since the last flush: for each set of dimensions, for each metric, its values.
type Pending = BTreeMap<Dimensions, BTreeMap<&'static str, (Unit, Vec<f64>)>>;

impl Metrics {
    /// What a deployed function uses: Lambda takes the lines from standard output.
    pub fn to_stdout(settings: &Settings) -> Arc<Self> {
        Self::new(
            &settings.metrics_namespace,
            &settings.function_name,
            SystemClock,
            Arc::new(Stdout),
        )
    }

    /// Writes to `sink`, stamped by `clock`.
    pub fn new(
        namespace: &str,
        function: &str,
        clock: impl Clock + 'static,
        sink: Arc<dyn Sink>,
    ) -> Arc<Self> {
        Arc::new(Self {
            namespace: namespace.to_owned(),
            function: function.to_owned(),
            clock: Box::new(clock),
            sink,
            pending: Mutex::default(),
        })
    }

    /// What a test uses: the second of the pair reads what the first has flushed.
    pub fn captured() -> (Arc<Self>, Arc<Captured>) {
        let sink = Arc::new(Captured::default());
        let clock = crate::clock::FixedClock::at(1_700_000_000_000);
        (
            Self::new("Andon", "function-under-test", clock, sink.clone()),
            sink,
        )
    }

    /// Adds `n` to a count. `values` are those of the metric's dimensions, in its order.
    pub fn add(&self, metric: &Metric, values: &[&str], n: usize) {
        let mut pending = self.lock();
        let measured = slot(&mut pending, metric, values);
        match measured.first_mut() {
            Some(sum) => *sum += n as f64,
            None => measured.push(n as f64),
        }
    }

    /// Records one measurement. `values` are those of the metric's dimensions, in its order.
    pub fn record(&self, metric: &Metric, values: &[&str], measurement: f64) {
        // JSON has no other numbers, and CloudWatch drops the whole line.
        if measurement.is_finite() {
            slot(&mut self.lock(), metric, values).push(measurement);
        }
    }

    /// Writes what was measured since the last flush and starts anew; writes nothing if there is nothing.
    pub fn flush(&self) {
        let pending = std::mem::take(&mut *self.lock());
        let timestamp_ms = self.clock.now_ms();
        for (dimensions, metrics) in &pending {
            for line in embedded::lines(
                timestamp_ms,
                &self.namespace,
                &self.function,
                dimensions,
                metrics,
            ) {
                self.sink.write_line(&line);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        // A panic while counting leaves numbers that are still numbers.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn slot<'p>(pending: &'p mut Pending, metric: &Metric, values: &[&str]) -> &'p mut Vec<f64> {
    debug_assert_eq!(
        metric.dimensions.len(),
        values.len(),
        "{} has the dimensions {:?}",
        metric.name,
        metric.dimensions
    );
    let dimensions: Dimensions = metric
        .dimensions
        .iter()
        .zip(values)
        .map(|(name, value)| (*name, embedded::dimension_value(value)))
        .collect();
    &mut pending
        .entry(dimensions)
        .or_default()
        .entry(metric.name)
        .or_insert((metric.unit, Vec::new()))
        .1
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const RECORDS: Metric = Metric::count("Records", &[], "records received");
    const QUARANTINED: Metric = Metric::count("Quarantined", &["reason"], "records set aside");
    const LATENCY: Metric = Metric::millis("Latency", &[], "from arrival to commit");

    fn lines(count: impl FnOnce(&Metrics)) -> Vec<Value> {
        let (metrics, captured) = Metrics::captured();
        count(&metrics);
        metrics.flush();
        captured
            .lines()
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_line_is_in_the_embedded_metric_format() {
        let written = lines(|metrics| {
            metrics.add(&RECORDS, &[], 3);
            metrics.add(&RECORDS, &[], 4);
            metrics.record(&LATENCY, &[], 12.5);
        });
        assert_eq!(
            written,
            [json!({
                "_aws": {
                    "Timestamp": 1_700_000_000_000_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Andon",
                        "Dimensions": [["function"]],
                        "Metrics": [
                            {"Name": "Latency", "Unit": "Milliseconds"},
                            {"Name": "Records", "Unit": "Count"},
                        ],
                    }],
                },
                "function": "function-under-test",
                "Records": 7.0,
                "Latency": 12.5,
            })]
        );
    }

    #[test]
    fn each_value_of_a_dimension_is_a_line_and_counts_towards_the_whole() {
        let written = lines(|metrics| {
            metrics.add(&QUARANTINED, &["not-json"], 2);
            metrics.add(&QUARANTINED, &["no-machine"], 1);
            metrics.add(&QUARANTINED, &["not-json"], 1);
        });
        let shown: Vec<_> = written
            .iter()
            .map(|line| (&line["reason"], &line["Quarantined"]))
            .collect();
        assert_eq!(
            shown,
            [
                (&json!("no-machine"), &json!(1.0)),
                (&json!("not-json"), &json!(3.0))
            ]
        );
        for line in &written {
            let sets = &line["_aws"]["CloudWatchMetrics"][0]["Dimensions"];
            assert_eq!(sets, &json!([["function"], ["function", "reason"]]));
        }
    }

    #[test]
    fn all_measurements_are_kept_a_hundred_to_a_line() {
        let written = lines(|metrics| {
            (0..250).for_each(|ms| metrics.record(&LATENCY, &[], f64::from(ms)));
        });
        let counts: Vec<_> = written
            .iter()
            .map(|line| line["Latency"].as_array().unwrap().len())
            .collect();
        assert_eq!(counts, [100, 100, 50]);
        assert_eq!(written[2]["Latency"][49], json!(249.0));
    }

    #[test]
    fn a_flush_starts_anew_and_writes_nothing_for_nothing() {
        let (metrics, captured) = Metrics::captured();
        metrics.flush();
        assert_eq!(captured.lines(), Vec::<String>::new());
        metrics.add(&RECORDS, &[], 1);
        metrics.flush();
        metrics.flush();
        assert_eq!(captured.lines().len(), 1);
        metrics.add(&RECORDS, &[], 5);
        metrics.flush();
        assert_eq!(captured.total("Records", &[]), 6.0);
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let written = lines(|metrics| {
            metrics.record(&LATENCY, &[], f64::NAN);
            metrics.record(&LATENCY, &[], f64::INFINITY);
        });
        assert_eq!(written, Vec::<Value>::new());
    }

    #[test]
    #[should_panic(expected = "has the dimensions")]
    fn a_missing_dimension_shows_in_tests() {
        lines(|metrics| metrics.add(&QUARANTINED, &[], 1));
    }
}
