//! Run tests where limits vary: the last points themselves, judged by the limits of the newest.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{FOUR_OF_FIVE, TWO_OF_THREE, set};
use crate::definition::MAX_MAGNITUDE;
use crate::{Test, Tests};

/// The most points before the newest that any test looks at.
const LONGEST: usize = 14;

/// The last points, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Window(VecDeque<f64>);

impl Window {
    pub(crate) fn max_bytes(tests: Tests) -> usize {
        1 + 8 * kept(tests)
    }

    pub(crate) fn judge(
        &mut self,
        tests: Tests,
        value: f64,
        center: f64,
        sigma: f64,
        fired: &mut Tests,
    ) {
        self.0.push_back(value);
        let two_of_three = self.most_of(3, 2, beyond(center, 2.0 * sigma));
        let four_of_five = self.most_of(5, 4, beyond(center, sigma));
        fired.raise(tests, set(TWO_OF_THREE), two_of_three);
        fired.raise(tests, set(FOUR_OF_FIVE), four_of_five);
        let above = |v: f64| v > center + sigma;
        let below = |v: f64| v < center - sigma;
        for (test, fires) in [
            (
                Test::WesternElectric4,
                self.all(8, |v| v > center) || self.all(8, |v| v < center),
            ),
            (
                Test::Nelson2,
                self.all(9, |v| v > center) || self.all(9, |v| v < center),
            ),
            (
                Test::Nelson3,
                self.steps(6, |a, b| b > a) || self.steps(6, |a, b| b < a),
            ),
            (Test::Nelson4, self.alternates(14)),
            (Test::Nelson7, self.all(15, |v| !above(v) && !below(v))),
            (
                Test::Nelson8,
                self.all(8, |v| above(v) || below(v))
                    && self.last(8).any(above)
                    && self.last(8).any(below),
            ),
        ] {
            fired.raise(tests, Tests::of(test), fires);
        }
        while self.0.len() > kept(tests) {
            self.0.pop_front();
        }
    }

    pub(crate) fn is_plausible(&self) -> bool {
        self.0.len() <= LONGEST && self.0.iter().all(|value| value.abs() <= MAX_MAGNITUDE)
    }

    /// The newest `n`, newest first; fewer if there are fewer.
    fn last(&self, n: usize) -> impl Iterator<Item = f64> {
        self.0.iter().rev().take(n).copied()
    }

    fn all(&self, n: usize, holds: impl Fn(f64) -> bool) -> bool {
        self.0.len() >= n && self.last(n).all(holds)
    }

    /// Whether the newest and at least `least` of the newest `n` are beyond, on one side.
    fn most_of(&self, n: usize, least: usize, beyond: impl Fn(f64, f64) -> bool) -> bool {
        self.0.len() >= n
            && [1.0, -1.0].into_iter().any(|side| {
                self.last(1).all(|v| beyond(side, v))
                    && self.last(n).filter(|v| beyond(side, *v)).count() >= least
            })
    }

    /// Whether every step between the newest `n` holds (from older to newer).
    fn steps(&self, n: usize, holds: impl Fn(f64, f64) -> bool) -> bool {
        self.0.len() >= n
            && self
                .last(n)
                .zip(self.last(n).skip(1))
                .all(|(newer, older)| holds(older, newer))
    }

    fn alternates(&self, n: usize) -> bool {
        let turns = |up_first: bool| {
            let mut up = up_first;
            self.last(n)
                .zip(self.last(n).skip(1))
                .all(|(newer, older)| {
                    let holds = if up { newer > older } else { newer < older };
                    up = !up;
                    holds
                })
        };
        self.0.len() >= n && (turns(true) || turns(false))
    }
}

/// How many points have to be kept for the next one.
fn kept(tests: Tests) -> usize {
    tests
        .iter()
        .map(|test| match test {
            Test::WesternElectric2 | Test::Nelson5 => 2,
            Test::WesternElectric3 | Test::Nelson6 => 4,
            Test::Nelson3 => 5,
            Test::WesternElectric4 | Test::Nelson8 => 7,
            Test::Nelson2 => 8,
            Test::Nelson4 => 13,
            Test::Nelson7 => LONGEST,
            _ => 0,
        })
        .max()
        .unwrap_or(0)
}

/// Whether a value lies beyond the line at `distance` from the centre: above it for side 1, below it for side -1.
/// The same comparison as where limits stay, so that both agree to the last bit.
fn beyond(center: f64, distance: f64) -> impl Fn(f64, f64) -> bool {
    move |side, value| match side > 0.0 {
        true => value > center + distance,
        false => value < center - distance,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The newest point's zones judge the points before it too.
    #[test]
    fn the_newest_point_sets_the_zones() {
        let test = Test::WesternElectric2;
        for (last_sigma, fires) in [(1.0, true), (2.0, false)] {
            let mut window = Window::default();
            let mut fired = Tests::default();
            for (value, sigma) in [(0.0, 1.0), (2.5, 2.0), (2.5, last_sigma)] {
                window.judge(Tests::of(test), value, 0.0, sigma, &mut fired);
            }
            assert_eq!(fired.contains(test), fires, "sigma {last_sigma}");
        }
    }

    #[test]
    fn a_test_keeps_what_it_looks_at() {
        for (test, points) in [
            (Test::BeyondLimits, 0),
            (Test::Nelson5, 2),
            (Test::WesternElectric3, 4),
            (Test::Nelson3, 5),
            (Test::Nelson8, 7),
            (Test::Nelson2, 8),
            (Test::Nelson4, 13),
            (Test::Nelson7, 14),
        ] {
            let mut window = Window::default();
            for value in 0..40 {
                let value = f64::from(value);
                window.judge(Tests::of(test), value, 0.0, 1.0, &mut Tests::default());
            }
            assert_eq!(window.0.len(), points, "{test:?}");
            assert!(window.is_plausible());
        }
    }

    #[test]
    fn what_no_series_leaves_is_refused() {
        let of = |values: &[f64]| Window(values.iter().copied().collect());
        assert!(of(&[0.5; LONGEST]).is_plausible());
        for values in [
            &[0.5; LONGEST + 1][..],
            &[f64::NAN],
            &[f64::NEG_INFINITY],
            &[1e151],
        ] {
            assert!(!of(values).is_plausible(), "{values:?}");
        }
    }
}
