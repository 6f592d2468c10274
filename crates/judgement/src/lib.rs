//! Judges readings by a control plan: **plan + state of the machine + reading -> quality events + next state**.
//!
//! The promise is *same input, same verdict*: no clock, no randomness, no I/O. Whatever judges a machine's readings
//! in order (a function, batch by batch with the state stored in between, or [`Backtest`] in one go) gives the
//! same events with the same ids.
//!
//! # Episodes
//!
//! Each reading on which a rule fires emits one event: `opened` first, then `ongoing`; the first reading on which it
//! is applicable and does not fire emits `cleared`. There is one episode for a machine and a rule at a time.
//!
//! - A rule with `for` opens at the reading that completes it; what came before counts for nothing else: an
//!   episode's `readings` and `duration_ms` start at its `opened`. `for: {seconds}` is complete once the reading's
//!   time is that much later than the time of the first reading in the row.
//! - A reading on which a rule is not applicable neither counts, breaks nor clears.
//! - A rule whose definition changes starts fresh, without what it had of its `for`; an open episode is carried on.
//!   The open episode of a rule that is gone from the plan is cleared at the machine's next reading.
//! - `cleared` carries `duration_ms` (of reading time, zero if time ran backwards), `readings` (on which the rule
//!   fired) and `extreme` (for each characteristic of the rule, the value farthest from what the rule asks for).
//!
//! # State
//!
//! [`MachineState`] holds nothing for rules that pass, so that a quiet machine costs no write: compare it with
//! what was loaded. It encodes to a version byte and a compact form; the plan bounds its size.

mod backtest;
mod episode;
mod judge;
mod state;
mod summary;

pub use backtest::{Backtest, Tally};
pub use judge::{Judgement, judge};
pub use state::{MachineState, Undecodable};
