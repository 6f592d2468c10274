//! The tabular CUSUM. After a signal it goes on: the sums fall as the process comes back.

use super::shewhart;
use crate::chart::Plotted;
use crate::definition::Process;
use crate::state::Memory;
use crate::{Limits, Point};

pub(crate) fn point(
    process: Process,
    plotted: Plotted,
    memory: &mut Memory,
    (k, h, head_start): (f64, f64, f64),
) -> Point {
    let Process { center, sigma } = process;
    let (high, low) = match *memory {
        Memory::Cusum(high, low) => (high, low),
        _ => (head_start * sigma, head_start * sigma),
    };
    let allowance = k * sigma;
    let high = sum(high + plotted.value - (center + allowance));
    let low = sum(low + (center - allowance) - plotted.value);
    *memory = Memory::Cusum(high, low);
    Point {
        limits: Limits {
            center: 0.0,
            lower: None,
            upper: Some(h * sigma),
        },
        cusum: Some((high, low)),
        ..shewhart(high.max(low), 0.0, sigma)
    }
}

/// Never below zero, and finite however long one side goes on.
fn sum(sum: f64) -> f64 {
    sum.clamp(0.0, f64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::support::{check, plotted, process};
    use super::*;

    /// Values about 100 with sigma 2, and the sums after each: k is 1, h is 8.
    #[track_caller]
    fn sums(head_start: f64, steps: &[(f64, (f64, f64))]) {
        let mut memory = Memory::None;
        for (value, expected) in steps {
            let point = point(
                process(100.0, 2.0),
                plotted(*value, 1.0),
                &mut memory,
                (0.5, 4.0, head_start),
            );
            assert_eq!(point.cusum, Some(*expected), "at {value}");
            assert_eq!(point.value, expected.0.max(expected.1));
            check(point.limits, 0.0, None, Some(8.0));
        }
    }

    #[test]
    fn sums_gather_what_exceeds_the_allowance() {
        sums(
            0.0,
            &[
                (101.0, (0.0, 0.0)),
                (104.0, (3.0, 0.0)),
                (102.0, (4.0, 0.0)),
                (98.0, (1.0, 1.0)),
                (95.0, (0.0, 5.0)),
            ],
        );
    }

    /// After a signal the sum goes on; it comes down as the process does.
    #[test]
    fn a_signal_does_not_restart() {
        sums(
            0.0,
            &[
                (110.0, (9.0, 0.0)),
                (110.0, (18.0, 0.0)),
                (96.0, (13.0, 3.0)),
            ],
        );
    }

    /// Both sums start from the head start; a process in control uses it up.
    #[test]
    fn a_head_start_is_used_up() {
        sums(
            2.0,
            &[(100.0, (3.0, 3.0)), (102.0, (4.0, 0.0)), (99.0, (2.0, 0.0))],
        );
    }

    #[test]
    fn a_sum_stays_finite() {
        let mut memory = Memory::Cusum(f64::MAX, f64::MAX);
        let most = plotted(9.9e149, 1.0);
        let point = point(process(-9.9e149, 1e-3), most, &mut memory, (0.0, 1.0, 0.0));
        assert!(point.value.is_finite(), "{point:?}");
    }
}
