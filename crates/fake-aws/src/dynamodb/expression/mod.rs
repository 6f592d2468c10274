//! DynamoDB's expressions: conditions, updates, key conditions and projections, parsed and evaluated.
//!
//! Placeholders are resolved while parsing; whatever the request brings and no expression uses is refused, as
//! DynamoDB does. One file per kind: what it may say is its grammar, what it means is its evaluation.

pub(crate) mod condition;
pub(crate) mod key_condition;
mod lexer;
mod parser;
mod path;
mod placeholders;
pub(crate) mod projection;
pub(crate) mod update;

pub(crate) use placeholders::Placeholders;
