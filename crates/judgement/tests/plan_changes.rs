//! What becomes of a machine's state when its plan changes between readings.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use control_plan::ControlPlan;
use judgement::{MachineState, judge};
use quality_event::{QualityEvent, Reaction, Severity, Source, Transition};

fn plan(rules: &str) -> ControlPlan {
    let text = format!(
        "version: 1\nreading: {{machine: /m, time: /t}}\ncharacteristics: {{x: {{at: /x}}, y: {{at: /y}}}}\nrules:\n{rules}"
    );
    ControlPlan::parse("plan.yaml", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Judges each payload by its plan, the state encoded and decoded in between.
fn run(steps: &[(&ControlPlan, &str)]) -> (Vec<Vec<QualityEvent>>, MachineState) {
    let mut state = MachineState::default();
    let mut told = Vec::new();
    for (n, (plan, members)) in (0_u64..).zip(steps) {
        let payload = format!(r#"{{"m":"m","t":{n},{members}}}"#);
        let reading = plan.read(payload.as_bytes()).unwrap();
        let source = Source::File {
            file: "f".into(),
            line: n,
        };
        told.push(judge(plan, &mut state, &reading, &source, reading.time).events);
        state = MachineState::decode(&state.encode()).unwrap();
    }
    (told, state)
}

#[test]
fn a_changed_rule_forgets_its_row() {
    let before = plan("  - {id: r, when: x > 5, for: {readings: 3}}\n");
    let after = plan("  - {id: r, when: x > 6, for: {readings: 3}}\n");
    let high = r#""x":9"#;
    let (told, _) = run(&[
        (&before, high),
        (&before, high),
        (&after, high),
        (&after, high),
        (&after, high),
    ]);
    assert_eq!(
        told.iter().map(Vec::len).collect::<Vec<_>>(),
        [0, 0, 0, 0, 1]
    );
}

#[test]
fn a_label_is_no_change() {
    let before = plan("  - {id: r, when: x > 5, for: {readings: 3}}\n");
    let after =
        plan("  - {id: r, when: x > 5, for: {readings: 3}, severity: critical, summary: other}\n");
    let high = r#""x":9"#;
    let (told, _) = run(&[(&before, high), (&before, high), (&after, high)]);
    assert_eq!(told[2][0].transition(), Some(Transition::Opened));
}

#[test]
fn a_changed_rules_open_episode_is_carried_on() {
    let before = plan("  - {id: r, when: x > 5}\n");
    let after = plan("  - {id: r, when: x > 2 || y > 1, for: {readings: 9}}\n");
    let (told, state) = run(&[
        (&before, r#""x":9"#),
        (&after, r#""x":3,"y":5"#),
        (&after, r#""y":0"#),
        (&after, r#""x":1,"y":0"#),
    ]);
    let opened = &told[0][0];
    assert_eq!(told[1][0].transition(), Some(Transition::Ongoing));
    assert!(
        told[2].is_empty(),
        "not applicable: neither clears nor counts"
    );
    let cleared = told[3][0].violation().unwrap();
    assert_eq!(cleared.transition, Some(Transition::Cleared));
    assert_eq!(cleared.episode.as_ref(), Some(&opened.id));
    let ended = cleared.ended.as_ref().unwrap();
    assert_eq!((ended.readings, ended.duration_ms), (2, 3_000));
    assert_eq!(
        ended
            .extreme
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect::<Vec<_>>(),
        [("x", 9.0), ("y", 5.0)]
    );
    assert!(state.is_empty());
}

#[test]
fn a_removed_rules_open_episode_is_cleared_at_the_next_reading() {
    let before = plan(
        "  - {id: gone, when: x > 5, severity: critical, reaction: stop-line}\n  - {id: r, when: y > 5}\n",
    );
    let after = plan("  - {id: r, when: y > 5}\n");
    let (told, state) = run(&[
        (&before, r#""x":9"#),
        (&after, r#""x":9"#),
        (&after, r#""x":9"#),
    ]);
    let cleared = &told[1][0];
    assert_eq!(cleared.subject(), "gone");
    assert_eq!(cleared.transition(), Some(Transition::Cleared));
    assert_eq!(
        (cleared.severity, cleared.reaction),
        (Severity::Critical, Reaction::StopLine)
    );
    assert_eq!(cleared.plan, after.hash());
    assert!(cleared.values.is_empty());
    assert_eq!(
        cleared.summary,
        "gone cleared on m (no longer in the plan) after 1 s, 1 reading; extreme: x 9"
    );
    assert!(told[2].is_empty() && state.is_empty());
}

#[test]
fn a_removed_rules_row_is_forgotten() {
    let before =
        plan("  - {id: gone, when: x > 5, for: {readings: 3}}\n  - {id: r, when: y > 5}\n");
    let after = plan("  - {id: r, when: y > 5}\n");
    let (told, state) = run(&[(&before, r#""x":9"#), (&after, r#""x":9"#)]);
    assert!(told[1].is_empty() && state.is_empty());
}

#[test]
fn episodes_of_other_rules_are_untouched() {
    let before = plan("  - {id: a, when: x > 5}\n  - {id: b, when: x > 6}\n");
    let after = plan("  - {id: b, when: x > 6}\n  - {id: a, when: x > 5.5}\n");
    let (told, _) = run(&[(&before, r#""x":9"#), (&after, r#""x":9"#)]);
    let told: Vec<_> = told[1]
        .iter()
        .map(|event| (event.subject(), event.transition()))
        .collect();
    assert_eq!(
        told,
        [
            ("b", Some(Transition::Ongoing)),
            ("a", Some(Transition::Ongoing))
        ]
    );
}
