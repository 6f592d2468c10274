//! What is wrong with a plan: every fault of the file, each with its place.

use std::fmt;
use std::ops::Range;

use super::source;

/// Beyond so many, a file is no plan at all.
const MAX_FAULTS: usize = 100;

/// One fault of a plan file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFault {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong, and the nearest known name where one is unknown.
    pub message: String,
    snippet: String,
}

/// Every fault of a plan file, in the order of the file.
///
/// `Display` renders each with place, source line and a caret under the spot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanErrors {
    file_name: String,
    faults: Vec<PlanFault>,
    left_off: usize,
}

impl PlanErrors {
    /// `found` are the spots with what is wrong there, in any order.
    pub(crate) fn new(file_name: &str, text: &str, mut found: Vec<(Range<usize>, String)>) -> Self {
        found.sort_by_key(|(spot, _)| (spot.start, spot.end));
        found.dedup();
        let left_off = found.len().saturating_sub(MAX_FAULTS);
        found.truncate(MAX_FAULTS);
        let faults = found
            .into_iter()
            .map(|(spot, message)| {
                let (line, column) = source::position(text, spot.start);
                PlanFault {
                    line,
                    column,
                    message,
                    snippet: source::snippet(text, &spot),
                }
            })
            .collect();
        Self {
            file_name: file_name.to_owned(),
            faults,
            left_off,
        }
    }

    /// The faults, in the order of the file; at most 100.
    pub fn faults(&self) -> &[PlanFault] {
        &self.faults
    }
}

impl fmt::Display for PlanErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.faults.iter().enumerate() {
            if n > 0 {
                f.write_str("\n\n")?;
            }
            writeln!(
                f,
                "{}:{}:{}: {}",
                self.file_name, fault.line, fault.column, fault.message
            )?;
            f.write_str(&fault.snippet)?;
        }
        if self.left_off > 0 {
            write!(f, "\n\nand {} more", self.left_off)?;
        }
        Ok(())
    }
}

impl std::error::Error for PlanErrors {}
