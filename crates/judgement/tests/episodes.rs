//! Episodes: what opens, goes on and clears, and what each event carries.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use control_plan::ControlPlan;
use judgement::{MachineState, judge};
use quality_event::{QualityEvent, Source, Timestamp, Transition};

fn plan(rules: &str) -> ControlPlan {
    let text = format!(
        "version: 1\nreading: {{machine: /m, line: /l, time: /t}}\ncharacteristics:\n  x: {{at: /x, unit: V}}\n  y: {{at: /y}}\nrules:\n{rules}"
    );
    ControlPlan::parse("plan.yaml", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn source(line: u64) -> Source {
    Source::File {
        file: "readings".into(),
        line,
    }
}

/// Judges the payload as the reading number `n`.
fn step(plan: &ControlPlan, state: &mut MachineState, n: u64, payload: &str) -> Vec<QualityEvent> {
    let reading = plan.read(payload.as_bytes()).unwrap();
    judge(plan, state, &reading, &source(n), reading.time).events
}

fn letter(event: &QualityEvent) -> char {
    match event.transition() {
        Some(Transition::Opened) => 'o',
        Some(Transition::Ongoing) => '-',
        Some(Transition::Cleared) => 'c',
        None => '?',
    }
}

/// `readings`, one a second: `#` fires, `.` passes, `?` lacks the value. `expected`: `o`pened, `-` ongoing, `c`leared, or a blank.
#[track_caller]
fn check(extra: &str, readings: &str, expected: &str) {
    let plan = plan(&format!("  - {{id: r, when: x > 5{extra}}}\n"));
    let mut state = MachineState::default();
    let mut told = String::new();
    for (n, kind) in (0_u64..).zip(readings.chars()) {
        let value = match kind {
            '#' => r#","x":9"#,
            '.' => r#","x":1"#,
            _ => "",
        };
        let events = step(
            &plan,
            &mut state,
            n,
            &format!(r#"{{"m":"m","t":{n}{value}}}"#),
        );
        assert!(events.len() <= 1, "{events:?}");
        told.push(events.first().map_or(' ', letter));
    }
    assert_eq!(told, expected, "{readings}");
}

#[test]
fn each_firing_reading_emits_one_event() {
    check("", "..", "  ");
    check("", ".#.", " oc");
    check("", "###..#", "o--c o");
    check("", "#.#.", "ococ");
}

#[test]
fn not_applicable_readings_neither_break_nor_clear() {
    check("", "#?#?.?", "o - c ");
    check("", "?#", " o");
}

#[test]
fn for_readings_opens_at_the_completing_reading() {
    check(", for: {readings: 3}", "##.###", "     o");
    check(", for: {readings: 3}", "####..##.", "  o-c    ");
    check(", for: {readings: 1}", "#.", "oc");
}

#[test]
fn not_applicable_readings_neither_count_nor_break_a_row() {
    check(", for: {readings: 3}", "##?#", "   o");
    check(", for: {readings: 3}", "#??#", "    ");
}

#[test]
fn for_seconds_counts_reading_time() {
    check(", for: {seconds: 2}", "###.", "  oc");
    check(", for: {seconds: 2}", "##.##.", "      ");
    check(", for: {seconds: 2}", "#?#", "  o");
    check(", for: {seconds: 1.5}", "###", "  o");
}

#[test]
fn time_that_runs_backwards_completes_nothing() {
    let plan = plan("  - {id: r, when: x > 5, for: {seconds: 2}}\n");
    let mut state = MachineState::default();
    for (n, time) in [100, 50, 90, 101].into_iter().enumerate() {
        assert!(
            step(
                &plan,
                &mut state,
                n as u64,
                &format!(r#"{{"m":"m","t":{time},"x":9}}"#)
            )
            .is_empty()
        );
    }
    assert_eq!(
        step(&plan, &mut state, 9, r#"{"m":"m","t":102,"x":9}"#).len(),
        1
    );
}

#[test]
fn events_carry_what_the_contract_says() {
    let plan =
        plan("  - {id: r, when: x > 5.0 && y < 3, severity: critical, reaction: stop-line}\n");
    let mut state = MachineState::default();
    let mut events = Vec::new();
    for (n, payload) in [
        (1, r#"{"m":"m","l":"L2","t":10,"x":7,"y":1}"#),
        (2, r#"{"m":"m","l":"L2","t":11.5,"x":9.25,"y":2}"#),
        (3, r#"{"m":"m","l":"L2","t":12,"x":8,"y":-1}"#),
        (4, r#"{"m":"m","t":75.25,"x":1}"#),
    ] {
        events.extend(step(&plan, &mut state, n, payload));
    }
    let told: Vec<serde_json::Value> = events
        .iter()
        .map(|event| serde_json::from_slice(&event.to_json()).unwrap())
        .collect();
    let id = events[0].id.as_str();
    assert_eq!(
        told[0],
        serde_json::json!({
            "id": id, "kind": "violation", "transition": "opened", "episode": id, "rule": "r", "severity": "critical",
            "reaction": "stop-line", "machine": "m", "line": "L2", "time": "1970-01-01T00:00:10.000Z",
            "arrived": "1970-01-01T00:00:10.000Z", "tests": [], "values": {"x": 7.0, "y": 1.0},
            "summary": "r: x 7 V, y 1 on m (x > 5.0 && y < 3)", "plan": plan.hash(), "source": {"file": "readings", "line": 1},
        })
    );
    assert_eq!(told[1]["episode"], id);
    assert_ne!(told[1]["id"], id);
    assert_eq!(
        told[3],
        serde_json::json!({
            "id": events[3].id.as_str(), "kind": "violation", "transition": "cleared", "episode": id, "rule": "r",
            "severity": "critical", "reaction": "stop-line", "machine": "m", "time": "1970-01-01T00:01:15.250Z",
            "arrived": "1970-01-01T00:01:15.250Z", "tests": [], "values": {"x": 1.0},
            "duration_ms": 65_250, "readings": 3, "extreme": {"x": 9.25, "y": -1.0},
            "summary": "r cleared on m after 1 min 5 s, 3 readings; extreme: x 9.25 V, y -1", "plan": plan.hash(),
            "source": {"file": "readings", "line": 4},
        })
    );
    assert!(state.is_empty());
}

#[test]
fn a_long_summary_is_cut() {
    let text = "word ".repeat(200);
    let plan = plan(&format!(
        "  - {{id: r, when: x > 5, summary: \"{text}{{machine}}\"}}\n"
    ));
    let machine = "m".repeat(256);
    let events = step(
        &plan,
        &mut MachineState::default(),
        1,
        &format!(r#"{{"m":"{machine}","t":0,"x":9}}"#),
    );
    assert_eq!(events[0].summary.chars().count(), 1_024);
    assert!(events[0].summary.ends_with('…'));
}

#[test]
fn rules_that_could_not_judge_are_told() {
    let plan = plan(
        "  - {id: a, when: x > 5}\n  - {id: b, when: y > 5}\n  - {id: c, specification: {characteristic: y, upper: 5}}\n",
    );
    let reading = plan.read(br#"{"m":"m","t":0,"x":9}"#).unwrap();
    let judgement = judge(
        &plan,
        &mut MachineState::default(),
        &reading,
        &source(1),
        reading.time,
    );
    assert_eq!(judgement.not_applicable, ["b", "c"]);
    assert_eq!(judgement.events.len(), 1);
}

#[test]
fn specification_limits_conform() {
    let plan = plan("  - {id: s, specification: {characteristic: x, lower: 3.8, upper: 76.6}}\n");
    let mut state = MachineState::default();
    let mut told = String::new();
    for (n, x) in [3.8, 76.6, 76.7, 3.7, -50.0, 90.0, 40.0]
        .into_iter()
        .enumerate()
    {
        let events = step(
            &plan,
            &mut state,
            n as u64,
            &format!(r#"{{"m":"m","t":{n},"x":{x}}}"#),
        );
        told.push(events.first().map_or(' ', letter));
        if let Some(ended) = events
            .first()
            .and_then(|event| event.violation()?.ended.as_ref())
        {
            assert_eq!(ended.extreme["x"], -50.0);
        }
    }
    assert_eq!(told, "  o---c");
}

#[test]
fn arrival_is_the_records_own() {
    let plan = plan("  - {id: r, when: x > 5}\n");
    let reading = plan.read(br#"{"m":"m","t":0,"x":9}"#).unwrap();
    let arrived = Timestamp::from_millis(77_000).unwrap();
    let judgement = judge(
        &plan,
        &mut MachineState::default(),
        &reading,
        &source(1),
        arrived,
    );
    assert_eq!(
        (
            judgement.events[0].time.as_millis(),
            judgement.events[0].arrived
        ),
        (0, arrived)
    );
}
