//! A mapping's settings, with the ranges that Lambda documents. What this machine does not do is refused by name.

mod json;

use std::fmt;

/// What `CreateEventSourceMapping` lets a Kinesis mapping choose; [`Settings::default`] has Lambda's defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `Enabled`: whether the mapping reads and invokes.
    pub enabled: bool,
    /// `BatchSize`: the most records of an invocation, 1 to 10,000.
    pub batch_size: u32,
    /// `MaximumBatchingWindowInSeconds`: how long a batch is gathered, 0 to 300 s.
    pub batching_window_s: u32,
    /// `ParallelizationFactor`: how many batches of a shard are under way at once, 1 to 10.
    pub parallelization_factor: u32,
    /// `StartingPosition` and `StartingPositionTimestamp`.
    pub starting_position: StartingPosition,
    /// `MaximumRetryAttempts`: retries after the first attempt, 0 to 10,000; `None` (-1) is without limit.
    pub maximum_retry_attempts: Option<u32>,
    /// `MaximumRecordAgeInSeconds`: older records are not sent, 60 to 604,800 s; `None` (-1) is without limit.
    pub maximum_record_age_s: Option<u32>,
    /// `BisectBatchOnFunctionError`: whether a failed batch is split.
    pub bisect_batch_on_function_error: bool,
    /// `FunctionResponseTypes` has `ReportBatchItemFailures`: whether `batchItemFailures` in an answer counts.
    pub report_batch_item_failures: bool,
    /// `DestinationConfig.OnFailure.Destination`: what takes discarded batches.
    pub on_failure: Option<Destination>,
    /// `TumblingWindowInSeconds`: refused unless 0.
    pub tumbling_window_s: u32,
    /// `FilterCriteria.Filters`, the patterns: refused unless empty.
    pub filters: Vec<String>,
}

/// Where a mapping starts in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartingPosition {
    /// `TRIM_HORIZON`: at the oldest record that is retained.
    TrimHorizon,
    /// `LATEST`: behind the newest record.
    Latest,
    /// `AT_TIMESTAMP`: at the first record that arrived then or later, in milliseconds since the epoch.
    AtTimestamp(i64),
}

/// What takes discarded batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A standard queue, by its ARN: takes pointers into the stream.
    Queue(String),
    /// A standard topic, by its ARN: takes pointers into the stream.
    Topic(String),
    /// A bucket, by its name: takes whole invocation records.
    Bucket(String),
}

/// Why settings are refused: every fault of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", join(.faults))]
pub struct InvalidSettings {
    /// One for each setting that is wrong.
    pub faults: Vec<Fault>,
}

/// What is wrong with one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The setting, as Lambda's API names it.
    pub setting: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            batch_size: 100,
            batching_window_s: 0,
            parallelization_factor: 1,
            starting_position: StartingPosition::TrimHorizon,
            maximum_retry_attempts: None,
            maximum_record_age_s: None,
            bisect_batch_on_function_error: false,
            report_batch_item_failures: false,
            on_failure: None,
            tumbling_window_s: 0,
            filters: Vec::new(),
        }
    }
}

impl Settings {
    /// Reads one mapping as `ListEventSourceMappings` describes it. Fields that are missing have Lambda's defaults,
    /// fields that say nothing about a Kinesis mapping's work are passed over.
    pub fn from_json(mapping: &str) -> Result<Self, InvalidSettings> {
        json::read(mapping)
    }

    /// Whether every setting is in its documented range and done by this machine.
    pub fn check(&self) -> Result<(), InvalidSettings> {
        let mut faults = Faults::default();
        faults.range("BatchSize", self.batch_size, 1, 10_000);
        faults.range(
            "MaximumBatchingWindowInSeconds",
            self.batching_window_s,
            0,
            300,
        );
        faults.range("ParallelizationFactor", self.parallelization_factor, 1, 10);
        if let Some(retries) = self.maximum_retry_attempts {
            faults.range("MaximumRetryAttempts", retries, 0, 10_000);
        }
        if let Some(age) = self.maximum_record_age_s {
            faults.range("MaximumRecordAgeInSeconds", age, 60, 604_800);
        }
        if self.tumbling_window_s > 0 {
            let problem = "tumbling windows are not reproduced: set 0, or leave it out";
            faults.add("TumblingWindowInSeconds", problem);
        }
        if !self.filters.is_empty() {
            let problem =
                "filters are not reproduced: every record would have to pass, leave them out";
            faults.add("FilterCriteria", problem);
        }
        faults.result(())
    }

    /// The age in milliseconds beyond which a record is not sent.
    pub(crate) fn maximum_record_age_ms(&self) -> Option<i64> {
        self.maximum_record_age_s
            .map(|seconds| i64::from(seconds) * 1000)
    }

    pub(crate) fn batching_window_ms(&self) -> i64 {
        i64::from(self.batching_window_s) * 1000
    }
}

impl Destination {
    /// Reads an ARN.
    pub fn from_arn(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", _, "sqs", _, _, name] if !name.ends_with(".fifo") => {
                Some(Self::Queue(arn.to_owned()))
            }
            ["arn", _, "sns", _, _, name] if !name.ends_with(".fifo") => {
                Some(Self::Topic(arn.to_owned()))
            }
            ["arn", _, "s3", _, _, bucket] if !bucket.is_empty() => {
                Some(Self::Bucket((*bucket).to_owned()))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.problem)
    }
}

fn join(faults: &[Fault]) -> String {
    faults
        .iter()
        .map(Fault::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

/// Gathers faults, so that all are told together.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, setting: &'static str, problem: impl Into<String>) {
        self.0.push(Fault {
            setting,
            problem: problem.into(),
        });
    }

    fn range(&mut self, setting: &'static str, value: u32, least: u32, most: u32) {
        if !(least..=most).contains(&value) {
            self.add(
                setting,
                format!("{value} is not between {least} and {most}"),
            );
        }
    }

    fn result<T>(self, value: T) -> Result<T, InvalidSettings> {
        if self.0.is_empty() {
            Ok(value)
        } else {
            Err(InvalidSettings { faults: self.0 })
        }
    }
}
