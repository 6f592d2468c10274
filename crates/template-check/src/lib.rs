//! CloudFormation templates held against what the services demand, and against the code that they deploy.
//!
//! [`check`] reads a template (YAML with its short forms, JSON, SAM's functions and events) with the templates that it
//! nests, and looks at it in several worlds: conditions both ways. Each rule is a file under `rules/`, with what comes of
//! the fault, the cure and the page that says so, and under `templates/` a template with the fault and one without.
//!
//! Promises: a finding is at the line that is to be changed. What only the deployment can tell (an import, a
//! parameter without a value) is never a finding. No file makes it panic. What is excepted carries a reason, and an
//! exception that nothing needs is a finding itself.

mod alarm;
mod check;
mod code;
mod deployment;
mod evaluate;
mod exception;
mod finding;
mod firehose;
mod iam;
mod keys;
pub mod manifest;
mod mapping;
mod metrics;
mod node;
pub mod output;
mod place;
mod rule;
mod rules;
mod serverless;
mod stack;
mod value;
mod world;

pub use check::{check, roots};
pub use finding::Finding;
pub use manifest::Manifest;
pub use rule::Rule;
pub use rules::RULES;
pub use stack::{BadTemplate, Read};
