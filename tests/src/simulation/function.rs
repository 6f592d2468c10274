//! The three functions of the pipeline and the streams that they read.

use std::fmt;

/// One of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// Judges readings.
    Evaluator,
    /// Stores quality events.
    Writer,
    /// Tells people, stops lines.
    Alerter,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Evaluator, Self::Writer, Self::Alerter];

    /// Its name as deployed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Evaluator => "quality-evaluator",
            Self::Writer => "dynamodb-writer",
            Self::Alerter => "sns-alerter",
        }
    }

    /// The stream that it reads.
    pub fn stream(self) -> &'static str {
        match self {
            Self::Evaluator => READINGS_STREAM,
            Self::Writer | Self::Alerter => QUALITY_STREAM,
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The readings stream's name.
pub const READINGS_STREAM: &str = "readings";

/// The quality-events stream's name.
pub const QUALITY_STREAM: &str = "quality-events";
