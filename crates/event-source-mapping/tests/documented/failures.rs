//! What a failure destination gets.
//!
//! "Retain discarded batch records for a Kinesis Data Streams event source in Lambda",
//! <https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html>.

use event_source_mapping::{Action, Condition, Destination, Discarded, Mapping, Settings, Source};
use serde_json::{Value, json};

use crate::world::{SHARD, START, World, error, failed, record, source};

const FIRST: u64 = 4_960_118_965_842_235;

/// A batch of two records that is given up after one retry.
fn discarded(source: Source) -> Discarded {
    let settings = Settings {
        maximum_retry_attempts: Some(1),
        on_failure: Some(Destination::Bucket("set-aside".into())),
        ..Settings::default()
    };
    let mut world = World::without_shards(settings, source);
    world.shard(SHARD, &[]);
    world.put([
        record(FIRST, "press-07", START),
        record(FIRST + 1, "press-07", START + 745),
    ]);
    world.now_ms = START + 1_000;
    for _ in 0..2 {
        let invocation = world.next_invocation();
        let request_id = "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5".to_owned();
        world
            .mapping
            .answered_as(invocation.id, request_id, &error(), world.now_ms)
            .unwrap();
    }
    world.invoked();
    world.discarded.remove(0)
}

fn expected() -> Value {
    json!({
        "requestContext": {
            "requestId": "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
            "functionArn": "arn:aws:lambda:us-east-2:123456789012:function:myfunction",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2018-12-17T22:10:52.187Z",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000006",
            "startSequenceNumber": FIRST.to_string(),
            "endSequenceNumber": (FIRST + 1).to_string(),
            "approximateArrivalOfFirstRecord": "2018-12-17T22:10:50.987Z",
            "approximateArrivalOfLastRecord": "2018-12-17T22:10:51.732Z",
            "batchSize": 2,
            "streamArn": "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream"
        }
    })
}

/// Field by field Lambda's published example.
#[test]
fn a_queue_or_a_topic_gets_a_pointer_into_the_stream() {
    let pointer: Value = serde_json::from_str(&discarded(source()).to_pointer_json()).unwrap();
    assert_eq!(pointer, expected());
}

#[test]
fn a_bucket_gets_the_whole_record_with_the_event_as_text() {
    let discarded = discarded(source());
    let mut full: Value = serde_json::from_str(&discarded.to_full_json()).unwrap();
    let payload = full.as_object_mut().unwrap().remove("payload").unwrap();
    assert_eq!(payload.as_str().unwrap().as_bytes(), discarded.event);
    assert_eq!(full, expected());
    let event: Value = serde_json::from_str(payload.as_str().unwrap()).unwrap();
    assert_eq!(
        event["Records"][1]["kinesis"]["sequenceNumber"],
        (FIRST + 1).to_string()
    );
}

#[test]
fn an_object_lies_under_mapping_shard_and_day() {
    let key = discarded(source()).key();
    let prefix = "aws/lambda/f89f8514-cdd9-4602-9e1f-01a5b77d449b/shardId-000000000006/2018/12/17/2018-12-17T22.10.52-";
    let uuid = key.strip_prefix(prefix).unwrap();
    let groups: Vec<_> = uuid.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12], "{uuid}");
    assert!(
        uuid.bytes()
            .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
    );
}

#[test]
fn the_version_that_ran_is_told() {
    let function_arn = format!("{}:7", source().function_arn);
    let pointer = discarded(Source {
        function_arn,
        ..source()
    })
    .to_pointer_json();
    let pointer: Value = serde_json::from_str(&pointer).unwrap();
    assert_eq!(pointer["responseContext"]["executedVersion"], "7");
}

#[test]
fn a_batch_that_was_never_invoked_has_no_response() {
    let mut world = World::new(Settings {
        maximum_record_age_s: Some(60),
        ..Settings::default()
    });
    world.put([record(1, "press-07", START - 60_001)]);
    assert_eq!(world.invoked(), []);
    let pointer: Value = serde_json::from_str(&world.discarded[0].to_pointer_json()).unwrap();
    assert_eq!(pointer["requestContext"]["approximateInvokeCount"], 0);
    assert_eq!(pointer.get("responseContext"), None);
}

#[test]
fn without_a_destination_a_discarded_batch_still_shows() {
    let mut world = World::new(Settings {
        maximum_retry_attempts: Some(0),
        ..Settings::default()
    });
    world.put_now([1]);
    let invocation = world.one();
    world.answer(&invocation, &error());
    assert_eq!(world.invoked(), []);
    assert_eq!(
        (
            &world.discarded[0].destination,
            world.discarded[0].condition
        ),
        (&None, Condition::RetryAttemptsExhausted)
    );
}

#[test]
fn the_checkpoint_passes_a_discarded_batch_when_it_is_handed_out() {
    let mut world = World::new(Settings {
        maximum_retry_attempts: Some(0),
        ..Settings::default()
    });
    world.put_now([1]);
    let invocation = world.one();
    world.answer(&invocation, &error());
    assert_eq!(world.checkpoint(), None);
    assert!(matches!(
        world.mapping.next(world.now_ms),
        Action::SendFailure(_)
    ));
    assert_eq!(world.checkpoint(), Some(1));
}

#[test]
fn answers_that_were_not_asked_for_change_nothing() {
    let mut world = World::new(Settings {
        report_batch_item_failures: true,
        ..Settings::default()
    });
    world.put_now([1, 2]);
    let invocation = world.one();
    world.answer(&invocation, &failed(&[2]));
    assert!(
        world
            .mapping
            .answered(invocation.id, &error(), world.now_ms)
            .is_err(),
        "answered already"
    );
    let again = world.next_invocation();
    assert!(
        world
            .mapping
            .records(
                "unknown",
                Vec::<event_source_mapping::SourceRecord>::new(),
                true,
                START
            )
            .is_err()
    );
    assert!(world.mapping.read_failed("unknown", START).is_err());
    assert_eq!(world.checkpoint(), Some(1));
    let mut other = Mapping::new(Settings::default(), source()).unwrap();
    assert!(other.answered(again.id, &error(), START).is_err());
}
