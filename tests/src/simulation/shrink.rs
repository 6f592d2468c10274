//! A failing run told in as few faults as it takes.

use super::fault::{self, Planned};
use super::run::{Run, run_with};
use super::workload::Workload;

/// The fewest faults found that still break a promise, and the run under them.
pub struct Shrunk {
    /// The faults.
    pub faults: Vec<Planned>,
    /// The run, with its story.
    pub run: Run,
}

/// Leaves faults out, by halves and then one at a time, for as long as the run is still one of those that are looked for.
pub fn shrink(seed: u64, draw: u64, is_wanted: impl Fn(&Run) -> bool) -> Shrunk {
    let workload = Workload::new(seed);
    let mut faults = fault::plan(seed, draw, &workload);
    let still = |faults: &[Planned]| is_wanted(&run_with(seed, &workload, faults, false));
    let mut size = faults.len().div_ceil(2);
    while size > 0 {
        let mut from = 0;
        while from < faults.len() {
            let mut fewer = faults.clone();
            fewer.drain(from..(from + size).min(faults.len()));
            match still(&fewer) {
                true => faults = fewer,
                false => from += size,
            }
        }
        size = match size {
            1 => 0,
            size => size.div_ceil(2),
        };
    }
    let run = run_with(seed, &workload, &faults, true);
    Shrunk { faults, run }
}
