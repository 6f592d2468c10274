//! Run tests: patterns over the last points.

mod fixed;
mod varying;

use serde::{Deserialize, Serialize};

use crate::{Test, Tests};
use fixed::Fixed;
use varying::Window;

/// What the tests remember of the points before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Runs {
    #[default]
    None,
    Fixed(Fixed),
    Varying(Window),
}

/// Tests of single points, which remember nothing.
const SINGLE: [Test; 6] = [
    Test::BeyondLimits,
    Test::MovingRangeBeyondLimits,
    Test::RangeBeyondLimits,
    Test::StandardDeviationBeyondLimits,
    Test::WesternElectric1,
    Test::Nelson1,
];

impl Runs {
    /// Judges the point (value, centre, sigma), remembers it, and adds the tests that fire.
    pub(crate) fn judge(
        &mut self,
        tests: Tests,
        varies: bool,
        (value, center, sigma): (f64, f64, f64),
        fired: &mut Tests,
    ) {
        if !needs_memory(tests) {
            return;
        }
        if varies {
            if !matches!(self, Self::Varying(_)) {
                *self = Self::Varying(Window::default());
            }
            if let Self::Varying(window) = self {
                window.judge(tests, value, center, sigma, fired);
            }
        } else {
            if !matches!(self, Self::Fixed(_)) {
                *self = Self::Fixed(Fixed::default());
            }
            if let Self::Fixed(runs) = self {
                runs.judge(tests, value, center, sigma, fired);
            }
        }
    }

    pub(crate) fn max_bytes(tests: Tests, varies: bool) -> usize {
        match (needs_memory(tests), varies) {
            (false, _) => 1,
            (true, false) => 1 + Fixed::MAX_BYTES,
            (true, true) => 1 + Window::max_bytes(tests),
        }
    }

    pub(crate) fn is_plausible(&self) -> bool {
        match self {
            Self::None => true,
            Self::Fixed(runs) => runs.is_plausible(),
            Self::Varying(window) => window.is_plausible(),
        }
    }
}

fn needs_memory(tests: Tests) -> bool {
    let single = SINGLE
        .iter()
        .fold(Tests::default(), |set, test| set.union(Tests::of(*test)));
    !tests.without(single).is_empty()
}

/// The sets of tests that ask for one pattern.
const TWO_OF_THREE: [Test; 2] = [Test::WesternElectric2, Test::Nelson5];
const FOUR_OF_FIVE: [Test; 2] = [Test::WesternElectric3, Test::Nelson6];

fn set(tests: [Test; 2]) -> Tests {
    Tests::of(tests[0]).union(Tests::of(tests[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fires(test: Test, varies: bool, series: &[f64]) -> Vec<usize> {
        let mut runs = Runs::default();
        (1..)
            .zip(series)
            .filter(|(_, value)| {
                let mut fired = Tests::default();
                runs.judge(Tests::of(test), varies, (**value, 0.0, 1.0), &mut fired);
                fired.contains(test)
            })
            .map(|(place, _)| place)
            .collect()
    }

    /// Where a test fires on a series about 0 with sigma 1, places counted from 1, whether limits may vary or not.
    #[track_caller]
    fn check(tests: &[Test], series: &[f64], places: &[usize]) {
        for test in tests {
            for varies in [false, true] {
                let found = fires(*test, varies, series);
                assert_eq!(found, places, "{test:?} of {series:?}, varies: {varies}");
            }
        }
    }

    #[test]
    fn two_of_three() {
        let check = |series: &[f64], places: &[usize]| check(&TWO_OF_THREE, series, places);
        check(&[0.0, 2.5, 2.5], &[3]);
        check(&[2.5, 0.0, -2.5, 0.0, -2.5], &[5]);
        // On the line; on either side; a window that is not full; a last point that is back.
        check(&[0.0, 2.0, 2.0, 2.0], &[]);
        check(&[0.0, 2.5, -2.5, 2.4, -2.4], &[4, 5]);
        check(&[0.0, 0.0, 2.5, -2.5], &[]);
        check(&[2.5, 2.5], &[]);
        check(&[2.5, 2.5, 0.0], &[]);
    }

    #[test]
    fn four_of_five() {
        let check = |series: &[f64], places: &[usize]| check(&FOUR_OF_FIVE, series, places);
        check(&[1.5, 1.5, 0.0, 1.5, 1.5, 1.5], &[5, 6]);
        check(&[0.0, -1.5, -1.5, -1.5, -1.5], &[5]);
        check(&[1.0, 1.0, 1.0, 1.0, 1.0], &[]);
        check(&[0.0, 1.5, 1.5, 1.5, -1.5], &[]);
        check(&[1.5, 1.5, 1.5, 1.5], &[]);
        check(&[1.5, 1.5, 1.5, 1.5, 0.0], &[]);
    }

    #[test]
    fn on_one_side() {
        check(&[Test::WesternElectric4], &[0.5; 8], &[8]);
        check(&[Test::WesternElectric4], &[-0.5; 9], &[8, 9]);
        check(&[Test::WesternElectric4], &[0.5; 7], &[]);
        check(&[Test::WesternElectric4], &[0.0; 20], &[]);
        check(&[Test::Nelson2], &[0.5; 9], &[9]);
        check(&[Test::Nelson2], &[-0.5; 8], &[]);
        let interrupted = [0.5, 0.5, 0.5, 0.5, 0.0, 0.5, 0.5, 0.5, 0.5, 0.5];
        check(&[Test::WesternElectric4, Test::Nelson2], &interrupted, &[]);
    }

    #[test]
    fn rising_or_falling() {
        let check = |series: &[f64], places: &[usize]| check(&[Test::Nelson3], series, places);
        check(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], &[6, 7]);
        check(&[0.6, 0.5, 0.4, 0.3, 0.2, 0.1], &[6]);
        check(&[0.1, 0.2, 0.3, 0.4, 0.5], &[]);
        check(&[0.1, 0.2, 0.3, 0.3, 0.4, 0.5, 0.6], &[]);
    }

    #[test]
    fn alternating() {
        let zigzag = |n: usize| (0..n).map(|n| (n % 2) as f64 / 2.0).collect::<Vec<_>>();
        check(&[Test::Nelson4], &zigzag(15), &[14, 15]);
        check(&[Test::Nelson4], &zigzag(13), &[]);
        let mut tied = zigzag(20);
        tied[9] = tied[8];
        check(&[Test::Nelson4], &tied, &[]);
    }

    #[test]
    fn within_one_sigma() {
        // A point on the line is within.
        check(&[Test::Nelson7], &[1.0; 15], &[15]);
        check(&[Test::Nelson7], &[-0.5; 14], &[]);
        let mut left = [0.5; 20];
        left[10] = 1.5;
        check(&[Test::Nelson7], &left, &[]);
    }

    #[test]
    fn outside_one_sigma() {
        let check = |series: &[f64], places: &[usize]| check(&[Test::Nelson8], series, places);
        check(&[1.5, -1.5, 1.5, -1.5, 1.5, -1.5, 1.5, -1.5], &[8]);
        check(&[1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, -1.5], &[9]);
        check(&[1.5; 12], &[]);
        check(&[1.5, -1.5, 1.5, -1.5, 1.0, -1.5, 1.5, -1.5], &[]);
    }

    /// Tests of single points remember nothing.
    #[test]
    fn nothing_is_kept_for_nothing() {
        let mut runs = Runs::default();
        for test in SINGLE {
            runs.judge(
                Tests::of(test),
                true,
                (9.0, 0.0, 1.0),
                &mut Tests::default(),
            );
        }
        assert_eq!(runs, Runs::None);
    }
}
