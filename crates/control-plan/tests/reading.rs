//! What becomes of a payload.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use control_plan::ControlPlan;

const PLAN: &str = "
version: 1
reading: {machine: /machine, line: /where/line, time: /time, id: /id, attributes: {grade: /grade}}
characteristics:
  a: {at: /values/0}
  b: {at: /b~1c}
  twice: {formula: 2 * half}
  half: {formula: a / 2}
rules: [{id: r, when: a > 1}]
";

fn plan() -> ControlPlan {
    ControlPlan::parse("plan", PLAN).unwrap_or_else(|errors| panic!("{errors}"))
}

/// `machine @ time, line, id, grade, a, b, twice`, or the reason.
#[track_caller]
fn check(payload: &str, expected: &str) {
    let plan = plan();
    let told = match plan.read(payload.as_bytes()) {
        Err(unreadable) => unreadable.reason().to_owned(),
        Ok(reading) => format!(
            "{} @ {}, {:?}, {:?}, {:?}, {:?}, {:?}, {:?}",
            reading.machine,
            reading.time,
            reading.line,
            reading.id,
            plan.attribute(&reading, "grade"),
            plan.value(&reading, "a"),
            plan.value(&reading, "b"),
            plan.value(&reading, "twice"),
        )
        .replace("Some(", "")
        .replace(')', ""),
    };
    assert_eq!(told, expected, "{payload}");
}

#[test]
fn takes_what_the_plan_names() {
    check(
        r#"{"machine":"press-07","time":"2026-11-20T01:02:03.456Z","where":{"line":"L2"},"id":"r1","grade":"M",
            "values":[1.5,2],"b/c":7,"else":{"values":[9]}}"#,
        r#"press-07 @ 2026-11-20T01:02:03.456Z, "L2", "r1", "M", 1.5, 7.0, 1.5"#,
    );
    check(
        r#"{"machine":7,"time":1795136523}"#,
        "7 @ 2026-11-20T01:02:03.000Z, None, None, None, None, None, None",
    );
    check(
        r#"{"time":1795136523456,"machine":"프레스","id":-12,"where":{"line":4},"grade":false,"values":["1"]}"#,
        r#"프레스 @ 2026-11-20T01:02:03.456Z, "4", "-12", "false", None, None, None"#,
    );
    check(
        r#"{"machine":"m","time":"2026-11-20T10:02:03+09:00","where":"L2","id":null,"grade":{},"values":{"0":4}}"#,
        "m @ 2026-11-20T01:02:03.000Z, None, None, None, 4.0, None, 4.0",
    );
}

#[test]
fn tells_why_a_payload_is_no_reading() {
    check("", "not-json");
    check("nonsense", "not-json");
    check(r#"{"machine":"m","time":0"#, "not-json");
    check(r#"{"machine":"m","time":0,"values":[1e999]}"#, "not-json");
    check(r#"{"machine":"m","time":0,"values":[NaN]}"#, "not-json");
    check(r#"{"machine":"m","time":0} {"#, "not-json");
    check("[]", "no-machine");
    check("7", "no-machine");
    check(r#"{"time":0}"#, "no-machine");
    check(r#"{"machine":null,"time":0}"#, "no-machine");
    check(r#"{"machine":"","time":0}"#, "bad-machine");
    check(r#"{"machine":1.5,"time":0}"#, "bad-machine");
    check(r#"{"machine":{"name":"m"},"time":0}"#, "bad-machine");
    check(
        &format!(r#"{{"machine":"{}","time":0}}"#, "프".repeat(257)),
        "bad-machine",
    );
    check(r#"{"machine":"m"}"#, "no-time");
    check(r#"{"machine":"m","time":"yesterday"}"#, "bad-time");
    check(r#"{"machine":"m","time":"1795136523"}"#, "bad-time");
    check(r#"{"machine":"m","time":1e300}"#, "bad-time");
    check(r#"{"machine":"m","time":[0]}"#, "bad-time");
}

#[test]
fn a_machine_may_have_256_characters() {
    let machine = "프".repeat(256);
    let payload = format!(r#"{{"machine":"{machine}","time":0}}"#);
    assert_eq!(plan().read(payload.as_bytes()).unwrap().machine, machine);
}

/// What no pointer names may be anything at all, even an escape that means nothing.
#[test]
fn the_rest_is_skipped() {
    check(
        r#"{"x":[[[{"machine":"other"}]]],"machine":"m","time":0,"y":"\ud800"}"#,
        "m @ 1970-01-01T00:00:00.000Z, None, None, None, None, None, None",
    );
}

#[test]
fn of_duplicates_the_last_wins() {
    check(
        r#"{"machine":"a","time":0,"values":[1],"machine":"b","values":[2]}"#,
        "b @ 1970-01-01T00:00:00.000Z, None, None, None, 2.0, None, 2.0",
    );
}

/// What a measured value becomes: `a` as it is read, and what derives from it.
#[track_caller]
fn check_number(json: &str, expected: Option<f64>) {
    let plan = plan();
    let payload = format!(r#"{{"machine":"m","time":0,"values":[{json}]}}"#);
    let reading = plan.read(payload.as_bytes()).unwrap();
    let found = plan.value(&reading, "a");
    assert_eq!(
        found.map(f64::to_bits),
        expected.map(f64::to_bits),
        "{json}"
    );
    assert_eq!(plan.value(&reading, "twice"), expected, "{json}");
}

/// The double nearest to what is written.
#[test]
fn numbers_are_doubles() {
    check_number("-0", Some(-0.0));
    check_number("-0.0", Some(-0.0));
    check_number("9007199254740993", Some(9_007_199_254_740_992.0));
    check_number("9223372036854775807", Some(9_223_372_036_854_775_807.0));
    check_number("18446744073709551615", Some(18_446_744_073_709_551_615.0));
    check_number("-9223372036854775809", Some(-9_223_372_036_854_775_809.0));
    check_number(
        "123456789012345678901234567890",
        Some(123_456_789_012_345_678_901_234_567_890.0),
    );
    check_number("0.1e1", Some(1.0));
    check_number("8.6", Some(8.6));
    check_number("1e-999", Some(0.0));
    check_number("5e-300", Some(5e-300));
    check_number("1e300", Some(1e300));
}

/// What is no JSON number is no value, whatever it spells.
#[test]
fn other_values_are_none() {
    for json in [
        r#""42""#,
        r#""42.5""#,
        r#""NaN""#,
        r#""Infinity""#,
        "\"\"",
        "null",
        "true",
        "[42]",
        "{}",
    ] {
        check_number(json, None);
    }
}

/// A producer that writes what JSON does not know has a fault that a person should see: the payload is set aside.
#[test]
fn what_json_does_not_know_is_refused() {
    for json in [
        "NaN",
        "-NaN",
        "nan",
        "Infinity",
        "-Infinity",
        "inf",
        "1e999",
        "-1e999",
        "01",
        "+1",
        ".5",
        "1.",
        "0x1F",
        "1_000",
        "'42'",
        "",
    ] {
        check(
            &format!(r#"{{"machine":"m","time":0,"values":[{json},4]}}"#),
            "not-json",
        );
    }
    // Where no pointer leads, only the shape of the JSON matters.
    check(
        r#"{"machine":"m","time":0,"else":1e999}"#,
        "m @ 1970-01-01T00:00:00.000Z, None, None, None, None, None, None",
    );
    check(r#"{"machine":"m","time":0,"else":NaN}"#, "not-json");
    let marked = "\u{feff}{\"machine\":\"m\",\"time\":0}";
    check(marked, "not-json");
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    check(
        &format!(r#"{{"machine":"m","time":0,"else":{deep}}}"#),
        "m @ 1970-01-01T00:00:00.000Z, None, None, None, None, None, None",
    );
}

#[test]
fn names_and_ids_keep_their_digits() {
    check(
        r#"{"machine":18446744073709551615,"time":0,"id":9007199254740993,"grade":-0.0,"where":{"line":-7}}"#,
        r#"18446744073709551615 @ 1970-01-01T00:00:00.000Z, "-7", "9007199254740993", "-0", None, None, None"#,
    );
    check(
        r#"{"machine":18446744073709551616,"time":0}"#,
        "bad-machine",
    );
    check(r#"{"machine":1e3,"time":0}"#, "bad-machine");
    check(
        r#"{"machine":"m","time":0,"id":1.5,"grade":1.50,"where":{"line":1.5}}"#,
        r#"m @ 1970-01-01T00:00:00.000Z, None, None, "1.5", None, None, None"#,
    );
}

#[test]
fn times_are_told_by_their_size() {
    let at = |time: &str| format!("m @ {time}, None, None, None, None, None, None");
    let payload = |time: &str| format!(r#"{{"machine":"m","time":{time}}}"#);
    check(&payload("1795136523.4567"), &at("2026-11-20T01:02:03.457Z"));
    check(&payload("1.795136523e9"), &at("2026-11-20T01:02:03.000Z"));
    check(&payload("-1"), &at("1969-12-31T23:59:59.000Z"));
    check(&payload("-0"), &at("1970-01-01T00:00:00.000Z"));
    for time in [
        "true",
        "null",
        "1795136523456000",
        "1e18",
        "\"\"",
        "\"2026-11-20\"",
        "\"2026-11-20T25:00:00Z\"",
    ] {
        let reason = if time == "null" {
            "no-time"
        } else {
            "bad-time"
        };
        check(&payload(time), reason);
    }
}

#[test]
fn of_duplicates_the_last_wins_at_every_level() {
    check(
        r#"{"machine":"m","time":1,"time":0,"values":[1],"values":"none","b/c":1,"b/c":2,"b/c":3}"#,
        "m @ 1970-01-01T00:00:00.000Z, None, None, None, None, 3.0, None",
    );
    check(
        r#"{"machine":"m","time":0,"where":{"line":"L1","line":"L2"},"where":{"line":"L3"}}"#,
        r#"m @ 1970-01-01T00:00:00.000Z, "L3", None, None, None, None, None"#,
    );
    check(
        r#"{"machine":"m","time":0,"where":{"line":"L1"},"where":{}}"#,
        "m @ 1970-01-01T00:00:00.000Z, None, None, None, None, None, None",
    );
}
