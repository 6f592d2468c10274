//! Process capability: how the spread of a process compares with its specification.
//!
//! Pp and Ppk take the standard deviation of all values; Cp and Cpk that within subgroups (R-bar / d2), which leaves
//! shifts between subgroups out. Pp = (USL - LSL) / 6 s; Ppk = min(USL - mean, mean - LSL) / 3 s, over the limits there
//! are. Source: AIAG, *Statistical Process Control*, 2nd edition, chapter IV.

use crate::constants::d2;
use crate::definition::MAX_MAGNITUDE;

/// Count, mean and squares of values, by Welford's recurrence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    n: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Takes in a value; what no chart takes (not finite, 1e150 or more in magnitude) is passed over.
    pub fn push(&mut self, value: f64) {
        if !is_usable(value) {
            return;
        }
        self.n += 1;
        let before = value - self.mean;
        self.mean += before / self.n as f64;
        self.squares += before * (value - self.mean);
    }

    /// Takes in all the values of another.
    pub fn merge(&mut self, other: &Self) {
        if other.n == 0 {
            return;
        }
        let (a, b) = (self.n as f64, other.n as f64);
        let apart = other.mean - self.mean;
        self.n += other.n;
        self.mean += apart * b / (a + b);
        self.squares += other.squares + apart * apart * a * b / (a + b);
    }

    /// How many values.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Their mean; 0 of none.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Their standard deviation, over n - 1; none below two values.
    pub fn standard_deviation(&self) -> Option<f64> {
        (self.n >= 2).then(|| (self.squares / (self.n as f64 - 1.0)).sqrt())
    }
}

/// The standard deviation within subgroups of consecutive values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Within {
    size: u8,
    /// Of the subgroup under way.
    n: u8,
    least: f64,
    most: f64,
    ranges: f64,
    subgroups: u64,
}

impl Within {
    /// Subgroups of `size` values, 2 to 25.
    pub fn subgroups_of(size: u8) -> Self {
        Self {
            size: size.clamp(2, crate::MAX_SUBGROUP),
            n: 0,
            least: 0.0,
            most: 0.0,
            ranges: 0.0,
            subgroups: 0,
        }
    }

    /// Takes in a value; what no chart takes (not finite, 1e150 or more in magnitude) is passed over.
    pub fn push(&mut self, value: f64) {
        if !is_usable(value) {
            return;
        }
        if self.n == 0 {
            (self.least, self.most) = (value, value);
        }
        self.n += 1;
        self.least = self.least.min(value);
        self.most = self.most.max(value);
        if self.n == self.size {
            self.ranges += self.most - self.least;
            self.subgroups += 1;
            self.n = 0;
        }
    }

    /// Takes in the complete subgroups of another of the same size.
    pub fn merge(&mut self, other: &Self) {
        self.ranges += other.ranges;
        self.subgroups += other.subgroups;
    }

    /// R-bar / d2; none before the first subgroup is complete.
    pub fn standard_deviation(&self) -> Option<f64> {
        (self.subgroups > 0).then(|| self.ranges / self.subgroups as f64 / d2(self.size))
    }
}

/// The indices, as far as the limits and the values give them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capability {
    /// Performance; needs both limits.
    pub pp: Option<f64>,
    /// Performance of the nearer limit.
    pub ppk: f64,
    /// Capability; needs both limits and subgroups.
    pub cp: Option<f64>,
    /// Capability of the nearer limit; needs subgroups.
    pub cpk: Option<f64>,
}

impl Capability {
    /// None without a limit, below two values, or where nothing varies.
    pub fn of(
        (lower, upper): (Option<f64>, Option<f64>),
        overall: &Moments,
        within: Option<&Within>,
    ) -> Option<Self> {
        let mean = overall.mean();
        let spread = |sigma: f64| Some((upper? - lower?) / (6.0 * sigma));
        let nearer = |sigma: f64| {
            let above = upper.map(|upper| (upper - mean) / (3.0 * sigma));
            let below = lower.map(|lower| (mean - lower) / (3.0 * sigma));
            match (above, below) {
                (Some(above), Some(below)) => Some(above.min(below)),
                (above, below) => above.or(below),
            }
        };
        let sigma = overall.standard_deviation().filter(|sigma| *sigma > 0.0)?;
        let within = within
            .and_then(Within::standard_deviation)
            .filter(|sigma| *sigma > 0.0);
        Some(Self {
            pp: spread(sigma),
            ppk: nearer(sigma)?,
            cp: within.and_then(spread),
            cpk: within.and_then(nearer),
        })
    }
}

/// Squares of such values do not overflow.
fn is_usable(value: f64) -> bool {
    // NaN is not below anything.
    value.abs() < MAX_MAGNITUDE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(actual: Option<f64>, expected: f64) {
        let actual = actual.unwrap();
        assert!((actual - expected).abs() < 1e-9, "{actual}, not {expected}");
    }

    #[test]
    fn indices_follow_their_definitions() {
        let values = [9.0, 11.0, 10.0, 12.0, 8.0, 10.0, 10.0, 10.0];
        let (mut overall, mut within) = (Moments::default(), Within::subgroups_of(2));
        for value in values {
            overall.push(value);
            within.push(value);
        }
        let sigma = (10.0_f64 / 7.0).sqrt();
        let inner = (2.0 + 2.0 + 2.0 + 0.0) / 4.0 / d2(2);
        let found = Capability::of((Some(4.0), Some(13.0)), &overall, Some(&within)).unwrap();
        near(found.pp, 9.0 / (6.0 * sigma));
        near(Some(found.ppk), 3.0 / (3.0 * sigma));
        near(found.cp, 9.0 / (6.0 * inner));
        near(found.cpk, 3.0 / (3.0 * inner));
        let one_sided = Capability::of((Some(4.0), None), &overall, None).unwrap();
        near(Some(one_sided.ppk), 6.0 / (3.0 * sigma));
        assert_eq!(
            (one_sided.pp, one_sided.cp, one_sided.cpk),
            (None, None, None)
        );
    }

    #[test]
    fn values_that_no_chart_takes_are_passed_over() {
        let (mut overall, mut within) = (Moments::default(), Within::subgroups_of(2));
        for value in [1.0, f64::NAN, 1e200, f64::NEG_INFINITY, 3.0] {
            overall.push(value);
            within.push(value);
        }
        assert_eq!((overall.n(), overall.mean()), (2, 2.0));
        near(within.standard_deviation(), 2.0 / d2(2));
    }

    #[test]
    fn nothing_is_said_of_what_does_not_vary() {
        let mut overall = Moments::default();
        assert_eq!(Capability::of((Some(0.0), None), &overall, None), None);
        overall.push(3.0);
        overall.push(3.0);
        assert_eq!(Capability::of((Some(0.0), None), &overall, None), None);
    }

    #[test]
    fn moments_of_parts_are_moments_of_the_whole() {
        let values: Vec<f64> = (0..97).map(|n| f64::from(n * n % 31)).collect();
        let of = |values: &[f64]| {
            let mut moments = Moments::default();
            values.iter().for_each(|value| moments.push(*value));
            moments
        };
        let (mut parts, whole) = (of(&values[..40]), of(&values));
        parts.merge(&of(&values[40..]));
        assert_eq!(parts.n(), whole.n());
        near(Some(parts.mean()), whole.mean());
        near(
            parts.standard_deviation(),
            whole.standard_deviation().unwrap(),
        );
    }
}
