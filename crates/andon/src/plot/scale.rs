//! The vertical scale of a panel: limits and points within, with a little room.

use super::svg::Rect;

/// The values at the frame's bottom and top.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Scale {
    /// A scale that shows `limits` and `values`, from zero on if `from_zero` or if they come near it. What lies farther beyond the limits than `reach` times their distance is
    /// drawn at the frame: one bad value must not flatten all others.
    pub(super) fn of(
        mut limits: Vec<f64>,
        mut values: Vec<f64>,
        reach: f64,
        from_zero: bool,
    ) -> Self {
        values.retain(|value| value.is_finite());
        limits.retain(|value| value.is_finite());
        if limits.is_empty() {
            limits = middle(&values);
        }
        let (low, high) = extent(limits);
        let room = reach * (high - low);
        let within = |value: &f64| (low - room..=high + room).contains(value);
        let (least, most) = extent(values.into_iter().filter(within).chain([low, high]));
        let from_zero = least >= 0.0 && (from_zero || least < 0.1 * most);
        let margin = if most > least {
            0.07 * (most - least)
        } else {
            most.abs().max(1.0) * 0.1
        };
        Self {
            low: if from_zero { 0.0 } else { least - margin },
            high: most + margin,
        }
    }

    /// Where a value stands; beyond the scale, at the frame.
    pub(super) fn y(&self, value: f64, frame: Rect) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        frame.bottom() - frame.height * share.clamp(0.0, 1.0)
    }

    pub(super) fn is_beyond(&self, value: f64) -> bool {
        value < self.low || value > self.high
    }
}

fn extent(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    values
        .into_iter()
        .fold(None, |extent: Option<(f64, f64)>, value| {
            Some(extent.map_or((value, value), |(low, high)| {
                (low.min(value), high.max(value))
            }))
        })
        .unwrap_or((0.0, 1.0))
}

/// Without the hundredth at either end.
fn middle(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let cut = sorted.len() / 100;
    sorted
        .get(cut..sorted.len() - cut)
        .unwrap_or_default()
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_value_does_not_flatten_the_others() {
        #[track_caller]
        fn check(limits: &[f64], values: &[f64], within: &[f64], beyond: &[f64]) {
            let scale = Scale::of(limits.to_vec(), values.to_vec(), 2.0, false);
            for value in within {
                assert!(!scale.is_beyond(*value), "{value} in {scale:?}");
            }
            for value in beyond {
                assert!(scale.is_beyond(*value), "{value} in {scale:?}");
            }
        }
        check(
            &[10.0, 70.0],
            &[5.0, 90.0],
            &[5.0, 10.0, 70.0, 90.0],
            &[120.0],
        );
        check(&[10.0, 70.0], &[40.0, 1e9], &[40.0], &[1e9, 1_000.0]);
        check(&[], &[1.0, 2.0, 3.0], &[1.0, 3.0], &[10.0]);
        check(&[], &[], &[0.0, 1.0], &[2.0]);
        check(&[5.0], &[5.0], &[5.0], &[7.0]);
        check(&[], &[f64::NAN, 3.0], &[3.0], &[]);
    }

    #[test]
    fn counts_stand_on_zero() {
        assert_eq!(Scale::of(vec![0.0, 9.0], vec![3.0], 2.0, false).low, 0.0);
        assert!(Scale::of(vec![8.0, 9.0], vec![8.5], 2.0, false).low > 7.0);
        assert_eq!(Scale::of(vec![8.0, 9.0], vec![8.5], 2.0, true).low, 0.0);
    }
}
