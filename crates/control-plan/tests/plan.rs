//! What a plan tells about itself, and what changes its rules' definitions.

use control_plan::{ControlPlan, MAX_STEPS, RuleKind, Sustain, Verdict};
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

/// The payload in a plan's head: the comment lines from `#   {` to the next empty one.
fn payload_in_the_head(text: &str) -> Option<String> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("#   {"));
    let lines: Vec<&str> = lines
        .by_ref()
        .take_while(|line| *line != "#")
        .map(|line| line.trim_start_matches('#'))
        .collect();
    (!lines.is_empty()).then(|| lines.concat())
}

/// Every plan in `infra/plans` is sound, and its head shows a reading in which it finds all that it asks for.
#[test]
fn the_example_plans_check_clean() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/plans");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let plan = parse(&text);
        assert!(plan.state_bytes() < 8_192, "{}", plan.state_bytes());
        assert!(plan.steps() < 1_000, "{}", plan.steps());
        let payload = payload_in_the_head(&text).unwrap();
        let reading = plan.read(payload.as_bytes()).unwrap();
        for characteristic in plan.characteristics() {
            let name = &characteristic.name;
            assert!(plan.value(&reading, name).is_some(), "{path:?}: {name}");
        }
        for attribute in plan.attributes() {
            let text = plan.attribute(&reading, attribute);
            assert!(text.is_some(), "{path:?}: {attribute}");
        }
        assert!(reading.line.is_some() && plan.names_reading_id() == reading.id.is_some());
        for rule in plan.rules() {
            let verdict = rule.verdict(&reading, &[]);
            assert_ne!(verdict, Verdict::Fires, "{path:?}: {}", rule.id());
        }
        found.push(path.file_stem().unwrap().to_owned());
    }
    found.sort();
    assert_eq!(found, ["clickstream", "game", "press-line"]);
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
    let told: Vec<String> = plan
        .rules()
        .map(|rule| rule.summary(&reading, &control_plan::Evidence::Reading))
        .collect();
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
            rule.is_farther(
                characteristic,
                farther,
                nearer,
                &control_plan::Evidence::Reading
            ),
            "{farther} against {nearer}"
        );
        assert!(
            !rule.is_farther(
                characteristic,
                nearer,
                farther,
                &control_plan::Evidence::Reading
            ),
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

/// `formulas` of 1,001 steps each, and a condition that compares with `texts`.
fn costly(formulas: usize, texts: usize) -> String {
    let sum = format!("x{}", "+x".repeat(1_000));
    let formulas: String = (0..formulas)
        .map(|n| format!("  f{n}: {{formula: {sum}}}\n"))
        .collect();
    let texts = vec!["'a'"; texts].join(",");
    format!(
        "version: 1\nreading: {{machine: /m, time: /t, attributes: {{g: /g}}}}\ncharacteristics:\n  x: {{at: /x}}\n{formulas}rules: [{{id: r, when: \"g in [{texts}]\"}}]\n"
    )
}

#[test]
fn a_plan_that_would_take_too_long_is_refused() {
    let plan = parse(&costly(19, 100));
    assert!(
        (19_100..=MAX_STEPS).contains(&plan.steps()),
        "{}",
        plan.steps()
    );
    let told = ControlPlan::parse("plan.yaml", &costly(20, 1))
        .unwrap_err()
        .to_string();
    assert_eq!(
        told.lines().next().unwrap(),
        "plan.yaml:25:1: judging one reading may take 20023 steps; at most 20000 are allowed: use shorter conditions, or fewer"
    );
}

#[test]
fn every_kind_of_rule_has_a_bounded_state() {
    let plan = parse(include_str!("complete-plan.yaml"));
    let without_ids = parse(&include_str!("complete-plan.yaml").replace("  id: /id\n", ""));
    assert_eq!(plan.state_bytes() - without_ids.state_bytes(), 64 * 8);
    assert!(plan.names_reading_id() && !without_ids.names_reading_id());
    assert!(
        (1_000..4_096).contains(&plan.state_bytes()),
        "{}",
        plan.state_bytes()
    );
    let ids: Vec<&str> = plan.rules().map(|rule| rule.id()).collect();
    let shared: Vec<&str> = plan.rule_ids().iter().map(|id| &**id).collect();
    assert_eq!(ids, shared);
    assert!(plan.rules().enumerate().all(|(n, rule)| rule.index() == n));
    let kinds: Vec<_> = plan
        .rules()
        .map(|rule| (rule.kind().as_str(), rule.has_memory()))
        .collect();
    assert_eq!(
        kinds[..7],
        [
            ("when", false),
            ("specification", false),
            ("rate", true),
            ("stuck", true),
            ("missing", true),
            ("gap", true),
            ("chart", true),
        ]
    );
}

#[test]
fn a_plan_and_its_fingerprint_change_together() {
    let (before, after) = (parse(PLAN), parse(&PLAN.replace("76.6", "76.7")));
    assert_ne!(before.fingerprint(), after.fingerprint());
    assert_eq!(before.fingerprint(), parse(PLAN).fingerprint());
    assert_ne!(before.fingerprint(), 0);
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
