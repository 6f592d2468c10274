//! Any number at all: nothing panics, and what is judged is finite.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use control_chart::{
    Baseline, Chart, ChartKind, ChartState, Limits, Observed, Sample, Subgroups, Tests,
    individuals_from,
};
use proptest::prelude::*;
use support::{chart, steps};

/// Every class of double, weighted towards the ends of the scale.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        prop::num::f64::ANY,
        (-330_i32..309).prop_map(|exponent| 10_f64.powi(exponent)),
        (-330_i32..309).prop_map(|exponent| -(10_f64.powi(exponent))),
        (-330_i32..309).prop_map(|exponent| 3.0 * 10_f64.powi(exponent)),
        prop::sample::select(vec![
            0.0,
            -0.0,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            5e-324,
            1e150,
            -1e150,
            9.99e149,
            f64::INFINITY,
            f64::NAN,
        ]),
    ]
}

fn sample() -> impl Strategy<Value = Sample> {
    prop_oneof![
        number().prop_map(Sample::Value),
        (number(), number()).prop_map(|(count, size)| Sample::Counted { count, size }),
        number().prop_map(|size| Sample::Counted { count: size, size }),
        number().prop_map(|size| Sample::Counted { count: 0.0, size }),
    ]
}

fn are_finite(limits: Limits) -> bool {
    limits.center.is_finite()
        && limits.lower.is_none_or(f64::is_finite)
        && limits.upper.is_none_or(f64::is_finite)
}

#[track_caller]
fn check(observed: Observed) {
    if let Observed::Point(point) = observed {
        let sums = point.cusum.unwrap_or_default();
        let is_finite = point.value.is_finite()
            && point.sigma.is_finite()
            && are_finite(point.limits)
            && sums.0.is_finite()
            && sums.1.is_finite()
            && point
                .spread
                .is_none_or(|spread| spread.value.is_finite() && are_finite(spread.limits));
        assert!(is_finite, "{point:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_chart_stands_any_sample(
        chart in chart(),
        sound in steps(),
        samples in prop::collection::vec(sample(), 1..120),
    ) {
        let mut state = ChartState::default();
        for step in sound.into_iter().take(40) {
            step.take(&chart, &mut state);
        }
        for sample in samples {
            check(chart.observe(&mut state, sample));
            prop_assert!(state.is_plausible());
        }
        check(chart.boundary(&mut state));
    }

    /// A given centre and sigma are refused or give finite limits at any sample.
    #[test]
    fn every_baseline_is_refused_or_sound(
        (center, sigma) in (number(), number()),
        kind in 0..4_usize,
        samples in prop::collection::vec(sample(), 1..60),
    ) {
        let kinds = [
            ChartKind::Individuals,
            ChartKind::XbarR(Subgroups::Of(2)),
            ChartKind::Ewma { lambda: 0.2, width: 100.0, limits: Default::default() },
            ChartKind::Cusum { k: 100.0, h: 1_000.0, head_start: 500.0 },
        ];
        let counts = [ChartKind::P, ChartKind::Np { size: 40.0 }, ChartKind::C, ChartKind::U];
        for (kind, baseline) in [
            (kinds[kind], Baseline::Given { center, sigma }),
            (counts[kind], Baseline::GivenCenter(center)),
        ] {
            let Ok(chart) = Chart::new(kind, baseline, Tests::limits(kind)) else {
                continue;
            };
            let mut state = ChartState::default();
            for sample in &samples {
                check(chart.observe(&mut state, *sample));
            }
        }
    }

    /// A whole series, likewise.
    #[test]
    fn limits_of_any_series_are_finite_or_none(
        series in prop::collection::vec(number(), 0..30),
    ) {
        if let Some((x, moving_range, sigma)) = individuals_from(&series) {
            prop_assert!(are_finite(x) && are_finite(moving_range) && sigma.is_finite());
        }
    }
}

/// Values from 1e150 on are unusable, and those below are not: their squares are finite.
#[test]
fn the_largest_usable_value_is_below_1e150() {
    let kind = ChartKind::Individuals;
    let given = Baseline::Given {
        center: 0.0,
        sigma: 1.0,
    };
    let chart = Chart::new(kind, given, Tests::limits(kind)).unwrap();
    for (value, is_usable) in [
        (1e150, false),
        (-1e150, false),
        (9.99e149, true),
        (-9.99e149, true),
        (5e-324, true),
        (-0.0, true),
        (f64::MAX, false),
        (f64::INFINITY, false),
        (f64::NAN, false),
    ] {
        let observed = chart.observe(&mut ChartState::default(), Sample::Value(value));
        assert_eq!(observed != Observed::Unusable, is_usable, "{value}");
    }
}

/// What a count has to be: not negative, of a positive size, and part of it for p and np.
#[test]
fn counts_have_to_be_counts() {
    let p = ChartKind::P;
    let np = ChartKind::Np { size: 40.0 };
    for (kind, count, size, is_usable) in [
        (p, 0.0, 40.0, true),
        (p, 40.0, 40.0, true),
        (p, 40.5, 40.0, false),
        (p, -1.0, 40.0, false),
        (p, 1.0, 0.0, false),
        (p, 1.0, -40.0, false),
        (p, 1.0, f64::NAN, false),
        (np, 40.0, 40.0, true),
        (np, 41.0, 40.0, false),
        (np, -1.0, 40.0, false),
        (ChartKind::U, 41.0, 40.0, true),
        (ChartKind::U, 41.0, 0.0, false),
        (ChartKind::U, -1.0, 40.0, false),
        (ChartKind::C, 41.0, 1.0, true),
        (ChartKind::C, -1.0, 1.0, false),
    ] {
        let center = if kind == np { 10.0 } else { 0.25 };
        let chart = Chart::new(kind, Baseline::GivenCenter(center), Tests::limits(kind)).unwrap();
        let sample = Sample::Counted { count, size };
        let observed = chart.observe(&mut ChartState::default(), sample);
        assert_eq!(
            observed != Observed::Unusable,
            is_usable,
            "{count} of {size} on a {} chart",
            kind.as_str()
        );
    }
}
