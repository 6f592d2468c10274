//! Prefixes of keys.
//!
//! "Understand custom prefixes for Amazon S3 objects", <https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html>.

use firehose_delivery::Settings;
use serde_json::{Value, json};

use crate::world::{World, plain, transformed};

/// The prefix of a delivered object, and of one with failures.
fn evaluated(prefix: Value, error_output_prefix: Value) -> (String, String) {
    let mut world = World::new(transformed(
        json!({"Prefix": prefix, "ErrorOutputPrefix": error_output_prefix}),
    ));
    world.put(b"kept");
    world.put(b"failed");
    let invocation = world.invoked();
    world.results(&invocation, |data| match data {
        "kept" => crate::world::ok("row"),
        _ => json!({"result": "ProcessingFailed"}),
    });
    let mut prefixes = (String::new(), String::new());
    for _ in 0..2 {
        let object = world.stored();
        let (prefix, _) = object.key.rsplit_once("readings-1-").unwrap();
        match object.error_output_type {
            None => prefixes.0 = prefix.to_owned(),
            Some(_) => prefixes.1 = prefix.to_owned(),
        }
    }
    prefixes
}

#[track_caller]
fn check(prefix: Value, error_output_prefix: Value, expected: (&str, &str)) {
    let found = evaluated(prefix, error_output_prefix);
    assert_eq!((found.0.as_str(), found.1.as_str()), expected);
}

#[test]
fn the_documented_examples_are_evaluated() {
    check(
        Value::Null,
        "myFirehoseFailures/!{firehose:error-output-type}/".into(),
        ("2018/08/27/10/", "myFirehoseFailures/processing-failed/"),
    );
    check(
        "myPrefix/year=!{timestamp:yyyy}/month=!{timestamp:MM}/day=!{timestamp:dd}/hour=!{timestamp:HH}/".into(),
        "myErrorPrefix/!{timestamp:'year='yyyy'/month='MM'/day='dd'/hour='HH}/!{firehose:error-output-type}".into(),
        (
            "myPrefix/year=2018/month=08/day=27/hour=10/",
            "myErrorPrefix/year=2018/month=08/day=27/hour=10/processing-failed",
        ),
    );
    check(
        "myFirehosePrefix/".into(),
        Value::Null,
        (
            "myFirehosePrefix/2018/08/27/10/",
            "myFirehosePrefix/processing-failed/2018/08/27/10/",
        ),
    );
}

#[test]
fn a_random_string_has_eleven_characters_and_is_new_each_time() {
    let (prefix, error) = evaluated(
        "a/!{firehose:random-string}/!{firehose:random-string}/!{timestamp:yyyy}/".into(),
        "e/!{firehose:error-output-type}/!{firehose:random-string}/".into(),
    );
    let parts: Vec<&str> = prefix.split('/').collect();
    assert_eq!((parts[1].len(), parts[2].len()), (11, 11));
    assert_ne!(parts[1], parts[2]);
    assert_ne!(error.split('/').nth(2).unwrap(), parts[1]);
}

#[test]
fn a_prefix_without_a_time_has_one_appended() {
    let (prefix, _) = evaluated("readings/".into(), Value::Null);
    assert_eq!(prefix, "readings/2018/08/27/10/");
}

/// As Java's `DateTimeFormatter` writes 2018-08-27.
#[test]
fn a_month_has_its_name_from_three_letters_on() {
    for (pattern, expected) in [
        ("yyyy/MMM/dd", "2018/Aug/27/"),
        ("MMMM-yy", "August-18/"),
        ("M/d/DDD", "8/27/239/"),
    ] {
        let prefix = format!("!{{timestamp:{pattern}}}/");
        let (prefix, _) = evaluated(prefix.into(), "e/!{firehose:error-output-type}/".into());
        assert_eq!(prefix, expected, "{pattern}");
    }
}

#[test]
fn the_time_is_that_of_the_oldest_record_in_the_object() {
    let mut world = World::new(plain(json!({"Prefix": "!{timestamp:HH-mm-ss}/",
        "ErrorOutputPrefix": "e/!{firehose:error-output-type}/"})));
    world.put(b"a");
    world.now_ms += 90_000;
    world.put(b"b");
    let object = world.stored();
    assert!(object.key.starts_with("10-30-00/"), "{}", object.key);
}

#[track_caller]
fn refused(prefix: Value, error_output_prefix: Value, expected: &str) {
    let destination = json!({"Prefix": prefix, "ErrorOutputPrefix": error_output_prefix});
    let faults = Settings::from_json(&destination.to_string()).unwrap_err();
    assert_eq!(faults.to_string(), expected);
}

#[test]
fn prefixes_against_the_rules_are_refused() {
    refused(
        "!{timestamp:yyyy/MM/dd}".into(),
        Value::Null,
        "ErrorOutputPrefix: needed where Prefix has expressions",
    );
    refused(
        "a/!{firehose:error-output-type}/".into(),
        "e/!{firehose:error-output-type}/".into(),
        "Prefix: !{firehose:error-output-type} is for ErrorOutputPrefix",
    );
    refused(
        Value::Null,
        "e/!{timestamp:yyyy}/".into(),
        "ErrorOutputPrefix: !{firehose:error-output-type} is missing",
    );
    refused("a/!{".into(), Value::Null, "Prefix: `!{` has no end");
    refused(
        "a/!{x:y}".into(),
        Value::Null,
        "Prefix: `!{x:y}` is no expression",
    );
}
