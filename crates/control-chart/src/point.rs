//! What goes into a chart, and what comes out.

use crate::Tests;

/// What one reading gives a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample {
    /// A measured value; for c, np, and p or u without sizes, the count.
    Value(f64),
    /// A count among so many items, or over so many units (p, u).
    Counted {
        /// Nonconforming items, or nonconformities.
        count: f64,
        /// Items inspected, or units.
        size: f64,
    },
}

/// What came of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Observed {
    /// A point was plotted.
    Point(Point),
    /// The sample is part of a subgroup that is not complete.
    Gathering,
    /// The sample was taken into, or left out of, phase I.
    Learning,
    /// The chart cannot use such a value; the state is as it was.
    Unusable,
}

/// A point of a chart, judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// What is plotted, in the unit of the characteristic; of a CUSUM the larger sum.
    pub value: f64,
    /// The limits at this point.
    pub limits: Limits,
    /// The standard deviation of what is plotted; of a CUSUM that of the process.
    pub sigma: f64,
    /// The second chart's point: moving range, range or standard deviation.
    pub spread: Option<Spread>,
    /// A CUSUM's upper and lower sum, both from 0 up.
    pub cusum: Option<(f64, f64)>,
    /// The tests that fire.
    pub fired: Tests,
}

/// A centre line and the control limits that exist.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The centre line.
    pub center: f64,
    /// The lower control limit.
    pub lower: Option<f64>,
    /// The upper control limit.
    pub upper: Option<f64>,
}

/// A point of the second chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// What is plotted.
    pub value: f64,
    /// The limits at this point.
    pub limits: Limits,
}

impl Limits {
    /// `width` standard deviations on both sides.
    pub(crate) fn around(center: f64, width: f64, sigma: f64) -> Self {
        Self {
            center,
            lower: Some(center - width * sigma),
            upper: Some(center + width * sigma),
        }
    }

    /// Without a lower limit below zero: what is plotted is never negative.
    pub(crate) fn non_negative(self) -> Self {
        Self {
            lower: self.lower.filter(|lower| *lower > 0.0),
            ..self
        }
    }

    /// Without an upper limit above the largest that can be plotted.
    pub(crate) fn up_to(self, most: f64) -> Self {
        Self {
            upper: self.upper.filter(|upper| *upper < most),
            ..self
        }
    }

    /// Whether `value` lies beyond a limit.
    pub fn is_exceeded(&self, value: f64) -> bool {
        self.lower.is_some_and(|lower| value < lower)
            || self.upper.is_some_and(|upper| value > upper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_limit_is_not_beyond() {
        let both = Limits::around(10.0, 3.0, 1.0);
        let upper = Limits {
            lower: None,
            ..both
        };
        let none = Limits {
            upper: None,
            ..upper
        };
        for (limits, value, is_exceeded) in [
            (both, 7.0, false),
            (both, 13.0, false),
            (both, 7.0_f64.next_down(), true),
            (both, 13.0_f64.next_up(), true),
            (upper, -1e9, false),
            (upper, 14.0, true),
            (none, 1e9, false),
        ] {
            assert_eq!(limits.is_exceeded(value), is_exceeded, "{value} {limits:?}");
        }
    }
}
