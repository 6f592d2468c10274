//! Nonconformities per unit: Poisson.

use super::shewhart;
use crate::Point;
use crate::chart::Plotted;
use crate::definition::Process;

pub(crate) fn point(process: Process, plotted: Plotted) -> Point {
    let mut point = shewhart(
        plotted.value,
        process.center,
        (process.center / plotted.size).sqrt(),
    );
    point.limits = point.limits.non_negative();
    point
}

#[cfg(test)]
mod tests {
    use super::super::support::{check, plotted, process};
    use super::*;

    /// The more units, the narrower; only limits above 0 exist.
    #[test]
    fn limits_follow_the_centre() {
        for (center, units, lower, upper) in [
            (4.0, 1.0, None, Some(10.0)),
            (4.0, 4.0, Some(1.0), Some(7.0)),
            (4.0, 0.25, None, Some(16.0)),
        ] {
            let point = point(process(center, 0.0), plotted(5.0, units));
            check(point.limits, center, lower, upper);
        }
    }
}
