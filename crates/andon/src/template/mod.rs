//! `andon template`: CloudFormation templates, held against what the services demand and against the code.

pub mod check;
#[cfg(feature = "aws")]
pub mod code;
mod files;

use std::io::Write;

use clap::Subcommand;

use crate::failure::Failure;

/// CloudFormation templates: check them
#[derive(Debug, Subcommand)]
pub enum Template {
    /// Check templates against what the services demand, and against the code
    Check(check::Check),
}

impl Template {
    /// Runs the sub-command.
    pub fn run(self, out: &mut impl Write) -> Result<(), Failure> {
        match self {
            Self::Check(check) => check.run(out, &mut std::io::stderr()),
        }
    }
}
