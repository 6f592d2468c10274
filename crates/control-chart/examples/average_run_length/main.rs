//! Average run lengths of the charts, by simulation, beside the values published for them.
//!
//! `cargo run --release -p control-chart --example average_run_length`
//!
//! A run length is the number of points up to and including the first at which a test fires. Each line simulates
//! 400,000 runs of independent normal values; *computed* is the solution of the chart's integral equation or Markov
//! chain, which shares nothing with the simulation. The exit code is 1 where a simulated mean is farther from the
//! published value than four standard errors and what the value was rounded by.

mod integral_equation;
mod markov_chain;
mod settings;
mod simulation;

use std::process::ExitCode;

const RUNS: u32 = 400_000;

fn main() -> ExitCode {
    println!("| chart | shift | published | computed | simulated | standard error | | source |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut agrees = true;
    for setting in settings::published() {
        let simulated = match simulation::run_lengths(&setting, RUNS) {
            Ok(simulated) => simulated,
            Err(bad_chart) => {
                eprintln!("{}: {bad_chart}", setting.name);
                return ExitCode::from(2);
            }
        };
        let is_near = simulated.is_near(&setting, 4.0);
        agrees &= is_near;
        println!(
            "| {} | {} | {} | {:.3} | {:.3} | {:.3} | {} | {} |",
            setting.name,
            setting.shift,
            setting.published,
            setting.computed,
            simulated.mean,
            simulated.standard_error,
            if is_near { "agrees" } else { "DIFFERS" },
            setting.source,
        );
    }
    ExitCode::from(u8::from(!agrees))
}
