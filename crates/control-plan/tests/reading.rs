//! What becomes of a payload.

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
