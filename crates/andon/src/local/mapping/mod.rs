//! Lambda's Kinesis event source mapping, driven by the settings of the deployed mappings: batch size and window, the
//! payload limit, partial failures, retries with back-off, bisecting, record age, failure destination.
//!
//! Promises: one batch of a shard at a time, in order; no record is passed that the function is not done with, unless it
//! went to the failure destination. A setting that this loop does not have is refused by name, never ignored. Where the
//! mapping starts (`LATEST`, `TRIM_HORIZON`) makes no difference here: it is there before the first record.

pub mod answer;
pub mod failure;
pub mod lag;
mod reader;
mod shard;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_kinesis::Client;
use lambda_function::clock::{Clock, SystemClock};
use runtime_api::FunctionHost;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::python::Progress;
use super::stack::DeployedMapping;
use crate::failure::Failure;
use crate::record::{StreamRecord, list_shards};
use answer::{Condition, Limits, Verdict};
use failure::Destination;
use lag::{Behind, Lag};
use reader::Reader;
use shard::Shard;

/// Told of records that a function is done with, and when (ms since the epoch).
pub type Watch = Arc<dyn Fn(&[Arc<StreamRecord>], i64) + Send + Sync>;

/// One mapping, with the function that it invokes.
pub struct Mapping {
    settings: DeployedMapping,
    package: String,
    host: Arc<FunctionHost>,
    limits: Limits,
    destination: Destination,
    region: String,
    role_arn: String,
    sdk: SdkConfig,
    watch: Option<Watch>,
    progress: Arc<dyn Progress + Send>,
    troubles: AtomicU64,
}

/// How often the same kind of trouble is told.
const TOLD: u64 = 5;

impl Mapping {
    /// Refuses the settings that this loop does not have.
    pub fn new(
        settings: DeployedMapping,
        package: &str,
        host: Arc<FunctionHost>,
        sdk: SdkConfig,
        progress: Arc<dyn Progress + Send>,
        watch: Option<Watch>,
    ) -> Result<Self, Failure> {
        check(&settings, package)?;
        let (region, role_arn) = place(&settings.function_arn, package);
        Ok(Self {
            limits: Limits {
                retries: settings.maximum_retry_attempts,
                record_age: settings.maximum_record_age,
                bisect: settings.bisect_batch_on_function_error,
            },
            destination: Destination::of(settings.on_failure.as_deref())?,
            package: package.to_owned(),
            settings,
            host,
            region,
            role_arn,
            sdk,
            watch,
            progress,
            troubles: AtomicU64::new(0),
        })
    }

    /// The stream that it reads, also where it names a consumer.
    pub fn stream_arn(&self) -> &str {
        let source = &self.settings.event_source_arn;
        source
            .split_once("/consumer/")
            .map_or(source, |(stream, _)| stream)
    }

    fn trouble(&self, what: &str) {
        self.tell(format_args!("{}: {what}", self.package));
    }

    fn unfinished(&self, verdict: Verdict, records: usize) {
        match verdict {
            Verdict::DoneBefore(index) => self.tell(format_args!(
                "{}: {index} of {records} records done, the rest again",
                self.package
            )),
            _ => self.tell(format_args!("{}: {records} records failed", self.package)),
        }
    }

    fn given_up(&self, records: usize, condition: Condition) {
        self.tell(format_args!(
            "{}: {records} records to the failure destination ({})",
            self.package,
            condition.as_str()
        ));
    }

    fn tell(&self, what: std::fmt::Arguments<'_>) {
        let told = self.troubles.fetch_add(1, Ordering::Relaxed) + 1;
        if told < TOLD {
            self.progress.say(&what.to_string());
        } else if told == TOLD {
            self.progress
                .say(&format!("{what} (further ones are in its log)"));
        }
    }
}

fn check(settings: &DeployedMapping, package: &str) -> Result<(), Failure> {
    let refused = [
        (!settings.filters.is_empty(), "filters"),
        (!settings.tumbling_window.is_zero(), "a tumbling window"),
        (
            settings.parallelization_factor > 1,
            "ParallelizationFactor above 1",
        ),
    ];
    match refused.iter().find(|(found, _)| *found) {
        None => Ok(()),
        Some((_, what)) => Err(Failure::check(format_args!(
            "the mapping of {package} has {what}, which local runs do not reproduce"
        ))
        .cure("take it out of infra/functions.yaml for this run")),
    }
}

/// Region and role of a function, from `arn:partition:lambda:region:account:function:name`.
fn place(function_arn: &str, package: &str) -> (String, String) {
    let part = |index| function_arn.split(':').nth(index).unwrap_or_default();
    let role_arn = format!("arn:{}:iam::{}:role/{package}", part(1), part(4));
    (part(3).to_owned(), role_arn)
}

/// All mappings at work. Dropping it ends them.
pub struct Mappings {
    lags: Vec<Arc<Lag>>,
    tasks: JoinSet<Result<(), Failure>>,
}

impl Mappings {
    /// One reader for each shard of each stream, one loop for each mapping and shard.
    pub async fn start(sdk: &SdkConfig, mappings: Vec<Mapping>) -> Result<Self, Failure> {
        let client = Client::new(sdk);
        let mut streams: BTreeMap<String, Vec<Arc<Mapping>>> = BTreeMap::new();
        for mapping in mappings {
            let stream = mapping.stream_arn().to_owned();
            streams.entry(stream).or_default().push(Arc::new(mapping));
        }
        let mut started = Self {
            lags: Vec::new(),
            tasks: JoinSet::new(),
        };
        for (stream_arn, mappings) in streams {
            for shard in list_shards(&client, &stream_arn).await? {
                started.start_shard(&client, &stream_arn, &shard, &mappings);
            }
        }
        Ok(started)
    }

    fn start_shard(
        &mut self,
        client: &Client,
        stream_arn: &str,
        shard: &str,
        mappings: &[Arc<Mapping>],
    ) {
        let mut readers = Vec::new();
        for mapping in mappings {
            let (sender, records) = unbounded_channel();
            let lag = Arc::new(Lag::new(&mapping.package, stream_arn, shard));
            readers.push((sender, Arc::clone(&lag)));
            self.lags.push(Arc::clone(&lag));
            let shard = Shard {
                mapping: Arc::clone(mapping),
                records,
                lag,
                held: None,
            };
            self.tasks.spawn(shard.run());
        }
        let reader = Reader {
            client: client.clone(),
            stream_arn: stream_arn.to_owned(),
            shard: shard.to_owned(),
            mappings: readers,
        };
        self.tasks.spawn(reader.run());
    }

    /// Waits for a failure; work that ends well is no reason to wake up.
    pub async fn failure(&mut self) -> Failure {
        while let Some(ended) = self.tasks.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(failure)) => return failure,
                Err(error) => return Failure::check("a mapping loop broke off").caused_by(error),
            }
        }
        std::future::pending().await
    }

    /// Ends all work and waits until it has ended.
    pub async fn stop(&mut self) {
        self.tasks.shutdown().await;
    }

    /// The lags, to be looked at while the mappings are at work.
    pub fn lags(&self) -> Lags {
        Lags(self.lags.clone())
    }
}

/// How far all mappings are behind.
#[derive(Clone, Debug)]
pub struct Lags(Vec<Arc<Lag>>);

impl Lags {
    /// Per function and shard, in that order.
    pub fn behind(&self) -> Vec<Behind> {
        let now_ms = SystemClock.now_ms();
        let mut behind: Vec<_> = self.0.iter().map(|lag| lag.behind(now_ms)).collect();
        behind.sort_by(|a, b| (&a.function, &a.shard).cmp(&(&b.function, &b.shard)));
        behind
    }

    /// Waits until everything that is on the stream now is passed by all its mappings.
    pub async fn caught_up(&self, stream_arn: &str) {
        let since = Instant::now();
        while !self
            .0
            .iter()
            .filter(|lag| lag.stream_arn == stream_arn)
            .all(|lag| lag.is_caught_up(since))
        {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// How many records have been passed altogether: while this grows, waiting is worth while.
    pub fn passed(&self) -> u64 {
        self.behind().iter().map(|behind| behind.passed).sum()
    }
}

const LOOK: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn settings() -> DeployedMapping {
        DeployedMapping {
            uuid: "50f67ad3".into(),
            function_arn: "arn:aws:lambda:us-east-1:000000000000:function:andon-sns-alerter".into(),
            event_source_arn: "arn:aws:kinesis:us-east-1:000000000000:stream/andon-quality-events"
                .into(),
            starting_position: "TRIM_HORIZON".into(),
            batch_size: 100,
            batching_window: Duration::ZERO,
            parallelization_factor: 1,
            maximum_retry_attempts: None,
            maximum_record_age: None,
            bisect_batch_on_function_error: true,
            report_batch_item_failures: true,
            on_failure: None,
            filters: vec![],
            tumbling_window: Duration::ZERO,
        }
    }

    #[test]
    fn a_setting_that_is_not_reproduced_is_refused_by_name() {
        check(&settings(), "sns-alerter").unwrap();
        for (settings, what) in [
            (
                DeployedMapping {
                    filters: vec!["{}".into()],
                    ..settings()
                },
                "filters",
            ),
            (
                DeployedMapping {
                    tumbling_window: Duration::from_secs(60),
                    ..settings()
                },
                "tumbling",
            ),
            (
                DeployedMapping {
                    parallelization_factor: 2,
                    ..settings()
                },
                "ParallelizationFactor",
            ),
        ] {
            let failure = check(&settings, "sns-alerter").unwrap_err().to_string();
            assert!(
                failure.contains(what) && failure.contains("sns-alerter"),
                "{failure}"
            );
        }
    }

    #[test]
    fn region_and_role_are_the_functions() {
        assert_eq!(
            place(&settings().function_arn, "sns-alerter"),
            (
                "us-east-1".to_owned(),
                "arn:aws:iam::000000000000:role/sns-alerter".to_owned()
            )
        );
    }
}
