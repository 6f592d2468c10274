//! The number of nonconformities: Poisson.

use super::shewhart;
use crate::Point;
use crate::chart::Plotted;
use crate::definition::Process;

pub(crate) fn point(process: Process, plotted: Plotted) -> Point {
    let mut point = shewhart(plotted.value, process.center, process.center.sqrt());
    point.limits = point.limits.non_negative();
    point
}

#[cfg(test)]
mod tests {
    use super::super::support::{check, plotted, process};
    use super::*;

    /// The variance of a Poisson count is its mean; only limits above 0 exist.
    #[test]
    fn limits_follow_the_centre() {
        for (center, lower, upper) in [
            (16.0, Some(4.0), Some(28.0)),
            (9.0, None, Some(18.0)),
            (0.25, None, Some(1.75)),
        ] {
            let point = point(process(center, 0.0), plotted(5.0, 1.0));
            check(point.limits, center, lower, upper);
        }
    }
}
