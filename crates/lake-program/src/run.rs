//! A program, run on records one after the other.

use std::fmt;

use bytestring::ByteString;
use vrl::compiler::runtime::{Runtime, Terminate};
use vrl::compiler::state::RuntimeState;
use vrl::compiler::{ExpressionError, TargetValue, TimeZone};
use vrl::value::{Secrets, Value};

use crate::row::Row;
use crate::schema::json_type;
use crate::{About, Mismatch, Program, json, partition};

/// Runs one program; kept between records, it spares their making anew.
pub struct Runner<'p> {
    program: &'p Program,
    runtime: Runtime,
    timezone: TimeZone,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its rows were written.
    Kept {
        /// The values of the program's partition keys, in their order.
        partition: Vec<String>,
    },
    /// The program did not want it.
    Dropped,
}

/// Why a record has no rows. Says what and where, never what the record holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// There are no bytes but white space.
    #[error("the payload is empty")]
    Empty,
    /// The bytes are not one JSON value.
    #[error("the payload is not JSON: {}", JsonFault(*.line, *.column, *.too_deep))]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// Whether it may be JSON, but is nested over 127 levels deep.
        too_deep: bool,
    },
    /// The JSON is not what the program declares.
    #[error("the payload is not as declared")]
    NotAsDeclared(#[source] Mismatch),
    /// The program failed on the record.
    #[error("the program failed: {0}")]
    Program(String),
    /// What the program left is neither an object nor an array of objects.
    #[error("the program left {0}, not an object or an array of objects")]
    NoRow(&'static str),
}

impl Failed {
    /// The reason as a metric's dimension: few values, whatever the records hold.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NotJson {
                too_deep: false, ..
            } => "not-json",
            Self::NotJson { too_deep: true, .. } => "too-deep",
            Self::NotAsDeclared(_) => "not-as-declared",
            Self::Program(_) => "program-failed",
            Self::NoRow(_) => "no-row",
        }
    }
}

struct JsonFault(usize, usize, bool);

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(line, column, too_deep) = self;
        let fault = if *too_deep {
            "nested too deep"
        } else {
            "broken"
        };
        write!(f, "{fault} at line {line}, column {column}")
    }
}

impl<'p> Runner<'p> {
    pub(crate) fn new(program: &'p Program) -> Self {
        Self {
            program,
            runtime: Runtime::new(RuntimeState::default()),
            timezone: TimeZone::parse("UTC").unwrap_or_default(),
        }
    }

    /// The program that is run.
    pub fn program(&self) -> &'p Program {
        self.program
    }

    /// Runs the program on one record and appends its rows to `rows`, each a line of JSON.
    ///
    /// # Errors
    /// If the record is not as declared, or the program fails on it; `rows` is as before then.
    pub fn run(
        &mut self,
        payload: &[u8],
        about: &About<'_>,
        rows: &mut Vec<u8>,
    ) -> Result<Verdict, Failed> {
        if let Some(row) = &self.program.row
            && let Some(verdict) = self.run_row(row, payload, about, rows)
        {
            return verdict;
        }
        let value = parse(payload)?;
        self.program
            .input()
            .check(&value)
            .map_err(Failed::NotAsDeclared)?;
        let mut target = TargetValue {
            value,
            metadata: about.value(&self.program.read),
            secrets: Secrets::new(),
        };
        let executed = self
            .runtime
            .resolve(&mut target, &self.program.code, &self.timezone);
        self.runtime.clear();
        if let Err(terminated) = executed {
            return self.terminated(terminated);
        }
        if !write_rows(&target.value, rows)? {
            return Ok(Verdict::Dropped);
        }
        Ok(Verdict::Kept {
            partition: self.partition(&target.metadata),
        })
    }

    /// The same the quick way; nothing of a payload that is not in order.
    fn run_row(
        &mut self,
        row: &Row,
        payload: &[u8],
        about: &About<'_>,
        rows: &mut Vec<u8>,
    ) -> Option<Result<Verdict, Failed>> {
        let whole = ByteString::from(std::str::from_utf8(payload).ok()?);
        let mut record = row.read(&whole, about)?;
        let executed = row.run(&mut self.runtime, &mut record, about, &self.timezone, rows);
        self.runtime.clear();
        Some(match executed {
            Ok(()) => Ok(Verdict::Kept {
                partition: row.partition(&record.0),
            }),
            Err(terminated) => self.terminated(terminated),
        })
    }

    fn terminated(&self, terminated: Terminate) -> Result<Verdict, Failed> {
        match terminated {
            Terminate::Abort(ExpressionError::Abort { .. }) => Ok(Verdict::Dropped),
            terminated => Err(Failed::Program(located(
                &terminated.to_string(),
                self.program.source(),
            ))),
        }
    }

    fn partition(&self, metadata: &Value) -> Vec<String> {
        let left = metadata.as_object();
        self.program
            .partition_keys()
            .iter()
            .map(|key| partition::of(left.and_then(|left| left.get(key.as_str()))))
            .collect()
    }
}

/// The message with the line of the program, where the language gives the bytes: `at (368:397)`.
fn located(message: &str, source: &str) -> String {
    let spot = message.split_once(" at (").and_then(|(before, rest)| {
        let (span, after) = rest.split_once(')')?;
        let start: usize = span.split_once(':')?.0.parse().ok()?;
        let line = source.get(..start)?.matches('\n').count() + 1;
        Some(format!("{before} in line {line}{after}"))
    });
    spot.unwrap_or_else(|| message.to_owned())
}

fn parse(payload: &[u8]) -> Result<Value, Failed> {
    json::parse(payload).map_err(|error| {
        if payload.trim_ascii().is_empty() {
            return Failed::Empty;
        }
        Failed::NotJson {
            line: error.line(),
            column: error.column(),
            // serde_json tells this fault by its words alone.
            too_deep: error.to_string().starts_with("recursion limit exceeded"),
        }
    })
}

/// Appends a line for each object; says whether there was one.
fn write_rows(value: &Value, rows: &mut Vec<u8>) -> Result<bool, Failed> {
    let begin = rows.len();
    let several = match value {
        Value::Array(several) => several.as_slice(),
        one => std::slice::from_ref(one),
    };
    for row in several {
        let written = match row {
            // Writing to memory does not fail, and every value has a JSON form.
            Value::Object(row) => serde_json::to_writer(&mut *rows, row).is_ok(),
            _ => false,
        };
        if !written {
            rows.truncate(begin);
            return Err(Failed::NoRow(json_type(row)));
        }
        rows.push(b'\n');
    }
    Ok(!several.is_empty())
}
