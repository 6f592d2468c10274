//! The port: where functions put what they set aside.

use std::error::Error;
use std::future::Future;

use crate::SetAside;

/// Why records are set aside, and so where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// Data that no retry cures.
    Quarantine,
    /// Readings of a machine that was held too long; they can be redriven.
    Parked,
}

impl Fate {
    /// The first part of the object's key.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Quarantine => "quarantine",
            Self::Parked => "parked",
        }
    }
}

/// Keeps records that are set aside.
pub trait Shelf {
    /// Whether what it takes counts as set aside. Not so where it lies aside already.
    const COUNTED: bool = true;

    /// Keeps `records`, given in stream order. Once this is `Ok` they are safe; after an error they
    /// may or may not be kept, and keeping them again changes nothing. No records, no call.
    fn put(
        &self,
        fate: Fate,
        records: &[SetAside],
    ) -> impl Future<Output = Result<(), ShelfError>> + Send;
}

/// The records could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep {records} set-aside records as {key}")]
pub struct ShelfError {
    /// How many records.
    pub records: usize,
    /// The object's key.
    pub key: String,
    /// What failed.
    pub source: Box<dyn Error + Send + Sync>,
}
