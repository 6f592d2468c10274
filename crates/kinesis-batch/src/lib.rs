//! A Lambda Kinesis event: decoded record by record, opened where a producer aggregated, and answered with a
//! checkpoint.
//!
//! - **A bad record is that record's fault alone.** [`Batch::decode`] fails only where the body is no JSON object
//!   with `Records` at all; a record that cannot be read is a [`MalformedRecord`] beside the readable ones.
//! - **Nothing is copied that can be borrowed.** A [`UserRecord`] points into the body or into the one buffer that
//!   the caller keeps between invocations.
//! - **Arrival times are exact**: milliseconds taken from the number's digits, never through a float.
//! - **Unprocessed means failed.** [`Outcomes`] starts with every record failed and names the lowest one that is
//!   not done.
//! - **A record that is brought back is the same record.** In an event with `"redrive": true` a record's `kinesis` may
//!   carry `"subSequenceNumber": n`: it is the user record at place `n` of an aggregate, by itself.
//!
//! ```
//! use kinesis_batch::Batch;
//!
//! let body = br#"{"Records":[{"kinesis":{"partitionKey":"press-07","sequenceNumber":"4959","data":"e30=",
//!     "approximateArrivalTimestamp":1545084650.987},"eventID":"shardId-000000000006:4959",
//!     "eventSourceARN":"arn:aws:kinesis:us-east-2:123456789012:stream/readings"}]}"#;
//! let mut buffer = Vec::new();
//! let batch = Batch::decode(body, &mut buffer)?;
//! let mut outcomes = batch.outcomes();
//! for record in batch.user_records() {
//!     assert_eq!((record.data, record.arrived_ms), (&b"{}"[..], 1_545_084_650_987));
//!     outcomes.done(record.parent);
//! }
//! assert_eq!(serde_json::to_string(&outcomes.response()).unwrap(), r#"{"batchItemFailures":[]}"#);
//! # Ok::<(), kinesis_batch::BatchError>(())
//! ```

pub mod aggregate;
mod arrival;
mod batch;
pub mod envelope;
mod lines;
mod malformed;
mod outcomes;
mod record_id;
mod sequence_number;
mod wire;

pub use arrival::MAX_ARRIVED_MS;
pub use batch::{Batch, BatchError, UserRecord};
pub use lines::UserRecordLine;
pub use malformed::{Field, MalformedReason, MalformedRecord};
pub use outcomes::{BatchResponse, ItemFailure, Outcomes};
pub use record_id::RecordId;
pub use sequence_number::{BadSequenceNumber, SequenceNumber};
