//! The proportion of nonconforming items: binomial.

use super::shewhart;
use crate::Point;
use crate::chart::Plotted;
use crate::definition::Process;

pub(crate) fn point(process: Process, plotted: Plotted) -> Point {
    let p = process.center;
    let mut point = shewhart(plotted.value, p, (p * (1.0 - p) / plotted.size).sqrt());
    point.limits = point.limits.non_negative().up_to(1.0);
    point
}

#[cfg(test)]
mod tests {
    use super::super::support::{check, plotted, process};
    use super::*;

    /// The larger the sample, the narrower; only limits between 0 and 1 exist.
    #[test]
    fn limits_follow_the_centre() {
        for (p, size, lower, upper) in [
            (0.2, 100.0, Some(0.08), Some(0.32)),
            (0.2, 25.0, None, Some(0.44)),
            (0.8, 25.0, Some(0.56), None),
            (0.5, 4.0, None, None),
        ] {
            let point = point(process(p, 0.0), plotted(0.3, size));
            check(point.limits, p, lower, upper);
        }
    }
}
