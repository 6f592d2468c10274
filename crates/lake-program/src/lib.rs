//! The programs that turn a stream's records into the rows of the lake.
//!
//! A program is a pair of files: `NAME.vrl`, in the Vector Remap Language (<https://vrl.dev>), and `NAME.json`, which
//! declares what the program is given and by which keys its rows are partitioned. The record's JSON is `.`, and what is
//! `.` at the end is delivered: an object is a row, an array of objects several, `abort` drops the record. What is known
//! of the record besides stands under `%` ([`About`]), and there the program leaves the values of the partition
//! keys: `%line = .line`.
//!
//! - **Checked before the first record.** A program is compiled against the declared input: a field that may be absent,
//!   or be of another type than a function takes, is a fault with line, column and a caret ([`ProgramErrors`]).
//! - **What is declared holds.** A record that is not as declared never reaches the program.
//! - **Bounded.** The language has no loops, and none of the [functions](functions) that programs may call reads a
//!   clock, a file, the network or the environment.
//! - **Nothing is delivered in part.** A record's rows come all or not at all.
//! - **No path tricks.** A [partition value](partition_value) is made of letters, digits, `-`, `_` and `.`, and does not begin with
//!   the last two.
//!
//! ```
//! use lake_program::{About, Program, Verdict};
//!
//! let declared = r#"{"partition_keys": ["line"], "input": {"type": "object", "required": ["torque"],
//!     "properties": {"torque": {"type": "number"}, "line": {"type": "string"}}}}"#;
//! let program = Program::compile("torque", "%line = .line\n. = {\"tenths\": to_float(.torque) * 10}", declared)?;
//! let mut runner = program.runner();
//! let mut rows = Vec::new();
//! let verdict = runner.run(br#"{"torque": 4, "line": "L/2"}"#, &About::default(), &mut rows)?;
//! assert_eq!(verdict, Verdict::Kept { partition: vec!["L_2".into()] });
//! assert_eq!(rows, b"{\"tenths\":40.0}\n");
//!
//! let fault = Program::compile("torque", ". = upcase(.torque)", declared).unwrap_err().to_string();
//! assert!(fault.starts_with("torque.vrl:1:12: "), "{fault}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod about;
mod bundled;
mod declared;
mod fault;
pub mod functions;
mod json;
mod partition;
mod parts;
mod piece;
mod places;
mod plan;
mod program;
mod read;
mod row;
mod run;
mod scan;
mod schema;

pub use about::About;
pub use bundled::Bundled;
pub use fault::{ProgramErrors, ProgramFault};
pub use partition::{FALLBACK, MAX_PARTITION_VALUE_BYTES, partition_value};
pub use program::Program;
pub use run::{Failed, Runner, Verdict};
pub use schema::{Mismatch, Schema, SchemaFault};
