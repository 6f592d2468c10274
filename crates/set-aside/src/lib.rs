//! Records that are set aside: kept in S3 with their bytes, the reason and their place in the stream.
//!
//! Promises: the bytes come back as they were; one call writes one object, as ndjson; its
//! key depends on the records alone, so that a retry of the same records rewrites the same object.
//! Records count as done only after [`Shelf::put`] has returned `Ok`.
//!
//! ```text
//! quarantine/<function>/<yyyy>/<mm>/<dd>/<shard>-<first sequence number>-<hash>.ndjson
//! parked/<function>/<yyyy>/<mm>/<dd>/<shard>-<first sequence number>-<hash>.ndjson
//! ```
//!
//! A function that is invoked with such records again (`"redrive": true`) answers what became of each ([`Report`]).
//! What still cannot be read stays where it lies ([`Returned`]); it is not set aside a second time.
//!
//! Date, shard and sequence number are those of the first record that tells its own; where none does, `unknown`.

mod basket;
mod from_batch;
mod key;
mod memory;
mod record;
mod redriven;
mod returned;
mod s3;
mod shelf;

pub use basket::{Basket, QUARANTINED};
pub use key::object_key;
pub use memory::MemoryShelf;
pub use record::{BadLine, Holds, SetAside, decode, encode};
pub use redriven::{Answer, Outcome, Redriven, Report};
pub use returned::{REDRIVEN, Returned};
pub use s3::S3Shelf;
pub use shelf::{Fate, Shelf, ShelfError};
