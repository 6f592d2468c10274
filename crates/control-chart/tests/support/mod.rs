//! Charts of every kind, and samples for them.

use control_chart::ChartState;
use control_chart::{
    Baseline, Chart, ChartKind, EwmaLimits, Observed, Sample, Subgroups, Test, Tests,
};
use proptest::prelude::*;

/// A chart of any kind, with any baseline and tests that it takes.
pub fn chart() -> impl Strategy<Value = Chart> {
    (kind(), any::<bool>(), 10_u32..60, 0_u8..4, any::<u16>()).prop_map(
        |(kind, is_given, points, group, mask)| {
            let baseline = match (is_given, kind.is_of_counts()) {
                (false, _) => Baseline::Learned { points },
                (true, false) => Baseline::Given {
                    center: 1.0,
                    sigma: 2.0,
                },
                (true, true) => Baseline::GivenCenter(0.25),
            };
            let tests = match (kind, group) {
                (ChartKind::Ewma { .. } | ChartKind::Cusum { .. }, _) | (_, 0) => {
                    Tests::limits(kind)
                }
                (_, 1) => Tests::western_electric(kind),
                (_, 2) => Tests::nelson(kind),
                _ => Test::ALL
                    .into_iter()
                    .filter(|test| mask & (1 << *test as u16) != 0)
                    .filter(|test| Chart::new(kind, baseline, Tests::of(*test)).is_ok())
                    .chain([Test::BeyondLimits])
                    .collect(),
            };
            Chart::new(kind, baseline, tests).unwrap()
        },
    )
}

fn kind() -> impl Strategy<Value = ChartKind> {
    let subgroups = || prop_oneof![(2_u8..=25).prop_map(Subgroups::Of), Just(Subgroups::ByKey)];
    let limits = prop_oneof![Just(EwmaLimits::TimeVarying), Just(EwmaLimits::Steady)];
    prop_oneof![
        Just(ChartKind::Individuals),
        subgroups().prop_map(ChartKind::XbarR),
        subgroups().prop_map(ChartKind::XbarS),
        (0.01..=1.0, limits).prop_map(|(lambda, limits)| ChartKind::Ewma {
            lambda,
            width: 2.7,
            limits
        }),
        (0.0..2.0, 0.0..4.0).prop_map(|(k, head_start)| ChartKind::Cusum {
            k,
            h: 4.0,
            head_start
        }),
        Just(ChartKind::P),
        Just(ChartKind::Np { size: 40.0 }),
        Just(ChartKind::C),
        Just(ChartKind::U),
    ]
}

/// What may happen to a chart.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A sample comes.
    Sample(Sample),
    /// The subgroup ends.
    Boundary,
    /// The points are forgotten.
    Reset,
}

impl Step {
    /// Lets it happen.
    pub fn take(self, chart: &Chart, state: &mut ChartState) -> Option<Observed> {
        match self {
            Self::Sample(sample) => Some(chart.observe(state, sample)),
            Self::Boundary => Some(chart.boundary(state)),
            Self::Reset => {
                chart.reset(state);
                None
            }
        }
    }
}

/// Steps with samples that most kinds can use: small, often tied.
pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let sample = prop_oneof![
        (-8_i8..=24).prop_map(|v| Sample::Value(f64::from(v) / 2.0)),
        (-3.0..9.0).prop_map(Sample::Value),
        (0_u8..=30, 1_u8..=40).prop_map(|(count, size)| Sample::Counted {
            count: f64::from(count),
            size: f64::from(size)
        }),
    ];
    let step = prop_oneof![
        40 => sample.prop_map(Step::Sample),
        4 => Just(Step::Boundary),
        1 => Just(Step::Reset),
    ];
    prop::collection::vec(step, 0..200)
}
