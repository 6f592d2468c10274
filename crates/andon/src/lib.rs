//! The command-line tool: the line simulated, plans checked and tried on recorded readings, streams filled and
//! recorded, what was set aside brought back.
//!
//! One module per command. Exit codes: 0 done, 1 a check failed or the work could not be done, 2 bad usage or
//! input, 130 broken off by Ctrl-C. Machine-readable output is alone on stdout; whatever is for people goes to stderr
//! beside it. What needs no AWS builds without the AWS SDK: the feature `aws`, on by default, gates the rest.

pub mod cli;
pub mod event;
pub mod failure;
pub mod input;
pub mod plan;
pub mod plot;
pub mod program;
pub mod readings;
pub mod simulate;
pub mod size;
pub mod template;

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "aws")]
pub mod invoke;
#[cfg(feature = "aws")]
pub mod local;
#[cfg(feature = "aws")]
pub mod produce;
#[cfg(feature = "aws")]
pub mod record;
#[cfg(feature = "aws")]
pub mod redrive;

pub use cli::Andon;
pub use failure::Failure;
