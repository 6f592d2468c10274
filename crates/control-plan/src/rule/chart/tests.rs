//! Every type of chart: what it takes, what it refuses, what its events say.

use control_chart::{Chart, ChartKind, Limits, Point, Spread, Test, Tests};

use super::super::fixture::{Values, definition, is_farther, kind, named, told};
use super::super::{Evidence, RuleKind};
use super::{ChartRule, SampleSize};

fn chart(rule: &str) -> Result<ChartRule, Vec<String>> {
    kind(&format!("chart: {{{rule}}}")).map(|kind| match kind {
        RuleKind::Chart(chart) => chart,
        other => panic!("{other:?}"),
    })
}

/// `Debug` of the chart's kind and baseline, or the messages.
#[track_caller]
fn check(rule: &str, expected: Result<&str, &[&str]>) {
    let shown = |chart: Chart| format!("{:?}, {:?}", chart.kind(), chart.baseline());
    let found = chart(rule).map(|chart| shown(chart.chart));
    let expected = expected
        .map(str::to_owned)
        .map_err(|told| told.iter().map(|text| (*text).to_owned()).collect());
    assert_eq!(found, expected, "{rule}");
}

#[test]
fn each_type_has_its_keys_and_defaults() {
    let given = "Given { center: 40.0, sigma: 10.0 }";
    check(
        "type: individuals, characteristic: torque, center: 40, sigma: 10",
        Ok(&format!("Individuals, {given}")),
    );
    check(
        "type: xbar-r, characteristic: torque, center: 40, sigma: 10, subgroup: 5",
        Ok(&format!("XbarR(Of(5)), {given}")),
    );
    check(
        "type: xbar-s, characteristic: torque, learn: 25, subgroup: {by: tool}",
        Ok("XbarS(ByKey), Learned { points: 25 }"),
    );
    check(
        "type: ewma, characteristic: torque, center: 40, sigma: 10, lambda: 0.2",
        Ok(&format!(
            "Ewma {{ lambda: 0.2, width: 3.0, limits: TimeVarying }}, {given}"
        )),
    );
    check(
        "type: ewma, characteristic: torque, learn: 10, lambda: 1, width: 2.7, limits: steady",
        Ok("Ewma { lambda: 1.0, width: 2.7, limits: Steady }, Learned { points: 10 }"),
    );
    check(
        "type: cusum, characteristic: torque, center: 40, sigma: 10",
        Ok(&format!(
            "Cusum {{ k: 0.5, h: 5.0, head_start: 0.0 }}, {given}"
        )),
    );
    check(
        "type: cusum, characteristic: torque, learn: 50, k: 0.25, h: 8, head_start: 4",
        Ok("Cusum { k: 0.25, h: 8.0, head_start: 4.0 }, Learned { points: 50 }"),
    );
    check(
        "type: p, characteristic: defects, size: inspected, center: 0.02",
        Ok("P, GivenCenter(0.02)"),
    );
    check(
        "type: np, characteristic: defects, size: 50, center: 2",
        Ok("Np { size: 50.0 }, GivenCenter(2.0)"),
    );
    check(
        "type: c, characteristic: defects, learn: 30",
        Ok("C, Learned { points: 30 }"),
    );
    check(
        "type: u, characteristic: defects, size: 2.5, center: 3",
        Ok("U, GivenCenter(3.0)"),
    );
}

#[test]
fn faults_do_not_hide_one_another() {
    check(
        "type: ewma, characteristic: torqe, center: 40, sigma: 0, lambda: 2, width: -1, limits: narrow, tests: nelson, h: 5",
        Err(&[
            "unknown characteristic `torqe`; did you mean `torque`?",
            "sigma must be above 0",
            "lambda must be above 0 and at most 1",
            "width must be above 0 and at most 100 standard deviations",
            "unknown kind of limits `narrow`; known: `time-varying`, `steady`",
            "an ewma chart takes no `tests`: its points depend on one another, so that runs of them say nothing",
            "an ewma chart takes no `h`; its own keys: `sigma`, `lambda`, `width`, `limits`",
        ]),
    );
    check(
        "type: cusum, characteristic: torque, learn: 5, k: -1, h: 0, head_start: 5000",
        Err(&[
            "learn must be a whole number from 10 to 100000",
            "k must be 0 to 100 sigmas",
            "h must be above 0 and at most 1000 sigmas",
            "head_start must be at least 0 and below h",
        ]),
    );
    check(
        "type: xbar-r, characteristic: torque, subgroup: 26, tests: [nelson-9, moving-range-beyond-limits]",
        Err(&[
            "the chart needs `center` and `sigma`, or `learn`: so many points that it learns them from",
            "subgroup must be a whole number from 2 to 25",
            "unknown test `nelson-9`; did you mean `nelson-1`?",
            "an xbar-r chart has no second chart for `moving-range-beyond-limits`",
        ]),
    );
}

/// Which tests `tests` selects on an individuals chart.
#[track_caller]
fn check_tests(tests: &str, expected: Tests) {
    let rule = format!("type: individuals, characteristic: torque, learn: 10{tests}");
    assert_eq!(chart(&rule).unwrap().chart.tests(), expected, "{tests}");
}

#[test]
fn tests_are_a_group_or_a_list() {
    let kind = ChartKind::Individuals;
    check_tests("", Tests::limits(kind));
    check_tests(", tests: limits", Tests::limits(kind));
    check_tests(", tests: western-electric", Tests::western_electric(kind));
    check_tests(", tests: nelson", Tests::nelson(kind));
    check_tests(
        ", tests: [nelson-3, beyond-limits]",
        Tests::of(Test::Nelson3).union(Tests::of(Test::BeyondLimits)),
    );
}

#[test]
fn sizes_and_attributes_are_found() {
    let size = |size: &str| {
        let rule = format!("type: u, characteristic: defects, size: {size}, center: 1");
        chart(&rule).unwrap().size
    };
    assert_eq!(size("2"), Some(SampleSize::Constant(2.0)));
    assert!(matches!(
        size("inspected"),
        Some(SampleSize::Characteristic(_))
    ));
    let found = chart("type: xbar-s, characteristic: torque, learn: 20, subgroup: {by: tool}, reset_on: grade, relearn_on: [tool, grade]").unwrap();
    assert!(found.subgroup_by.is_some());
    assert_eq!((found.reset_on.len(), found.relearn_on.len()), (1, 2));
    assert_eq!(found.subgroup_by, Some(found.relearn_on[0]));
}

fn point(value: f64, limits: (Option<f64>, f64, Option<f64>), fired: Test) -> Point {
    Point {
        value,
        limits: Limits {
            center: limits.1,
            lower: limits.0,
            upper: limits.2,
        },
        sigma: 1.0,
        spread: None,
        cusum: None,
        fired: Tests::of(fired),
    }
}

#[track_caller]
fn check_told(rule: &str, point: Point, values: &[(&str, f64)], tracked: &str, summary: &str) {
    let members = r#""torque":75.2,"defects":7,"inspected":50"#;
    let found: (Values, Values, String) = told(
        &format!("chart: {{{rule}}}"),
        members,
        &Evidence::Chart(point),
    );
    assert_eq!(found.0, named(values), "{rule}");
    assert_eq!(found.1, named(&[(tracked, point.value)]), "{rule}");
    assert_eq!(found.2, summary, "{rule}");
}

#[test]
fn events_tell_the_point() {
    let both = (Some(10.0), 40.0, Some(70.0));
    let limits = [
        ("torque.center", 40.0),
        ("torque.lower_limit", 10.0),
        ("torque.upper_limit", 70.0),
    ];
    let individual = Point {
        spread: Some(Spread {
            value: 38.0,
            limits: Limits {
                center: 11.28,
                lower: None,
                upper: Some(36.86),
            },
        }),
        ..point(75.2, both, Test::BeyondLimits)
    };
    let values: Vec<(&str, f64)> = [("torque", 75.2)]
        .into_iter()
        .chain(limits)
        .chain([("torque.moving_range", 38.0)])
        .collect();
    check_told(
        "type: individuals, characteristic: torque, center: 40, sigma: 10",
        individual,
        &values,
        "torque",
        "r: torque 75.2 Nm on press-07 (individuals chart: beyond-limits; moving range 38 beyond 36.86, centre 40, limits 10..70)",
    );
    let subgroup = Point {
        spread: Some(Spread {
            value: 5.0,
            limits: Limits {
                center: 23.26,
                lower: None,
                upper: Some(49.18),
            },
        }),
        ..point(71.5, both, Test::WesternElectric2)
    };
    let values: Vec<(&str, f64)> = [("torque", 75.2), ("torque.mean", 71.5)]
        .into_iter()
        .chain(limits)
        .chain([("torque.range", 5.0)])
        .collect();
    check_told(
        "type: xbar-r, characteristic: torque, center: 40, sigma: 10, subgroup: 5",
        subgroup,
        &values,
        "torque.mean",
        "r: torque 75.2 Nm on press-07 (xbar-r chart: western-electric-2; mean 71.5, centre 40, limits 10..70)",
    );
    let values: Vec<(&str, f64)> = [("torque", 75.2), ("torque.ewma", 70.5)]
        .into_iter()
        .chain(limits)
        .collect();
    check_told(
        "type: ewma, characteristic: torque, center: 40, sigma: 10, lambda: 0.2",
        point(70.5, both, Test::BeyondLimits),
        &values,
        "torque.ewma",
        "r: torque 75.2 Nm on press-07 (ewma chart: beyond-limits; ewma 70.5, centre 40, limits 10..70)",
    );
    check_told(
        "type: cusum, characteristic: torque, center: 40, sigma: 10",
        Point {
            cusum: Some((52.0, 0.0)),
            ..point(52.0, (None, 0.0, Some(50.0)), Test::BeyondLimits)
        },
        &[
            ("torque", 75.2),
            ("torque.cusum_high", 52.0),
            ("torque.cusum_low", 0.0),
            ("torque.upper_limit", 50.0),
        ],
        "torque.cusum",
        "r: torque 75.2 Nm on press-07 (cusum chart: beyond-limits; sums 52 up, 0 down, limit 50)",
    );
    check_told(
        "type: p, characteristic: defects, size: inspected, center: 0.02",
        point(0.14, (None, 0.02, Some(0.0794)), Test::BeyondLimits),
        &[
            ("defects", 7.0),
            ("inspected", 50.0),
            ("defects.proportion", 0.14),
            ("defects.center", 0.02),
            ("defects.upper_limit", 0.0794),
        ],
        "defects.proportion",
        "r: defects 7, inspected 50 on press-07 (p chart: beyond-limits; proportion 0.14, centre 0.02, upper limit 0.0794)",
    );
    check_told(
        "type: c, characteristic: defects, center: 2",
        point(7.0, (None, 2.0, Some(6.24)), Test::BeyondLimits),
        &[
            ("defects", 7.0),
            ("defects.center", 2.0),
            ("defects.upper_limit", 6.24),
        ],
        "defects",
        "r: defects 7 on press-07 (c chart: beyond-limits; centre 2, upper limit 6.24)",
    );
}

#[test]
fn the_extreme_is_the_farthest_from_the_centre() {
    let rule = "chart: {type: individuals, characteristic: torque, center: 40, sigma: 10}";
    let found = Evidence::Chart(point(
        75.2,
        (Some(10.0), 40.0, Some(70.0)),
        Test::BeyondLimits,
    ));
    assert!(is_farther(rule, "torque", 4.0, 75.0, &found));
    assert!(!is_farther(rule, "torque", 75.0, 4.0, &found));
}

/// Each change gives another definition, also from all the others.
#[test]
fn a_definition_covers_all_that_decides() {
    let rules = [
        "type: xbar-r, characteristic: torque, center: 40, sigma: 10, subgroup: 5",
        "type: xbar-s, characteristic: torque, center: 40, sigma: 10, subgroup: 5",
        "type: xbar-r, characteristic: defects, center: 40, sigma: 10, subgroup: 5",
        "type: xbar-r, characteristic: torque, center: 41, sigma: 10, subgroup: 5",
        "type: xbar-r, characteristic: torque, center: 40, sigma: 11, subgroup: 5",
        "type: xbar-r, characteristic: torque, center: 40, sigma: 10, subgroup: 6",
        "type: xbar-r, characteristic: torque, center: 40, sigma: 10, subgroup: {by: tool}",
        "type: xbar-r, characteristic: torque, center: 40, sigma: 10, subgroup: {by: grade}",
        "type: xbar-r, characteristic: torque, center: 40, sigma: 10, subgroup: 5, tests: nelson",
        "type: xbar-r, characteristic: torque, center: 40, sigma: 10, subgroup: 5, reset_on: tool",
        "type: xbar-r, characteristic: torque, center: 40, sigma: 10, subgroup: 5, relearn_on: tool",
        "type: xbar-r, characteristic: torque, learn: 40, subgroup: 5",
        "type: xbar-r, characteristic: torque, learn: 41, subgroup: 5",
        "type: ewma, characteristic: torque, learn: 40, lambda: 0.2",
        "type: ewma, characteristic: torque, learn: 40, lambda: 0.3",
        "type: ewma, characteristic: torque, learn: 40, lambda: 0.2, width: 2",
        "type: ewma, characteristic: torque, learn: 40, lambda: 0.2, limits: steady",
        "type: cusum, characteristic: torque, learn: 40",
        "type: cusum, characteristic: torque, learn: 40, k: 1",
        "type: cusum, characteristic: torque, learn: 40, h: 4",
        "type: cusum, characteristic: torque, learn: 40, head_start: 1",
        "type: np, characteristic: defects, learn: 40, size: 50",
        "type: np, characteristic: defects, learn: 40, size: 60",
        "type: p, characteristic: defects, learn: 40, size: 50",
        "type: p, characteristic: defects, learn: 40, size: inspected",
        "type: p, characteristic: defects, center: 0.4, size: inspected",
    ];
    let mut seen: Vec<u64> = rules
        .iter()
        .map(|rule| definition(&format!("chart: {{{rule}}}")))
        .collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), rules.len());
}
