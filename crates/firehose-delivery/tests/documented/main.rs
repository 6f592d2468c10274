//! Firehose's documentation, rule by rule. Each module names its pages; the crate's tables name each rule's test.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod buffering;
mod choices;
mod failures;
mod partitioning;
mod prefixes;
mod settings;
mod tables;
mod transformation;
mod world;
