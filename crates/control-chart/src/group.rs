//! A subgroup under way: its moments, in constant memory.

use serde::{Deserialize, Serialize};

use crate::MAX_SUBGROUP;
use crate::definition::MAX_MAGNITUDE;

/// Welford's recurrence for mean and squares, and the extremes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    n: u8,
    mean: f64,
    squares: f64,
    least: f64,
    most: f64,
}

impl Group {
    pub(crate) const MAX_BYTES: usize = 1 + 4 * 8;

    pub(crate) fn push(&mut self, value: f64) {
        if self.n == 0 {
            (self.least, self.most) = (value, value);
        }
        self.n = self.n.saturating_add(1);
        let before = value - self.mean;
        self.mean += before / f64::from(self.n);
        self.squares += before * (value - self.mean);
        self.least = self.least.min(value);
        self.most = self.most.max(value);
    }

    pub(crate) fn len(&self) -> u8 {
        self.n
    }

    pub(crate) fn mean(&self) -> f64 {
        self.mean
    }

    pub(crate) fn range(&self) -> f64 {
        self.most - self.least
    }

    /// Of a sample: over n - 1.
    pub(crate) fn standard_deviation(&self) -> f64 {
        (self.squares / (f64::from(self.n) - 1.0)).sqrt()
    }

    pub(crate) fn is_plausible(&self) -> bool {
        (1..=MAX_SUBGROUP).contains(&self.n)
            && [self.mean, self.least, self.most]
                .iter()
                .all(|value| value.abs() <= MAX_MAGNITUDE)
            && (0.0..f64::INFINITY).contains(&self.squares)
            && self.least <= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_values() {
        let mut group = Group::default();
        for value in [74.030, 74.002, 74.019, 73.992, 74.008] {
            group.push(value);
        }
        assert!((group.mean() - 74.0102).abs() < 1e-9);
        assert!((group.range() - 0.038).abs() < 1e-9);
        assert!((group.standard_deviation() - 0.014_77).abs() < 1e-5);
        assert!(group.is_plausible());
    }
}
