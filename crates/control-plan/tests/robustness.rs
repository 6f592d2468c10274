//! Whatever bytes a plan or a payload has: an answer, never a panic, never a hang.
//!
//! A few hundred cases of each in a normal run. For a long one (a minute):
//! `PROPTEST_CASES=20000 cargo test --release -p control-plan --test robustness`.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fmt::Write as _;

use control_chart::{Limits, Point, Spread, Test, Tests};
use control_plan::{ControlPlan, Evidence};
use proptest::prelude::*;

/// Every key of the language.
const COMPLETE: &str = include_str!("complete-plan.yaml");
const PRESS_LINE: &str = include_str!("../../../infra/plans/press-line.yaml");

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// The plan, if it is one; its faults are rendered. The parser's own thread turns a panic into a fault: that counts as
/// a panic here.
fn parse(text: &str) -> Option<ControlPlan> {
    match ControlPlan::parse("plan.yaml", text) {
        Ok(plan) => Some(plan),
        Err(errors) => {
            let told = errors.to_string();
            assert!(!told.contains("the parser failed"), "{text:?}");
            assert!(!errors.faults().is_empty());
            None
        }
    }
}

/// Whatever can be asked about a payload.
fn judge(plan: &ControlPlan, payload: &[u8]) {
    let reading = match plan.read(payload) {
        Ok(reading) => reading,
        Err(unreadable) => {
            let _ = (unreadable.reason(), unreadable.to_string());
            return;
        }
    };
    let limits = Limits {
        center: 1.0,
        lower: None,
        upper: Some(f64::MAX),
    };
    let point = Point {
        value: f64::MIN,
        limits,
        sigma: f64::NAN,
        spread: Some(Spread {
            value: f64::MAX,
            limits,
        }),
        cusum: Some((f64::MAX, 0.0)),
        fired: Tests::of(Test::Nelson8),
    };
    let found = [
        Evidence::Chart(point),
        Evidence::Reading,
        Evidence::PerSecond(f64::MAX),
        Evidence::Readings(u32::MAX),
        Evidence::SilenceMs(i64::MAX),
    ];
    for rule in plan.rules() {
        let _ = rule.verdict(&reading, &[]);
        for evidence in &found {
            let _ = rule.summary(&reading, evidence);
            for (name, value) in rule.values(&reading, evidence) {
                assert!(value.is_finite(), "{name} of {}", rule.id());
                let _ = rule.is_farther(&name, value, 0.0, evidence);
            }
            for (name, _) in rule.tracked(&reading, evidence) {
                assert!(rule.tracks(&name), "{name} of {}", rule.id());
            }
        }
    }
}

/// Parts of conditions, in any order.
fn soup() -> impl Strategy<Value = String> {
    let parts = [
        "x", "y", "grade", "lim", "has", "min", "previous", "(", ")", "[", "]", "{", "}", ",", "?",
        ":", "&&", "||", "!", "<", "<=", "==", "!=", "in", "+", "-", "*", "/", "%", ".", "1",
        "2.5", "1e9", "7u", "'M'", "\"é\"", "null", "true", "&", "=", "`", "\\", "프", "\t", "all",
        "..", "?.", "0x1F", "'",
    ];
    prop::collection::vec(prop::sample::select(parts.to_vec()), 0..14)
        .prop_map(|parts| parts.join(" "))
}

/// One change of a text that is a list of parts.
#[derive(Clone, Copy, Debug)]
enum Slip {
    Delete,
    Duplicate,
    Swap(prop::sample::Index),
}

type Slips = Vec<(prop::sample::Index, Slip)>;

fn slips() -> impl Strategy<Value = Slips> {
    let slip = prop_oneof![
        Just(Slip::Delete),
        Just(Slip::Duplicate),
        any::<prop::sample::Index>().prop_map(Slip::Swap),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), slip), 1..5)
}

fn slipped(parts: impl Iterator<Item = String>, slips: &Slips) -> String {
    let mut parts: Vec<String> = parts.collect();
    for (at, slip) in slips {
        if parts.is_empty() {
            break;
        }
        let at = at.index(parts.len());
        match slip {
            Slip::Delete => {
                parts.remove(at);
            }
            Slip::Duplicate => parts.insert(at, parts[at].clone()),
            Slip::Swap(with) => {
                let with = with.index(parts.len());
                parts.swap(at, with);
            }
        }
    }
    parts.concat()
}

/// Words, runs of blanks, and every other character by itself.
fn tokens(text: &str) -> impl Iterator<Item = String> {
    let mut tokens: Vec<String> = Vec::new();
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 1,
        ' ' => 2,
        _ => 0,
    };
    let mut last = 0;
    for c in text.chars() {
        match tokens.last_mut() {
            Some(token) if class(c) != 0 && class(c) == last => token.push(c),
            _ => tokens.push(c.to_string()),
        }
        last = class(c);
    }
    tokens.into_iter()
}

fn lines(text: &str) -> impl Iterator<Item = String> {
    text.split_inclusive('\n').map(str::to_owned)
}

/// Any JSON, with the names that the complete plan's pointers look for among its keys and with numbers as text.
fn json() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<f64>().prop_map(|number| number.to_string()),
        any::<i128>().prop_map(|number| number.to_string()),
        (any::<i64>(), any::<i16>()).prop_map(|(digits, exponent)| format!("{digits}e{exponent}")),
        Just("-0".to_owned()),
    ];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|boolean| boolean.to_string()),
        number,
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    let keys = [
        "machine",
        "time",
        "line",
        "id",
        "grade",
        "tool",
        "torque",
        "defects",
        "inspected",
        "else",
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        let members = (prop::sample::select(keys.to_vec()), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(members, 0..10).prop_map(|members| {
                let members: Vec<_> = members
                    .iter()
                    .map(|(key, value)| format!("\"{key}\":{value}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        parse(&text);
    }

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn yaml_of_any_shape_is_answered(text in "([ ]{0,6}(- |\\? |a: |[a-z]{1,9}: |\\{|\\[|\\}|\\]|, |'|\"|\\||>-|#|&a |\\*a|!!str |---|\\.\\.\\.|[0-9.e]{1,5}|프)\\n?){0,40}") {
        parse(&text);
    }

    #[test]
    fn any_slip_of_characters_is_answered(at in 0..PRESS_LINE.len(), length in 0..40_usize, instead in "[ -~\n프\t]{0,6}") {
        let mut text = PRESS_LINE.to_owned();
        let end = (at + length).min(PRESS_LINE.len());
        prop_assume!(text.is_char_boundary(at) && text.is_char_boundary(end));
        text.replace_range(at..end, &instead);
        parse(&text);
    }

    #[test]
    fn any_slip_of_lines_is_answered(slips in slips()) {
        if let Some(plan) = parse(&slipped(lines(COMPLETE), &slips)) {
            judge(&plan, br#"{"machine":"m","time":0,"torque":4,"defects":2,"inspected":9,"grade":"L"}"#);
        }
    }

    #[test]
    fn any_slip_of_tokens_is_answered(slips in slips()) {
        if let Some(plan) = parse(&slipped(tokens(COMPLETE), &slips)) {
            judge(&plan, br#"{"machine":"m","time":0,"torque":4,"defects":2,"inspected":9,"grade":"L"}"#);
        }
    }

    #[test]
    fn any_condition_is_answered(condition in soup()) {
        let when = serde_json::to_string(&condition).unwrap();
        parse(&format!(
            "{{version: 1, reading: {{machine: /m, time: /t, attributes: {{grade: /g}}}}, characteristics: {{x: {{at: /x}}, y: {{formula: x + 1}}}}, constants: {{lim: 3}}, rules: [{{id: r, when: {when}, summary: {when}}}]}}"
        ));
    }

    #[test]
    fn any_payload_is_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        judge(&parse(COMPLETE).unwrap(), &bytes);
    }

    #[test]
    fn any_json_is_answered(json in json()) {
        judge(&parse(COMPLETE).unwrap(), json.as_bytes());
    }

    #[test]
    fn any_members_are_answered(members in prop::collection::vec(json(), 7)) {
        let names = ["line", "id", "grade", "tool", "torque", "defects", "inspected"];
        let mut payload = r#"{"machine":"m","time":0"#.to_owned();
        for (name, value) in names.iter().zip(&members) {
            write!(payload, ",\"{name}\":{value}").unwrap();
        }
        judge(&parse(COMPLETE).unwrap(), format!("{payload}}}").as_bytes());
    }

    #[test]
    fn any_slip_in_a_good_payload_is_answered(at in 0..150_usize, byte in any::<u8>()) {
        let mut payload = br#"{"machine":"press-07","time":"2026-11-20T01:02:03.456Z","grade":"M","torque":42.8,"defects":0,"inspected":50,"id":"r-1","line":"L2"}"#.to_vec();
        let at = at.min(payload.len() - 1);
        payload[at] = byte;
        judge(&parse(COMPLETE).unwrap(), &payload);
    }
}

/// A plan whose one condition is `condition`.
fn with_condition(condition: &str) -> String {
    format!(
        "{{version: 1, reading: {{machine: /m, time: /t}}, characteristics: {{x: {{at: /x}}}}, rules: [{{id: r, when: {}}}]}}",
        serde_json::to_string(condition).unwrap()
    )
}

#[test]
fn deep_nesting_is_answered() {
    for depth in [1, 15, 16, 17, 31, 32, 33, 100, 2_000, 60_000] {
        for open in ["[", "{a: ", "- ", "a:\n ", "? ", "(", "!", "-", "&", "'"] {
            parse(&open.repeat(depth));
        }
        for (open, inner, close) in [
            ("(", "x > 1", ")"),
            ("!", "(x > 1)", ""),
            ("-", "x > 1", ""),
            ("abs(", "x", ") > 1"),
            ("x > 1 ? ", "true", " : false"),
            ("x in [", "", "]"),
            ("x > 1 && ", "x > 2", ""),
            ("x.", "y", ""),
        ] {
            let condition = format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
            parse(&with_condition(&condition));
        }
    }
}

#[test]
fn deep_payloads_are_answered() {
    let plan = parse(COMPLETE).unwrap();
    for depth in [100, 127, 128, 129, 200_000] {
        for (open, close) in [("[", "]"), (r#"{"torque":"#, "}"), (r#"{"else":"#, "}")] {
            let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            judge(&plan, nested.as_bytes());
            judge(&plan, open.repeat(depth).as_bytes());
            let member = format!(r#"{{"machine":"m","time":0,"torque":{nested}}}"#);
            judge(&plan, member.as_bytes());
            let skipped = format!(r#"{{"machine":"m","time":0,"skipped":{nested}}}"#);
            judge(&plan, skipped.as_bytes());
        }
    }
}
