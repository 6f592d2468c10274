//! The number of nonconforming items in samples of one size: binomial.

use super::shewhart;
use crate::Point;
use crate::chart::Plotted;
use crate::definition::Process;

pub(crate) fn point(process: Process, plotted: Plotted, size: f64) -> Point {
    let center = process.center;
    let mut point = shewhart(
        plotted.value,
        center,
        (center * (1.0 - center / size)).sqrt(),
    );
    point.limits = point.limits.non_negative().up_to(size);
    point
}

#[cfg(test)]
mod tests {
    use super::super::support::{check, plotted, process};
    use super::*;

    /// Of a hundred items; only limits between 0 and 100 exist.
    #[test]
    fn limits_follow_the_centre() {
        for (center, lower, upper) in [
            (20.0, Some(8.0), Some(32.0)),
            (4.0, None, Some(9.8788)),
            (96.0, Some(90.1212), None),
        ] {
            let point = point(process(center, 0.0), plotted(20.0, 100.0), 100.0);
            check(point.limits, center, lower, upper);
        }
    }
}
