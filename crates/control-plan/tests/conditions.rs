//! What conditions and formulas mean: missing values, absorption, doubles in the order written.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use control_plan::{ControlPlan, RuleKind, Verdict};

const HEAD: &str = "
version: 1
reading:
  machine: /machine
  time: /time
  attributes: {grade: /grade, product: /product}
characteristics:
  x: {at: /x}
  y: {at: /y}
  z: {at: /z}
  sum: {formula: x + y}
  ratio: {formula: x / y}
constants:
  limit: 10
  by_grade: {by: grade, values: {L: 1, M: 2.5, 7: 3}}
rules:
";

fn plan(condition: &str) -> ControlPlan {
    let text = format!(
        "{HEAD}  - id: r\n    when: {}\n",
        serde_json::to_string(condition).unwrap()
    );
    ControlPlan::parse("plan", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// `members` are the payload's, after machine and time.
#[track_caller]
fn check(condition: &str, members: &str, expected: Verdict) {
    let plan = plan(condition);
    let comma = if members.is_empty() { "" } else { "," };
    let payload = format!(r#"{{"machine":"m","time":0{comma}{members}}}"#);
    let reading = plan.read(payload.as_bytes()).unwrap();
    let rule = plan.rules().next().unwrap();
    assert_eq!(
        rule.verdict(&reading, &[]),
        expected,
        "{condition} on {members}"
    );
}

use Verdict::{Fires, NotApplicable, Passes};

/// CEL's own functions that no condition can call are free to be characteristics.
#[test]
fn what_is_no_reserved_word_is_a_name() {
    for name in ["size", "double", "int", "score", "tests"] {
        assert!(!control_plan::is_reserved_word(name), "{name}");
        let text = format!(
            "version: 1\nreading: {{machine: /machine, time: /time}}\n\
             characteristics: {{{name}: {{at: /x}}}}\nrules: [{{id: r, when: {name} > 5.0 && abs({name}) < 9.0}}]\n"
        );
        let plan = ControlPlan::parse("plan", &text).unwrap_or_else(|errors| panic!("{errors}"));
        let reading = plan.read(br#"{"machine":"m","time":0,"x":7}"#).unwrap();
        let rule = plan.rules().next().unwrap();
        assert_eq!(rule.verdict(&reading, &[]), Fires, "{name}");
    }
}

#[test]
fn comparisons_are_strict_as_written() {
    check("x > 5", r#""x":5"#, Passes);
    check("x >= 5", r#""x":5"#, Fires);
    check("x < 5.0", r#""x":4.999"#, Fires);
    check("x <= 5", r#""x":5.001"#, Passes);
    check("x == 5", r#""x":5.0"#, Fires);
    check("x != 5", r#""x":5"#, Passes);
    check("-x < -4", r#""x":5"#, Fires);
}

#[test]
fn arithmetic_follows_precedence_and_order() {
    check("x + y * 2 == 7", r#""x":1,"y":3"#, Fires);
    check("(x + y) * 2 == 8", r#""x":1,"y":3"#, Fires);
    check("x - y - z == -4", r#""x":1,"y":3,"z":2"#, Fires);
    check("x / y / z == 2", r#""x":12,"y":3,"z":2"#, Fires);
    check(
        "abs(x) == 3 && min(x, y) == -3 && max(x, y, 9) == 9",
        r#""x":-3,"y":1"#,
        Fires,
    );
    check("(x > y ? x : y) == 4", r#""x":4,"y":1"#, Fires);
    check("x > limit", r#""x":10.5"#, Fires);
}

/// Whole numbers are doubles: 7 / 2 is 3.5, where CEL would say 3.
#[test]
fn integers_are_promoted() {
    check("7 / 2 == 3.5", "", Fires);
    check(
        "x * 1000000000000 * 1000000000000 > 1e23",
        r#""x":1"#,
        Fires,
    );
}

/// The AI4I heat-dissipation labels hold only in this order and this precision: mathematically each of these
/// differences is 8.6.
#[test]
fn subtraction_is_the_doubles_own() {
    check("x - y < 8.6", r#""x":308.6,"y":300.0"#, Passes);
    check("x - y < 8.6", r#""x":308.7,"y":300.1"#, Fires);
    check("x - y < 8.6", r#""x":306.9,"y":298.3"#, Fires);
    check("x + y + z == 0.6", r#""x":0.1,"y":0.2,"z":0.3"#, Passes);
    check("x + (y + z) == 0.6", r#""x":0.1,"y":0.2,"z":0.3"#, Fires);
    check("0.1 + 0.2 == 0.3", "", Passes);
}

#[test]
fn without_a_value_a_rule_is_not_applicable() {
    check("x > 5", "", NotApplicable);
    check("x > 5", r#""x":null"#, NotApplicable);
    check("x > 5", r#""x":"7""#, NotApplicable);
    check("x > 5", r#""x":true"#, NotApplicable);
    check("x > 5", r#""x":[7]"#, NotApplicable);
    check("x + 1 != x", "", NotApplicable);
    check("!(x > 5)", "", NotApplicable);
    check("abs(min(x, y)) > 5", r#""x":9"#, NotApplicable);
    check("sum > 5", r#""x":9"#, NotApplicable);
}

#[test]
fn what_decides_alone_decides() {
    check("x > 5 || y > 5", r#""y":9"#, Fires);
    check("y > 5 || x > 5", r#""y":9"#, Fires);
    check("x > 5 || y > 5", r#""y":1"#, NotApplicable);
    check("x > 5 && y > 5", r#""y":1"#, Passes);
    check("y > 5 && x > 5", r#""y":1"#, Passes);
    check("x > 5 && y > 5", r#""y":9"#, NotApplicable);
    check("x > 5 || y > 5", "", NotApplicable);
    check("(x > 5 && y > 5) || z > 5", r#""z":9"#, Fires);
}

#[test]
fn a_choice_needs_its_condition_and_one_branch() {
    check("x > 5 ? true : y > 5", r#""x":9"#, Fires);
    check("x > 5 ? y > 5 : true", r#""x":1"#, Fires);
    check("x > 5 ? true : true", "", NotApplicable);
    check("x > 5 ? y > 5 : true", r#""x":9"#, NotApplicable);
}

#[test]
fn has_asks_for_a_value() {
    check("has(x)", r#""x":0"#, Fires);
    check("has(x)", r#""x":"0""#, Passes);
    check("!has(x) || x > 5", "", Fires);
    check("has(sum) || has(ratio)", r#""x":1"#, Passes);
    check("has(ratio)", r#""x":1,"y":0"#, Passes);
    check("has(grade)", r#""grade":"X""#, Fires);
    check("has(by_grade)", r#""grade":"X""#, Passes);
    check("has(by_grade)", r#""grade":"M""#, Fires);
}

#[test]
fn a_result_that_is_not_finite_is_no_value() {
    check("x / y > 1", r#""x":1,"y":0"#, NotApplicable);
    check("x / y > 1", r#""x":0,"y":0"#, NotApplicable);
    check("ratio < 1", r#""x":-1,"y":0"#, NotApplicable);
    check("x * 1e300 * 1e300 > 1", r#""x":1"#, NotApplicable);
    check("x / y > 1 || z > 1", r#""x":1,"y":0,"z":2"#, Fires);
}

#[test]
fn attributes_are_texts() {
    check("grade == 'M'", r#""grade":"M""#, Fires);
    check("grade != 'M'", r#""grade":"M""#, Passes);
    check("grade in ['L', 'M']", r#""grade":"M""#, Fires);
    check("grade in ['L', 'M']", r#""grade":"H""#, Passes);
    check("grade in []", r#""grade":"H""#, Passes);
    check("grade in ['L']", "", NotApplicable);
    check("grade == product", r#""grade":"a","product":"a""#, Fires);
    check("grade == '7'", r#""grade":7"#, Fires);
    check("grade == 'true'", r#""grade":true"#, Fires);
    check("grade == '1.5'", r#""grade":1.5"#, Fires);
    check("(x > 1 ? grade : 'M') == 'M'", r#""x":0"#, Fires);
    check("grade == '상'", r#""grade":"상""#, Fires);
    check("grade == \"it's\"", r#""grade":"it's""#, Fires);
}

#[test]
fn tables_are_keyed_by_an_attribute() {
    check("x > by_grade", r#""x":2,"grade":"L""#, Fires);
    check("x > by_grade", r#""x":2,"grade":"M""#, Passes);
    check("x > by_grade", r#""x":2,"grade":7"#, Passes);
    check("x > by_grade", r#""x":2,"grade":"Q""#, NotApplicable);
    check("x > by_grade", r#""x":2"#, NotApplicable);
}

#[test]
fn booleans_compare() {
    check("(x > 1) == (y > 1)", r#""x":2,"y":2"#, Fires);
    check("(x > 1) != (y > 1)", r#""x":2,"y":2"#, Passes);
    check("!!(x > 1)", r#""x":2"#, Fires);
}

/// `before` are the values of the characteristics that the condition asks for, in the order in which it first names them.
#[track_caller]
fn check_previous(condition: &str, before: &[f64], members: &str, expected: Verdict) {
    let plan = plan(condition);
    let payload = format!(r#"{{"machine":"m","time":0,{members}}}"#);
    let reading = plan.read(payload.as_bytes()).unwrap();
    let rule = plan.rules().next().unwrap();
    let RuleKind::When(when) = rule.kind() else {
        panic!("{condition}")
    };
    assert_eq!(when.previous().len(), before.len(), "{condition}");
    assert!(rule.has_memory());
    let found = rule.verdict(&reading, before);
    assert_eq!(found, expected, "{condition} on {members} after {before:?}");
}

#[test]
fn previous_is_the_value_before() {
    check_previous("x - previous(x) > 5", &[1.0], r#""x":7"#, Fires);
    check_previous("x - previous(x) > 5", &[2.0], r#""x":7"#, Passes);
    check_previous(
        "x - previous(x) > 5",
        &[f64::NAN],
        r#""x":7"#,
        NotApplicable,
    );
    check_previous("x - previous(x) > 5", &[1.0], r#""y":7"#, NotApplicable);
    check_previous("x > 5 || previous(x) > 5", &[f64::NAN], r#""x":7"#, Fires);
    check_previous("!has(x) && previous(x) > 5", &[6.0], r#""y":7"#, Fires);
    check_previous(
        "previous(y) > previous(x) && previous(y) > y",
        &[3.0, 2.0],
        r#""y":1"#,
        Fires,
    );
    check_previous("previous(sum) > 5", &[6.0], r#""x":1"#, Fires);
    check_previous(
        "abs(x - previous(x)) / previous(x) > 0.5",
        &[0.0],
        r#""x":1"#,
        NotApplicable,
    );
}
