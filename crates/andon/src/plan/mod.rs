//! `andon plan`: a control plan's life, from the check to the roll-back.

pub mod backtest;
pub mod check;
pub mod features;
pub mod init;
#[cfg(feature = "aws")]
pub mod push;

use std::io::Write;
use std::path::Path;

use clap::Subcommand;
use control_plan::ControlPlan;

use crate::failure::Failure;
use crate::input::unreadable;

/// The control plan: check it, try it on recorded readings, put it into service
#[derive(Debug, Subcommand)]
pub enum Plan {
    /// Check control plans; every fault is named with line and column
    Check(check::Check),
    /// Judge recorded readings by a plan, as the functions would
    Backtest(Box<backtest::Backtest>),
    /// Print the model's features of recorded readings
    Features(features::Features),
    /// Draft a plan from recorded readings
    Init(init::Init),
    /// Put a plan into service, or an older version of it again
    #[cfg(feature = "aws")]
    Push(push::Push),
}

impl Plan {
    /// Runs the sub-command.
    pub fn run(self, out: &mut impl Write) -> Result<(), Failure> {
        match self {
            Self::Check(check) => check.run(out, &mut std::io::stderr()),
            Self::Backtest(backtest) => backtest.run(out, &mut std::io::stderr()),
            Self::Features(features) => features.run(out, &mut std::io::stderr()),
            Self::Init(init) => init.run(out, &mut std::io::stderr()),
            #[cfg(feature = "aws")]
            Self::Push(push) => crate::cli::block_on(push.run(out)),
        }
    }
}

/// Reads a plan's text.
pub(crate) fn source(path: &Path) -> Result<String, Failure> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, error))?;
    String::from_utf8(bytes).map_err(|error| {
        Failure::input(path.display())
            .caused_by(error)
            .cure("save the plan as UTF-8")
    })
}

/// Reads and checks a plan; a faulty one is the command's bad input.
fn load(path: &Path) -> Result<ControlPlan, Failure> {
    parsed(path, &source(path)?)
}

/// Checks the text of a plan that lies at `path`.
pub(crate) fn parsed(path: &Path, text: &str) -> Result<ControlPlan, Failure> {
    ControlPlan::parse(&path.display().to_string(), text)
        .map_err(|errors| Failure::input(format_args!("the plan is not in order\n{errors}")))
}
