//! What a chart remembers of its points.

use serde::{Deserialize, Serialize};

use crate::definition::MAX_MAGNITUDE;
use crate::group::Group;
use crate::phase_one::Phase;
use crate::run::Runs;

/// What a chart remembers: compact, and of constant size. Judged by another chart than before it is meaningless.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ChartState {
    pub(crate) phase: Phase,
    /// The subgroup under way.
    pub(crate) group: Option<Group>,
    pub(crate) memory: Memory,
    pub(crate) runs: Runs,
}

/// What the plotted statistic depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Memory {
    #[default]
    None,
    /// The value before, for the moving range.
    Last(f64),
    /// The average, and the share of its variance in the long run that it has by now: 1 - (1 - lambda)^(2 i).
    Ewma(f64, f64),
    /// The upper and the lower sum.
    Cusum(f64, f64),
}

impl ChartState {
    /// Whether observing could have left it; asked after decoding.
    pub fn is_plausible(&self) -> bool {
        let memory = match self.memory {
            Memory::None => true,
            Memory::Last(value) => value.abs() < MAX_MAGNITUDE,
            Memory::Ewma(average, opened) => {
                average.abs() <= MAX_MAGNITUDE && opened > 0.0 && opened <= 1.0
            }
            Memory::Cusum(high, low) => {
                high.is_finite() && high >= 0.0 && low.is_finite() && low >= 0.0
            }
        };
        memory
            && self.phase.is_plausible()
            && self.group.as_ref().is_none_or(Group::is_plausible)
            && self.runs.is_plausible()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_chart_leaves_is_refused() {
        for memory in [
            Memory::Last(f64::NAN),
            Memory::Last(1e200),
            Memory::Ewma(f64::INFINITY, 0.5),
            Memory::Ewma(0.0, 0.0),
            Memory::Ewma(0.0, 1.1),
            Memory::Ewma(0.0, f64::NAN),
            Memory::Cusum(-1.0, 0.0),
            Memory::Cusum(0.0, f64::NAN),
            Memory::Cusum(f64::INFINITY, 0.0),
        ] {
            let state = ChartState {
                memory,
                ..ChartState::default()
            };
            assert!(!state.is_plausible(), "{state:?}");
        }
        let learned = |center, sigma| ChartState {
            phase: Phase::Learned(center, sigma),
            ..ChartState::default()
        };
        assert!(learned(40.0, 10.0).is_plausible());
        for (center, sigma) in [(f64::NAN, 1.0), (0.0, -1.0), (1e200, 1.0), (0.0, 1e200)] {
            assert!(
                !learned(center, sigma).is_plausible(),
                "{center} with {sigma}"
            );
        }
        let empty_group = ChartState {
            group: Some(Group::default()),
            ..ChartState::default()
        };
        assert!(!empty_group.is_plausible());
    }
}
