//! A chart's state, stored and restored: nothing is lost, nothing grows, and what no chart leaves is refused.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use control_chart::{
    Baseline, Chart, ChartKind, ChartState, EwmaLimits, Observed, Sample, Subgroups, Tests,
};
use proptest::prelude::*;
use support::{chart, steps};

fn encoded(state: &ChartState) -> Vec<u8> {
    postcard::to_stdvec(state).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// However the series is cut: the state decoded after every single step gives what the state never stored gives.
    #[test]
    fn storing_changes_nothing(chart in chart(), steps in steps()) {
        let (mut kept, mut stored) = (ChartState::default(), ChartState::default());
        for step in steps {
            let expected = step.take(&chart, &mut kept);
            prop_assert_eq!(step.take(&chart, &mut stored), expected);
            let bytes = encoded(&stored);
            prop_assert!(bytes.len() <= chart.state_bytes(), "{} bytes", bytes.len());
            stored = postcard::from_bytes(&bytes).unwrap();
            prop_assert_eq!(&stored, &kept);
            prop_assert!(stored.is_plausible());
        }
    }

    /// What cannot be used leaves no trace.
    #[test]
    fn an_unusable_sample_leaves_the_state(chart in chart(), steps in steps()) {
        let mut state = ChartState::default();
        for step in steps {
            let before = state.clone();
            if step.take(&chart, &mut state) == Some(Observed::Unusable) {
                prop_assert_eq!(&state, &before);
            }
            let before = state.clone();
            for sample in [
                Sample::Value(f64::NAN),
                Sample::Value(f64::NEG_INFINITY),
                Sample::Counted { count: f64::NAN, size: 1.0 },
                Sample::Counted { count: f64::INFINITY, size: 1.0 },
            ] {
                prop_assert_eq!(chart.observe(&mut state, sample), Observed::Unusable);
            }
            prop_assert_eq!(&state, &before);
        }
    }

    /// Arbitrary bytes decode to nothing, or to something that is refused, or to a state that can be gone on with.
    #[test]
    fn arbitrary_bytes_are_refused_or_harmless(
        chart in chart(),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        steps in steps(),
    ) {
        if let Ok(mut state) = postcard::from_bytes::<ChartState>(&bytes)
            && state.is_plausible()
        {
            for step in steps {
                step.take(&chart, &mut state);
            }
        }
    }

    /// One flipped byte of a real state, likewise.
    #[test]
    fn a_damaged_state_is_refused_or_harmless(
        chart in chart(),
        before in steps(),
        (place, bits) in (any::<prop::sample::Index>(), 1_u8..),
        after in steps(),
    ) {
        let mut state = ChartState::default();
        for step in before {
            step.take(&chart, &mut state);
        }
        let mut bytes = encoded(&state);
        let place = place.index(bytes.len());
        bytes[place] ^= bits;
        if let Ok(mut state) = postcard::from_bytes::<ChartState>(&bytes)
            && state.is_plausible()
        {
            for step in after {
                step.take(&chart, &mut state);
            }
        }
    }
}

/// The stated size is reached, up to a tenth, by some series: a plan's bound on state is worth what this is.
#[test]
fn the_stated_size_is_not_loose() {
    let given = Baseline::Given {
        center: 0.0,
        sigma: 1.0,
    };
    let learned = Baseline::Learned { points: 100_000 };
    let counts = Baseline::GivenCenter(0.5);
    let ewma = ChartKind::Ewma {
        lambda: 0.2,
        width: 3.0,
        limits: EwmaLimits::TimeVarying,
    };
    let cusum = ChartKind::Cusum {
        k: 0.5,
        h: 5.0,
        head_start: 0.0,
    };
    for (kind, baseline) in [
        (ChartKind::Individuals, given),
        (ChartKind::Individuals, learned),
        (ChartKind::XbarR(Subgroups::Of(5)), given),
        (ChartKind::XbarR(Subgroups::Of(5)), learned),
        (ChartKind::XbarR(Subgroups::ByKey), given),
        (ChartKind::XbarS(Subgroups::Of(25)), learned),
        (ewma, given),
        (ewma, learned),
        (cusum, given),
        (cusum, learned),
        (ChartKind::P, counts),
        (ChartKind::P, learned),
        (ChartKind::Np { size: 40.0 }, counts),
        (ChartKind::C, learned),
        (ChartKind::U, counts),
    ] {
        let nelson = Chart::new(kind, baseline, Tests::nelson(kind));
        for chart in [
            Chart::new(kind, baseline, Tests::limits(kind)).ok(),
            nelson.ok(),
        ]
        .into_iter()
        .flatten()
        {
            let mut state = ChartState::default();
            let mut random = fastrand::Rng::with_seed(3);
            let mut most = 0;
            let places = if baseline == learned { 102_600 } else { 600 };
            for place in 0..places {
                // A count for all that count, and one outlier now and then for phase I.
                let value = match (kind.is_of_counts(), place % 40) {
                    (true, _) => f64::from(random.u8(0..2)),
                    (false, 39) => 1_000.0,
                    (false, _) => random.f64() - 0.5,
                };
                chart.observe(&mut state, Sample::Value(value));
                if !(600..99_900).contains(&place) {
                    most = most.max(encoded(&state).len());
                }
            }
            let stated = chart.state_bytes();
            assert!(
                most <= stated && stated * 10 <= most * 11 + 10,
                "{chart:?}: {most} of {stated} bytes"
            );
        }
    }
}

/// What was learned outlives a reset; what is being learned does too; points and sums do not.
#[test]
fn a_reset_forgets_points_only() {
    let kind = ChartKind::Individuals;
    let chart = Chart::new(
        kind,
        Baseline::Learned { points: 12 },
        Tests::western_electric(kind),
    )
    .unwrap();
    let mut state = ChartState::default();
    let mut random = fastrand::Rng::with_seed(5);
    for place in 0..12 {
        if place == 6 {
            chart.reset(&mut state);
        }
        let observed = chart.observe(&mut state, Sample::Value(random.f64()));
        assert_eq!(observed, Observed::Learning);
    }
    let judged = |state: &mut ChartState| match chart.observe(state, Sample::Value(0.5)) {
        Observed::Point(point) => point,
        other => panic!("{other:?} after phase I"),
    };
    assert_eq!(
        judged(&mut state).spread,
        None,
        "phase I's last point is not the first's"
    );
    let second = judged(&mut state);
    assert!(second.spread.is_some());
    chart.reset(&mut state);
    let after = judged(&mut state);
    assert_eq!((after.spread, after.limits), (None, second.limits));
}

/// A restart of phase I, the subgroup under way and the sums of a CUSUM are part of the state.
#[test]
fn a_reset_chart_is_as_new() {
    for kind in [
        ChartKind::XbarS(Subgroups::Of(4)),
        ChartKind::Cusum {
            k: 0.5,
            h: 4.0,
            head_start: 2.0,
        },
        ChartKind::Individuals,
    ] {
        let given = Baseline::Given {
            center: 0.0,
            sigma: 1.0,
        };
        let chart = Chart::new(kind, given, Tests::limits(kind)).unwrap();
        let mut state = ChartState::default();
        for value in [1.0, 2.0, 0.5, -1.0, 3.0, 0.25] {
            chart.observe(&mut state, Sample::Value(value));
        }
        assert_ne!(state, ChartState::default());
        chart.reset(&mut state);
        assert_eq!(state, ChartState::default());
    }
}
