//! A spool on disk between the readings and the stream: readings are taken in while the stream is out of reach, and what
//! is not accepted yet survives the end of this process.
//!
//! The promise: **a reading that was acknowledged reaches the stream at least once**, whatever ends the process and for
//! however long the stream does not answer. Readings leave in the order in which they came. Acknowledged means written and
//! synced to the disk; lines are synced together, as many as are there, so that a slow disk costs time per group. What a
//! crash may repeat is one chunk: the readings between two positions; where it tears the position itself, a segment.
//!
//! A full spool takes nothing in until there is room again: the writer at the other end of the pipe waits.
//!
//! | file | what |
//! | --- | --- |
//! | `00000000000000000001.ndjson`, … | readings as they came, a line each; deleted when the stream has accepted them |
//! | `position` | the segment and the byte up to which the stream has accepted everything |
//! | `too-large.ndjson` | lines that fit no record of a stream |
//! | `lock` | held by the process that uses the spool, until it has put what lies there or given up |

mod keep;
mod ship;
mod store;

pub use ship::{News, Spooled, run};
pub use store::MIN_BYTES;
