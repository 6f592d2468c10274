//! What callers see of a fault, and what the world has done by then.

use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemOutput};
use aws_sdk_kinesis::primitives::Blob;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use fake_aws::{Answer, Call, Effect, Fault, Item, Service, When, World};
use tokio::time::Instant;

use crate::dynamodb::{n, s};

type Put = Result<PutItemOutput, SdkError<PutItemError>>;

/// One attempt to put an item, with a time-out of two seconds.
async fn put(world: &World) -> Put {
    let time_out = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(2))
        .build();
    let config = world
        .sdk_config()
        .to_builder()
        .retry_config(RetryConfig::disabled())
        .timeout_config(time_out)
        .build();
    let client = aws_sdk_dynamodb::Client::new(&config);
    client
        .put_item()
        .table_name("state")
        .item("machine", s("press-07"))
        .send()
        .await
}

fn world_with(effect: Effect) -> World {
    let world = World::default();
    world.create_table("state", "machine", None);
    world.fault(Fault::new(Service::DynamoDb, "PutItem").then(effect));
    world
}

/// What one attempt gives, whether it has taken effect, what the log says, how long it took.
async fn check(
    effect: Effect,
    expected: fn(&Put) -> bool,
    took_effect: bool,
    answer: Answer,
    took: Duration,
) {
    let world = world_with(effect.clone());
    let start = Instant::now();
    let result = put(&world).await;
    assert!(expected(&result), "{effect:?}: {result:?}");
    assert_eq!(start.elapsed().as_secs(), took.as_secs(), "{effect:?}");
    assert_eq!(
        world.items("state").len(),
        usize::from(took_effect),
        "{effect:?}"
    );
    let call = world.calls().remove(0);
    assert_eq!((call.fault, call.answer), (Some(effect), answer));
}

fn code(result: &Put) -> Option<&str> {
    result
        .as_ref()
        .err()
        .and_then(|error| error.as_service_error())
        .and_then(ProvideErrorMetadata::code)
}

#[tokio::test(start_paused = true)]
async fn before_nothing_has_happened_and_after_it_has() {
    let status = |status: u16, code: &str| Answer::Status(status, Some(code.to_owned()));
    let (now, timed_out) = (Duration::ZERO, Duration::from_secs(2));
    let throttled = "ProvisionedThroughputExceededException";
    check(
        Effect::Throttled,
        |put| code(put) == Some("ProvisionedThroughputExceededException"),
        false,
        status(400, throttled),
        now,
    )
    .await;
    check(
        Effect::AccessDenied,
        |put| code(put) == Some("AccessDeniedException"),
        false,
        status(400, "AccessDeniedException"),
        now,
    )
    .await;
    check(
        Effect::Refused(
            400,
            "TransactionConflictException",
            "Transaction is ongoing for the item",
        ),
        |put| code(put) == Some("TransactionConflictException"),
        false,
        status(400, "TransactionConflictException"),
        now,
    )
    .await;
    let internal = || status(500, "InternalServerError");
    check(
        Effect::FailBefore,
        |put| code(put) == Some("InternalServerError"),
        false,
        internal(),
        now,
    )
    .await;
    check(
        Effect::FailAfter,
        |put| code(put) == Some("InternalServerError"),
        true,
        internal(),
        now,
    )
    .await;
    let dispatch =
        |put: &Put| matches!(put, Err(SdkError::DispatchFailure(fault)) if fault.is_io());
    check(Effect::DropBefore, dispatch, false, Answer::Dropped, now).await;
    check(Effect::DropAfter, dispatch, true, Answer::Dropped, now).await;
    let time_out = |put: &Put| matches!(put, Err(SdkError::TimeoutError(_)));
    check(
        Effect::TimeoutBefore,
        time_out,
        false,
        Answer::None,
        timed_out,
    )
    .await;
    check(
        Effect::TimeoutAfter,
        time_out,
        true,
        Answer::None,
        timed_out,
    )
    .await;
    check(
        Effect::Slow(Duration::from_secs(1)),
        Put::is_ok,
        true,
        Answer::Status(200, None),
        Duration::from_secs(1),
    )
    .await;
    check(
        Effect::Slow(Duration::from_secs(3)),
        time_out,
        true,
        Answer::None,
        timed_out,
    )
    .await;
    check(
        Effect::Late(Duration::from_secs(1)),
        Put::is_ok,
        true,
        Answer::Status(200, None),
        Duration::from_secs(1),
    )
    .await;
    check(
        Effect::Late(Duration::from_secs(3)),
        time_out,
        false,
        Answer::None,
        timed_out,
    )
    .await;
    // PutItem cannot answer in part.
    let partial = Effect::Partial(fake_aws::Parts::Every);
    check(
        partial,
        |put| code(put) == Some("ProvisionedThroughputExceededException"),
        false,
        status(400, throttled),
        now,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_late_effect_overtakes_a_caller_who_has_given_up() {
    let world = world_with(Effect::Late(Duration::from_secs(3)));
    assert!(put(&world).await.is_err());
    assert!(world.items("state").is_empty());
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.items("state").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_clients_read_time_out_is_kept() {
    let world = world_with(Effect::TimeoutAfter);
    let time_out = TimeoutConfig::builder()
        .read_timeout(Duration::from_secs(5))
        .build();
    let config = world
        .sdk_config()
        .to_builder()
        .retry_config(RetryConfig::disabled())
        .timeout_config(time_out)
        .build();
    let client = aws_sdk_dynamodb::Client::new(&config);
    let start = Instant::now();
    let error = client
        .put_item()
        .table_name("state")
        .item("machine", s("a"))
        .send()
        .await
        .unwrap_err();
    assert!(
        matches!(&error, SdkError::DispatchFailure(fault) if fault.is_timeout()),
        "{error:?}"
    );
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn the_sdk_retries_what_may_succeed_and_no_more() {
    for (effect, attempts) in [
        (Effect::Throttled, 3),
        (Effect::FailBefore, 3),
        (Effect::FailAfter, 3),
        (Effect::DropBefore, 3),
        (Effect::AccessDenied, 1),
        (Effect::Refused(400, "ValidationException", "no"), 1),
    ] {
        let world = world_with(effect.clone());
        let client = aws_sdk_dynamodb::Client::new(&world.sdk_config());
        let result = client
            .put_item()
            .table_name("state")
            .item("machine", s("a"))
            .send()
            .await;
        assert!(result.is_err());
        let seen: Vec<u32> = world.calls().iter().map(|call| call.attempt).collect();
        assert_eq!(seen, (1..=attempts).collect::<Vec<_>>(), "{effect:?}");
    }
}

/// The hard case of a conditional write: the first attempt happened, its answer was lost, the retry is refused.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_makes_the_sdks_retry_fail_its_own_condition() {
    let world = World::default();
    world.create_table("state", "machine", None);
    world.fault(
        Fault::new(Service::DynamoDb, "PutItem")
            .when(When::nth(1))
            .then(Effect::DropAfter),
    );
    let client = aws_sdk_dynamodb::Client::new(&world.sdk_config());
    let put = client
        .put_item()
        .table_name("state")
        .item("machine", s("a"))
        .item("owner", s("me"));
    let put = put.condition_expression("attribute_not_exists(machine)");
    let put = put.return_values_on_condition_check_failure(
        aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld,
    );
    let PutItemError::ConditionalCheckFailedException(failed) =
        put.send().await.unwrap_err().into_service_error()
    else {
        panic!()
    };
    assert_eq!(
        failed.item.unwrap()["owner"],
        s("me"),
        "the token in the item tells that it is the own write"
    );
}

#[tokio::test(start_paused = true)]
async fn every_service_says_in_its_own_way_that_it_is_throttled() {
    let world = World::default();
    world.create_stream("readings", 1);
    world.create_bucket("plans");
    let topic = world.create_topic("alerts");
    let queue = world.create_queue("stops");
    for service in [Service::Kinesis, Service::S3, Service::Sns, Service::Sqs] {
        world.fault(
            Fault::new(service, "*")
                .when(When::first(1))
                .then(Effect::Throttled),
        );
        world.fault(
            Fault::new(service, "*")
                .when(When::nth(2))
                .then(Effect::FailBefore),
        );
    }
    let config = world.sdk_config();
    let kinesis = aws_sdk_kinesis::Client::new(&config);
    kinesis
        .put_record()
        .stream_name("readings")
        .partition_key("a")
        .data(Blob::new("x"))
        .send()
        .await
        .unwrap();
    let s3 = aws_sdk_s3::Client::new(&config);
    s3.put_object()
        .bucket("plans")
        .key("k")
        .body(b"x".to_vec().into())
        .send()
        .await
        .unwrap();
    let sns = aws_sdk_sns::Client::new(&config);
    sns.publish()
        .topic_arn(&topic)
        .message("x")
        .send()
        .await
        .unwrap();
    let sqs = aws_sdk_sqs::Client::new(&config);
    sqs.send_message()
        .queue_url(&queue)
        .message_body("x")
        .send()
        .await
        .unwrap();

    let told: Vec<_> = world.calls().into_iter().map(|call| call.answer).collect();
    let status = |status: u16, code: &str| Answer::Status(status, Some(code.to_owned()));
    let success = || Answer::Status(200, None);
    assert_eq!(
        told,
        [
            status(400, "ProvisionedThroughputExceededException"),
            status(500, "InternalFailure"),
            success(),
            status(503, "SlowDown"),
            status(500, "InternalError"),
            success(),
            status(400, "Throttling"),
            status(500, "InternalError"),
            success(),
            status(400, "RequestThrottled"),
            status(500, "InternalFailure"),
            success(),
        ]
    );
}

#[tokio::test]
async fn reads_that_are_not_consistent_may_be_stale() {
    let world = World::default();
    world.create_table("state", "machine", None);
    let version = |version: i64| {
        Item::from([
            ("machine".into(), "a".into()),
            ("version".into(), version.into()),
        ])
    };
    world.put_item("state", version(1));
    world.put_item("state", version(2));
    world.fault(Fault::new(Service::DynamoDb, "*").then(Effect::StaleRead));
    let client = aws_sdk_dynamodb::Client::new(&world.sdk_config());
    let get = |consistent: bool| {
        client
            .get_item()
            .table_name("state")
            .key("machine", s("a"))
            .consistent_read(consistent)
    };
    assert_eq!(
        get(false).send().await.unwrap().item.unwrap()["version"],
        n(1)
    );
    assert_eq!(
        get(true).send().await.unwrap().item.unwrap()["version"],
        n(2)
    );
    let scan = |consistent: bool| {
        client
            .scan()
            .table_name("state")
            .consistent_read(consistent)
    };
    assert_eq!(
        scan(false).send().await.unwrap().items()[0]["version"],
        n(1)
    );
    assert_eq!(scan(true).send().await.unwrap().items()[0]["version"], n(2));
    let asked: Vec<_> = world.calls().iter().map(|call| call.consistent).collect();
    assert_eq!(asked, [Some(false), Some(true), Some(false), Some(true)]);
}

#[tokio::test]
async fn a_plan_decides_about_every_call() {
    let world = World::default();
    world.create_stream("readings", 1);
    let mut seed = 7_u64;
    world.set_fault_plan(move |call: &Call| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (call.mentions("press-07") && seed >> 63 == 0).then_some(Effect::Throttled)
    });
    let client = aws_sdk_kinesis::Client::new(&world.sdk_config());
    for key in ["press-07", "press-08"].repeat(10) {
        let put = client
            .put_record()
            .stream_name("readings")
            .partition_key(key)
            .data(Blob::new("x"));
        drop(put.send().await);
    }
    let throttled = |key: &str| {
        world
            .calls()
            .iter()
            .filter(|call| call.parts[0].key == key && call.fault.is_some())
            .count()
    };
    assert_ne!(throttled("press-07"), 0);
    assert_eq!(throttled("press-08"), 0);
}
