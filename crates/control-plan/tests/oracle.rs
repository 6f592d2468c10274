//! Random conditions give what the `cel` crate's own interpreter gives.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use cel::{Context, Program, Value};
use control_plan::{ControlPlan, Verdict};
use proptest::prelude::*;

const NAMES: [&str; 3] = ["x", "y", "z"];

fn number() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
        2 => (-40_i32..40).prop_map(|n| format!("{:?}", f64::from(n) / 4.0)),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            5 => (inner.clone(), prop::sample::select(&["+", "-", "*"][..]), inner.clone())
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} / {b}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} - {b} - {a}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("max(abs({a}), min({a}, {b}))")),
            1 => inner.prop_map(|a| format!("-({a})")),
        ]
    })
}

fn condition() -> impl Strategy<Value = String> {
    let comparison = (
        number(),
        prop::sample::select(&["<", "<=", ">", ">=", "==", "!="][..]),
        number(),
    )
        .prop_map(|(a, op, b)| format!("{a} {op} {b}"));
    let text = prop::sample::select(
        &[
            "grade == 'M'",
            "grade != 'L'",
            "grade in ['L', 'M']",
            "'M' == grade",
        ][..],
    )
    .prop_map(str::to_owned);
    prop_oneof![4 => comparison, 1 => text].prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            3 => (inner.clone(), prop::sample::select(&["&&", "||"][..]), inner.clone())
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("{a} && {b} || {c}")),
            1 => inner.clone().prop_map(|a| format!("!({a})")),
            1 => (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("(({a}) ? ({b}) : ({c}))")),
        ]
    })
}

/// Few distinct values, so that ties and zeros are common; one in five is missing.
fn value() -> impl Strategy<Value = Option<f64>> {
    prop::option::weighted(0.8, (-12_i32..12).prop_map(|n| f64::from(n) / 4.0))
}

fn ours(condition: &str, values: &[Option<f64>], grade: Option<&str>) -> Verdict {
    let plan = format!(
        "{{\"version\": 1, \"reading\": {{\"machine\": /m, \"time\": /t, \"attributes\": {{\"grade\": /g}}}},
        \"characteristics\": {{x: {{at: /x}}, y: {{at: /y}}, z: {{at: /z}}}},
        \"rules\": [{{id: r, when: {}}}]}}",
        serde_json::to_string(condition).unwrap()
    );
    let plan = ControlPlan::parse("plan", &plan).unwrap_or_else(|errors| panic!("{errors}"));
    let payload = serde_json::json!({"m": "m", "t": 0, "g": grade, "x": values[0], "y": values[1], "z": values[2]});
    let reading = plan.read(payload.to_string().as_bytes()).unwrap();
    plan.rules().next().unwrap().verdict(&reading, &[])
}

/// None where the interpreter finds an error.
fn theirs(condition: &str, values: &[Option<f64>], grade: Option<&str>) -> Option<bool> {
    let program = Program::compile(condition).unwrap();
    let mut context = Context::default();
    context.add_function("abs", |a: f64| a.abs()).unwrap();
    context
        .add_function("min", |a: f64, b: f64| if b < a { b } else { a })
        .unwrap();
    context
        .add_function("max", |a: f64, b: f64| if b > a { b } else { a })
        .unwrap();
    for (name, value) in NAMES.iter().zip(values) {
        if let Some(value) = value {
            context.add_variable_from_value(*name, *value);
        }
    }
    if let Some(grade) = grade {
        context.add_variable_from_value("grade", grade);
    }
    match program.execute(&context) {
        Ok(Value::Bool(boolean)) => Some(boolean),
        Ok(other) => panic!("{condition} is {other:?}"),
        Err(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_the_interpreter(
        condition in condition().prop_filter("within the plan's cap", |text| text.len() < 2_000),
        values in prop::collection::vec(value(), 3),
        grade in prop::option::of(prop::sample::select(&["L", "M", "H"][..])),
    ) {
        let ours = ours(&condition, &values, grade);
        // Unoptimised, the interpreter's parser needs more stack than a test's thread has.
        let theirs = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(32 << 20);
            thread.spawn_scoped(scope, || theirs(&condition, &values, grade)).unwrap().join().unwrap()
        });
        match ours {
            Verdict::Undecided => panic!("a condition decides"),
            Verdict::Fires => prop_assert_eq!(theirs, Some(true), "{}", condition),
            Verdict::Passes => prop_assert_eq!(theirs, Some(false), "{}", condition),
            // The interpreter compares with the infinities and NaN that a division leaves; a plan does not.
            Verdict::NotApplicable if condition.contains('/') => {}
            Verdict::NotApplicable => prop_assert_eq!(theirs, None, "{}", condition),
        }
    }
}
