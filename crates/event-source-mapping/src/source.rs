//! Where a mapping stands: its stream, its function, and how the stream is read.

use crate::InvalidSettings;
use crate::settings::Fault;

/// What a mapping connects. The settings of a mapping say how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The mapping's `UUID`.
    pub mapping_id: String,
    /// `EventSourceArn`: the stream's ARN, or that of a fan-out consumer of it.
    pub event_source_arn: String,
    /// `FunctionArn`, with a version or an alias if the mapping names one.
    pub function_arn: String,
    /// The role that the function runs as: `invokeIdentityArn` in its events.
    pub role_arn: String,
    /// How long the stream retains a record, in milliseconds; `None` leaves the end of retention out of account.
    pub retention_ms: Option<i64>,
}

/// The times of which Lambda's documentation gives none, or only a base rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between two reads of a shard at its tip. Lambda polls a shard about once a second.
    pub poll_ms: i64,
    /// Between two reads of a shard that still has records: Kinesis allows five a second.
    pub read_ms: i64,
    /// Before the first retry of a batch; each further wait is twice as long.
    pub first_retry_ms: i64,
    /// The longest wait between two retries.
    pub longest_retry_ms: i64,
}

impl Source {
    /// The stream's ARN, whether or not a consumer of it is the source.
    pub fn stream_arn(&self) -> &str {
        self.event_source_arn
            .split_once("/consumer/")
            .map_or(&self.event_source_arn, |(stream, _)| stream)
    }

    /// Whether the source is a fan-out consumer.
    pub fn is_fan_out(&self) -> bool {
        self.event_source_arn.contains("/consumer/")
    }

    /// The stream's region.
    pub fn region(&self) -> &str {
        self.event_source_arn.split(':').nth(3).unwrap_or_default()
    }

    /// The version that runs, as far as the function's ARN tells it.
    pub(crate) fn executed_version(&self) -> &str {
        match self.function_arn.split(':').nth(7) {
            Some(version) if version.bytes().all(|byte| byte.is_ascii_digit()) => version,
            _ => "$LATEST",
        }
    }

    pub(crate) fn check(&self) -> Result<(), InvalidSettings> {
        let parts: Vec<&str> = self.event_source_arn.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", _, "kinesis", region, _, name]
                if !region.is_empty() && name.starts_with("stream/") =>
            {
                Ok(())
            }
            _ => Err(InvalidSettings {
                faults: vec![Fault {
                    setting: "EventSourceArn",
                    problem: format!(
                        "{} is neither a Kinesis data stream nor a consumer of one",
                        self.event_source_arn
                    ),
                }],
            }),
        }
    }
}

impl Pace {
    /// The pace of a source: a fan-out consumer is pushed to, about 70 ms after a record arrives.
    pub fn of(source: &Source) -> Self {
        let (poll_ms, read_ms) = if source.is_fan_out() {
            (70, 0)
        } else {
            (1000, 200)
        };
        Self {
            poll_ms,
            read_ms,
            first_retry_ms: 200,
            longest_retry_ms: 10_000,
        }
    }

    /// The wait before a retry, so many retries having been waited for already.
    pub(crate) fn retry_ms(&self, waited: u32) -> i64 {
        let doubled = 1_i64.checked_shl(waited.min(40)).unwrap_or(i64::MAX);
        self.first_retry_ms
            .saturating_mul(doubled)
            .min(self.longest_retry_ms)
    }
}
