//! Recorded readings from a file: JSON, one object a line, or CSV with a header row, each row as the JSON payload that
//! a plan reads. Numbers of lines are the file's own, whatever the format.

mod columns;
mod table;

use clap::{Args, ValueEnum};
use control_plan::ControlPlan;

pub use columns::{Cells, Column, pointer};

use crate::failure::Failure;
use crate::input::{Input, Lines};
use table::Table;

/// How the readings are written.
#[derive(Args, Clone, Debug, Default)]
pub struct Format {
    /// How the readings are written; default: CSV for a file that ends in `.csv`, else one JSON object a line
    ///
    /// CSV has a header row: the column `torque` stands at a plan's pointer `/torque`, the column `measurements/torque`
    /// at `/measurements/torque`. Cells of characteristics are numbers where they are written as JSON writes numbers;
    /// an empty cell is no value; all else is text, without the blanks around it.
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<Notation>,
    /// What separates the cells of a CSV file; default: what the header row has most of
    #[arg(long, value_enum, value_name = "CHARACTER")]
    separator: Option<Separator>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Notation {
    /// One JSON object a line
    Ndjson,
    /// Separated cells under a header row
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Separator {
    /// `,`
    #[value(alias = ",")]
    Comma,
    /// `;`
    #[value(alias = ";")]
    Semicolon,
    /// The tabulator
    Tab,
    /// `|`
    #[value(alias = "|")]
    Pipe,
}

impl Separator {
    fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
        }
    }
}

/// One line or row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The line of the file, from 1; of a row over several lines the first.
    pub number: u64,
    /// The payload, or why the row is none.
    pub payload: Result<Vec<u8>, &'static str>,
    /// Bytes of the file read for it.
    pub read: u64,
}

/// The readings of a file, one at a time.
pub enum Readings {
    /// One JSON object a line.
    Lines(Lines),
    /// Rows of a table.
    Table(Box<Table>),
}

impl Format {
    /// Opens readings that `plan` will read; says which columns it misses.
    pub fn open(&self, input: &Input, plan: &ControlPlan) -> Result<Readings, Failure> {
        self.open_as(input, &Cells::of_plan(plan))
    }

    /// Opens readings of which nothing is known.
    pub fn open_unknown(&self, input: &Input) -> Result<Readings, Failure> {
        self.open_as(input, &Cells::Unknown)
    }

    fn open_as(&self, input: &Input, cells: &Cells) -> Result<Readings, Failure> {
        let is_csv = match self.format {
            Some(notation) => notation == Notation::Csv,
            None => input.has_extension("csv"),
        };
        if is_csv {
            let separator = self.separator.map(Separator::byte);
            let table = Table::open(input, separator, cells)?;
            return Ok(Readings::Table(Box::new(table)));
        }
        if self.separator.is_some() {
            return Err(Failure::input("--separator is for CSV")
                .cure("add --format csv, or leave --separator out"));
        }
        Ok(Readings::Lines(input.lines()?))
    }
}

impl Readings {
    /// The pointers of a table's columns, in their order; nothing where every line may have its own.
    pub fn pointers(&self) -> Vec<String> {
        match self {
            Self::Lines(_) => Vec::new(),
            Self::Table(table) => table.pointers(),
        }
    }

    /// What the user should know of the file; complete once it has been read to its end.
    pub fn notes(&self) -> Vec<String> {
        match self {
            Self::Lines(_) => Vec::new(),
            Self::Table(table) => table.notes(),
        }
    }
}

impl Iterator for Readings {
    type Item = Result<Record, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Lines(lines) => lines.next().map(|line| {
                line.map(|line| Record {
                    number: line.number,
                    payload: if line.bytes.trim_ascii().is_empty() {
                        Err("blank")
                    } else {
                        Ok(line.bytes)
                    },
                    read: line.read,
                })
            }),
            Self::Table(table) => table.next(),
        }
    }
}
