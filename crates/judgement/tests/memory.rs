//! Rules with memory: what each says of a row of readings.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use control_plan::ControlPlan;
use judgement::{MachineState, judge};
use quality_event::{QualityEvent, Source, Transition};

fn plan(rule: &str) -> ControlPlan {
    let text = format!(
        "version: 1\nreading: {{machine: /m, time: /t, id: /id, attributes: {{tool: /w, part: /p}}}}\ncharacteristics: {{x: {{at: /x, unit: V}}, n: {{at: /n}}, twice: {{formula: x + x}}}}\nrules: [{{id: r, {rule}}}]\n"
    );
    ControlPlan::parse("plan.yaml", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What the rule says of each reading, given as the members of a payload; one a second where it has no `t`.
fn told(rule: &str, readings: &[&str]) -> (String, Vec<QualityEvent>) {
    let plan = plan(rule);
    let mut state = MachineState::default();
    let (mut letters, mut events) = (String::new(), Vec::new());
    for (n, members) in (0_u64..).zip(readings) {
        let time = if members.contains("\"t\"") {
            String::new()
        } else {
            format!(",\"t\":{}", 100 + n)
        };
        let comma = if members.is_empty() { "" } else { "," };
        let payload = format!("{{\"m\":\"m\"{comma}{members}{time}}}");
        let reading = plan.read(payload.as_bytes()).unwrap();
        let source = Source::File {
            file: "f".into(),
            line: n,
        };
        let judged = judge(&plan, &mut state, &reading, &source, reading.time);
        assert!(judged.events.len() <= 1);
        letters.push(
            match (
                judged.is_duplicate,
                judged.not_applicable.is_empty(),
                judged.events.first(),
            ) {
                (true, ..) => 'd',
                (_, false, _) => '?',
                (.., Some(event)) => match event.transition().unwrap() {
                    Transition::Opened => 'o',
                    Transition::Ongoing => '-',
                    Transition::Cleared => 'c',
                },
                (.., None) => '.',
            },
        );
        events.extend(judged.events);
        state = MachineState::decode(&state.encode()).unwrap();
    }
    (letters, events)
}

#[track_caller]
fn check(rule: &str, readings: &[&str], expected: &str) {
    assert_eq!(told(rule, readings).0, expected, "{rule}");
}

/// Readings of `x` alone; NaN is a reading without a value.
#[track_caller]
fn check_x(rule: &str, values: &[f64], expected: &str) {
    assert_eq!(told(rule, &members(values)).0, expected, "{rule}");
}

fn members(values: &[f64]) -> Vec<&'static str> {
    values
        .iter()
        .map(|value| match value.is_nan() {
            true => "",
            false => &*format!("\"x\":{value:?}").leak(),
        })
        .collect()
}

const NONE: f64 = f64::NAN;

#[test]
fn previous_is_the_last_value_there_was() {
    check_x(
        "when: x > previous(x)",
        &[1.0, 2.0, 2.0, NONE, 3.0, 1.0],
        "?oc?oc",
    );
    check_x(
        "when: x - previous(x) > 1 || x > 9",
        &[10.0, 10.0, 1.0],
        "o-c",
    );
    check_x(
        "when: twice > previous(twice), for: {readings: 2}",
        &[1.0, 2.0, 3.0, 3.0],
        "?.oc",
    );
    // What the condition does not need for its verdict may be missing.
    check_x(
        "when: has(x) && x > 5 && x > previous(x)",
        &[1.0, NONE, 9.0],
        "..o",
    );
}

#[test]
fn a_rate_needs_time_that_advances() {
    let rule = "rate: {characteristic: x, max_per_second: 5}";
    check_x(rule, &[0.0, 5.0, 10.5, 10.5, NONE, 1.0], "..oc?.");
    check(
        rule,
        &[
            r#""x":0,"t":100"#,
            r#""x":90,"t":100"#,
            r#""x":90,"t":99"#,
            r#""x":4,"t":100.5"#,
            r#""x":4,"t":101"#,
        ],
        ".??oc",
    );
    let (_, events) = told(
        rule,
        &[
            r#""x":0,"t":100"#,
            r#""x":-12,"t":102"#,
            r#""x":-12,"t":103"#,
        ],
    );
    assert_eq!(events[0].values["x.per_second"], -6.0);
    assert_eq!(events[0].values["x"], -12.0);
    let ended = events[1].violation().unwrap().ended.clone().unwrap();
    assert_eq!(ended.extreme["x.per_second"], -6.0);
    // The ends of a double's range.
    check_x(rule, &[-1.7e308, 1.7e308, -1.7e308], ".o-");
}

#[test]
fn a_stuck_sensor_says_the_same_in_a_row() {
    let rule = "stuck: {characteristic: x, readings: 3}";
    check_x(rule, &[1.0, 1.0, 1.0, NONE, 1.0, 2.0, 2.0], "..o?-c.");
    check_x(
        "stuck: {characteristic: x, readings: 3, tolerance: 0.5}",
        &[1.0, 1.5, 0.5, 1.6],
        "..oc",
    );
    let (_, events) = told(rule, &members(&[1.0, 1.0, 1.0, 1.0]));
    assert_eq!(events[1].summary, events[1].summary.trim());
    assert!(events[1].summary.contains('4'), "{}", events[1].summary);
}

#[test]
fn a_missing_value_is_missed_from_the_nth() {
    check_x(
        "missing: {characteristic: x, readings: 2}",
        &[NONE, NONE, NONE, 1.0, NONE, 1.0],
        ".o-c..",
    );
    check(
        "missing: {characteristic: x, readings: 1}",
        &[r#""x":"7""#, r#""x":7"#],
        "oc",
    );
}

#[test]
fn a_gap_is_seen_at_the_next_reading() {
    let rule = "gap: {seconds: 30}";
    check(
        rule,
        &[
            r#""t":0"#,
            r#""t":30"#,
            r#""t":60.001"#,
            r#""t":50"#,
            r#""t":90"#,
            r#""t":95"#,
        ],
        "..oc..",
    );
    let (_, events) = told(rule, &[r#""t":0"#, r#""t":45"#]);
    assert_eq!(events[0].values["reading.gap_seconds"], 45.0);
}

#[test]
fn a_chart_tells_which_tests_fire() {
    let rule = "chart: {type: individuals, characteristic: x, center: 0, sigma: 1, tests: western-electric}";
    let (letters, events) = told(rule, &members(&[0.0, 2.5, 2.6, 0.0, -3.6, 0.1]));
    assert_eq!(letters, "..oco-");
    let tests = |n: usize| events[n].violation().unwrap().tests.clone();
    assert_eq!(tests(0), ["western-electric-2"]);
    assert!(tests(1).is_empty());
    assert_eq!(tests(2), ["western-electric-1"]);
    assert_eq!(tests(3), ["moving-range-beyond-limits"]);
    assert_eq!(events[0].values["x"], 2.6);
    assert_eq!(events[0].values["x.upper_limit"], 3.0);
    assert_eq!(events[0].values["x.lower_limit"], -3.0);
    assert_eq!(events[0].values["x.center"], 0.0);
    assert_eq!(
        events[1]
            .violation()
            .unwrap()
            .ended
            .clone()
            .unwrap()
            .extreme["x"],
        2.6
    );
}

#[test]
fn a_chart_is_undecided_within_a_subgroup() {
    let rule = "chart: {type: xbar-r, characteristic: x, center: 0, sigma: 1, subgroup: 3}";
    let (letters, events) = told(rule, &members(&[3.0, 2.0, 2.5, 0.0, NONE, 0.0, 0.0]));
    assert_eq!(letters, "..o.?.c");
    assert_eq!(events[0].values["x.mean"], 2.5);
    assert_eq!(events[0].values["x.range"], 1.0);
}

#[test]
fn an_attribute_ends_a_subgroup() {
    let rule =
        "chart: {type: xbar-s, characteristic: x, center: 0, sigma: 1, subgroup: {by: part}}";
    check(
        rule,
        &[
            r#""x":4,"p":"a""#,
            r#""x":4.5,"p":"a""#,
            r#""x":9"#,
            r#""x":0,"p":"b""#,
            r#""x":0.5,"p":"b""#,
            r#""x":0.5,"p":"c""#,
            r#""x":0.5,"p":"d""#,
        ],
        "..?o.c.",
    );
}

#[test]
fn a_change_restarts_a_chart_where_the_plan_says_so() {
    let rule = "chart: {type: individuals, characteristic: x, center: 0, sigma: 1, tests: [western-electric-2], reset_on: tool}";
    let high = |tool: &str| &*format!("\"x\":2.5,\"w\":\"{tool}\"").leak();
    check(rule, &[high("a"), high("b"), high("b"), high("b")], "...o");
    // A reading that does not tell the tool changes nothing.
    check(rule, &[high("a"), r#""x":2.5"#, high("a")], "..o");
    let learning = "chart: {type: individuals, characteristic: x, learn: 10, tests: [beyond-limits], relearn_on: tool}";
    let mut readings: Vec<&str> = Vec::new();
    let wobble = |level: f64, tool: &'static str| {
        (0..10)
            .map(move |n| &*format!("\"x\":{},\"w\":\"{tool}\"", level + f64::from(n % 2)).leak())
    };
    readings.extend(wobble(0.0, "a"));
    readings.push(r#""x":50,"w":"a""#);
    readings.extend(wobble(50.0, "b"));
    readings.push(r#""x":50,"w":"b""#);
    readings.push(r#""x":0,"w":"b""#);
    check(learning, &readings, "..........o..........co");
}

#[test]
fn counts_that_cannot_be_are_not_applicable() {
    let rule = "chart: {type: p, characteristic: x, size: n, center: 0.1}";
    check(
        rule,
        &[
            r#""x":1,"n":10"#,
            r#""x":9,"n":10"#,
            r#""x":11,"n":10"#,
            r#""x":-1,"n":10"#,
            r#""x":0,"n":0"#,
            r#""x":1"#,
            r#""x":1,"n":10"#,
        ],
        ".o????c",
    );
}

#[test]
fn a_reading_sent_twice_is_judged_once() {
    let rule = "stuck: {characteristic: x, readings: 3}";
    check(
        rule,
        &[
            r#""x":1,"id":"a""#,
            r#""x":1,"id":"b""#,
            r#""x":1,"id":"b""#,
            r#""x":1,"id":"a""#,
            r#""x":1,"id":7"#,
            r#""x":1"#,
            r#""x":1"#,
        ],
        "..ddo--",
    );
}
