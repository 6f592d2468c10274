//! From process and sample to the point: one file for each kind of chart.

pub(crate) mod c;
pub(crate) mod cusum;
pub(crate) mod ewma;
pub(crate) mod individuals;
pub(crate) mod np;
pub(crate) mod p;
pub(crate) mod u;
pub(crate) mod xbar;

use crate::{Limits, Point, Tests};

/// A point without second chart and sums, at 3 sigma.
fn shewhart(value: f64, center: f64, sigma: f64) -> Point {
    Point {
        value,
        limits: Limits::around(center, 3.0, sigma),
        sigma,
        spread: None,
        cusum: None,
        fired: Tests::default(),
    }
}

/// What the tests of the kinds have in common.
#[cfg(test)]
mod support {
    use crate::Limits;
    use crate::chart::Plotted;
    use crate::definition::Process;

    pub(super) fn process(center: f64, sigma: f64) -> Process {
        Process { center, sigma }
    }

    /// A value, or what was counted in a sample of `size`.
    pub(super) fn plotted(value: f64, size: f64) -> Plotted {
        Plotted {
            value,
            size,
            spread: None,
        }
    }

    /// Equal to four digits, as tables print them; an absent limit to an absent one only.
    #[track_caller]
    pub(super) fn check(limits: Limits, center: f64, lower: Option<f64>, upper: Option<f64>) {
        let near = |a: f64, b: f64| (a - b).abs() < 5e-5 * (1.0 + b.abs());
        let alike = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => near(a, b),
            (a, b) => a == b,
        };
        assert!(
            near(limits.center, center) && alike(limits.lower, lower) && alike(limits.upper, upper),
            "{limits:?}, not {center}, {lower:?}, {upper:?}"
        );
    }
}
