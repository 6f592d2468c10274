//! Many seeds on all processors, and what they amount to.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::{panic, thread};

use indicatif::{ProgressBar, ProgressStyle};

use crate::simulation::{FaultClass, LEAST_FAULTS, Run, Shrunk, Tally, run, shrink};

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The seeds.
    pub seeds: Range<u64>,
    /// Threads; as many as there are processors, if none.
    pub threads: Option<usize>,
    /// Whether the first run that breaks a promise ends all.
    pub stops_at_first: bool,
    /// Whether runs are told.
    pub tells: bool,
}

/// What many runs amount to.
#[derive(Debug, Default)]
pub struct Campaign {
    /// Runs.
    pub runs: u64,
    /// In how many runs each kind of fault hit something.
    pub histogram: BTreeMap<FaultClass, u64>,
    /// The sum of all runs.
    pub tally: Tally,
    /// The fewest faults in a run: planned ones that hit something, and kinds in its workload.
    pub fewest_faults: usize,
    /// Runs whose faults were drawn anew, since too few came to something.
    pub drawn_anew: u64,
    /// Runs that broke a promise.
    pub failed: Vec<Run>,
    /// Told runs.
    told: Vec<Run>,
}

/// The share of runs below which a kind of fault counts as missing.
const LEAST_SHARE: f64 = 0.01;

/// The fewest runs of which a share is asked.
const LEAST_RUNS: u64 = 1_000;

/// Failures that are shrunk and told in a report.
const TOLD: usize = 3;

impl Campaign {
    /// Runs all seeds.
    pub fn run(options: Options) -> Self {
        let processors = || thread::available_parallelism().map_or(1, usize::from);
        let threads = options.threads.unwrap_or_else(processors);
        let next = AtomicU64::new(options.seeds.start);
        let stop = AtomicBool::new(false);
        let campaign = Mutex::new(Self {
            fewest_faults: usize::MAX,
            ..Self::default()
        });
        let bar = progress(options.seeds.end - options.seeds.start);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= options.seeds.end || stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let run = panic::catch_unwind(|| run(seed, options.tells));
                        let run = run.unwrap_or_else(|panicked| {
                            eprintln!("seed {seed} panicked");
                            panic::resume_unwind(panicked)
                        });
                        bar.inc(1);
                        if !run.violations.is_empty() && options.stops_at_first {
                            stop.store(true, Ordering::Relaxed);
                        }
                        let mut campaign = campaign.lock().unwrap_or_else(PoisonError::into_inner);
                        campaign.take(run, options.tells);
                    }
                });
            }
        });
        bar.finish_and_clear();
        let mut campaign = campaign
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        campaign.failed.sort_by_key(|run| run.seed);
        campaign
    }

    fn take(&mut self, run: Run, tells: bool) {
        self.runs += 1;
        for class in run.faults.keys() {
            *self.histogram.entry(*class).or_default() += 1;
        }
        self.fewest_faults = self.fewest_faults.min(run.distinct_faults);
        self.drawn_anew += u64::from(run.draw > 0);
        self.tally += &run.tally;
        if tells {
            self.told.push(run.clone());
        }
        if !run.violations.is_empty() {
            self.failed.push(run);
        }
    }

    /// Whether every promise held, every run had its faults, and every kind of fault occurred often enough.
    pub fn is_clean(&self) -> bool {
        self.failed.is_empty() && self.rare().is_empty() && self.fewest_faults >= LEAST_FAULTS
    }

    /// The kinds of faults that occurred in too few runs.
    pub fn rare(&self) -> Vec<FaultClass> {
        if self.runs < LEAST_RUNS {
            return Vec::new();
        }
        let share = |class: &FaultClass| {
            let runs = self.histogram.get(class).copied().unwrap_or(0);
            runs as f64 / self.runs as f64
        };
        let rare = |class: &FaultClass| share(class) < LEAST_SHARE;
        FaultClass::ALL.into_iter().filter(rare).collect()
    }

    /// What a person wants to know; `with_stories`: of the first runs that broke a promise, what happened in them.
    pub fn report(&self, with_stories: bool) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut text);
        for run in self.failed.iter().take(if with_stories { TOLD } else { 0 }) {
            let promise = run.violations[0].promise;
            let breaks_it = |run: &Run| run.violations.iter().any(|one| one.promise == promise);
            let _ = write_shrunk(&mut text, &shrink(run.seed, run.draw, breaks_it));
        }
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        for run in &self.told {
            for (at_ms, what) in told(run) {
                writeln!(text, "{:>12.3} s  {what}", seconds(at_ms))?;
            }
            writeln!(text, "{}", run.world)?;
        }
        writeln!(text, "faults, by the share of seeds in which they occurred")?;
        for class in FaultClass::ALL {
            let runs = self.histogram.get(&class).copied().unwrap_or(0);
            let share = 100.0 * runs as f64 / self.runs.max(1) as f64;
            writeln!(text, "  {class:<22} {share:>6.2} %")?;
        }
        let Tally {
            readings,
            events,
            alerts,
            repeated,
            line_stops,
            parked,
            calls,
            ..
        } = &self.tally;
        writeln!(
            text,
            "{} seeds: {readings} readings, {events} events, {alerts} alerts, {line_stops} line stops, {parked} parked \
             readings, {calls} calls to AWS",
            self.runs
        )?;
        writeln!(
            text,
            "{repeated} alerts were sent again, a fault having come between publishing and marking: {:.2} %",
            100.0 * *repeated as f64 / (*alerts).max(1) as f64
        )?;
        writeln!(
            text,
            "{} faults or more in each, for which {} seeds were drawn anew",
            self.fewest_faults, self.drawn_anew
        )?;
        for class in self.rare() {
            writeln!(text, "too rare: {class}")?;
        }
        if self.fewest_faults < LEAST_FAULTS {
            writeln!(text, "too few faults: each seed has to have {LEAST_FAULTS}")?;
        }
        writeln!(text, "{} seeds broke a promise", self.failed.len())?;
        for run in &self.failed {
            let violation = &run.violations[0];
            writeln!(text, "seed {}: {violation}", run.seed)?;
        }
        Ok(())
    }
}

fn write_shrunk(text: &mut String, Shrunk { faults, run }: &Shrunk) -> std::fmt::Result {
    writeln!(text, "\nseed {} with {} faults:", run.seed, faults.len())?;
    for fault in faults {
        writeln!(text, "  {fault:?}")?;
    }
    for (at_ms, what) in told(run) {
        writeln!(text, "{:>12.3} s  {what}", seconds(at_ms))?;
    }
    for violation in &run.violations {
        writeln!(text, "  broken: {violation}")?;
    }
    Ok(())
}

/// The story with what faults hit, in the order of time.
fn told(run: &Run) -> Vec<(i64, String)> {
    let hits = run.hits.iter().map(|hit| {
        (
            hit.at_ms,
            format!("  fault {} hits {}", hit.fault, hit.what),
        )
    });
    let mut all: Vec<_> = run.story.iter().cloned().chain(hits).collect();
    all.sort_by_key(|(at_ms, _)| *at_ms);
    all
}

fn seconds(at_ms: i64) -> f64 {
    (at_ms - fake_aws::Clock::START_MS) as f64 / 1_000.0
}

fn progress(seeds: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} seeds, {per_sec}, {eta} left");
    match style {
        Ok(style) => ProgressBar::new(seeds).with_style(style),
        Err(_) => ProgressBar::new(seeds),
    }
}
