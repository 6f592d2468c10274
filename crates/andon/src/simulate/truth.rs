//! What a run's readings do not tell: which machine failed, and when. Labels for whoever trains or judges a model.

use std::fs::File;
use std::io::{self, BufWriter, Write};
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

/// A file for failures, one JSON line each.
#[derive(Debug)]
pub struct TruthFile<'p> {
    path: &'p Path,
    file: File,
}

impl<'p> TruthFile<'p> {
    /// Creates it, or empties it.
    pub fn create(path: &'p Path) -> Result<Self, Failure> {
        match File::create(path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err(unwritable(path, error)
                .cure("give --truth a file in a folder that is there and can be written")),
        }
    }

    /// Writes the failures.
    pub fn write(self, breakdowns: &[Breakdown]) -> Result<(), Failure> {
        let mut file = BufWriter::new(self.file);
        let written = breakdowns
            .iter()
            .try_for_each(|breakdown| {
                serde_json::to_writer(&mut file, breakdown)?;
                file.write_all(b"\n")
            })
            .and_then(|()| file.flush());
        written.map_err(|error| unwritable(self.path, error))
    }
}

fn unwritable(path: &Path, error: io::Error) -> Failure {
    Failure::input(format_args!("cannot write {}", path.display())).caused_by(error)
}
