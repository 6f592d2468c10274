//! `simulate --seeds N [--seed S]`: seeded runs of the whole pipeline under faults.

#![expect(
    clippy::print_stdout,
    reason = "what was found goes to standard output"
)]

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use pipeline_tests::campaign::{Campaign, Options};

/// Runs are made of small allocations.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Runs the pipeline under seeded faults, and looks whether its promises hold. Exit code 1: one does not.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first one; with `--seeds 1` a run is told.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Threads; as many as there are processors, if left out.
    #[arg(long)]
    threads: Option<usize>,
    /// Ends with the first run that breaks a promise.
    #[arg(long)]
    first: bool,
    /// Names the runs that broke a promise, without their stories.
    #[arg(long)]
    brief: bool,
    /// Tells what happened, call by call.
    #[arg(long)]
    tell: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let campaign = Campaign::run(Options {
        seeds: arguments.seed..arguments.seed.saturating_add(arguments.seeds),
        threads: arguments.threads,
        stops_at_first: arguments.first,
        tells: arguments.tell,
    });
    print!("{}", campaign.report(!arguments.brief));
    match campaign.is_clean() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
