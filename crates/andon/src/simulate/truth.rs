//! What a run's readings do not tell: which machine failed, and when. Labels for whoever trains or judges a model.

use std::io::{BufWriter, Write};
use std::path::Path;

use quality_event::Timestamp;
use serde::Serialize;

use crate::failure::Failure;

/// A machine that failed. It is repaired before its next part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Breakdown {
    /// The machine.
    pub machine: String,
    /// The time of the last part before the failure.
    pub time: Timestamp,
    /// That part's number among the machine's own, from 1.
    pub part: u64,
    /// What failed.
    pub failure: &'static str,
}

/// Writes failures to a file, one JSON line each.
pub fn write(path: &Path, breakdowns: &[Breakdown]) -> Result<(), Failure> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    for breakdown in breakdowns {
        serde_json::to_writer(&mut file, breakdown).map_err(std::io::Error::from)?;
        file.write_all(b"\n")?;
    }
    Ok(file.flush()?)
}
