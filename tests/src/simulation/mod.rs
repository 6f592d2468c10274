//! The whole pipeline in one process on a virtual clock, under faults that a seed decides.
//!
//! The real functions with their real adapters act on `fake-aws`; Lambda's part is `event-source-mapping`. Nothing waits
//! for real time and nothing is drawn but from the seed: **a seed gives the same run, call by call**. After a run the
//! world is held against a reference that knows nothing of batches, retries, tables and claims.
//!
//! In an eighth of the runs one mapping does not try for ever: then what it gives up has to lie in the bucket as it lay on
//! the stream, and no more is asked of it; of everything else the same is asked as ever.

mod alerts;
mod audit;
mod bring_back;
mod claims;
mod claims_left;
mod clients;
mod clock;
mod conductor;
mod expiry;
mod fault;
mod function;
mod injector;
mod judged;
mod limits;
mod line;
mod messages;
mod plans;
pub mod predictions;
mod random;
mod reference;
mod restarts;
mod run;
mod shrink;
mod stream;
mod table;
mod workload;
mod world;

pub use audit::{Tally, Violation};
pub use fault::{FaultClass, Planned};
pub use injector::Hits;
pub use run::{LEAST_FAULTS, Run, run, run_with, run_with_least};
pub use shrink::{Shrunk, shrink};
pub use workload::{What, Workload};
