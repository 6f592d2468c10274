//! Means of subgroups, with their range or standard deviation.

use super::shewhart;
use crate::chart::Plotted;
use crate::constants::{c4, d2, d3};
use crate::definition::Process;
use crate::{Limits, Point, Spread};

pub(crate) fn point(
    process: Process,
    plotted: Plotted,
    second: impl Fn(f64, u8) -> Limits,
) -> Point {
    let sigma = process.sigma / plotted.size.sqrt();
    // A subgroup has at most 25 readings.
    let n = plotted.size as u8;
    Point {
        spread: plotted.spread.map(|value| Spread {
            value,
            limits: second(process.sigma, n),
        }),
        ..shewhart(plotted.value, process.center, sigma)
    }
}

/// The limits of the range of n values.
pub(crate) fn range(sigma: f64, n: u8) -> Limits {
    Limits::around(d2(n) * sigma, 3.0, d3(n) * sigma).non_negative()
}

/// The limits of the standard deviation of n values.
pub(crate) fn standard_deviation(sigma: f64, n: u8) -> Limits {
    let c4 = c4(n);
    Limits::around(c4 * sigma, 3.0, (1.0 - c4 * c4).sqrt() * sigma).non_negative()
}

#[cfg(test)]
mod tests {
    use super::super::support::{check, plotted, process};
    use super::*;

    /// D3, D4, B3 and B4 of the tables.
    #[test]
    fn limits_are_those_of_the_factors() {
        for (n, d3, d4, b3, b4) in [
            (2, None, 3.2665, None, 3.2665),
            (5, None, 2.1145, None, 2.0890),
            (7, Some(0.0757), 1.9243, Some(0.1177), 1.8823),
            (10, Some(0.2230), 1.7770, Some(0.2837), 1.7163),
        ] {
            // At a mean of 1 the limits are the factors.
            check(range(1.0 / d2(n), n), 1.0, d3, Some(d4));
            check(standard_deviation(1.0 / c4(n), n), 1.0, b3, Some(b4));
        }
    }

    #[test]
    fn means_vary_less_than_readings() {
        let mut group = plotted(10.5, 4.0);
        group.spread = Some(1.5);
        let point = point(process(10.0, 2.0), group, range);
        assert_eq!((point.value, point.sigma), (10.5, 1.0));
        check(point.limits, 10.0, Some(7.0), Some(13.0));
        assert_eq!(point.spread.map(|spread| spread.value), Some(1.5));
    }
}
