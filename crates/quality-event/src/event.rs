//! The event's types. Field by field this is the JSON on the stream.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{EventId, MAX_EVENT_BYTES, MAX_NAME_CHARS, MAX_SUMMARY_CHARS, Timestamp, truncated};

/// Room for most events: longer ones grow out of it.
const USUAL_EVENT_BYTES: usize = 1_024;

/// One finding about one reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct QualityEvent {
    /// Names the finding: judged again, the same reading gives the same id.
    pub id: EventId,
    /// What was found, and by what.
    #[serde(flatten)]
    pub finding: Finding,
    /// A label for routing.
    pub severity: Severity,
    /// What is done about it.
    pub reaction: Reaction,
    /// The machine that the reading is of.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 256)))]
    pub machine: String,
    /// The machine's line, where the reading names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The reading's own time.
    pub time: Timestamp,
    /// When the record arrived on the readings stream.
    pub arrived: Timestamp,
    /// The characteristics that the finding rests on.
    pub values: BTreeMap<String, f64>,
    /// One sentence for a person.
    #[cfg_attr(feature = "schema", schemars(length(max = 1024)))]
    pub summary: String,
    /// The control plan that judged: `sha256:` and the file's digest.
    pub plan: String,
    /// Judged after the fact: it opens no episode and alerts nobody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// Where the reading lies.
    pub source: Source,
}

/// What was found, and by what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Finding {
    /// A rule of the control plan fired, still fires, or has stopped firing.
    Violation(Violation),
    /// A model's answer.
    Prediction(Prediction),
}

/// A rule's finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Violation {
    /// The rule's id in the control plan.
    pub rule: String,
    /// The step in the episode; a late finding has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition: Option<Transition>,
    /// The id of the event that opened the episode; a late finding has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode: Option<EventId>,
    /// The run tests that fire at this reading.
    pub tests: Vec<String>,
    /// What the episode amounted to, on `cleared`.
    #[serde(flatten)]
    pub ended: Option<Ended>,
}

/// An episode in retrospect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ended {
    /// From the opening reading to the clearing one, in milliseconds of reading time.
    pub duration_ms: i64,
    /// Readings on which the rule fired.
    pub readings: u64,
    /// Each characteristic's value farthest from what the rule asks for.
    pub extreme: BTreeMap<String, f64>,
}

/// A model's finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Prediction {
    /// The model's name.
    pub model: String,
    /// The model's score; null where the reading was not scored.
    pub score: Option<f64>,
    /// Whether the score crosses the threshold.
    pub flagged: bool,
    /// Why there is no score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unscored: Option<String>,
}

/// A step in an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Transition {
    /// The first reading on which the rule fires.
    Opened,
    /// A further one.
    Ongoing,
    /// The first applicable reading on which it no longer fires.
    Cleared,
}

/// A label for routing.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth a look.
    #[default]
    Warning,
    /// Needs a person now.
    Critical,
}

/// What is done about a finding.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Reaction {
    /// It is stored.
    Record,
    /// People are told.
    #[default]
    Notify,
    /// People are told, and the line is stopped.
    StopLine,
}

/// Where a reading lies.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Source {
    /// A record, or a user record within an aggregate, on a Kinesis data stream.
    Stream {
        /// The stream's ARN.
        stream: String,
        /// The shard's id.
        shard: String,
        /// The record's sequence number, in decimal.
        sequence_number: String,
        /// The user record's place in its aggregate; null for a plain record.
        sub_sequence_number: Option<u64>,
    },
    /// A line of a file, in a backtest.
    File {
        /// The file's name as it was given.
        file: String,
        /// The line's number, from 1.
        line: u64,
    },
}

/// The bytes are not a quality event.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// They are not JSON, or JSON of another shape.
    #[error("not a quality event")]
    Shape(#[from] serde_json::Error),
    /// They are more than [`MAX_EVENT_BYTES`].
    #[error("{0} bytes: a quality event has at most {MAX_EVENT_BYTES}")]
    Size(usize),
    /// A text is longer, or shorter, than the contract says.
    #[error("`{field}` has {chars} characters, not {least} to {most}")]
    Length {
        /// The field.
        field: &'static str,
        /// What it has.
        chars: usize,
        /// What it must have.
        least: usize,
        /// What it may have.
        most: usize,
    },
}

impl QualityEvent {
    /// Reads an event's JSON and holds it to the contract.
    ///
    /// # Errors
    /// If it is no event, or one that a consumer's service would refuse for its size.
    pub fn from_json(json: &[u8]) -> Result<Self, Malformed> {
        if json.len() > MAX_EVENT_BYTES {
            return Err(Malformed::Size(json.len()));
        }
        let event: Self = serde_json::from_slice(json)?;
        length("machine", &event.machine, 1, MAX_NAME_CHARS)?;
        length(
            "line",
            event.line.as_deref().unwrap_or_default(),
            0,
            MAX_NAME_CHARS,
        )?;
        let subject = if event.violation().is_some() {
            "rule"
        } else {
            "model"
        };
        length(subject, event.subject(), 1, MAX_NAME_CHARS)?;
        length("summary", &event.summary, 0, MAX_SUMMARY_CHARS)?;
        Ok(event)
    }

    /// The event's JSON, on one line, with over-long texts cut and marked.
    pub fn to_json(&self) -> Vec<u8> {
        let summary = truncated(&self.summary, MAX_SUMMARY_CHARS);
        let line = self.line.as_deref().unwrap_or_default();
        let line = truncated(line, MAX_NAME_CHARS);
        let mut json = Vec::with_capacity(USUAL_EVENT_BYTES);
        // Maps with string keys and finite numbers always serialise, and a vector takes every byte.
        let written = match (summary, line) {
            (Cow::Borrowed(_), Cow::Borrowed(_)) => serde_json::to_writer(&mut json, self),
            (summary, line) => {
                let cut = Self {
                    summary: summary.into_owned(),
                    line: self.line.as_ref().map(|_| line.into_owned()),
                    ..self.clone()
                };
                serde_json::to_writer(&mut json, &cut)
            }
        };
        debug_assert!(written.is_ok(), "{written:?}");
        json
    }

    /// The rule, if a rule found it.
    pub fn violation(&self) -> Option<&Violation> {
        match &self.finding {
            Finding::Violation(violation) => Some(violation),
            Finding::Prediction(_) => None,
        }
    }

    /// The rule's or the model's name.
    pub fn subject(&self) -> &str {
        match &self.finding {
            Finding::Violation(violation) => &violation.rule,
            Finding::Prediction(prediction) => &prediction.model,
        }
    }

    /// `opened`, `ongoing` or `cleared`; a prediction and a late finding have none.
    pub fn transition(&self) -> Option<Transition> {
        self.violation().and_then(|violation| violation.transition)
    }
}

fn length(field: &'static str, text: &str, least: usize, most: usize) -> Result<(), Malformed> {
    let chars = text.chars().count();
    match (least..=most).contains(&chars) {
        true => Ok(()),
        false => Err(Malformed::Length {
            field,
            chars,
            least,
            most,
        }),
    }
}

macro_rules! words {
    ($type:ty { $($variant:ident => $word:literal),* $(,)? }) => {
        impl $type {
            /// The word that stands in the JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(Severity { Info => "info", Warning => "warning", Critical => "critical" });
words!(Reaction { Record => "record", Notify => "notify", StopLine => "stop-line" });
words!(Transition { Opened => "opened", Ongoing => "ongoing", Cleared => "cleared" });
