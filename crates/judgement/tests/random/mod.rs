//! Random plans with every kind of rule, and random readings for them.

use control_plan::ControlPlan;
use proptest::prelude::*;
use proptest::sample::select;

const HEAD: &str = "
version: 1
reading: {machine: /m, time: /t, id: /id, attributes: {grade: /g, tool: /w}}
characteristics: {x: {at: /x}, y: {at: /y}, n: {at: /n}, sum: {formula: x + y}}
constants: {limit: {by: grade, values: {L: 1, M: 2}}}
rules:
";

/// A plan's text with some rules of every kind; `r0`, `r1`, … are their ids, so that plans share ids and differ in
/// what they mean.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec((0_u32..12, rule()), 1..10).prop_map(|rules| {
        let mut text = HEAD.to_owned();
        let mut ids = std::collections::BTreeSet::new();
        for (id, rule) in rules {
            if ids.insert(id) {
                text += &format!("  - {{id: r{id}, {rule}}}\n");
            }
        }
        text
    })
}

/// A plan.
pub fn plan() -> impl Strategy<Value = ControlPlan> {
    text().prop_map(|text| {
        ControlPlan::parse("plan", &text).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
    })
}

fn rule() -> impl Strategy<Value = String> {
    let sustain = select(&["", ", for: {readings: 3}", ", for: {seconds: 4}"][..]);
    let kind = prop_oneof![
        condition(),
        chart(),
        (1_u32..8).prop_map(|rate| format!("rate: {{characteristic: x, max_per_second: {rate}}}")),
    ];
    let alone = prop_oneof![
        (2_u32..5, 0_u32..2).prop_map(|(readings, tolerance)| format!(
            "stuck: {{characteristic: y, readings: {readings}, tolerance: {tolerance}}}"
        )),
        (1_u32..4)
            .prop_map(|readings| format!("missing: {{characteristic: x, readings: {readings}}}")),
        (1_u32..3).prop_map(|seconds| format!("gap: {{seconds: {seconds}}}")),
    ];
    prop_oneof![
        3 => (kind, sustain).prop_map(|(kind, sustain)| kind + sustain),
        1 => alone,
    ]
}

fn condition() -> impl Strategy<Value = String> {
    let text = select(
        &[
            "when: x > 2",
            "when: sum < 1 || has(y) && y > 3",
            "when: x > limit",
            "when: x > previous(x)",
            "when: abs(x - previous(x)) > 2 || y < previous(sum)",
            "when: has(x) && grade == 'L'",
            "specification: {characteristic: y, lower: -2, upper: 2}",
            "specification: {characteristic: x, upper: 3, subgroup: 3}",
        ][..],
    );
    text.prop_map(str::to_owned)
}

fn chart() -> impl Strategy<Value = String> {
    let baseline = select(&["center: 0.5, sigma: 1.2", "learn: 10", "learn: 25"][..]);
    let tests = select(
        &[
            "limits",
            "western-electric",
            "nelson",
            "[western-electric-2, nelson-3, nelson-8]",
        ][..],
    );
    let restart = select(
        &[
            "",
            ", reset_on: tool",
            ", relearn_on: [grade, tool]",
            ", reset_on: grade, relearn_on: tool",
        ][..],
    );
    let by_points = (
        select(
            &[
                "type: individuals",
                "type: xbar-r, subgroup: 3",
                "type: xbar-s, subgroup: 4",
                "type: xbar-r, subgroup: {by: tool}",
                "type: xbar-s, subgroup: {by: grade}",
            ][..],
        ),
        baseline.clone(),
        tests.clone(),
    )
        .prop_map(|(kind, baseline, tests)| {
            format!("{kind}, characteristic: x, {baseline}, tests: {tests}")
        });
    let by_memory = (
        select(
            &[
                "type: ewma, lambda: 0.3, width: 2.5",
                "type: ewma, lambda: 0.1, width: 2.7, limits: steady",
                "type: cusum, k: 0.5, h: 4",
                "type: cusum, k: 0.25, h: 3, head_start: 1.5",
            ][..],
        ),
        baseline,
    )
        .prop_map(|(kind, baseline)| format!("{kind}, characteristic: sum, {baseline}"));
    let by_counts = (
        select(
            &[
                ("type: p, size: n", "center: 0.2"),
                ("type: p, size: 20", "center: 0.2"),
                ("type: np, size: 20", "center: 4"),
                ("type: c", "center: 2"),
                ("type: u, size: n", "center: 0.5"),
            ][..],
        ),
        any::<bool>(),
        tests,
    )
        .prop_map(|((kind, given), learned, tests)| {
            let baseline = if learned { "learn: 12" } else { given };
            format!("{kind}, characteristic: y, {baseline}, tests: {tests}")
        });
    (prop_oneof![by_points, by_memory, by_counts], restart)
        .prop_map(|(chart, restart)| format!("chart: {{{chart}{restart}}}"))
}

/// A reading's payload, the plan that judges it, and whether the state is stored and loaded before it.
#[derive(Clone, Debug)]
pub struct Step {
    /// The payload.
    pub payload: String,
    /// Which of two plans.
    pub plan: usize,
    /// Whether the state goes through its stored form before.
    pub stored: bool,
}

/// Times are steps from the reading before, some of them backwards; some ids come twice.
pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..120).prop_map(|steps| {
        let mut now = 1_000_000;
        steps
            .into_iter()
            .map(|(mut payload, advance, plan, stored)| {
                now += advance;
                payload["t"] = now.into();
                Step {
                    payload: payload.to_string(),
                    plan,
                    stored,
                }
            })
            .collect()
    })
}

fn step() -> impl Strategy<Value = (serde_json::Value, i64, usize, bool)> {
    let value = || {
        prop::option::weighted(
            0.9,
            prop_oneof![-2_i32..4, -40..90].prop_map(|n| f64::from(n) / 2.0),
        )
    };
    (
        value(),
        prop::option::weighted(0.9, 0_u32..6),
        prop::option::weighted(0.95, 5_u32..30),
        -2_i64..4,
        prop::option::of(select(&["L", "M", "H"][..])),
        prop::option::weighted(0.9, select(&["a", "b"][..])),
        prop::option::of(0_u32..500),
        prop::bool::weighted(0.05),
        any::<bool>(),
    )
        .prop_map(|(x, y, n, advance, grade, tool, id, changed, stored)| {
            let payload = serde_json::json!({"m": "m", "x": x, "y": y, "n": n, "g": grade, "w": tool, "id": id});
            (payload, advance, usize::from(changed), stored)
        })
}
