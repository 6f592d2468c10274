//! The reading: what a payload says, as the plan reads it.

mod places;
pub(crate) mod pointer;
mod time;
pub(crate) mod trie;

use quality_event::{BadTimestamp, MAX_NAME_CHARS, Timestamp};

pub use places::Pointed;
use trie::{Captured, Trie};

/// One reading of one machine, made by [`ControlPlan::read`](crate::ControlPlan::read) and judged by the same plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The machine, 1 to 256 characters.
    pub machine: String,
    /// The machine's line, where the reading names one.
    pub line: Option<String>,
    /// When it was taken.
    pub time: Timestamp,
    /// The producer's own id of the reading.
    pub id: Option<String>,
    /// A double for each characteristic of the plan; NaN where there is none.
    pub(crate) characteristics: Box<[f64]>,
    /// A text for each attribute of the plan.
    pub(crate) attributes: Box<[Option<Box<str>>]>,
}

/// A characteristic, by its place in the plan that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CharacteristicId(pub(crate) u16);

/// An attribute, by its place in the plan that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributeId(pub(crate) u16);

impl Reading {
    /// A characteristic's value; none where it is missing or not numeric.
    pub fn value(&self, characteristic: CharacteristicId) -> Option<f64> {
        let value = self.characteristics.get(usize::from(characteristic.0))?;
        (!value.is_nan()).then_some(*value)
    }

    /// An attribute's text.
    pub fn attribute(&self, attribute: AttributeId) -> Option<&str> {
        self.attributes.get(usize::from(attribute.0))?.as_deref()
    }
}

/// Why a payload is no reading.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The bytes are not one JSON value, or hold a number beyond a double's range.
    #[error("not JSON")]
    NotJson(#[source] serde_json::Error),
    /// Nothing stands at the pointer `reading.machine`.
    #[error("no machine at the plan's pointer")]
    NoMachine,
    /// What stands there is neither text of 1 to 256 characters nor a whole number.
    #[error("the machine is not a text of 1 to {MAX_NAME_CHARS} characters")]
    BadMachine,
    /// Nothing stands at the pointer `reading.time`.
    #[error("no time at the plan's pointer")]
    NoTime,
    /// What stands there is no time.
    #[error("the time is neither RFC 3339 nor a number")]
    BadTime(#[source] Option<BadTimestamp>),
}

impl Unreadable {
    /// The reason as a word for metrics and for what is set aside.
    pub fn reason(&self) -> &'static str {
        match self {
            Unreadable::NotJson(_) => "not-json",
            Unreadable::NoMachine => "no-machine",
            Unreadable::BadMachine => "bad-machine",
            Unreadable::NoTime => "no-time",
            Unreadable::BadTime(_) => "bad-time",
        }
    }
}

/// Where a plan's values stand in a payload.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    trie: Trie,
    machine: usize,
    time: usize,
    line: Option<usize>,
    id: Option<usize>,
    attributes: Vec<usize>,
    characteristics: Vec<Option<usize>>,
}

/// The pointers that make up [`Places`].
#[derive(Debug, Default)]
pub(crate) struct Pointers {
    pub(crate) machine: Vec<String>,
    pub(crate) time: Vec<String>,
    pub(crate) line: Option<Vec<String>>,
    pub(crate) id: Option<Vec<String>>,
    pub(crate) attributes: Vec<Vec<String>>,
    /// None for a derived characteristic.
    pub(crate) characteristics: Vec<Option<Vec<String>>>,
}

impl Places {
    pub(crate) fn new(pointers: Pointers) -> Self {
        let mut all = Vec::new();
        let mut add = |pointer: Vec<String>| {
            all.push(pointer);
            all.len() - 1
        };
        let machine = add(pointers.machine);
        let time = add(pointers.time);
        let line = pointers.line.map(&mut add);
        let id = pointers.id.map(&mut add);
        let attributes: Vec<usize> = pointers.attributes.into_iter().map(&mut add).collect();
        let characteristics: Vec<Option<usize>> = pointers
            .characteristics
            .into_iter()
            .map(|pointer| pointer.map(&mut add))
            .collect();
        let (trie, captures) = Trie::new(&all);
        Self {
            trie,
            machine: captures[machine],
            time: captures[time],
            line: line.map(|n| captures[n]),
            id: id.map(|n| captures[n]),
            attributes: attributes.into_iter().map(|n| captures[n]).collect(),
            characteristics: characteristics
                .into_iter()
                .map(|n| n.map(|n| captures[n]))
                .collect(),
        }
    }

    /// The reading, with derived characteristics still missing.
    pub(crate) fn read(&self, payload: &[u8]) -> Result<Reading, Unreadable> {
        let captured = self.trie.capture(payload).map_err(Unreadable::NotJson)?;
        Ok(Reading {
            machine: machine(&captured[self.machine])?,
            line: self.line.and_then(|n| name(&captured[n])),
            time: when(&captured[self.time])?,
            id: self.id.and_then(|n| name(&captured[n])),
            characteristics: self
                .characteristics
                .iter()
                .map(|n| n.and_then(|n| number(&captured[n])).unwrap_or(f64::NAN))
                .collect(),
            attributes: self
                .attributes
                .iter()
                .map(|n| text(&captured[*n]).map(Into::into))
                .collect(),
        })
    }
}

fn machine(captured: &Captured<'_>) -> Result<String, Unreadable> {
    match captured {
        Captured::Absent | Captured::Null => Err(Unreadable::NoMachine),
        other => name(other)
            .filter(|name| name.chars().count() <= MAX_NAME_CHARS)
            .ok_or(Unreadable::BadMachine),
    }
}

fn when(captured: &Captured<'_>) -> Result<Timestamp, Unreadable> {
    match captured {
        Captured::Absent | Captured::Null => Err(Unreadable::NoTime),
        Captured::Text(text) => text
            .parse()
            .map_err(|error| Unreadable::BadTime(Some(error))),
        other => match number(other) {
            Some(number) => {
                time::from_number(number).map_err(|error| Unreadable::BadTime(Some(error)))
            }
            None => Err(Unreadable::BadTime(None)),
        },
    }
}

/// A text, or a whole number in decimal; an empty text is no name.
fn name(captured: &Captured<'_>) -> Option<String> {
    match captured {
        Captured::Text(text) if !text.is_empty() => Some(text.to_string()),
        Captured::Signed(number) => Some(number.to_string()),
        Captured::Unsigned(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Numbers and booleans count as their text.
fn text(captured: &Captured<'_>) -> Option<String> {
    match captured {
        Captured::Text(text) => Some(text.to_string()),
        Captured::Signed(number) => Some(number.to_string()),
        Captured::Unsigned(number) => Some(number.to_string()),
        Captured::Float(number) => Some(number.to_string()),
        Captured::Bool(boolean) => Some(boolean.to_string()),
        Captured::Absent | Captured::Null | Captured::Container => None,
    }
}

/// Numbers only: a number in quotes is a text.
fn number(captured: &Captured<'_>) -> Option<f64> {
    match captured {
        Captured::Signed(number) => Some(*number as f64),
        Captured::Unsigned(number) => Some(*number as f64),
        Captured::Float(number) => Some(*number),
        _ => None,
    }
}
