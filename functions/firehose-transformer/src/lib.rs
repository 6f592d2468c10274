//! Turns what a delivery stream took in into the rows of the lake.
//!
//! **In:** a batch of Amazon Data Firehose, from a Kinesis stream or put directly. **Out:** for every record, in order and
//! once, `Ok` with its rows, `Dropped` or `ProcessingFailed`. Which program makes the rows, `PROGRAM` says
//! ([`lake_program`]).
//!
//! | the payload | its outcome |
//! |---|---|
//! | JSON as the program declares | what the program says |
//! | the same, compressed with gzip | likewise |
//! | log events of CloudWatch Logs (gzip) | the program's rows of every message, all or none |
//! | a control message of CloudWatch Logs | `Dropped` |
//! | empty, `null`, no JSON, no object, nested over 127 levels, not as declared | `ProcessingFailed` |
//! | over [`MAX_PAYLOAD_BYTES`] once decompressed, log events of several partitions | `ProcessingFailed` |
//! | `data` missing or no base64 | `ProcessingFailed` |
//! | rows that no longer fit into the answer | `ProcessingFailed` |
//!
//! **Promise:** no record is lost. What is `ProcessingFailed` Firehose keeps as it came under its error prefix, from where it can be
//! put again; the function itself puts nothing anywhere, so that nothing goes in circles. The answer stays under
//! [`MAX_RESPONSE_BYTES`] counted as it is sent, however much the rows expand. An invocation fails only if its event
//! does not say which records it has.

pub mod config;
pub mod event;
mod function;
mod metric;
mod payload;
mod response;
mod transform;

pub use function::Transformer;
pub use metric::METRICS;
pub use payload::MAX_PAYLOAD_BYTES;
pub use response::MAX_RESPONSE_BYTES;
pub use transform::{Outcome, Transformed, transform};
