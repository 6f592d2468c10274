//! Worked examples as they were published, with the numbers of their sources and the tolerance of their print.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod averages_and_sums;
mod counts;
mod individuals;
mod subgroups;

use control_chart::{
    Baseline, Chart, ChartKind, ChartState, Limits, Observed, Point, Sample, Test, Tests,
};

#[track_caller]
fn check(actual: f64, published: f64, tolerance: f64) {
    assert!(
        (actual - published).abs() <= tolerance,
        "{actual}, not {published} (within {tolerance})"
    );
}

#[track_caller]
fn check_limits(limits: Limits, published: (Option<f64>, f64, Option<f64>), tolerance: f64) {
    let (lower, center, upper) = published;
    check(limits.center, center, tolerance);
    for (actual, published) in [(limits.lower, lower), (limits.upper, upper)] {
        match (actual, published) {
            (Some(actual), Some(published)) => check(actual, published, tolerance),
            (actual, published) => assert_eq!(actual, published, "one is absent"),
        }
    }
}

/// The points of a chart; what phase I takes in gives none.
fn points(
    kind: ChartKind,
    baseline: Baseline,
    samples: impl IntoIterator<Item = Sample>,
) -> Vec<Point> {
    let chart = Chart::new(kind, baseline, Tests::limits(kind)).unwrap();
    let mut state = ChartState::default();
    samples
        .into_iter()
        .filter_map(|sample| match chart.observe(&mut state, sample) {
            Observed::Point(point) => Some(point),
            Observed::Gathering | Observed::Learning => None,
            Observed::Unusable => panic!("{sample:?} is unusable"),
        })
        .collect()
}

/// The places, counted from 1, of the points at which `test` fires.
fn fired(points: &[Point], test: Test) -> Vec<usize> {
    (1..)
        .zip(points)
        .filter(|(_, point)| point.fired.contains(test))
        .map(|(place, _)| place)
        .collect()
}

fn values(series: &[f64]) -> impl Iterator<Item = Sample> + '_ {
    series.iter().map(|value| Sample::Value(*value))
}
