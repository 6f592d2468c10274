//! What a chart can be set up as, and what is refused.

use crate::Tests;

/// Largest subgroup.
pub const MAX_SUBGROUP: u8 = crate::constants::MAX_N;

/// Values from here on are unusable: their squares would overflow.
pub(crate) const MAX_MAGNITUDE: f64 = 1e150;

/// Sizes below this are unusable: what is divided by them would overflow.
pub(crate) const MIN_SIZE: f64 = 1e-150;

/// What a chart plots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ChartKind {
    /// Individual values, with their moving range.
    Individuals,
    /// Means of subgroups, with their range.
    XbarR(Subgroups),
    /// Means of subgroups, with their standard deviation.
    XbarS(Subgroups),
    /// The exponentially weighted moving average.
    Ewma {
        /// The weight of the newest value, above 0 and at most 1.
        lambda: f64,
        /// The limits' distance in standard deviations of the average.
        width: f64,
        /// How the limits open.
        limits: EwmaLimits,
    },
    /// The tabular CUSUM, both sides.
    Cusum {
        /// The allowance (reference value), in sigmas: half the shift to be found.
        k: f64,
        /// The decision interval, in sigmas.
        h: f64,
        /// What both sums start from, in sigmas: 0, or h / 2 for a fast initial response.
        head_start: f64,
    },
    /// The proportion of nonconforming items.
    P,
    /// The number of nonconforming items among `size`.
    Np {
        /// Items in each sample.
        size: f64,
    },
    /// The number of nonconformities.
    C,
    /// Nonconformities per unit.
    U,
}

/// How readings form subgroups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subgroups {
    /// So many readings in a row, 2 to 25.
    Of(u8),
    /// Up to [`Chart::boundary`](crate::Chart::boundary); the 25th reading ends one too, a single reading is none.
    ByKey,
}

/// How the limits of an EWMA chart open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EwmaLimits {
    /// Narrow at the first point, where the average has little variance.
    #[default]
    TimeVarying,
    /// As wide from the first point as they become in the long run.
    Steady,
}

/// Where centre and sigma come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Baseline {
    /// Both are known: charts of measured values.
    Given {
        /// The centre, or target.
        center: f64,
        /// The standard deviation of single values.
        sigma: f64,
    },
    /// The centre is known and gives sigma: p, np, c, u. For np it is the expected count.
    GivenCenter(f64),
    /// Phase I finds them.
    Learned {
        /// How many points it takes in, 10 to 100,000.
        points: u32,
    },
}

/// The process in control.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Process {
    pub(crate) center: f64,
    /// Of single values; charts of counts derive theirs from the centre.
    pub(crate) sigma: f64,
}

/// A chart cannot be set up so.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{parameter} {problem}")]
pub struct BadChart {
    /// Which parameter: `center`, `sigma`, `learn`, `tests`, `subgroup`, `lambda`, `width`, `k`, `h`, `head_start`,
    /// `size`.
    pub parameter: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl BadChart {
    fn new(parameter: &'static str, problem: impl Into<String>) -> Self {
        Self {
            parameter,
            problem: problem.into(),
        }
    }
}

impl ChartKind {
    /// The plan's word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Individuals => "individuals",
            Self::XbarR(_) => "xbar-r",
            Self::XbarS(_) => "xbar-s",
            Self::Ewma { .. } => "ewma",
            Self::Cusum { .. } => "cusum",
            Self::P => "p",
            Self::Np { .. } => "np",
            Self::C => "c",
            Self::U => "u",
        }
    }

    /// Whether it counts instead of measuring.
    pub fn is_of_counts(&self) -> bool {
        matches!(self, Self::P | Self::Np { .. } | Self::C | Self::U)
    }

    /// Whether limits differ from point to point in a way that run tests have to follow.
    pub(crate) fn varies(&self) -> bool {
        matches!(
            self,
            Self::P | Self::U | Self::XbarR(Subgroups::ByKey) | Self::XbarS(Subgroups::ByKey)
        )
    }

    pub(crate) fn subgroups(&self) -> Option<Subgroups> {
        match self {
            Self::XbarR(subgroups) | Self::XbarS(subgroups) => Some(*subgroups),
            _ => None,
        }
    }
}

pub(crate) fn check_kind(kind: ChartKind) -> Result<(), BadChart> {
    let (parameter, is_good, problem) = match kind {
        ChartKind::XbarR(Subgroups::Of(n)) | ChartKind::XbarS(Subgroups::Of(n)) => (
            "subgroup",
            (2..=MAX_SUBGROUP).contains(&n),
            "must be 2 to 25 readings",
        ),
        ChartKind::Ewma { lambda, .. } if !(lambda > 0.0 && lambda <= 1.0) => {
            ("lambda", false, "must be above 0 and at most 1")
        }
        ChartKind::Ewma { width, .. } => (
            "width",
            width > 0.0 && width <= 100.0,
            "must be above 0 and at most 100 standard deviations",
        ),
        ChartKind::Cusum { k, .. } if !(0.0..=100.0).contains(&k) => {
            ("k", false, "must be 0 to 100 sigmas")
        }
        ChartKind::Cusum { h, .. } if !(h > 0.0 && h <= 1_000.0) => {
            ("h", false, "must be above 0 and at most 1000 sigmas")
        }
        ChartKind::Cusum { h, head_start, .. } => (
            "head_start",
            (0.0..h).contains(&head_start),
            "must be at least 0 and below h",
        ),
        ChartKind::Np { size } => (
            "size",
            size > 0.0 && size < MAX_MAGNITUDE,
            "must be above 0",
        ),
        _ => ("", true, ""),
    };
    if is_good {
        Ok(())
    } else {
        Err(BadChart::new(parameter, problem))
    }
}

pub(crate) fn check_baseline(
    kind: ChartKind,
    baseline: Baseline,
) -> Result<Option<Process>, BadChart> {
    match baseline {
        Baseline::Learned { points } if (10..=100_000).contains(&points) => Ok(None),
        Baseline::Learned { .. } => Err(BadChart::new("learn", "must be 10 to 100000 points")),
        Baseline::Given { .. } if kind.is_of_counts() => Err(BadChart::new(
            "sigma",
            format!("of {} charts follows from their centre", kind.as_str()),
        )),
        Baseline::Given { center, sigma } => {
            if center.is_nan() || center.abs() >= MAX_MAGNITUDE {
                return Err(BadChart::new(
                    "center",
                    "must be a finite number below 1e150",
                ));
            }
            if !(sigma > 0.0 && sigma < MAX_MAGNITUDE) {
                return Err(BadChart::new("sigma", "must be above 0"));
            }
            Ok(Some(Process { center, sigma }))
        }
        Baseline::GivenCenter(center) => {
            let (most, problem) = match kind {
                ChartKind::P => (1.0, "must be above 0 and below 1"),
                ChartKind::Np { size } => (size, "must be above 0 and below the size"),
                ChartKind::C | ChartKind::U => (MAX_MAGNITUDE, "must be above 0"),
                _ => return Err(BadChart::new("sigma", "must be given with center")),
            };
            if !(center > 0.0 && center < most) {
                return Err(BadChart::new("center", problem));
            }
            Ok(Some(Process { center, sigma: 0.0 }))
        }
    }
}

pub(crate) fn check_tests(kind: ChartKind, tests: Tests) -> Result<(), BadChart> {
    if tests.is_empty() {
        return Err(BadChart::new("tests", "are none"));
    }
    if let Some(test) = tests.without(Tests::possible(kind)).iter().next() {
        let why = match kind {
            ChartKind::Ewma { .. } | ChartKind::Cusum { .. } => {
                "their points depend on one another, so that only beyond-limits says something"
            }
            _ => "they have no such second chart",
        };
        return Err(BadChart::new(
            "tests",
            format!(
                "of {} charts cannot be {}: {why}",
                kind.as_str(),
                test.as_str()
            ),
        ));
    }
    Ok(())
}
