//! The smallest weights an EWMA chart takes: its limits stay in proportion, and its state can be stored.

use control_chart::{Baseline, Chart, ChartKind, ChartState, EwmaLimits, Observed, Sample, Tests};

/// After one value, the average is off by lambda (x - m), and its limits by width lambda s: a value within the width
/// does not fire, one beyond it does.
#[test]
fn the_first_limits_are_in_proportion() {
    let given = Baseline::Given {
        center: 0.0,
        sigma: 1.0,
    };
    for lambda in [1.0, 0.2, 1e-3, 1e-9, 1e-17, 1e-100, 1e-200, 1e-300] {
        for (value, fires) in [(2.9, false), (-2.9, false), (3.1, true), (-3.1, true)] {
            let kind = ChartKind::Ewma {
                lambda,
                width: 3.0,
                limits: EwmaLimits::TimeVarying,
            };
            let chart = Chart::new(kind, given, Tests::limits(kind)).unwrap();
            let mut state = ChartState::default();
            let Observed::Point(point) = chart.observe(&mut state, Sample::Value(value)) else {
                panic!("a given chart judges every point");
            };
            assert!(state.is_plausible(), "lambda {lambda}: {state:?}");
            assert_eq!(!point.fired.is_empty(), fires, "lambda {lambda}: {point:?}");
        }
    }
}
