//! How readings form subgroups.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use control_chart::constants::{c4, d2, d3};
use control_chart::{
    Baseline, Chart, ChartKind, ChartState, Observed, Point, Sample, Subgroups, Test, Tests,
};

const GIVEN: Baseline = Baseline::Given {
    center: 10.0,
    sigma: 2.0,
};

fn chart(kind: ChartKind) -> Chart {
    Chart::new(kind, GIVEN, Tests::limits(kind)).unwrap()
}

/// Takes in values of which the last ends a subgroup, or the boundary after them does.
#[track_caller]
fn subgroup(chart: &Chart, state: &mut ChartState, values: &[f64]) -> Point {
    let mut observed = Observed::Gathering;
    for value in values {
        assert_eq!(observed, Observed::Gathering);
        observed = chart.observe(state, Sample::Value(*value));
    }
    match observed {
        Observed::Gathering => match chart.boundary(state) {
            Observed::Point(point) => point,
            other => panic!("{other:?} of {values:?}"),
        },
        Observed::Point(point) => point,
        other => panic!("{other:?} of {values:?}"),
    }
}

/// The limits follow each subgroup's own size; those of the spread too.
#[test]
fn limits_follow_the_size() {
    for n in 2..=25_u8 {
        let values: Vec<f64> = (0..n).map(|v| 10.0 + f64::from(v % 2)).collect();
        let root = f64::from(n).sqrt();
        for subgroups in [Subgroups::Of(n), Subgroups::ByKey] {
            let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a}, not {b}, of {n}");
            let ranges = chart(ChartKind::XbarR(subgroups));
            let point = subgroup(&ranges, &mut ChartState::default(), &values);
            near(point.limits.upper.unwrap(), 10.0 + 6.0 / root);
            near(point.limits.lower.unwrap(), 10.0 - 6.0 / root);
            let spread = point.spread.unwrap();
            assert_eq!(spread.value, 1.0);
            near(spread.limits.center, 2.0 * d2(n));
            near(spread.limits.upper.unwrap(), 2.0 * (d2(n) + 3.0 * d3(n)));
            // D3 of the tables is above zero from 7 readings on, B3 from 6.
            assert_eq!(spread.limits.lower.is_some(), n >= 7, "{n}");
            let deviations = chart(ChartKind::XbarS(subgroups));
            let point = subgroup(&deviations, &mut ChartState::default(), &values);
            let spread = point.spread.unwrap();
            let deviation = (1.0 - c4(n) * c4(n)).sqrt();
            near(spread.limits.center, 2.0 * c4(n));
            near(
                spread.limits.upper.unwrap(),
                2.0 * (c4(n) + 3.0 * deviation),
            );
            assert_eq!(spread.limits.lower.is_some(), n >= 6, "{n}");
        }
    }
}

/// A subgroup by key ends at 25 readings of its own; the boundary after it has nothing to judge.
#[test]
fn a_subgroup_by_key_ends_at_25() {
    let chart = chart(ChartKind::XbarS(Subgroups::ByKey));
    let mut state = ChartState::default();
    for round in 0..3 {
        for place in 1..=24 {
            let observed = chart.observe(&mut state, Sample::Value(f64::from(place)));
            assert_eq!(observed, Observed::Gathering, "{place} of round {round}");
        }
        let ended = chart.observe(&mut state, Sample::Value(25.0));
        assert!(matches!(ended, Observed::Point(_)), "{ended:?}");
    }
    assert_eq!(chart.boundary(&mut state), Observed::Gathering);
}

/// A single reading has no spread: it is forgotten where its subgroup ends.
#[test]
fn a_single_reading_is_no_subgroup() {
    let chart = chart(ChartKind::XbarR(Subgroups::ByKey));
    let mut state = ChartState::default();
    assert_eq!(chart.boundary(&mut state), Observed::Gathering);
    chart.observe(&mut state, Sample::Value(1_000.0));
    assert_eq!(chart.boundary(&mut state), Observed::Gathering);
    let point = subgroup(&chart, &mut state, &[10.0, 12.0]);
    assert_eq!((point.value, point.spread.unwrap().value), (11.0, 2.0));
}

/// A spread out of control fires although the mean is in control.
#[test]
fn a_spread_fires_alone() {
    for (kind, test) in [
        (ChartKind::XbarR(Subgroups::Of(4)), Test::RangeBeyondLimits),
        (
            ChartKind::XbarS(Subgroups::Of(4)),
            Test::StandardDeviationBeyondLimits,
        ),
    ] {
        let chart = chart(kind);
        let point = subgroup(&chart, &mut ChartState::default(), &[0.0, 20.0, 0.0, 20.0]);
        assert_eq!(point.fired.iter().collect::<Vec<_>>(), [test]);
        let point = subgroup(
            &chart,
            &mut ChartState::default(),
            &[14.0, 13.0, 14.0, 13.0],
        );
        assert_eq!(point.fired.iter().collect::<Vec<_>>(), [Test::BeyondLimits]);
    }
    let individuals = chart(ChartKind::Individuals);
    let mut state = ChartState::default();
    individuals.observe(&mut state, Sample::Value(5.0));
    let observed = individuals.observe(&mut state, Sample::Value(15.0));
    let Observed::Point(point) = observed else {
        panic!("{observed:?}");
    };
    let fired: Vec<_> = point.fired.iter().collect();
    assert_eq!(fired, [Test::MovingRangeBeyondLimits]);
}
