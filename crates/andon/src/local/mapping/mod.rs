//! Lambda's Kinesis event source mappings, as deployed: the state machines of `event-source-mapping` with the real
//! functions, streams, clock and failure destinations.
//!
//! One reader for each shard of each stream; one driver for each mapping, all its shards side by side. A setting that the
//! machine does not have is refused by name, never ignored. Whoever else reads a stream follows it as a [`Follower`].

mod destination;
mod driver;
pub mod lag;
mod stream;
mod tail;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_kinesis::Client;
use bytes::Bytes;
use event_source_mapping::{Answer, Discarded, Settings, Source, SourceRecord};
use futures_util::future::BoxFuture;
use lambda_function::clock::{Clock, SystemClock};
use runtime_api::{FunctionHost, Invocation, InvokeError, Outcome};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::python::Progress;
use super::stack::DeployedMapping;
use crate::failure::Failure;
use driver::Driver;
use lag::Behind;
pub use stream::Found;
use stream::{Listener, Registry, Stream};

/// Told of records that a function is done with, and when (ms since the epoch).
pub type Watch = Arc<dyn Fn(&[Arc<SourceRecord>], i64) + Send + Sync>;

/// What a mapping invokes.
pub trait Function: Send + Sync {
    /// One invocation; `records` are those in the event.
    fn invoke<'a>(
        &'a self,
        event: Bytes,
        records: &'a [Arc<SourceRecord>],
    ) -> BoxFuture<'a, Result<Invocation, InvokeError>>;
}

impl Function for FunctionHost {
    fn invoke<'a>(
        &'a self,
        event: Bytes,
        _: &'a [Arc<SourceRecord>],
    ) -> BoxFuture<'a, Result<Invocation, InvokeError>> {
        Box::pin(self.invoke(event))
    }
}

/// One mapping, with the function that it invokes.
pub struct Mapping {
    settings: Settings,
    source: Source,
    package: String,
    function: Arc<dyn Function>,
    sdk: SdkConfig,
    clock: Arc<dyn Clock>,
    watch: Option<Watch>,
    progress: Arc<dyn Progress + Send>,
    troubles: Troubles,
}

/// How often each kind of trouble was told.
#[derive(Debug, Default)]
struct Troubles {
    invocations: AtomicU64,
    given_up: AtomicU64,
}

/// How often the same kind of trouble is told.
const TOLD: u64 = 5;

impl Mapping {
    /// Refuses the settings that the state machine does not have.
    pub fn new(
        deployed: &DeployedMapping,
        package: &str,
        function: Arc<dyn Function>,
        sdk: SdkConfig,
        progress: Arc<dyn Progress + Send>,
        watch: Option<Watch>,
    ) -> Result<Self, Failure> {
        let (settings, source) = (deployed.settings(package)?, deployed.source(package));
        let mapping = Self {
            settings,
            source,
            package: package.to_owned(),
            function,
            sdk,
            clock: Arc::new(SystemClock),
            watch,
            progress,
            troubles: Troubles::default(),
        };
        mapping.machine()?;
        Ok(mapping)
    }

    fn machine(&self) -> Result<event_source_mapping::Mapping, Failure> {
        event_source_mapping::Mapping::new(self.settings.clone(), self.source.clone())
            .map_err(|error| refused(&self.package, error))
    }

    fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    async fn invoke(
        &self,
        event: Bytes,
        records: &[Arc<SourceRecord>],
    ) -> Result<Invocation, InvokeError> {
        let invocation = self.function.invoke(event, records).await?;
        if !matches!(invocation.outcome, Outcome::Answer(_)) {
            self.trouble(&invocation.outcome.to_string());
        }
        Ok(invocation)
    }

    async fn put(&self, batch: &Discarded) -> Result<(), Failure> {
        destination::put(&self.sdk, batch).await
    }

    fn trouble(&self, what: &str) {
        self.tell(
            &self.troubles.invocations,
            format_args!("{}: {what}", self.package),
        );
    }

    fn answered(&self, answer: &Answer, done: usize, records: usize) {
        if matches!(answer, Answer::Returned(_)) && done < records {
            self.trouble(&format!("{done} of {records} records done, the rest again"));
        }
    }

    fn given_up(&self, batch: &Discarded) {
        self.tell(
            &self.troubles.given_up,
            format_args!(
                "{}: {} records to the failure destination ({})",
                self.package,
                batch.records.len(),
                batch.condition.as_str()
            ),
        );
    }

    fn tell(&self, told: &AtomicU64, what: std::fmt::Arguments<'_>) {
        let told = told.fetch_add(1, Ordering::Relaxed) + 1;
        if told < TOLD {
            self.progress.say(&what.to_string());
        } else if told == TOLD {
            self.progress
                .say(&format!("{what} (further ones are in its log)"));
        }
    }
}

fn refused(package: &str, error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::check(format_args!("the mapping of {package} cannot run here"))
        .caused_by(error)
        .cure("change it in infra/functions.yaml for this run")
}

impl DeployedMapping {
    fn settings(&self, package: &str) -> Result<Settings, Failure> {
        let described = serde_json::json!({
            "BatchSize": self.batch_size,
            "MaximumBatchingWindowInSeconds": self.batching_window.as_secs(),
            "ParallelizationFactor": self.parallelization_factor,
            "StartingPosition": self.starting_position,
            "MaximumRetryAttempts": self.maximum_retry_attempts.map_or(-1, i64::from),
            "MaximumRecordAgeInSeconds": self.maximum_record_age.map_or(-1, |age| age.as_secs().try_into().unwrap_or(i64::MAX)),
            "BisectBatchOnFunctionError": self.bisect_batch_on_function_error,
            "FunctionResponseTypes": self.report_batch_item_failures.then_some("ReportBatchItemFailures").into_iter().collect::<Vec<_>>(),
            "DestinationConfig": {"OnFailure": {"Destination": self.on_failure.as_deref().filter(|arn| !arn.is_empty())}},
            "TumblingWindowInSeconds": self.tumbling_window.as_secs(),
            "FilterCriteria": {"Filters": self.filters.iter().map(|pattern| serde_json::json!({"Pattern": pattern})).collect::<Vec<_>>()},
        });
        Settings::from_json(&described.to_string()).map_err(|error| refused(package, error))
    }

    fn source(&self, package: &str) -> Source {
        // `arn:partition:lambda:region:account:function:name`
        let part = |index| self.function_arn.split(':').nth(index).unwrap_or_default();
        Source {
            mapping_id: self.uuid.clone(),
            event_source_arn: self.event_source_arn.clone(),
            function_arn: self.function_arn.clone(),
            role_arn: format!("arn:{}:iam::{}:role/{package}", part(1), part(4)),
            // A run is over long before.
            retention_ms: None,
        }
    }
}

/// Who reads a stream besides the mappings, each shard by its own tail.
pub struct Follower {
    /// What it is called where lags are told.
    pub name: String,
    /// The stream.
    pub stream_arn: String,
    /// Takes the shards.
    pub found: UnboundedSender<Vec<Found>>,
    /// What it does with them; its failure is the run's.
    pub work: BoxFuture<'static, Result<(), Failure>>,
}

/// All mappings at work. Dropping it ends them.
pub struct Mappings {
    lags: Lags,
    tasks: JoinSet<Result<(), Failure>>,
}

impl Mappings {
    /// Finds the shards of all streams and begins.
    pub async fn start(
        sdk: &SdkConfig,
        mappings: Vec<Mapping>,
        followers: Vec<Follower>,
    ) -> Result<Self, Failure> {
        let client = Client::new(sdk);
        let mut streams: BTreeMap<String, Vec<Listener>> = BTreeMap::new();
        let mut tasks = JoinSet::new();
        for mapping in mappings {
            let (sender, found) = unbounded_channel();
            let listeners = streams.entry(mapping.source.stream_arn().to_owned());
            listeners.or_default().push(Listener {
                name: mapping.package.clone(),
                found: sender,
            });
            let machine = mapping.machine()?;
            tasks.spawn(Driver::new(Arc::new(mapping), machine, found).run());
        }
        for follower in followers {
            let listeners = streams.entry(follower.stream_arn).or_default();
            listeners.push(Listener {
                name: follower.name,
                found: follower.found,
            });
            tasks.spawn(follower.work);
        }
        let registry = Registry::default();
        for (stream_arn, listeners) in streams {
            let stream =
                Stream::open(client.clone(), stream_arn, listeners, registry.clone()).await?;
            tasks.spawn(stream.run());
        }
        Ok(Self {
            lags: Lags(registry),
            tasks,
        })
    }

    /// Waits for a failure; work that ends well is no reason to wake up.
    pub async fn failure(&mut self) -> Failure {
        while let Some(ended) = self.tasks.join_next().await {
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(failure)) => return failure,
                Err(error) => return Failure::check("a mapping broke off").caused_by(error),
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
        self.lags.clone()
    }
}

/// How far all mappings are behind.
#[derive(Clone, Debug)]
pub struct Lags(Registry);

impl Lags {
    /// Per function and shard, in that order.
    pub fn behind(&self) -> Vec<Behind> {
        let now_ms = SystemClock.now_ms();
        let mut behind: Vec<_> = self.0.lags().iter().map(|lag| lag.behind(now_ms)).collect();
        behind.sort_by(|a, b| (&a.function, &a.shard).cmp(&(&b.function, &b.shard)));
        behind
    }

    /// Waits until everything that is on the stream now is passed by all its mappings.
    pub async fn caught_up(&self, stream_arn: &str) {
        let since = Instant::now();
        while !self
            .0
            .lags()
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
mod tests;
