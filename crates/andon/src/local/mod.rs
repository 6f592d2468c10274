//! `andon local`: the whole pipeline on this machine, from the template to the checks.
//!
//! The same template that goes to AWS is deployed to a local AWS; the real binaries are hosted with the deployed
//! configuration and driven by the deployed mappings; then the counts are compared, each by distinct id, from what really
//! lies in streams, tables, buckets and queues. Promises: nothing listens beyond this machine, nothing is left running
//! however the run ends, and whatever fails says what to do about it.
//!
//! Latency is measured from a record's arrival on the readings stream to the moment at which the writer's invocation
//! that stored its event has answered.

mod bench;
mod build;
mod chaos;
mod checks;
pub mod emulator;
mod expected;
mod feed;
mod figures;
mod group;
mod hosts;
mod lake;
mod lock;
mod mapping;
mod model;
mod observe;
mod pipeline;
mod plan;
mod predictions;
pub mod python;
mod rows;
mod session;
mod setup;
pub mod stack;
mod steps;
mod subscriber;
mod summary;
mod worn;

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use lambda_function::config::{Environment, ProcessEnvironment};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;
use crate::input::Input;
use crate::simulate::rate;
use bench::Found;
use chaos::{Chaos, Poison};
use checks::Check;
use pipeline::{Choice, Pipeline, Work};
use python::Progress;
use serde::Serialize;
use session::Session;
use setup::Trouble;
use steps::Steps;

pub(crate) use build::{build, packages};
pub(crate) use hosts::log;
pub(crate) use setup::{STACK, sdk};

/// The whole pipeline on this machine, fed with recorded readings
///
/// Needs Rust and Python 3, no AWS account. The first run installs a local AWS under target/ and builds the functions.
/// Ends with a summary and with checks that the counts agree; exit code 1 if one does not.
#[derive(Args, Clone, Debug)]
pub struct Local {
    /// Which line of work
    #[arg(long, value_enum, value_name = "NAME", default_value_t)]
    pipeline: Pipeline,
    /// Readings, one a line; `-` reads stdin [default: recorded ones; of a press line its shift, events/readings/shift.ndjson, and
    /// then simulated ones of presses whose bearings wear]
    #[arg(long, value_name = "FILE|-")]
    readings: Option<Input>,
    /// Records that one program makes into rows, a game's users or a shop's clicks [default: recorded ones]
    #[arg(long, value_name = "FILE|-")]
    records: Option<Input>,
    /// The control plan [default: the pipeline's, of a press line infra/plans/press-line.yaml]
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// The model that the plan asks: a folder with an ONNX file [default: infra/model]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// When machines failed, as `andon simulate --truth` writes it: the summary tells what the model was worth
    #[arg(long, value_name = "FILE", requires = "readings")]
    truth: Option<PathBuf>,
    /// At most so many readings, and so many records, a second [default: as fast as the stream takes them]
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// Make trouble on purpose: what is checked stays the same, but that readings may pass unscored
    #[arg(
        long,
        value_name = "KIND",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "all"
    )]
    chaos: Option<Chaos>,
    /// The seed of that trouble
    #[arg(long, value_name = "N", default_value_t = 1, requires = "chaos")]
    seed: u64,
    /// End the evaluator's process at every batch with this text in it: see the record bisected, given up, and redriven
    ///
    /// Every mapping gives up after two retries then, which under chaos a killed alerter's claim would outlast.
    #[arg(long, value_name = "TEXT", conflicts_with = "chaos")]
    poison: Option<Poison>,
    /// Copy the lake's objects into this folder, which is new or empty
    #[arg(long, value_name = "DIR")]
    lake: Option<PathBuf>,
    /// Keep everything running after the summary, until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// Where a run keeps its files, below the project's folder.
const FOLDER: &str = "target/andon";

/// Of the differences that a check finds, so many are named.
const NAMED: usize = 5;

impl Local {
    /// Runs it; broken off by the user, nothing is left running.
    pub async fn run(self, out: &mut impl Write) -> Result<(), Failure> {
        let mut interrupt = Interrupt::new()?;
        let root = project()?;
        let _alone = lock::take(&root.join(FOLDER))?;
        let steps = Arc::new(Steps::new());
        let mut session = None;
        let mut ended = tokio::select! {
            biased;
            () = interrupt.wait() => Err(Failure::interrupted()),
            done = self.work(&root, &steps, &mut session, out) => done,
        };
        if let Some(session) = &mut session {
            if self.keep && ended.is_ok() {
                tokio::select! {
                    () = interrupt.wait() => {}
                    failure = session.failure() => ended = Err(failure),
                }
            }
            steps.say("stopping");
            session.stop().await;
        }
        match ended? {
            true => Ok(()),
            false => Err(Failure::check("the counts do not agree: see above")),
        }
    }

    /// Whether every check holds.
    async fn work(
        &self,
        root: &Path,
        steps: &Arc<Steps>,
        session: &mut Option<Session>,
        out: &mut impl Write,
    ) -> Result<bool, Failure> {
        let work = self.read(root).await?;
        if let Some(folder) = &self.lake {
            lake::empty(folder)?;
        }

        let trouble = Trouble {
            chaos: self.chaos.map(|chaos| (chaos, self.seed)),
            poison: self.poison.clone(),
        };
        let session = session.insert(Session::start(root, steps, &work, trouble).await?);
        let ran = session.run(steps, &work, self.rate).await?;
        let (whole, pipeline) = (steps.elapsed(), ran.pipeline);
        let (checks, printed) = match ran.found {
            Found::Judged(observed, latencies_ms) => {
                let checks = checks::checks(&observed);
                let summary =
                    summary::Summary::of(&observed, &checks, latencies_ms, whole, pipeline);
                (checks, self.print(&summary, out))
            }
            Found::Rows(observed) => {
                let checks = rows::checks(&observed);
                let summary = rows::Summary::of(&observed, &checks, whole, pipeline);
                (checks, self.print(&summary, out))
            }
        };
        checks.iter().for_each(|check| tell(steps, check));
        let holds = checks.iter().all(Check::holds);
        // What the run has come to is told by now, whatever becomes of the copy, which nobody has to read along for.
        if let Some(folder) = &self.lake {
            let objects = session.copy_lake(folder).await?;
            steps.say(&format!(
                "{objects} objects of the lake in {}",
                folder.display()
            ));
        }
        if holds {
            printed?;
        }
        if self.keep {
            let path = session.write_env_file()?;
            steps.say(&format!("the local AWS is {}", session.endpoint()));
            steps.say(&format!(
                "functions by hand: cargo lambda watch --env-file {}",
                path.strip_prefix(root).unwrap_or(&path).display()
            ));
            steps.say("Ctrl-C ends everything");
        }
        Ok(holds)
    }

    /// Reads what the run works on in a thread of its own: it may be large, or a pipe that nobody writes to, and Ctrl-C has
    /// to be heard meanwhile.
    async fn read(&self, root: &Path) -> Result<Work, Failure> {
        let choice = Choice {
            readings: self.readings.clone(),
            records: self.records.clone(),
            plan: self.plan.clone(),
            truth: self.truth.clone(),
            model: self.model.clone(),
            poisons: self.poison.is_some(),
            // What a model is worth cannot be told while its calls fail.
            wears: self.chaos.is_none(),
        };
        let (pipeline, root) = (self.pipeline, root.to_owned());
        tokio::task::spawn_blocking(move || pipeline.work(&root, choice))
            .await
            .map_err(|error| Failure::check("reading the input broke off").caused_by(error))?
    }

    fn print(
        &self,
        summary: &(impl Serialize + Display),
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        if self.json {
            serde_json::to_writer_pretty(&mut *out, summary).map_err(std::io::Error::from)?;
            writeln!(out)?;
        } else {
            write!(out, "\n{summary}\n")?;
        }
        Ok(out.flush()?)
    }
}

/// Names the first differences of a check that does not hold.
fn tell(steps: &Steps, check: &Check) {
    for difference in check.differences.iter().take(NAMED) {
        steps.say(&format!("{}: {difference}", check.name));
    }
    if let Some(more) = check
        .differences
        .len()
        .checked_sub(NAMED)
        .filter(|more| *more > 0)
    {
        steps.say(&format!("{}: and {more} more", check.name));
    }
}

/// The folder that holds templates and functions: this one, or the nearest above it. Started by `cargo`, the one that
/// this tool was built from will do too.
pub(crate) fn project() -> Result<PathBuf, Failure> {
    let here = std::env::current_dir().map_err(|error| {
        Failure::check("cannot tell the current folder")
            .caused_by(error)
            .cure("run in the project's folder")
    })?;
    let built_from = ProcessEnvironment
        .get("CARGO_MANIFEST_DIR")
        .map(PathBuf::from);
    let candidates = here
        .ancestors()
        .chain(built_from.iter().flat_map(|folder| folder.ancestors()));
    let is_project = |folder: &&std::path::Path| {
        folder.join("infra/template.yaml").is_file() && folder.join("functions").is_dir()
    };
    candidates
        .into_iter()
        .find(is_project)
        .map(PathBuf::from)
        .ok_or_else(|| {
            Failure::input(format_args!("{} is not in the project", here.display()))
                .cure("run where infra/template.yaml and functions/ are, or below")
        })
}

/// The user's wish to end: Ctrl-C, a polite kill, or a terminal that is closed.
struct Interrupt {
    interrupt: Signal,
    terminate: Signal,
    /// Not listened to in a process that was started to outlive its terminal.
    hangup: Option<Signal>,
}

impl Interrupt {
    fn new() -> Result<Self, Failure> {
        Self::listen(match std::fs::read_to_string("/proc/self/status") {
            Ok(status) => outlives_terminal(&status),
            // A system without such a file: `nohup` leads away from the terminal what goes there.
            Err(_) => !std::io::stderr().is_terminal(),
        })
    }

    fn listen(outlives_terminal: bool) -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Failure::check("cannot listen to signals").caused_by(error))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: (!outlives_terminal)
                .then(|| listen(SignalKind::hangup()))
                .transpose()?,
        })
    }

    async fn wait(&mut self) {
        let Self {
            interrupt,
            terminate,
            hangup,
        } = self;
        let hung_up = async {
            match hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hung_up => {}
        }
    }
}

/// Whether a process with this `/proc/self/status` was told to ignore SIGHUP when it was started, as `nohup` does.
fn outlives_terminal(status: &str) -> bool {
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The lowest bit is the first signal's, SIGHUP.
    ignored.is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustix::process::{getpid, kill_process};
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_terminal_that_is_closed_ends_a_run() {
        let mut interrupt = Interrupt::listen(false).unwrap();
        kill_process(getpid(), rustix::process::Signal::HUP).unwrap();
        timeout(Duration::from_secs(10), interrupt.wait())
            .await
            .unwrap();
    }

    #[test]
    fn a_run_under_nohup_outlives_its_terminal() {
        for (status, outlives) in [
            ("SigBlk:\t0000000000000001\nSigIgn:\t1001\n", true),
            ("SigIgn:\t1000\nSigCgt:\t0000000000000001\n", false),
            ("", false),
        ] {
            assert_eq!(outlives_terminal(status), outlives, "{status}");
        }
    }
}
