//! What a plan tells about itself, and what changes its rules' definitions.

use control_plan::{ControlPlan, RuleKind, Sustain};
use quality_event::{Reaction, Severity};

fn parse(text: &str) -> ControlPlan {
    ControlPlan::parse("plan.yaml", text).unwrap_or_else(|errors| panic!("{errors}"))
}

const PLAN: &str = r#"
version: 1
reading: {machine: /machine, line: /line, time: /time, attributes: {grade: /grade}}
characteristics:
  torque: {at: /torque, unit: Nm}
  speed: {at: /speed, unit: rpm}
  power: {formula: torque * speed * k, unit: W}
constants:
  k: 0.1047
  limit: {by: grade, values: {L: 11000, M: 12000}}
rules:
  - id: power-high
    when: power > limit
    for: {seconds: 1.5}
    severity: critical
    reaction: stop-line
    summary: "{{Power}} {power} W over {limit} ({grade}) on {machine}, {line}; k {k}"
  - id: torque-specification
    specification: {characteristic: torque, lower: 3.8, upper: 76.6}
  - id: torque-low
    specification: {characteristic: torque, lower: 3.8}
    for: {readings: 3}
  - id: speed-low
    when: >-
      speed < 100.0
      && torque > 1
"#;

#[test]
fn the_example_plan_checks_clean() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../infra/plans/press-line.yaml"
    );
    let plan = parse(&std::fs::read_to_string(path).unwrap());
    let ids: Vec<&str> = plan.rules().map(|rule| rule.id()).collect();
    assert_eq!(
        ids,
        [
            "power-out-of-range",
            "heat-dissipation",
            "overstrain",
            "tool-wear",
            "torque-specification"
        ]
    );
    assert!(plan.state_bytes() < 1_000);
}

#[test]
fn a_plan_tells_what_it_holds() {
    let plan = parse(PLAN);
    let told: Vec<_> = plan
        .rules()
        .map(|rule| {
            (
                rule.id(),
                rule.kind().as_str(),
                rule.severity(),
                rule.reaction(),
                rule.sustain(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "power-high",
                "when",
                Severity::Critical,
                Reaction::StopLine,
                Some(Sustain::Millis(1_500))
            ),
            (
                "torque-specification",
                "specification",
                Severity::Warning,
                Reaction::Notify,
                None
            ),
            (
                "torque-low",
                "specification",
                Severity::Warning,
                Reaction::Notify,
                Some(Sustain::Readings(3))
            ),
            (
                "speed-low",
                "when",
                Severity::Warning,
                Reaction::Notify,
                None
            ),
        ]
    );
    assert_eq!(plan.unit("power"), Some("W"));
    assert_eq!(plan.attributes(), ["grade"]);
    assert!(plan.characteristics()[2].derived);
    let rule = plan.rule("torque-specification").unwrap();
    assert!(matches!(rule.kind(), RuleKind::Specification(limits) if limits.upper == Some(76.6)));
    assert!(plan.rule("absent").is_none());
}

/// Computed with sha256sum.
#[test]
fn the_hash_is_of_the_bytes() {
    let text = "{version: 1, reading: {machine: /m, time: /t}, characteristics: {x: {at: /x}}, rules: [{id: r, when: x > 1}]}\n";
    assert_eq!(
        parse(text).hash(),
        "sha256:578099a80da40c824c0611f6462acf9ea61886139c59f725db6c5604549360fa"
    );
}

#[test]
fn summaries_are_sentences() {
    let plan = parse(PLAN);
    let payload = br#"{"machine":"press-07","time":0,"grade":"M","torque":80.125,"speed":1500}"#;
    let reading = plan.read(payload).unwrap();
    let told: Vec<String> = plan.rules().map(|rule| rule.summary(&reading)).collect();
    assert_eq!(
        told,
        [
            "{Power} 12583.6 W over 12000 (M) on press-07, n/a; k 0.1047",
            "torque-specification: torque 80.125 Nm on press-07 (outside 3.8..76.6)",
            "torque-low: torque 80.125 Nm on press-07 (below 3.8, for 3 readings)",
            "speed-low: speed 1500 rpm, torque 80.125 Nm on press-07 (speed < 100.0 && torque > 1)",
        ]
    );
}

/// Which rules' definitions a change touches.
#[track_caller]
fn check_change(from: &str, to: &str, changed: &[&str]) {
    let (before, after) = (parse(PLAN), parse(&PLAN.replace(from, to)));
    assert_ne!(before.hash(), after.hash(), "{from} is not in the plan");
    let told: Vec<&str> = before
        .rules()
        .zip(after.rules())
        .filter(|(a, b)| a.definition() != b.definition())
        .map(|(a, _)| a.id())
        .collect();
    assert_eq!(told, changed, "{from} -> {to}");
}

#[test]
fn a_definition_covers_all_that_decides_and_nothing_else() {
    check_change("power > limit", "power >= limit", &["power-high"]);
    check_change("seconds: 1.5", "seconds: 2", &["power-high"]);
    check_change("M: 12000", "M: 12001", &["power-high"]);
    check_change("k: 0.1047", "k: 0.1048", &["power-high"]);
    check_change("grade: /grade", "grade: /Grade", &["power-high"]);
    check_change("torque * speed * k", "speed * torque * k", &["power-high"]);
    check_change("at: /speed", "at: /rpm", &["power-high", "speed-low"]);
    check_change("upper: 76.6", "upper: 77", &["torque-specification"]);
    check_change("readings: 3", "readings: 4", &["torque-low"]);
    check_change("critical", "info", &[]);
    check_change("stop-line", "record", &[]);
    check_change("{{Power}}", "Power", &[]);
    check_change("unit: rpm", "unit: 1/min", &[]);
    check_change("torque-low", "torque-too-low", &[]);
}

#[test]
fn the_extreme_lies_in_the_direction_that_offends() {
    let text = |condition: &str| {
        format!(
            "{{version: 1, reading: {{machine: /m, time: /t}}, characteristics: {{x: {{at: /x}}, y: {{at: /y}}}}, constants: {{c: 7}}, rules: [{{id: r, when: \"{condition}\"}}]}}"
        )
    };
    #[track_caller]
    fn check(plan: &str, characteristic: &str, farther: f64, nearer: f64) {
        let plan = parse(plan);
        let rule = plan.rules().next().unwrap();
        assert!(
            rule.is_farther(characteristic, farther, nearer),
            "{farther} against {nearer}"
        );
        assert!(
            !rule.is_farther(characteristic, nearer, farther),
            "{nearer} against {farther}"
        );
    }
    check(&text("x > 5"), "x", 7.0, 6.0);
    check(&text("x < 5"), "x", -3.0, 2.0);
    check(&text("5 > x"), "x", -3.0, 2.0);
    check(&text("!(x > 5)"), "x", -3.0, 2.0);
    check(&text("x < 3500 || x > 9000"), "x", 3000.0, 9100.0);
    check(&text("x < 3500 || x > 9000"), "x", 9600.0, 3000.0);
    check(&text("x - y < 8.6"), "x", 1.0, 2.0);
    check(&text("x - y < 8.6"), "y", 2.0, 1.0);
    check(&text("x * y > c"), "y", 2.0, 1.0);
    check(&text("-2 * x > c"), "x", 1.0, 2.0);
    check(&text("x / y > c"), "y", 1.0, 2.0);
    check(&text("x < c ? false : true"), "x", -9.0, 2.0);
    check(&text("x == 5"), "x", -9.0, 2.0);
}

#[test]
fn a_plan_that_would_remember_too_much_is_refused() {
    let rules: String = (0..700)
        .map(|n| format!("  - {{id: rule-{n}, when: torque > {n}}}\n"))
        .collect();
    let text = format!(
        "version: 1\nreading: {{machine: /m, time: /t}}\ncharacteristics: {{torque: {{at: /x}}}}\nrules:\n{rules}"
    );
    let told = ControlPlan::parse("plan.yaml", &text)
        .unwrap_err()
        .to_string();
    assert!(
        told.starts_with("plan.yaml:4:1: these rules may need "),
        "{told}"
    );
    assert!(
        told.contains("bytes of state for a machine; at most 32768 are kept"),
        "{told}"
    );
    let fewer: String = text
        .lines()
        .take(4 + 400)
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(parse(&fewer).state_bytes() <= control_plan::MAX_STATE_BYTES);
}

#[test]
fn sizes_are_capped() {
    let long = format!("# {}\n{PLAN}", "x".repeat(300_000));
    let told = ControlPlan::parse("plan.yaml", &long).unwrap_err();
    assert!(
        told.faults()[0]
            .message
            .starts_with("a plan has at most 262144 bytes"),
        "{told}"
    );
    let rules: String = (0..1_500)
        .map(|n| format!("  - {{id: Rule {n}}}\n"))
        .collect();
    let told = ControlPlan::parse("p", &PLAN.replace("rules:\n", &format!("rules:\n{rules}")))
        .unwrap_err();
    assert_eq!(told.faults().len(), 100);
    assert!(told.to_string().ends_with("more"), "{told}");
}
