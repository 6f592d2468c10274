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
//! # Rules with memory
//!
//! | rule | what is remembered | what it says of a reading |
//! |---|---|---|
//! | `when` with `previous(x)` | the last value of each such characteristic | the condition, with the values before this reading |
//! | `rate` | the latest value in reading time | the change since then per second; undecided at the first |
//! | `stuck` | the value that the row began with, its length | fires from the N-th reading in a row that stays within the tolerance |
//! | `missing` | readings in a row without a value | fires from the N-th, passes as soon as there is a value |
//! | `gap` | the latest reading time | fires on the reading that ends a silence longer than allowed |
//! | `chart` | the chart's state, the attributes it was drawn under | fires where a run test does; undecided while it gathers a subgroup or learns |
//!
//! *Undecided* is neither firing nor passing: it does not count, break or clear, and unlike *not applicable* it is not
//! counted, since nothing is missing.
//!
//! # Order, time and duplicates
//!
//! Readings are judged in the order in which they stand in the stream. Their own times decide these things only:
//!
//! | the reading | what happens |
//! |---|---|
//! | is earlier than one before | it is judged all the same; `rate` is not applicable and keeps its reference, `gap` sees no silence, `for: {seconds}` counts the time since the row's first reading (never complete on a negative one), an episode's `duration_ms` is at least zero |
//! | has the time of the one before | as above for `rate`; charts and rows count it as the next reading |
//! | comes after a silence | charts and rows go on; a `gap` rule tells |
//! | bears a `reading.id` among the machine's 64 latest | it is a duplicate: no rule judges it, nothing is remembered of it, [`Judgement::is_duplicate`] says so |
//! | bears no id where the plan names one | it is judged; nothing can tell that it is a duplicate |
//! | starts a subgroup by its attribute | the subgroup before is judged, and its event is this reading's |
//!
//! A reading that comes back after its turn ([`judge_late`]) changes no state: only rules that need no other reading
//! judge it, and their events are marked `late`, without transition and episode. Where some of a machine's readings
//! will never be judged in their turn, [`MachineState::restart`] makes its rules begin anew.
//!
//! # State
//!
//! [`MachineState`] holds nothing for rules without memory that pass, so that a quiet machine costs no write: compare
//! it with what was loaded. It encodes to a version byte and a compact form; the plan bounds its size. A changed plan
//! resets the rules that changed and no other.

mod backtest;
mod capability;
mod digest;
mod episode;
mod judge;
mod memory;
mod observer;
mod recent;
mod state;
mod summary;

pub use backtest::{Backtest, Tally};
pub use capability::RuleCapability;
pub use judge::{Judgement, judge, judge_late, judge_observed};
pub use observer::{ChartStep, Observer, Restart};
pub use state::{MachineState, Undecodable};
pub use summary::duration;
