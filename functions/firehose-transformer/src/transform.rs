//! One batch: every record through the program, every record answered.

use lake_program::{About, Failed, Program, Runner, Verdict};
use serde_json::value::RawValue;

use crate::event::{Event, EventError, Record};
use crate::payload::{Logs, Payload, Room, Unreadable};
use crate::response::Response;

/// A batch, transformed.
#[derive(Debug)]
pub struct Transformed {
    /// What Firehose is answered.
    pub response: Box<RawValue>,
    /// What became of each record, in order.
    pub outcomes: Vec<Outcome>,
}

/// What became of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its rows are delivered.
    Ok,
    /// The program did not want it.
    Dropped,
    /// Firehose keeps it as it came.
    Failed {
        /// The reason, as a metric's dimension.
        reason: &'static str,
        /// The reason in words, without anything that the record holds.
        message: String,
    },
}

/// Transforms a batch. Pure.
///
/// # Errors
/// If the body does not say which records it has.
pub fn transform(
    program: &Program,
    body: &[u8],
    most_bytes: usize,
) -> Result<Transformed, EventError> {
    let event = Event::decode(body)?;
    let mut response = Response::new(event.records.iter().map(|record| record.id), most_bytes);
    let mut batch = Batch {
        runner: program.runner(),
        room: Room::default(),
        rows: Vec::new(),
    };
    let answer = |record: &Record<'_>| {
        let verdict = batch.record(record);
        let failed = match verdict {
            Ok(Verdict::Kept { partition }) => {
                let keys = program.partition_keys();
                if response.ok(record.id, &batch.rows, keys, &partition) {
                    return Outcome::Ok;
                }
                Fault::OverBudget
            }
            Ok(Verdict::Dropped) => {
                response.dropped(record.id);
                return Outcome::Dropped;
            }
            Err(fault) => fault,
        };
        response.failed(record.id);
        Outcome::Failed {
            reason: failed.as_str(),
            message: lambda_function::Causes(&failed).to_string(),
        }
    };
    let outcomes = event.records.iter().map(answer).collect();
    Ok(Transformed {
        response: response.finish()?,
        outcomes,
    })
}

/// Why a record is kept as it came.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error(transparent)]
    Failed(#[from] Failed),
    #[error("a message type of CloudWatch Logs that is not known")]
    MessageType,
    #[error("the record's log events belong to several partitions")]
    Partitions,
    #[error("the rows do not fit into the answer")]
    OverBudget,
}

impl Fault {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Unreadable(unreadable) => unreadable.as_str(),
            Self::Failed(failed) => failed.as_str(),
            Self::MessageType => "message-type",
            Self::Partitions => "several-partitions",
            Self::OverBudget => "over-budget",
        }
    }
}

struct Batch<'p> {
    runner: Runner<'p>,
    room: Room,
    /// The rows of the record at hand.
    rows: Vec<u8>,
}

impl Batch<'_> {
    fn record(&mut self, record: &Record<'_>) -> Result<Verdict, Fault> {
        self.rows.clear();
        let about = record.about();
        match self.room.open(record.data.as_deref())? {
            Payload::One(payload) => Ok(self.runner.run(payload, &about, &mut self.rows)?),
            Payload::Logs(logs) => log_events(&mut self.runner, &logs, &about, &mut self.rows),
        }
    }
}

/// All rows of a record's log events, or none.
fn log_events(
    runner: &mut Runner<'_>,
    logs: &Logs<'_>,
    about: &About<'_>,
    rows: &mut Vec<u8>,
) -> Result<Verdict, Fault> {
    match &*logs.message_type {
        "CONTROL_MESSAGE" => return Ok(Verdict::Dropped),
        "DATA_MESSAGE" => {}
        _ => return Err(Fault::MessageType),
    }
    let mut together = Verdict::Dropped;
    for event in &logs.log_events {
        let about = About {
            log_group: Some(&logs.log_group),
            log_stream: Some(&logs.log_stream),
            log_event: Some(&event.id),
            ..*about
        };
        let verdict = runner.run(event.message.as_bytes(), &about, rows)?;
        together = match (together, verdict) {
            (together, Verdict::Dropped) => together,
            (Verdict::Dropped, kept) => kept,
            (together, kept) if together == kept => together,
            _ => return Err(Fault::Partitions),
        };
    }
    Ok(together)
}
