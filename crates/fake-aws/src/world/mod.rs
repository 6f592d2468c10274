//! The world: what exists in it, what happened to it, and the door through which SDK clients come in.

mod answering;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::call::{Call, Service};
use crate::clock::Clock;
use crate::dynamodb::{self, Item};
use crate::fault::{Fault, FaultHandle, FaultPlan, Faults};
use crate::kinesis::{self, Record, Shard};
use crate::s3::{self, Object};
use crate::sagemaker::{self, Container};
use crate::sns::{self, Published};
use crate::sqs::{self, Message};

pub(crate) use answering::{Arrived, Manner};

/// Where and when a world is.
#[derive(Clone, Debug)]
pub struct WorldOptions {
    /// The world's time. Default: 2026-11-20T01:00:00Z, moving by 1 ms per call.
    pub clock: Clock,
    /// Default: `eu-central-1`.
    pub region: String,
    /// The account's 12 digits. Default: `111122223333`.
    pub account: String,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            clock: Clock::default(),
            region: "eu-central-1".to_owned(),
            account: "111122223333".to_owned(),
        }
    }
}

/// A stateful world of AWS services. Cloning gives another handle on the same world.
///
/// Methods that name a table, stream, bucket, topic or queue panic if it does not exist: a test that asks for
/// what it never created is a faulty test.
#[derive(Clone)]
pub struct World {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

struct State {
    services: Services,
    faults: Faults,
    calls: Vec<Call>,
    /// How many calls have taken effect.
    effects: u64,
}

/// What exists, by service.
pub(crate) struct Services {
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) tables: dynamodb::Tables,
    pub(crate) streams: kinesis::Streams,
    pub(crate) buckets: s3::Buckets,
    pub(crate) versions: s3::Versions,
    pub(crate) endpoints: sagemaker::Endpoints,
    pub(crate) topics: sns::Topics,
    pub(crate) queues: sqs::Queues,
}

impl Default for World {
    fn default() -> Self {
        Self::new(WorldOptions::default())
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

/// Creating, and what SDK clients need.
impl World {
    /// An empty world.
    pub fn new(options: WorldOptions) -> Self {
        let WorldOptions {
            clock,
            region,
            account,
        } = options;
        let services = Services {
            region,
            account,
            tables: dynamodb::Tables::default(),
            streams: BTreeMap::new(),
            buckets: BTreeMap::new(),
            versions: s3::Versions::default(),
            endpoints: sagemaker::Endpoints::new(),
            topics: sns::Topics::default(),
            queues: BTreeMap::new(),
        };
        let state = State {
            services,
            faults: Faults::default(),
            calls: Vec::new(),
            effects: 0,
        };
        Self {
            clock,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// An empty world with a clock of the caller's.
    pub fn with_clock(now_ms: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self::new(WorldOptions {
            clock: Clock::new(now_ms),
            ..WorldOptions::default()
        })
    }

    /// The HTTP client for SDK clients that are configured otherwise than by [`World::sdk_config`].
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// A configuration for SDK clients: this world's HTTP client, region, time and some credentials; waits on
    /// tokio's clock; standard retries (3 attempts), at once, because jitter would make runs differ.
    pub fn sdk_config(&self) -> SdkConfig {
        let credentials = Credentials::new("AKIDFAKEAWS", "secret", None, None, "fake-aws");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.state().services.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(self.http_client())
            .sleep_impl(TokioSleep::new())
            .time_source(self.clock.clone())
            .retry_config(RetryConfig::standard().with_max_backoff(Duration::ZERO))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build()
    }

    /// A table; its keys are strings.
    pub fn create_table(&self, name: &str, hash: &str, range: Option<&str>) {
        let table = dynamodb::Table::new(name, hash, range);
        self.state().services.tables.insert(table);
    }

    /// A global secondary index of a table, holding whole items; its keys are strings.
    pub fn create_index(&self, table: &str, index: &str, hash: &str, range: Option<&str>) {
        let mut state = self.state();
        known(state.services.tables.get_mut(table), "table", table)
            .create_index(index, hash, range);
    }

    /// A stream whose shards divide the hash keys evenly; gives its ARN.
    pub fn create_stream(&self, name: &str, shards: usize) -> String {
        let now_ms = self.now_ms();
        let mut state = self.state();
        let Services {
            region,
            account,
            streams,
            ..
        } = &mut state.services;
        let arn = format!("arn:aws:kinesis:{region}:{account}:stream/{name}");
        streams.insert(
            name.to_owned(),
            kinesis::Stream::new(name, &arn, shards, now_ms),
        );
        arn
    }

    /// A bucket.
    pub fn create_bucket(&self, name: &str) {
        self.state()
            .services
            .buckets
            .insert(name.to_owned(), s3::Bucket::default());
    }

    /// Turns a bucket's versioning on: what is put into it from now on stays, whatever replaces it.
    pub fn version_bucket(&self, name: &str) {
        self.state().services.versions.turn_on(name);
    }

    /// A SageMaker endpoint, and what its container answers. It is asked while the world is locked: it must not call the
    /// world.
    pub fn create_endpoint(&self, name: &str, container: Container) {
        self.state()
            .services
            .endpoints
            .insert(name.to_owned(), container);
    }

    /// A standard topic; gives its ARN.
    pub fn create_topic(&self, name: &str) -> String {
        let mut state = self.state();
        let Services {
            region,
            account,
            topics,
            ..
        } = &mut state.services;
        let arn = format!("arn:aws:sns:{region}:{account}:{name}");
        topics.create(&arn);
        arn
    }

    /// A standard queue with a visibility time-out of 30 s; gives its URL.
    pub fn create_queue(&self, name: &str) -> String {
        let mut state = self.state();
        let Services {
            region,
            account,
            queues,
            ..
        } = &mut state.services;
        let url = format!("https://sqs.{region}.amazonaws.com/{account}/{name}");
        queues.insert(url.clone(), sqs::Queue::default());
        url
    }
}

/// Putting things in place without a call: neither logged nor hit by faults.
impl World {
    /// Stores an item as it is.
    pub fn put_item(&self, table: &str, item: Item) {
        let mut state = self.state();
        known(state.services.tables.get_mut(table), "table", table).seed(item);
    }

    /// Puts a record on a stream.
    pub fn put_record(
        &self,
        stream: &str,
        partition_key: &str,
        data: impl Into<Vec<u8>>,
    ) -> Record {
        let now_ms = self.now_ms();
        let mut state = self.state();
        known(state.services.streams.get_mut(stream), "stream", stream).put(
            partition_key,
            None,
            data.into().into(),
            now_ms,
        )
    }

    /// Puts an object into a bucket; gives its ETag, in quotes.
    pub fn put_object(&self, bucket: &str, key: &str, body: impl Into<Vec<u8>>) -> String {
        let now_ms = self.now_ms();
        let mut state = self.state();
        let object = Object::new(body.into().into(), now_ms);
        let etag = object.etag.clone();
        state.services.versions.keep(bucket, key, &object);
        known(state.services.buckets.get_mut(bucket), "bucket", bucket)
            .insert(key.to_owned(), object);
        etag
    }

    /// Deletes the items whose attribute holds an earlier second than now, as DynamoDB's time to live does some
    /// time after it; gives their number.
    pub fn expire_items(&self, table: &str, attribute: &str) -> usize {
        let now_s = self.now_ms() / 1000;
        let mut state = self.state();
        known(state.services.tables.get_mut(table), "table", table).expire(attribute, now_s)
    }

    /// Closes a shard and opens two that halve its hash keys; gives their ids.
    pub fn split_shard(&self, stream: &str, shard: &str) -> [String; 2] {
        let now_ms = self.now_ms();
        let mut state = self.state();
        known(state.services.streams.get_mut(stream), "stream", stream).split(shard, now_ms)
    }

    /// Closes two adjacent shards and opens one that covers their hash keys; gives its id.
    pub fn merge_shards(&self, stream: &str, shard: &str, adjacent: &str) -> String {
        let now_ms = self.now_ms();
        let mut state = self.state();
        known(state.services.streams.get_mut(stream), "stream", stream)
            .merge(shard, adjacent, now_ms)
    }

    /// Moves the default clock forward; a clock of the caller's own is moved by its owner.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

/// Looking.
impl World {
    /// The world's time, in milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// A table's items in the order of their keys.
    pub fn items(&self, table: &str) -> Vec<Item> {
        let state = self.state();
        known(state.services.tables.get(table), "table", table)
            .items()
            .cloned()
            .collect()
    }

    /// The item whose hash key (and range key, if the table has one) have these values.
    pub fn item(&self, table: &str, hash: &str, range: Option<&str>) -> Option<Item> {
        let state = self.state();
        known(state.services.tables.get(table), "table", table)
            .item(hash, range)
            .cloned()
    }

    /// What is to be known of the item with these keys, without a copy of it. The world is locked meanwhile: looking must
    /// not call it.
    pub fn look_at<T>(
        &self,
        table: &str,
        hash: &str,
        range: Option<&str>,
        look: impl FnOnce(Option<&Item>) -> T,
    ) -> T {
        let state = self.state();
        look(known(state.services.tables.get(table), "table", table).item(hash, range))
    }

    /// A stream's records in the order of their arrival.
    pub fn records(&self, stream: &str) -> Vec<Record> {
        let state = self.state();
        known(state.services.streams.get(stream), "stream", stream)
            .records()
            .to_vec()
    }

    /// A stream's records after the first `known`, in the order of their arrival.
    pub fn records_after(&self, stream: &str, known: usize) -> Vec<Record> {
        let state = self.state();
        let records = self::known(state.services.streams.get(stream), "stream", stream).records();
        records.get(known..).unwrap_or_default().to_vec()
    }

    /// A stream's shards, closed ones included, in the order of their creation.
    pub fn shards(&self, stream: &str) -> Vec<Shard> {
        let state = self.state();
        known(state.services.streams.get(stream), "stream", stream)
            .shards()
            .to_vec()
    }

    /// What was published to a topic, in order.
    pub fn published(&self, topic_arn: &str) -> Vec<Published> {
        let state = self.state();
        known(
            state.services.topics.published(topic_arn),
            "topic",
            topic_arn,
        )
        .to_vec()
    }

    /// A bucket's objects by key.
    pub fn objects(&self, bucket: &str) -> BTreeMap<String, Object> {
        let state = self.state();
        known(state.services.buckets.get(bucket), "bucket", bucket).clone()
    }

    /// A queue's messages, those in flight included, in the order in which they were sent.
    pub fn messages(&self, queue_url: &str) -> Vec<Message> {
        let state = self.state();
        known(state.services.queues.get(queue_url), "queue", queue_url).messages()
    }

    /// Every call so far, in order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The calls to one operation, in order of arrival.
    pub fn calls_to(&self, service: Service, operation: &str) -> Vec<Call> {
        let state = self.state();
        let of_operation = |call: &&Call| call.service == service && call.operation == operation;
        state.calls.iter().filter(of_operation).cloned().collect()
    }
}

/// Faults.
impl World {
    /// Adds a fault; the handle tells how often it has been met.
    pub fn fault(&self, fault: Fault) -> FaultHandle {
        self.state().faults.add(fault)
    }

    /// Asks the plan about each call that no fault hits.
    pub fn set_fault_plan(&self, plan: impl FaultPlan + 'static) {
        self.state().faults.set_plan(Some(Box::new(plan)));
    }

    /// Removes all faults and the plan.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }
}

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic in a fault plan must not hide what the test would see otherwise.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[track_caller]
fn known<T>(found: Option<T>, kind: &str, name: &str) -> T {
    match found {
        Some(found) => found,
        None => panic!("the world has no {kind} {name:?}"),
    }
}
