//! The mappings against scripted functions and a fake AWS, on tokio's paused clock.

use std::sync::Mutex;

use event_source_mapping::ShardInfo;
use fake_aws::{Effect, Fault, Service, When, World};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{sleep, timeout};

use super::lag::Lag;
use super::stream::Found;
use super::tail::Tail;
use super::*;

const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/andon-quality-events";
const START_MS: i64 = 1_545_084_650_987;

pub(super) fn record(number: u64, arrived_ms: i64) -> Arc<SourceRecord> {
    Arc::new(SourceRecord {
        sequence_number: number.to_string().parse().unwrap(),
        partition_key: "press-07".into(),
        data: format!("record {number}").into_bytes(),
        arrived_ms,
    })
}

fn deployed() -> DeployedMapping {
    DeployedMapping {
        uuid: "50f67ad3".into(),
        function_arn: "arn:aws:lambda:us-east-1:000000000000:function:andon-sns-alerter".into(),
        event_source_arn: STREAM.into(),
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

/// Tells tokio's time, which stands still while there is work to do.
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now_ms(&self) -> i64 {
        START_MS + i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

/// A function that takes a second, answers what the script says of its records, and notes what it saw.
struct Scripted {
    script: fn(&[u64]) -> Outcome,
    seen: Arc<Mutex<Vec<Vec<u64>>>>,
}

impl Function for Scripted {
    fn invoke<'a>(
        &'a self,
        _: Bytes,
        records: &'a [Arc<SourceRecord>],
    ) -> BoxFuture<'a, Result<Invocation, InvokeError>> {
        let numbers: Vec<u64> = records
            .iter()
            .map(|record| record.sequence_number.as_str().parse().unwrap())
            .collect();
        Box::pin(async move {
            sleep(Duration::from_secs(1)).await;
            let outcome = (self.script)(&numbers);
            self.seen.lock().unwrap().push(numbers);
            Ok(Invocation {
                request_id: "c9b8fa9f".into(),
                duration: Duration::from_secs(1),
                cold: false,
                init_duration: Duration::ZERO,
                outcome,
            })
        })
    }
}

fn done(_: &[u64]) -> Outcome {
    Outcome::Answer("null".into())
}

/// A batch with this record ends the process.
fn poison_is_13(numbers: &[u64]) -> Outcome {
    match numbers.contains(&13) {
        true => Outcome::FunctionError {
            error_type: "Runtime.ExitError".into(),
            message: "signal: killed".into(),
        },
        false => done(numbers),
    }
}

/// One mapping at work on shards that the test fills.
struct Line {
    found: UnboundedSender<Vec<Found>>,
    seen: Arc<Mutex<Vec<Vec<u64>>>>,
    told: Arc<Mutex<Vec<String>>>,
    work: tokio::task::JoinHandle<Result<(), Failure>>,
}

impl Line {
    fn start(deployed: &DeployedMapping, world: &World, script: fn(&[u64]) -> Outcome) -> Self {
        let (seen, told) = (Arc::default(), Arc::<Mutex<Vec<String>>>::default());
        let function = Arc::new(Scripted {
            script,
            seen: Arc::clone(&seen),
        });
        let lines = Arc::clone(&told);
        let progress: Arc<dyn Progress + Send> =
            Arc::new(move |line: &str| lines.lock().unwrap().push(line.to_owned()));
        let sdk = world.sdk_config();
        let mut mapping =
            Mapping::new(deployed, "sns-alerter", function, sdk, progress, None).unwrap();
        mapping.clock = Arc::new(TokioClock(Instant::now()));
        let machine = mapping.machine().unwrap();
        let (sender, found) = unbounded_channel();
        let driver = Driver::new(Arc::new(mapping), machine, found);
        Self {
            found: sender,
            seen,
            told,
            work: tokio::spawn(driver.run()),
        }
    }

    /// Tells of shards, each with its parents and its records; those with parents are open, the others closed.
    fn shards(&self, shards: &[(&str, &[&str], &[u64])]) -> Vec<Arc<Lag>> {
        let found = shards.iter().map(|(id, parents, numbers)| {
            let lag = Arc::new(Lag::new("sns-alerter", STREAM, id));
            let tail = Arc::new(Tail::new(vec![Arc::clone(&lag)]));
            tail.push(
                numbers
                    .iter()
                    .map(|number| record(*number, START_MS))
                    .collect(),
            );
            if parents.is_empty() {
                tail.end();
            }
            Found {
                info: ShardInfo {
                    id: (*id).to_owned(),
                    parents: parents.iter().map(|id| (*id).to_owned()).collect(),
                },
                tail,
                lag,
                number: 0,
            }
        });
        let found: Vec<_> = found.collect();
        let lags = found.iter().map(|found| Arc::clone(&found.lag)).collect();
        self.found.send(found).unwrap();
        lags
    }

    fn seen(&self) -> Vec<Vec<u64>> {
        self.seen.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn shards_are_worked_side_by_side() {
    let line = Line::start(&deployed(), &World::default(), done);
    let lags = line.shards(&[("a", &[], &[1, 2]), ("b", &[], &[3]), ("c", &[], &[4])]);
    sleep(Duration::from_millis(1_100)).await;
    let mut seen = line.seen();
    seen.sort();
    assert_eq!(seen, [vec![1, 2], vec![3], vec![4]]);
    assert!(lags.iter().all(|lag| lag.is_caught_up(Instant::now())));
    assert_eq!(lags[0].behind(0).most_ms, 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_child_shard_waits_for_its_parent() {
    let line = Line::start(&deployed(), &World::default(), done);
    line.shards(&[("a", &[], &[1, 2]), ("b", &["a"], &[3])]);
    sleep(Duration::from_millis(1_900)).await;
    assert_eq!(line.seen(), [vec![1, 2]]);
    sleep(Duration::from_millis(1_500)).await;
    assert_eq!(line.seen(), [vec![1, 2], vec![3]]);
}

#[tokio::test(start_paused = true)]
async fn a_poison_record_goes_alone_to_the_destination_and_the_shard_moves_on() {
    let world = World::default();
    world.create_bucket("set-aside");
    let deployed = DeployedMapping {
        maximum_retry_attempts: Some(1),
        on_failure: Some("arn:aws:s3:::set-aside".into()),
        ..deployed()
    };
    let line = Line::start(&deployed, &world, poison_is_13);
    let numbers: Vec<u64> = (1..=20).collect();
    let lags = line.shards(&[("shardId-000000000001", &[], &numbers)]);
    sleep(Duration::from_secs(60)).await;
    let behind = lags[0].behind(0);
    assert_eq!(
        (behind.records, behind.passed, behind.given_up),
        (0, 20, 1),
        "{:?}",
        line.told.lock().unwrap()
    );
    let objects = world.objects("set-aside");
    let (key, object) = objects.first_key_value().unwrap();
    assert_eq!(objects.len(), 1);
    assert!(
        key.starts_with("aws/lambda/50f67ad3/shardId-000000000001/2018/12/17/"),
        "{key}"
    );
    let given_up: serde_json::Value = serde_json::from_slice(&object.body).unwrap();
    assert_eq!(given_up["KinesisBatchInfo"]["batchSize"], 1);
    let payload: serde_json::Value =
        serde_json::from_str(given_up["payload"].as_str().unwrap()).unwrap();
    assert_eq!(
        payload["Records"][0]["kinesis"]["sequenceNumber"], "13",
        "the payload is whole"
    );
    assert!(
        line.told
            .lock()
            .unwrap()
            .iter()
            .any(|line| line
                .contains("1 records to the failure destination (RetryAttemptsExhausted)")),
        "the user is told"
    );
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_passed_only_once_its_destination_has_it() {
    let world = World::default();
    world.create_bucket("set-aside");
    // The SDK asks three times for each put.
    let down = Effect::Refused(503, "SlowDown", "Please reduce your request rate.");
    world.fault(
        Fault::new(Service::S3, "PutObject")
            .when(When::first(6))
            .then(down),
    );
    let deployed = DeployedMapping {
        maximum_retry_attempts: Some(0),
        on_failure: Some("arn:aws:s3:::set-aside".into()),
        ..deployed()
    };
    let line = Line::start(&deployed, &world, poison_is_13);
    let lags = line.shards(&[("a", &[], &[13])]);
    sleep(Duration::from_millis(1_050)).await;
    assert_eq!(lags[0].behind(0).records, 1, "given up, and not yet put");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(
        (lags[0].behind(0).given_up, world.objects("set-aside").len()),
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_stays_out_of_reach_ends_the_run() {
    let deployed = DeployedMapping {
        maximum_retry_attempts: Some(0),
        on_failure: Some("arn:aws:s3:::no-such-bucket".into()),
        ..deployed()
    };
    let line = Line::start(&deployed, &World::default(), poison_is_13);
    line.shards(&[("a", &[], &[13])]);
    let failure = line.work.await.unwrap().unwrap_err().to_string();
    assert!(failure.contains("failure destination"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn queues_and_topics_get_a_pointer() {
    let world = World::default();
    let topic = world.create_topic("failed");
    let queue_url = world.create_queue("failed");
    for arn in [topic.as_str(), "arn:aws:sqs:us-east-1:000000000000:failed"] {
        let deployed = DeployedMapping {
            maximum_retry_attempts: Some(0),
            on_failure: Some(arn.to_owned()),
            ..deployed()
        };
        let line = Line::start(&deployed, &world, poison_is_13);
        line.shards(&[("a", &[], &[13])]);
        sleep(Duration::from_secs(10)).await;
    }
    let (published, messages) = (world.published(&topic), world.messages(&queue_url));
    assert_eq!((published.len(), messages.len()), (1, 1));
    for text in [&published[0].message, &messages[0].body] {
        let pointer: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(pointer["KinesisBatchInfo"]["startSequenceNumber"], "13");
        assert_eq!(pointer.get("payload"), None);
    }
}

#[test]
fn a_setting_that_is_not_reproduced_is_refused_by_name() {
    let refused = [
        (
            DeployedMapping {
                filters: vec!["{}".into()],
                ..deployed()
            },
            "FilterCriteria",
        ),
        (
            DeployedMapping {
                tumbling_window: Duration::from_secs(60),
                ..deployed()
            },
            "TumblingWindowInSeconds",
        ),
        (
            DeployedMapping {
                on_failure: Some("arn:aws:kafka:us-east-1:000000000000:cluster/failed".into()),
                ..deployed()
            },
            "Destination",
        ),
    ];
    for (deployed, what) in refused {
        let failure = deployed.settings("sns-alerter").unwrap_err();
        let text = failure.to_string();
        assert!(
            text.contains(what) && text.contains("sns-alerter"),
            "{text}"
        );
    }
}

#[test]
fn every_setting_reaches_the_machine() {
    let given = DeployedMapping {
        batch_size: 500,
        batching_window: Duration::from_secs(1),
        parallelization_factor: 2,
        maximum_retry_attempts: Some(7),
        maximum_record_age: Some(Duration::from_secs(21_600)),
        on_failure: Some("arn:aws:s3:::set-aside".into()),
        ..deployed()
    };
    assert_eq!(
        given.settings("sns-alerter").unwrap(),
        Settings {
            batch_size: 500,
            batching_window_s: 1,
            parallelization_factor: 2,
            maximum_retry_attempts: Some(7),
            maximum_record_age_s: Some(21_600),
            bisect_batch_on_function_error: true,
            report_batch_item_failures: true,
            on_failure: Some(event_source_mapping::Destination::Bucket(
                "set-aside".into()
            )),
            ..Settings::default()
        }
    );
    assert_eq!(
        given.source("sns-alerter").role_arn,
        "arn:aws:iam::000000000000:role/sns-alerter"
    );
}

/// What two mappings of a stream are told and get of it, until it is read to its tip.
async fn read(world: &World, lines: &[&str]) -> Vec<Vec<Vec<u8>>> {
    world.create_stream("readings", 1);
    let client = Client::new(&world.sdk_config());
    for line in lines {
        client
            .put_record()
            .stream_name("readings")
            .partition_key("press-07")
            .data(aws_sdk_kinesis::primitives::Blob::new(*line))
            .send()
            .await
            .unwrap();
    }
    let summary = client.describe_stream_summary().stream_name("readings");
    let summary = summary.send().await.unwrap();
    let summary = summary.stream_description_summary().unwrap();
    let registry = Registry::default();
    let (mut listeners, mut queues) = (Vec::new(), Vec::new());
    for package in ["dynamodb-writer", "sns-alerter"] {
        let (found, queue) = unbounded_channel();
        listeners.push(Listener {
            name: package.into(),
            found,
        });
        queues.push(queue);
    }
    let stream = Stream::open(
        client,
        summary.stream_arn().to_owned(),
        listeners,
        registry.clone(),
    );
    let stream = stream.await.unwrap();
    // It reads for ever: the time-out of the paused clock ends it.
    assert!(timeout(Duration::from_secs(5), stream.run()).await.is_err());
    assert_eq!(registry.lags().len(), 2, "one shard, two mappings");
    let mut got = Vec::new();
    for (number, mut queue) in queues.into_iter().enumerate() {
        let found = queue.try_recv().unwrap().remove(0);
        let read = event_source_mapping::Read {
            shard: found.info.id.as_str().into(),
            after: event_source_mapping::Position::TrimHorizon,
            limit: 100,
        };
        let (records, ends) = found.tail.read(number, &read);
        assert!(!ends);
        got.push(records.iter().map(|record| record.data.clone()).collect());
    }
    got
}

#[tokio::test(start_paused = true)]
async fn every_mapping_gets_every_record_once_and_in_order() {
    let got = read(&World::default(), &["a", "b", "c"]).await;
    let lines: Vec<Vec<u8>> = ["a", "b", "c"].map(Into::into).into();
    assert_eq!(got, [lines.clone(), lines]);
}

#[tokio::test(start_paused = true)]
async fn an_expired_iterator_resumes_behind_the_last_record() {
    let world = World::default();
    let expired = Effect::Refused(400, "ExpiredIteratorException", "Iterator expired");
    world.fault(
        Fault::new(Service::Kinesis, "GetRecords")
            .when(When::nth(2))
            .then(expired),
    );
    let got = read(&world, &["a", "b"]).await;
    let lines: Vec<Vec<u8>> = ["a", "b"].map(Into::into).into();
    assert_eq!(got, [lines.clone(), lines]);
}

#[tokio::test(start_paused = true)]
async fn the_children_of_a_split_shard_are_found_before_their_parent_ends() {
    let world = World::default();
    let arn = world.create_stream("readings", 1);
    let parent = world.shards("readings")[0].id.clone();
    world.put_record("readings", "press-07", b"a");
    let (sender, mut found) = unbounded_channel();
    let listener = Listener {
        name: "sns-alerter".into(),
        found: sender,
    };
    let registry = Registry::default();
    let client = Client::new(&world.sdk_config());
    let stream = Stream::open(client, arn, vec![listener], registry.clone());
    let work = tokio::spawn(stream.await.unwrap().run());
    sleep(Duration::from_secs(1)).await;
    world.split_shard("readings", &parent);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(found.try_recv().unwrap().len(), 1);
    let children = found.try_recv().unwrap();
    assert_eq!(children.len(), 2);
    assert!(
        children
            .iter()
            .all(|child| child.info.parents == [parent.clone()])
    );
    let lags = registry.lags();
    assert!(
        !lags[0].is_caught_up(Instant::now()),
        "its record is not passed"
    );
    assert!(lags[1].is_caught_up(Instant::now() - Duration::from_secs(1)));
    work.abort();
}
