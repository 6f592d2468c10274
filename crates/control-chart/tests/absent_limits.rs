//! Limits that do not exist: below zero of what is never negative, above all that can be counted.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use control_chart::{Baseline, Chart, ChartKind, ChartState, Observed, Sample, Test, Tests};

#[track_caller]
fn check(kind: ChartKind, center: f64, sample: Sample, expected: (Option<f64>, Option<f64>)) {
    let chart = Chart::new(kind, Baseline::GivenCenter(center), Tests::limits(kind)).unwrap();
    let Observed::Point(point) = chart.observe(&mut ChartState::default(), sample) else {
        panic!("{sample:?} is unusable");
    };
    for (found, expected) in [
        (point.limits.lower, expected.0),
        (point.limits.upper, expected.1),
    ] {
        match (found, expected) {
            (Some(found), Some(expected)) => assert!((found - expected).abs() < 5e-4, "{found}"),
            (found, expected) => assert_eq!(found, expected, "one is absent"),
        }
    }
    // What is sampled here lies on the edge of what can be counted: no absent limit is exceeded.
    if expected.0.is_none() && point.value == 0.0 || expected.1.is_none() {
        assert!(!point.fired.contains(Test::BeyondLimits));
    }
}

#[test]
fn limits_end_where_counting_ends() {
    let counted = |count, size| Sample::Counted { count, size };
    let np = ChartKind::Np { size: 10.0 };
    check(ChartKind::P, 0.1, counted(0.0, 10.0), (None, Some(0.3846)));
    check(ChartKind::P, 0.9, counted(10.0, 10.0), (Some(0.6154), None));
    check(ChartKind::P, 0.5, counted(1.0, 2.0), (None, None));
    check(
        ChartKind::P,
        0.5,
        counted(50.0, 100.0),
        (Some(0.35), Some(0.65)),
    );
    check(np, 1.0, Sample::Value(0.0), (None, Some(3.846)));
    check(np, 9.0, Sample::Value(10.0), (Some(6.1538), None));
    check(ChartKind::C, 4.0, Sample::Value(0.0), (None, Some(10.0)));
    // A limit of exactly zero cannot be fallen short of, and does not exist either.
    check(ChartKind::C, 9.0, Sample::Value(0.0), (None, Some(18.0)));
    check(
        ChartKind::C,
        16.0,
        Sample::Value(0.0),
        (Some(4.0), Some(28.0)),
    );
    check(ChartKind::U, 2.0, counted(0.0, 4.0), (None, Some(4.1213)));
    check(ChartKind::U, 2.0, counted(0.0, 8.0), (Some(0.5), Some(3.5)));
}
