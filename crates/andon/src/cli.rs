//! The commands, and how each is run.

use std::io::{self, BufWriter, Write};

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::{event, plan, program, simulate, size, template};
#[cfg(feature = "aws")]
use crate::{invoke, local, produce, record, redrive};

/// Streaming quality control for production lines on Amazon Kinesis and AWS Lambda
#[derive(Debug, Parser)]
#[command(
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 a check failed or the work could not be done, 2 bad usage or input, 130 broken off by Ctrl-C."
)]
pub struct Andon {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[cfg(feature = "aws")]
    Local(local::Local),
    Simulate(simulate::Simulate),
    Event(event::Event),
    #[command(subcommand)]
    Plan(plan::Plan),
    #[command(subcommand)]
    Program(program::Programs),
    #[command(subcommand)]
    Template(template::Template),
    Size(size::Size),
    #[cfg(feature = "aws")]
    Produce(produce::Produce),
    #[cfg(feature = "aws")]
    Record(record::Record),
    #[cfg(feature = "aws")]
    Invoke(invoke::Invoke),
    #[cfg(feature = "aws")]
    #[command(subcommand)]
    Redrive(redrive::Redrive),
}

impl Andon {
    /// Runs the command, its output to stdout.
    pub fn run(self) -> Result<(), Failure> {
        let mut out = BufWriter::new(io::stdout().lock());
        match self.command {
            #[cfg(feature = "aws")]
            Command::Local(local) => block_on(local.run(&mut out)),
            Command::Simulate(simulate) => simulate.run(&mut out),
            Command::Event(event) => event.run(&mut out, &mut io::stderr()),
            Command::Plan(plan) => plan.run(&mut out),
            Command::Program(programs) => programs.run(&mut out),
            Command::Template(template) => template.run(&mut out),
            Command::Size(size) => size.run(&mut out),
            #[cfg(feature = "aws")]
            Command::Produce(produce) => block_on(produce.run(&mut out)),
            #[cfg(feature = "aws")]
            Command::Record(record) => block_on(record.run(&mut out)),
            #[cfg(feature = "aws")]
            Command::Invoke(invoke) => block_on(invoke.run(&mut out)),
            #[cfg(feature = "aws")]
            Command::Redrive(redrive) => block_on(redrive.run(&mut out)),
        }?;
        Ok(out.flush()?)
    }
}

/// Runs a command that waits for AWS.
#[cfg(feature = "aws")]
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::check("cannot start the asynchronous runtime").caused_by(error)
        })?;
    let done = runtime.block_on(work);
    // A blocking read of stdin may still be under way; the process does not wait for it.
    runtime.shutdown_background();
    done
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        Andon::command().debug_assert();
    }

    #[test]
    fn the_help_tells_every_exit_code() {
        let command = Andon::command();
        let help = command.get_after_help().unwrap().to_string();
        for failure in [
            Failure::check(""),
            Failure::input(""),
            Failure::interrupted(),
        ] {
            let code = format!(" {} ", failure.exit_code());
            assert!(help.contains(&code), "{help}");
        }
    }
}
