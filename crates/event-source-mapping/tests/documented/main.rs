//! Lambda's documentation, rule by rule. Each module names its pages; the crate's tables name each rule's test.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod batching;
mod choices;
mod event;
mod failures;
mod parallel;
mod positions;
mod resharding;
mod responses;
mod retries;
mod settings;
mod tables;
mod world;
