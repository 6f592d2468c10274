//! The exponentially weighted moving average.

use super::shewhart;
use crate::chart::Plotted;
use crate::definition::Process;
use crate::state::Memory;
use crate::{EwmaLimits, Limits, Point};

pub(crate) fn point(
    process: Process,
    plotted: Plotted,
    memory: &mut Memory,
    (lambda, width, limits): (f64, f64, EwmaLimits),
) -> Point {
    let (before, opened) = match *memory {
        Memory::Ewma(average, opened) => (average, opened),
        _ => (process.center, 0.0),
    };
    let average = lambda * plotted.value + (1.0 - lambda) * before;
    // 1 - (1 - lambda)^(2 i), without the subtraction that would leave nothing of a small lambda.
    let opened = (opened + (1.0 - opened) * lambda * (2.0 - lambda)).min(1.0);
    *memory = Memory::Ewma(average, opened);
    let share = match limits {
        EwmaLimits::TimeVarying => opened,
        EwmaLimits::Steady => 1.0,
    };
    let sigma = process.sigma * (lambda / (2.0 - lambda)).sqrt() * share.sqrt();
    Point {
        limits: Limits::around(process.center, width, sigma),
        ..shewhart(average, process.center, sigma)
    }
}

#[cfg(test)]
mod tests {
    use super::super::support::{check, plotted, process};
    use super::*;

    const OPENING: (f64, f64, EwmaLimits) = (0.2, 3.0, EwmaLimits::TimeVarying);

    /// At point i by the closed form, whatever the values.
    #[test]
    fn limits_open_to_the_steady_ones() {
        let mut memory = Memory::None;
        for i in 1..=200 {
            let point = point(process(10.0, 2.0), plotted(11.0, 1.0), &mut memory, OPENING);
            let variance = 0.2 / 1.8 * (1.0 - 0.8_f64.powi(2 * i));
            let width = 6.0 * variance.sqrt();
            check(point.limits, 10.0, Some(10.0 - width), Some(10.0 + width));
        }
        let steady = (0.2, 3.0, EwmaLimits::Steady);
        let point = point(
            process(10.0, 2.0),
            plotted(11.0, 1.0),
            &mut Memory::None,
            steady,
        );
        check(point.limits, 10.0, Some(8.0), Some(12.0));
    }

    #[test]
    fn the_average_starts_from_the_centre() {
        let mut memory = Memory::None;
        for (value, average) in [(15.0, 11.0), (15.0, 11.8), (5.0, 10.44)] {
            let point = point(
                process(10.0, 2.0),
                plotted(value, 1.0),
                &mut memory,
                OPENING,
            );
            assert!((point.value - average).abs() < 1e-12, "{}", point.value);
        }
    }

    /// All the weight on the newest value: the chart of the values themselves.
    #[test]
    fn a_weight_of_one_has_no_memory() {
        let mut memory = Memory::Ewma(99.0, 0.5);
        let all = (1.0, 3.0, EwmaLimits::TimeVarying);
        let point = point(process(10.0, 2.0), plotted(13.0, 1.0), &mut memory, all);
        assert_eq!((point.value, point.sigma), (13.0, 2.0));
    }
}
