//! The three wire protocols, as far as the world speaks them: JSON 1.0/1.1, Query and REST with XML.

pub(crate) mod form;
pub(crate) mod json;
pub(crate) mod percent;
mod request;
pub(crate) mod trouble;
pub(crate) mod xml;

use std::borrow::Cow;

use bytes::Bytes;

pub(crate) use request::Request;

/// What goes back over the wire.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(Cow<'static, str>, String)>,
    pub(crate) body: Bytes,
    /// The error's code, for the log.
    pub(crate) code: Option<String>,
}

/// A refusal, before it takes the protocol's form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    /// Members beside the message, in JSON protocols.
    pub(crate) members: serde_json::Map<String, serde_json::Value>,
}

impl Refusal {
    /// A refusal with HTTP 400.
    pub(crate) fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code: code.into(),
            message: message.into(),
            members: serde_json::Map::new(),
        }
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn with_member(mut self, name: &str, value: serde_json::Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }
}

/// What an operation is told about the call that it answers.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) now_ms: i64,
    pub(crate) request_id: String,
    pub(crate) held_back: HeldBack,
    pub(crate) stale_reads: bool,
}

/// The parts of a call that must not happen, and what the caller is told about them.
#[derive(Debug, Clone, Default)]
pub(crate) struct HeldBack {
    /// One flag per part; empty: none is held back.
    pub(crate) flags: Vec<bool>,
    /// Code and message for failed entries; `None`: the operation's own.
    pub(crate) as_error: Option<(&'static str, &'static str)>,
}

impl HeldBack {
    pub(crate) fn holds(&self, place: usize) -> bool {
        self.flags.get(place).copied().unwrap_or(false)
    }
}
