//! The rig of the pipeline's tests: the three functions as deployed, connected to a stateful world, on a clock that
//! stands still until it is moved.

#![expect(
    clippy::unwrap_used,
    reason = "the rig is test code: a failed unwrap is a failed test"
)]

#[cfg(feature = "rig")]
mod batch;
#[cfg(feature = "rig")]
pub mod bring_back;
pub mod campaign;
#[cfg(feature = "rig")]
pub mod delivery;
#[cfg(feature = "rig")]
mod rig;
pub mod simulation;

#[cfg(feature = "rig")]
pub use batch::{Batches, json_of, opened, overpowered, reading, redriving};
#[cfg(feature = "rig")]
pub use rig::{FUNCTION_TIMEOUT, Rig, SCENARIO_PLAN, STREAM_ARN};
