//! Conditions and formulas: CEL's syntax, an own type check, and a flat program over doubles.
//!
//! `cel` gives the parser alone: its interpreter has no types before run time, and costs ten times as much.

mod compile;
mod lexical;
mod names;
mod program;
mod syntax;
mod tendency;

use std::ops::Range;

pub(crate) use compile::{Compiled, compile};
pub use names::is_reserved_word;
#[cfg(feature = "schema")]
pub(crate) use names::reserved_words;
pub(crate) use names::{Meaning, Names, refuse_name};
pub(crate) use program::{Frame, Program, Table, is_true};
pub(crate) use tendency::Tendency;

/// Longest expression, in bytes.
pub(crate) const MAX_LENGTH: usize = 2_048;

/// Deepest nesting of parentheses, lists and calls, and most `?`; bounds the parser's recursion.
pub(crate) const MAX_NESTING: usize = 32;

/// What a part of an expression is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Number,
    Boolean,
    Text,
    /// Already reported as wrong: fits everywhere, so that one fault is told once.
    Unknown,
}

impl Type {
    fn described(self) -> &'static str {
        match self {
            Type::Number => "a number",
            Type::Boolean => "a boolean",
            Type::Text => "a text",
            Type::Unknown => "unknown",
        }
    }
}

/// A fault in an expression, at bytes of its text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Slip {
    pub(crate) at: Range<usize>,
    pub(crate) message: String,
}

impl Slip {
    fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
        }
    }
}
