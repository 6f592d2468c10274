//! `andon redrive`: what was set aside or failed, back through the functions.
//!
//! A function is invoked with the original records (same shard, numbers and arrival) and `"redrive": true`; nothing is put
//! on a stream again. Promises: without `--execute` nothing is invoked; every record that was found is told of; bringing
//! a record back again changes nothing, since ids derive from records; nothing is deleted from the bucket; a message of a
//! queue is deleted only once every record of its batch is done, or is unreadable and safe in a file that was asked for.
//!
//! ```text
//! Source -> Held -> Ready -> call -> Invoker -> Told -> Report, Receipt
//! ```

mod bucket;
mod calls;
mod drain;
mod held;
mod invocation_record;
mod invoker;
mod kept;
mod kind;
mod lines;
mod lines_file;
mod list;
mod outcome;
mod place;
mod queue;
mod receipt;
mod redriver;
mod report;
mod run;
mod show;
mod source;
mod stretch;

use std::io::{IsTerminal, Write};

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;

pub use bucket::Bucket;
pub use held::{Held, Origin, Ready, Unfit};
pub use invocation_record::{InvocationRecord, NoRecord, Pointer};
pub use invoker::{Invoker, Lambda, NoAnswer};
pub use kind::Kind;
pub use lines::{read, write};
pub use outcome::{Became, Told};
pub use place::Functions;
pub use queue::{Message, Queue};
pub use receipt::{Entry, Receipt};
pub use redriver::{Options, Redriver};
pub use report::{Call, Report};

/// What was set aside or failed: look at it, and bring it back through the functions
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Where things lie: quarantine/ (data that no retry cures), parked/ (readings of a machine that was held too
long) and aws/lambda/ (batches that Lambda gave up) in the set-aside bucket."
)]
pub enum Redrive {
    /// What was set aside or failed, one line an object
    List(list::List),
    /// The records of an object or a file, as lines that can be edited
    Show(show::Show),
    /// Bring records back through the functions that set them aside or failed on them
    Run(run::Run),
}

impl Redrive {
    /// Runs the sub-command.
    pub async fn run(self, out: &mut impl Write) -> Result<(), Failure> {
        match self {
            Self::List(list) => list.run(out).await,
            Self::Show(show) => show.run(out).await,
            Self::Run(run) => run.run(out).await,
        }
    }
}

/// A bar on a terminal, nothing elsewhere.
fn progress(what: &str, length: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length);
    match ProgressStyle::with_template(&format!("{{bar:32}} {{pos}}/{{len}} {what}  {{elapsed}}")) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
