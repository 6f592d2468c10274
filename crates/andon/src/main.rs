//! The command-line tool `andon`.

use std::io::Write;
use std::process::ExitCode;

use andon::Andon;
use clap::Parser;

fn main() -> ExitCode {
    match Andon::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.exit_code() != 0 {
                // Nothing is left to tell the user if stderr is gone too.
                let _ = writeln!(std::io::stderr(), "error: {failure}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}
