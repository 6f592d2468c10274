//! Where metric lines go.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// Takes one line without its end.
pub trait Sink: Send + Sync {
    /// Writes it whole: lines of different writers do not mix.
    fn write_line(&self, line: &str);
}

/// Standard output, from which Lambda takes them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stdout;

impl Sink for Stdout {
    fn write_line(&self, line: &str) {
        let mut stdout = std::io::stdout().lock();
        // A closed output leaves nowhere to report to; the batch must not fail of it.
        let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
    }
}

/// Keeps the lines, for tests.
#[derive(Debug, Default)]
pub struct Captured(Mutex<Vec<String>>);

impl Captured {
    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The sum of a metric over all lines that have these dimension values (among others).
    pub fn total(&self, metric: &str, dimensions: &[(&str, &str)]) -> f64 {
        self.measurements(metric, dimensions).iter().sum()
    }

    /// Every value of a metric in lines that have these dimension values (among others).
    pub fn measurements(&self, metric: &str, dimensions: &[(&str, &str)]) -> Vec<f64> {
        self.lines()
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| dimensions.iter().all(|(name, value)| line[name] == *value))
            .flat_map(|line| match &line[metric] {
                Value::Array(values) => values.iter().filter_map(Value::as_f64).collect(),
                value => value.as_f64().into_iter().collect::<Vec<_>>(),
            })
            .collect()
    }
}

impl Sink for Captured {
    fn write_line(&self, line: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line.to_owned());
    }
}
