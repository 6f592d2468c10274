//! What an invocation is given and what it comes to.

use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;

/// The longest payload of an invocation: 6 MB (AWS Lambda quotas, synchronous).
pub const MAX_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;
/// The longest answer, which Lambda lets be a little longer.
pub const MAX_ANSWER_BYTES: usize = MAX_PAYLOAD_BYTES + 100;

/// One invocation that has ended.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// As the function saw it.
    pub request_id: String,
    /// From the event's delivery to the end; where the init phase was repeated, from that one's start.
    pub duration: Duration,
    /// Whether a process was started for it.
    pub cold: bool,
    /// From the process's start to its first call for an event, or until that was waited for no longer; zero unless `cold`.
    pub init_duration: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The function answered.
    Answer(Bytes),
    /// The function reported an error, of the invocation or of its start, or its answer was refused.
    FunctionError {
        /// The error's type, as reported.
        error_type: String,
        /// The error's message, as reported.
        message: String,
    },
    /// Neither answer nor error in time; the process was killed.
    TimedOut,
    /// The process ended before it answered.
    Crashed {
        /// How it ended.
        status: ExitStatus,
    },
}

impl Outcome {
    /// The answer's bytes, if there is one.
    pub fn answer(&self) -> Option<&Bytes> {
        match self {
            Self::Answer(body) => Some(body),
            _ => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(body) => write!(f, "answered with {} bytes", body.len()),
            Self::FunctionError {
                error_type,
                message,
            } => write!(f, "{error_type}: {message}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Crashed { status } => write!(f, "ended without an answer ({status})"),
        }
    }
}
