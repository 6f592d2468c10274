//! The step from sample to point.

use crate::definition::{
    MAX_MAGNITUDE, MIN_SIZE, Process, check_baseline, check_kind, check_tests,
};
use crate::group::Group;
use crate::kind;
use crate::phase_one::Phase;
use crate::run::Runs;
use crate::{
    BadChart, Baseline, ChartKind, ChartState, MAX_SUBGROUP, Observed, Point, Sample, Spread,
    Subgroups, Test, Tests,
};

/// A chart, checked. It holds no points: those are in a [`ChartState`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chart {
    kind: ChartKind,
    baseline: Baseline,
    tests: Tests,
    /// What `baseline` gives, if anything.
    given: Option<Process>,
}

/// A point before it is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plotted {
    pub(crate) value: f64,
    /// Readings in the subgroup, items or units in the sample.
    pub(crate) size: f64,
    /// The subgroup's range or standard deviation.
    pub(crate) spread: Option<f64>,
}

impl Chart {
    /// A chart, or the first parameter that makes none.
    pub fn new(kind: ChartKind, baseline: Baseline, tests: Tests) -> Result<Self, BadChart> {
        check_kind(kind)?;
        let given = check_baseline(kind, baseline)?;
        check_tests(kind, tests)?;
        Ok(Self {
            kind,
            baseline,
            tests,
            given,
        })
    }

    /// What it plots.
    pub fn kind(&self) -> ChartKind {
        self.kind
    }

    /// Where centre and sigma come from.
    pub fn baseline(&self) -> Baseline {
        self.baseline
    }

    /// The tests it runs.
    pub fn tests(&self) -> Tests {
        self.tests
    }

    /// Takes in one sample.
    pub fn observe(&self, state: &mut ChartState, sample: Sample) -> Observed {
        let Some((value, size)) = self.usable(sample) else {
            return Observed::Unusable;
        };
        if let Some(subgroups) = self.kind.subgroups() {
            let group = state.group.get_or_insert_default();
            group.push(value);
            let most = match subgroups {
                Subgroups::Of(n) => n,
                Subgroups::ByKey => MAX_SUBGROUP,
            };
            return match group.len() >= most {
                true => self.boundary(state),
                false => Observed::Gathering,
            };
        }
        self.plot(
            state,
            Plotted {
                value,
                size,
                spread: None,
            },
        )
    }

    /// Ends the subgroup before the next sample; nothing comes of fewer than two readings.
    pub fn boundary(&self, state: &mut ChartState) -> Observed {
        match state.group.take() {
            Some(group) if group.len() >= 2 => {
                let spread = match self.kind {
                    ChartKind::XbarS(_) => group.standard_deviation(),
                    _ => group.range(),
                };
                self.plot(
                    state,
                    Plotted {
                        value: group.mean(),
                        size: f64::from(group.len()),
                        spread: Some(spread),
                    },
                )
            }
            _ => Observed::Gathering,
        }
    }

    /// Forgets points, sums and the subgroup under way; keeps what phase I has learned or is learning.
    pub fn reset(&self, state: &mut ChartState) {
        *state = ChartState {
            phase: state.phase.take_without_last(),
            ..ChartState::default()
        };
    }

    /// The most bytes that the state takes, encoded with postcard.
    pub fn state_bytes(&self) -> usize {
        let (group, memory) = match self.kind {
            ChartKind::XbarR(_) | ChartKind::XbarS(_) => (1 + Group::MAX_BYTES, 1),
            ChartKind::Individuals => (1, 1 + 8),
            ChartKind::Ewma { .. } | ChartKind::Cusum { .. } => (1, 1 + 16),
            _ => (1, 1),
        };
        let judging = memory + Runs::max_bytes(self.tests, self.kind.varies());
        group
            + match self.baseline {
                Baseline::Given { .. } | Baseline::GivenCenter(_) => Phase::NEW_BYTES + judging,
                // While a chart learns it judges nothing: neither memory nor runs hold anything.
                Baseline::Learned { .. } => {
                    (Phase::LEARNED_BYTES + judging).max(Phase::learning_bytes(self.kind) + 1 + 1)
                }
            }
    }

    /// A rough cost of one sample, in units of a simple operation on doubles.
    pub fn steps(&self) -> u32 {
        let runs = self.tests.iter().count();
        let each = if self.kind.varies() { 20 } else { 3 };
        10 + u32::try_from(runs * each).unwrap_or(u32::MAX)
    }

    /// Value and size of the sample; none where no chart of this kind could plot them.
    fn usable(&self, sample: Sample) -> Option<(f64, f64)> {
        let (value, size) = match (sample, self.kind) {
            (Sample::Value(value), ChartKind::Np { size })
            | (Sample::Counted { count: value, .. }, ChartKind::Np { size }) => (value, size),
            (Sample::Value(value), _) => (value, 1.0),
            (Sample::Counted { count, size }, ChartKind::P | ChartKind::U) => (count, size),
            (Sample::Counted { count, .. }, _) => (count, 1.0),
        };
        // NaN is in no range.
        let is_sound = value.abs() < MAX_MAGNITUDE && (MIN_SIZE..MAX_MAGNITUDE).contains(&size);
        let is_count = !self.kind.is_of_counts() || value >= 0.0;
        let is_part = match self.kind {
            ChartKind::P | ChartKind::Np { .. } => value <= size,
            _ => true,
        };
        let plotted = match self.kind {
            ChartKind::P | ChartKind::U => value / size,
            _ => value,
        };
        (is_sound && is_count && is_part && plotted < MAX_MAGNITUDE).then_some((plotted, size))
    }

    fn plot(&self, state: &mut ChartState, plotted: Plotted) -> Observed {
        let process = match (self.given, self.baseline) {
            (Some(process), _) => process,
            (None, Baseline::Learned { points }) => match state.phase.process() {
                Some(process) => process,
                None => {
                    state.phase.learn(self.kind, points, plotted);
                    return Observed::Learning;
                }
            },
            (None, _) => return Observed::Unusable,
        };
        Observed::Point(self.point(state, process, plotted))
    }

    fn point(&self, state: &mut ChartState, process: Process, plotted: Plotted) -> Point {
        let mut point = match self.kind {
            ChartKind::Individuals => kind::individuals::point(process, plotted, &mut state.memory),
            ChartKind::XbarR(_) => kind::xbar::point(process, plotted, kind::xbar::range),
            ChartKind::XbarS(_) => {
                kind::xbar::point(process, plotted, kind::xbar::standard_deviation)
            }
            ChartKind::Ewma {
                lambda,
                width,
                limits,
            } => kind::ewma::point(process, plotted, &mut state.memory, (lambda, width, limits)),
            ChartKind::Cusum { k, h, head_start } => {
                kind::cusum::point(process, plotted, &mut state.memory, (k, h, head_start))
            }
            ChartKind::P => kind::p::point(process, plotted),
            ChartKind::Np { size } => kind::np::point(process, plotted, size),
            ChartKind::C => kind::c::point(process, plotted),
            ChartKind::U => kind::u::point(process, plotted),
        };
        let is_beyond = point.limits.is_exceeded(point.value);
        let of_limits = Tests::of(Test::BeyondLimits)
            .union(Tests::of(Test::WesternElectric1))
            .union(Tests::of(Test::Nelson1));
        point.fired.raise(self.tests, of_limits, is_beyond);
        if let Some(Spread { value, limits }) = point.spread {
            let second = Tests::second_chart(self.kind);
            point
                .fired
                .raise(self.tests, second, limits.is_exceeded(value));
        }
        state.runs.judge(
            self.tests,
            self.kind.varies(),
            (point.value, point.limits.center, point.sigma),
            &mut point.fired,
        );
        point
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(kind: ChartKind, tests: Tests) -> Chart {
        let baseline = match kind.is_of_counts() {
            true => Baseline::GivenCenter(0.25),
            false => Baseline::Given {
                center: 0.0,
                sigma: 1.0,
            },
        };
        Chart::new(kind, baseline, tests).unwrap()
    }

    /// What each kind makes of a value and of a count: what is plotted, and the size of the sample.
    #[test]
    fn samples_are_read_by_the_kind() {
        let value = Sample::Value(6.0);
        let counted = Sample::Counted {
            count: 6.0,
            size: 24.0,
        };
        let np = ChartKind::Np { size: 40.0 };
        for (kind, sample, expected) in [
            (ChartKind::Individuals, value, Some((6.0, 1.0))),
            (ChartKind::Individuals, counted, Some((6.0, 1.0))),
            (ChartKind::C, counted, Some((6.0, 1.0))),
            (np, value, Some((6.0, 40.0))),
            (np, counted, Some((6.0, 40.0))),
            (ChartKind::U, value, Some((6.0, 1.0))),
            (ChartKind::U, counted, Some((0.25, 24.0))),
            (ChartKind::P, value, None),
            (ChartKind::P, counted, Some((0.25, 24.0))),
        ] {
            let found = chart(kind, Tests::limits(kind)).usable(sample);
            assert_eq!(found, expected, "{sample:?} on {kind:?}");
        }
    }

    /// What a plan's bounds on state and time are made of.
    #[test]
    fn state_and_steps_follow_the_tests() {
        let (x, p) = (ChartKind::Individuals, ChartKind::P);
        for (kind, tests, bytes, steps) in [
            (x, Tests::limits(x), 12, 16),
            (x, Tests::western_electric(x), 30, 25),
            (x, Tests::nelson(x), 30, 37),
            (p, Tests::limits(p), 4, 30),
            (p, Tests::western_electric(p), 61, 90),
            (p, Tests::nelson(p), 117, 170),
        ] {
            let chart = chart(kind, tests);
            assert_eq!(
                (chart.state_bytes(), chart.steps()),
                (bytes, steps),
                "{chart:?}"
            );
        }
    }

    /// Every test of the limits fires where it is asked for, and only there.
    #[test]
    fn limits_are_one_test_under_three_names() {
        for test in [Test::BeyondLimits, Test::WesternElectric1, Test::Nelson1] {
            let chart = chart(ChartKind::Individuals, Tests::of(test));
            for (value, fired) in [(3.0, Tests::default()), (-3.5, Tests::of(test))] {
                let observed = chart.observe(&mut ChartState::default(), Sample::Value(value));
                assert!(
                    matches!(observed, Observed::Point(point) if point.fired == fired),
                    "{observed:?} at {value}"
                );
            }
        }
    }
}
