//! A stateful world of just the AWS operations that the functions call, answering at the SDK's HTTP layer.
//!
//! A [`World`] holds tables, streams, topics, buckets, queues and endpoints. Real `aws_sdk_*` clients talk to it through
//! [`World::sdk_config`]: their serialisation, adapters, retries and partial failures are exercised, not
//! bypassed. The promise: **what the world answers, AWS would answer** (limits, error codes, documented or
//! observed messages), and what it does not know it refuses, parameter by parameter, rather than ignore.
//!
//! ```
//! use fake_aws::{Effect, Fault, Parts, Service, When, World};
//!
//! let world = World::default();
//! world.create_table("state", "machine", None);
//! world.create_table("events", "machine", Some("time_id"));
//! world.create_index("events", "by-line", "line", Some("time_id"));
//! world.create_stream("quality-events", 2);
//! world.create_bucket("set-aside");
//! let topic_arn = world.create_topic("alerts");
//!
//! // let dynamodb = aws_sdk_dynamodb::Client::new(&world.sdk_config());
//!
//! // The second PutRecords refuses press-07's records; every other call is as usual.
//! let fault = world.fault(
//!     Fault::new(Service::Kinesis, "PutRecords")
//!         .when(When::nth(2))
//!         .then(Effect::Partial(Parts::keyed("press-07"))),
//! );
//! // … run the handler …
//! assert_eq!(fault.fired(), 0);
//! assert!(world.items("events").is_empty());           // Vec<Item>, Item = BTreeMap<String, Value>
//! assert!(world.records("quality-events").is_empty()); // Vec<Record>, in order of arrival
//! assert!(world.published(&topic_arn).is_empty());     // Vec<Published>
//! assert!(world.objects("set-aside").is_empty());      // BTreeMap<String, Object>
//! assert!(world.calls().is_empty());                   // Vec<Call>: service, operation, parts, effect, answer
//! ```
//!
//! # Faults
//!
//! A [`Fault`] names a service and an operation (`"*"`: any), [`When`] says which calls it hits, [`Effect`] what
//! they meet: throttled, denied, failed or dropped or timed out *before* or *after* the effect, answered in
//! part, slow, late, stale. A [`FaultPlan`] (or a closure `FnMut(&Call) -> Option<Effect>`) is asked about each
//! call that no fault hits, so that a simulation can decide by seed. Everything that waits, waits on tokio's
//! clock: with `#[tokio::test(start_paused = true)]` no test sleeps. A time-out never answers; the SDK's own
//! time-outs (operation, attempt, read) end it.
//!
//! # Determinism
//!
//! The world has no clock and no randomness of its own: time comes from [`WorldOptions::clock`] (by default a
//! fixed start that moves by 1 ms per call), ids and sequence numbers are counted, and maps are ordered.
//! [`World::sdk_config`] signs with the world's time and retries at once, because jitter is random.
//!
//! # What is here
//!
//! | service | operations |
//! | --- | --- |
//! | DynamoDB | GetItem, BatchGetItem, PutItem, UpdateItem, DeleteItem, BatchWriteItem, TransactWriteItems, Query, Scan |
//! | Kinesis | PutRecord, PutRecords, ListShards, GetShardIterator, GetRecords, DescribeStreamSummary |
//! | S3 | PutObject, GetObject, HeadObject, DeleteObject, ListObjectsV2, ListObjectVersions |
//! | SageMaker Runtime | InvokeEndpoint, of endpoints whose model the test gives |
//! | SNS | Publish, PublishBatch |
//! | SQS | SendMessage, ReceiveMessage, DeleteMessage |
//!
//! Left out: throughput limits (throttling is a fault), key types other than strings, index projections, FIFO
//! topics and queues, subscriptions, object versions, multipart uploads. Stricter than AWS today: PutRecords
//! takes 5 MiB and SNS subjects are ASCII, as older references have it.
//!
//! # Why not a library
//!
//! *winterbaume* 0.2 answers at the same layer and covers far more of AWS, yet it reads the wall clock, numbers
//! with random UUIDs, keeps state in unordered maps (no two runs alike), keeps Kinesis records without their
//! data, counts sequence numbers 1, 2, 3, never refuses part of a batch, has no place for a fault after an
//! effect, and builds aws-config with its default TLS. *aws-smithy-mocks* replaces the HTTP layer by scripted
//! answers per operation: no state, so nothing that two calls must agree on is tested. Either would have to be
//! wrapped until little of it was left; the operations needed here are few, and this crate builds without any
//! AWS service crate.

mod call;
mod clock;
mod connector;
mod dynamodb;
mod fault;
mod kinesis;
mod protocol;
mod s3;
mod sagemaker;
mod sns;
mod sqs;
mod text;
mod unsigned;
mod world;

pub use call::{Answer, Call, Part, Service};
pub use clock::Clock;
pub use dynamodb::{Item, Number, Value};
pub use fault::{Effect, Fault, FaultHandle, FaultPlan, Parts, When};
pub use kinesis::{Record, Shard};
pub use s3::Object;
pub use sagemaker::Container;
pub use sns::{MessageAttribute, Published};
pub use sqs::Message;
pub use text::Text;
pub use unsigned::Unsigned;
pub use world::{World, WorldOptions};
