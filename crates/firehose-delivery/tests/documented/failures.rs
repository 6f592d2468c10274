//! What is not delivered.
//!
//! "Handle failure in data transformation",
//! <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation-failure-handling.html>, "Monitor Amazon Data
//! Firehose Using CloudWatch Logs", <https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-logs.html>,
//! and "Handle data delivery failures", <https://docs.aws.amazon.com/firehose/latest/dev/retry.html>.

use firehose_delivery::{Action, Answer};
use serde_json::{Value, json};

use crate::world::{FUNCTION, START, World, failures, ok, plain, returned, transformed};

/// Answers every attempt so; the failures that are kept at last, and how many attempts there were.
fn given_up(answer: impl Fn(&firehose_delivery::Invocation) -> Answer) -> (Vec<Value>, u32) {
    let mut world = World::new(transformed(json!({})));
    world.put(b"a");
    world.put(b"b");
    let mut attempts = 0;
    loop {
        match world.later() {
            Action::Invoke(invocation) => {
                attempts = invocation.attempt;
                let answer = answer(&invocation);
                world.answer(&invocation, &answer);
            }
            Action::Put(object) => {
                assert_eq!(object.error_output_type, Some("processing-failed"));
                return (failures(&object), attempts);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_invocation_is_retried_three_times_then_its_records_are_kept() {
    let (failures, attempts) = given_up(|_| Answer::FunctionError);
    assert_eq!((failures.len(), attempts), (2, 4));
    assert_eq!(failures[0]["attemptsMade"], 4);
    assert_eq!(failures[0]["errorCode"], "Lambda.FunctionError");
    assert_eq!(failures[1]["rawData"], "Yg==");
}

#[test]
fn a_record_that_failed_is_kept_as_it_came_with_the_documented_fields() {
    let mut world = World::new(transformed(json!({})));
    world.put(b"a");
    let invocation = world.invoked();
    world.results(
        &invocation,
        |_| json!({"result": "ProcessingFailed", "data": ""}),
    );
    let failures = failures(&world.stored());
    assert_eq!(
        failures,
        [json!({
            "attemptsMade": 1,
            "arrivalTimestamp": START,
            "errorCode": "Lambda.ProcessingFailedStatus",
            "errorMessage": "ProcessingFailed status set for record",
            "attemptEndingTimestamp": START + 60_000,
            "rawData": "YQ==",
            "lambdaArn": FUNCTION,
        })]
    );
    assert_eq!(world.delivery.counts().failed, 1);
}

#[test]
fn an_id_that_does_not_match_fails_the_batch() {
    let codes = |answer: fn(&firehose_delivery::Invocation) -> Answer| {
        let (failures, attempts) = given_up(answer);
        assert_eq!((failures.len(), attempts), (2, 4));
        failures[0]["errorCode"].clone()
    };
    assert_eq!(
        codes(|_| Answer::Returned(b"{\"records\":[]}".to_vec())),
        "Lambda.MissingRecordId"
    );
    assert_eq!(
        codes(|invocation| {
            let Answer::Returned(body) = returned(invocation, |_| ok("")) else {
                unreachable!();
            };
            let mut response: Value = serde_json::from_slice(&body).unwrap();
            let first = response["records"][0].clone();
            response["records"].as_array_mut().unwrap().push(first);
            Answer::Returned(response.to_string().into_bytes())
        }),
        "Lambda.DuplicatedRecordId"
    );
}

#[test]
fn a_response_against_the_status_model_fails_the_batch() {
    for response in ["", "null", "[]", "{}", "{\"records\":7}"] {
        let (failures, attempts) = given_up(|_| Answer::Returned(response.into()));
        assert_eq!(failures[0]["errorCode"], "Lambda.JsonProcessingException");
        assert_eq!(attempts, 4, "{response}");
    }
    let results = [
        json!({"result": "Fine", "data": ""}),
        json!({"result": "Ok"}),
        json!({"result": "Ok", "data": "***"}),
        json!({"data": ""}),
    ];
    for result in results {
        let (failures, _) = given_up(|invocation| returned(invocation, |_| result.clone()));
        assert_eq!(
            failures[0]["errorCode"], "Lambda.JsonProcessingException",
            "{result}"
        );
    }
}

#[test]
fn throttles_and_time_outs_are_told_apart() {
    let (failures, _) = given_up(|_| Answer::Throttled);
    assert_eq!(failures[0]["errorCode"], "Lambda.InvokeLimitExceeded");
    let (failures, _) = given_up(|_| Answer::TimedOut);
    assert_eq!(failures[0]["errorCode"], "Lambda.FunctionTimedOut");
}

#[test]
fn an_object_that_cannot_be_put_is_tried_for_24_hours() {
    let mut world = World::new(plain(json!({"BufferingHints": {"IntervalInSeconds": 0}})));
    world.put(b"a");
    let mut attempts = 0;
    while let Action::Put(object) = world.later() {
        attempts += 1;
        assert_eq!(object.attempt, attempts);
        world
            .delivery
            .store_failed(object.id, world.now_ms)
            .unwrap();
    }
    let hours = (world.now_ms - START) / 3_600_000;
    assert_eq!((hours, world.delivery.counts().lost), (24, 1));
    assert!(world.delivery.is_drained());
}
