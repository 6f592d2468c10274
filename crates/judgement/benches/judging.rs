//! What judging costs: one rule beside a hand-written closure (the floor) and the `cel` crate's own interpreter (the
//! peer); each kind of rule with memory; whole plans of 1 to 500 rules.
//!
//! `cargo bench -p judgement`. Compare within one run: machines differ, ratios hardly do.

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot run has to say why"
)]

use std::fmt::Write as _;
use std::hint::black_box;

use cel::{Context, Program, Value};
use control_plan::{ControlPlan, Reading, Verdict};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use judgement::{MachineState, judge};
use quality_event::Source;

criterion_group!(benches, conditions, kinds, plans);
criterion_main!(benches);

const HEAD: &str = "version: 1
reading: {machine: /m, time: /t, attributes: {grade: /g}}
characteristics:
  air_temperature: {at: /air}
  process_temperature: {at: /process}
  rotational_speed: {at: /speed}
  torque: {at: /torque}
  t: {at: /torque}
constants: {overstrain_limit: {by: grade, values: {L: 11000, M: 12000, H: 13000}}}
rules:
";

const HEAT: &str = "process_temperature - air_temperature < 8.6 && rotational_speed < 1380.0";
const POWER: &str = "torque * rotational_speed * 0.10471975511965977 < 3500.0 || torque * rotational_speed * 0.10471975511965977 > 9000.0";

fn plan(rules: &str) -> ControlPlan {
    ControlPlan::parse("plan", &format!("{HEAD}{rules}")).expect("a good plan")
}

/// A reading in control, the n-th of its machine.
fn reading(plan: &ControlPlan, n: u64) -> Reading {
    let noise = noise(n);
    let payload = format!(
        r#"{{"m":"press-07","t":{},"g":"M","air":{},"process":{},"speed":{},"torque":{}}}"#,
        1_795_000_000 + n,
        298.1 + noise,
        308.6 + noise,
        1_551.0 + 40.0 * noise,
        42.8 + 10.0 * noise
    );
    plan.read(payload.as_bytes()).expect("a good reading")
}

/// Between -0.5 and 0.5, without a pattern that a run test would find (splitmix64).
fn noise(n: u64) -> f64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
}

/// What the plan computes, written by hand.
struct Values {
    air: f64,
    process: f64,
    speed: f64,
    torque: f64,
}

fn heat(v: &Values) -> bool {
    v.process - v.air < 8.6 && v.speed < 1380.0
}

fn power(v: &Values) -> bool {
    v.torque * v.speed * 0.10471975511965977 < 3500.0
        || v.torque * v.speed * 0.10471975511965977 > 9000.0
}

fn conditions(criterion: &mut Criterion) {
    for (name, text, floor) in [
        ("heat-dissipation", HEAT, heat as fn(&Values) -> bool),
        ("power", POWER, power as fn(&Values) -> bool),
    ] {
        let mut group = criterion.benchmark_group(format!("condition/{name}"));
        let plan = plan(&format!("  - {{id: r, when: \"{text}\"}}\n"));
        let rule = plan.rule("r").expect("the rule");
        let reading = reading(&plan, 1);
        let value = |name: &str| plan.value(&reading, name).expect("a value");
        let values = Values {
            air: value("air_temperature"),
            process: value("process_temperature"),
            speed: value("rotational_speed"),
            torque: value("torque"),
        };
        let program = Program::compile(text).expect("an expression");
        let mut context = Context::default();
        for name in [
            "air_temperature",
            "process_temperature",
            "rotational_speed",
            "torque",
        ] {
            context.add_variable_from_value(name, value(name));
        }
        // All three agree before any is timed.
        let verdict = floor(&values);
        assert_eq!(rule.verdict(&reading, &[]), Verdict::from(verdict));
        assert_eq!(
            program.execute(&context).expect("a value"),
            Value::Bool(verdict)
        );

        group.bench_function("closure", |bencher| {
            bencher.iter(|| black_box(floor)(black_box(&values)));
        });
        group.bench_function("compiled rule", |bencher| {
            bencher.iter(|| black_box(rule).verdict(black_box(&reading), &[]));
        });
        // Its variables are set beforehand, which a stream could not do: the peer's best case.
        group.bench_function("cel interpreter", |bencher| {
            bencher.iter(|| {
                black_box(&program)
                    .execute(black_box(&context))
                    .expect("a value")
            });
        });
        group.finish();
    }
}

/// Each kind of rule through `judge`: state, episode and all. `nothing` is what a reading costs before any rule.
fn kinds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("judge");
    for (name, rule) in [
        ("when", "when: torque > 99"),
        (
            "specification",
            "specification: {characteristic: torque, lower: 3.8, upper: 76.6}",
        ),
        ("previous", "when: abs(torque - previous(torque)) > 99"),
        ("rate", "rate: {characteristic: torque, max_per_second: 99}"),
        ("stuck", "stuck: {characteristic: torque, readings: 9}"),
        ("missing", "missing: {characteristic: torque, readings: 3}"),
        ("gap", "gap: {seconds: 60}"),
        (
            "individuals, limits",
            "chart: {type: individuals, characteristic: torque, center: 42.8, sigma: 10}",
        ),
        (
            "individuals, western-electric",
            "chart: {type: individuals, characteristic: torque, center: 42.8, sigma: 10, tests: [western-electric-1, western-electric-2]}",
        ),
        (
            "individuals, nelson",
            "chart: {type: individuals, characteristic: torque, center: 42.8, sigma: 10, tests: [nelson-1, nelson-3, nelson-4, nelson-5]}",
        ),
        (
            "xbar-r",
            "chart: {type: xbar-r, characteristic: torque, center: 42.8, sigma: 10, subgroup: 5}",
        ),
        (
            "ewma",
            "chart: {type: ewma, characteristic: torque, center: 42.8, sigma: 10, lambda: 0.2, width: 2.7}",
        ),
        (
            "cusum",
            "chart: {type: cusum, characteristic: torque, center: 42.8, sigma: 10, k: 0.5, h: 5}",
        ),
    ] {
        let plan = plan(&format!("  - {{id: r, {rule}}}\n"));
        let readings: Vec<Reading> = (0..512).map(|n| reading(&plan, n)).collect();
        group.bench_function(name, |bencher| run(bencher, &plan, &readings));
    }
    group.finish();
}

/// Plans of so many rules, a third of them charts or other rules with memory.
fn plans(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan");
    group.throughput(Throughput::Elements(1));
    for rules in [1, 10, 100, 500] {
        let plan = plan(&mixed(rules));
        let readings: Vec<Reading> = (0..512).map(|n| reading(&plan, n)).collect();
        group.bench_with_input(
            BenchmarkId::from_parameter(rules),
            &plan,
            |bencher, plan| {
                run(bencher, plan, &readings);
            },
        );
    }
    group.finish();
}

/// No rule fires, so that what is timed is the judging and not the writing of events.
fn mixed(rules: usize) -> String {
    (0..rules).fold(String::new(), |mut text, n| {
        let rule = match n % 6 {
            0 => format!("when: \"t * 1.5 > {} && t > 3.5\"", 200 + n),
            1 => format!("when: \"t < 3.5 || t * t > {}\"", 9_000 + n),
            2 => format!("when: \"t > {}\"", 100 + n),
            3 => format!(
                "specification: {{characteristic: t, lower: 3.8, upper: {}}}",
                100 + n
            ),
            4 => format!(
                "chart: {{type: individuals, characteristic: t, center: 42.8, sigma: {}}}",
                10 + n
            ),
            _ => format!("missing: {{characteristic: t, readings: {}}}", 2 + n),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  - {{id: r{n}, {rule}}}");
        text
    })
}

fn run(bencher: &mut criterion::Bencher<'_>, plan: &ControlPlan, readings: &[Reading]) {
    let source = Source::File {
        file: "f".into(),
        line: 1,
    };
    let mut state = MachineState::default();
    let mut next = 0;
    bencher.iter(|| {
        let reading = &readings[next % readings.len()];
        next += 1;
        judge(plan, &mut state, black_box(reading), &source, reading.time)
    });
}
