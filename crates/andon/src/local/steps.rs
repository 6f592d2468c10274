//! What a run says while it is at work, on stderr: one line a step with the seconds since the start, and on a terminal
//! a bar below them.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::python::Progress;

/// The lines of a run.
#[derive(Debug)]
pub struct Steps {
    start: Instant,
    bar: ProgressBar,
}

impl Steps {
    /// Counts from now.
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            bar: ProgressBar::hidden(),
        }
    }

    /// Since the start.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// The run's bar with so many readings to come; hidden where nobody watches.
    pub fn bar(&self, readings: Option<u64>) -> &ProgressBar {
        if std::io::stderr().is_terminal() {
            let template = match readings {
                Some(_) => "{bar:32} {pos}/{len} readings  {wide_msg}",
                None => "{spinner} {pos} readings  {wide_msg}",
            };
            if let Ok(style) = ProgressStyle::with_template(template) {
                self.bar.set_style(style);
            }
            self.bar.set_length(readings.unwrap_or_default());
            self.bar
                .set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
        &self.bar
    }
}

impl Default for Steps {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for Steps {
    fn say(&self, line: &str) {
        let seconds = self.start.elapsed().as_secs_f64();
        // Nothing is left to tell the user if stderr is gone.
        self.bar.suspend(|| {
            let _ = writeln!(std::io::stderr(), "[{seconds:6.1} s] {line}");
        });
    }
}
