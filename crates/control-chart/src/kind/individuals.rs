//! Individual values and their moving range.

use super::shewhart;
use crate::chart::Plotted;
use crate::constants::{d2, d3};
use crate::definition::Process;
use crate::state::Memory;
use crate::{Limits, Point, Spread};

/// The moving range of two values with this sigma; its lower limit would be below zero.
pub(crate) fn moving_range_limits(sigma: f64) -> Limits {
    Limits {
        center: d2(2) * sigma,
        lower: None,
        upper: Some((d2(2) + 3.0 * d3(2)) * sigma),
    }
}

pub(crate) fn point(process: Process, plotted: Plotted, memory: &mut Memory) -> Point {
    let before = std::mem::replace(memory, Memory::Last(plotted.value));
    let spread = match before {
        Memory::Last(last) => Some(Spread {
            value: (plotted.value - last).abs(),
            limits: moving_range_limits(process.sigma),
        }),
        _ => None,
    };
    Point {
        spread,
        ..shewhart(plotted.value, process.center, process.sigma)
    }
}

#[cfg(test)]
mod tests {
    use super::super::support::{check, plotted, process};
    use super::*;

    /// A moving range lies between two points: the first has none.
    #[test]
    fn the_range_moves_with_the_values() {
        let mut memory = Memory::None;
        for (value, range) in [
            (10.0, None),
            (12.5, Some(2.5)),
            (9.5, Some(3.0)),
            (9.5, Some(0.0)),
        ] {
            let point = point(process(10.0, 2.0), plotted(value, 1.0), &mut memory);
            assert_eq!((point.value, point.spread.map(|s| s.value)), (value, range));
            check(point.limits, 10.0, Some(4.0), Some(16.0));
        }
    }

    /// D4 of two values is 3.267.
    #[test]
    fn moving_ranges_have_no_lower_limit() {
        check(
            moving_range_limits(2.0),
            2.25676,
            None,
            Some(2.25676 * 3.26653),
        );
    }
}
