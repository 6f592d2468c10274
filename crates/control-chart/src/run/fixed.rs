//! Run tests where limits stay: a few counters instead of the points.

use serde::{Deserialize, Serialize};

use super::{FOUR_OF_FIVE, TWO_OF_THREE, set};
use crate::definition::MAX_MAGNITUDE;
use crate::{Test, Tests};

/// Counters that saturate, and one bit for each of the last eight points; the newest is the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fixed {
    /// Points seen.
    seen: u8,
    above_1: u8,
    below_1: u8,
    above_2: u8,
    below_2: u8,
    /// Points in a row above the centre, or below it if negative.
    side: i8,
    /// Points in a row within 1 sigma.
    within: u8,
    /// Rises in a row, or falls if negative.
    trend: i8,
    /// Changes of direction in a row.
    turns: u8,
    /// The last step: 1 up, -1 down, 0 neither.
    direction: i8,
    last: f64,
}

impl Fixed {
    pub(crate) const MAX_BYTES: usize = 10 + 8;

    pub(crate) fn judge(
        &mut self,
        tests: Tests,
        value: f64,
        center: f64,
        sigma: f64,
        fired: &mut Tests,
    ) {
        self.take(value, center, sigma);
        let pair = |bits: u8| bits & 1 == 1 && (bits & 0b111).count_ones() >= 2;
        let four = |bits: u8| bits & 1 == 1 && (bits & 0b1_1111).count_ones() >= 4;
        let two_of_three = self.seen >= 3 && (pair(self.above_2) || pair(self.below_2));
        let four_of_five = self.seen >= 5 && (four(self.above_1) || four(self.below_1));
        let outside = self.above_1 | self.below_1 == u8::MAX;
        fired.raise(tests, set(TWO_OF_THREE), two_of_three);
        fired.raise(tests, set(FOUR_OF_FIVE), four_of_five);
        for (test, fires) in [
            (Test::WesternElectric4, self.side.unsigned_abs() >= 8),
            (Test::Nelson2, self.side.unsigned_abs() >= 9),
            (Test::Nelson3, self.trend.unsigned_abs() >= 5),
            (Test::Nelson4, self.turns >= 12),
            (Test::Nelson7, self.within >= 15),
            (
                Test::Nelson8,
                outside && self.above_1 != 0 && self.below_1 != 0,
            ),
        ] {
            fired.raise(tests, Tests::of(test), fires);
        }
    }

    fn take(&mut self, value: f64, center: f64, sigma: f64) {
        let bit = |bits: u8, is_set: bool| bits << 1 | u8::from(is_set);
        let (above, below) = (value > center + sigma, value < center - sigma);
        self.above_1 = bit(self.above_1, above);
        self.below_1 = bit(self.below_1, below);
        self.above_2 = bit(self.above_2, value > center + 2.0 * sigma);
        self.below_2 = bit(self.below_2, value < center - 2.0 * sigma);
        self.within = match above || below {
            true => 0,
            false => self.within.saturating_add(1),
        };
        self.side = counted(self.side, sign(value, center));
        if self.seen > 0 {
            let direction = sign(value, self.last);
            self.turns = match direction != 0 && direction == -self.direction {
                true => self.turns.saturating_add(1),
                false => 0,
            };
            self.trend = counted(self.trend, direction);
            self.direction = direction;
        }
        self.last = value;
        self.seen = self.seen.saturating_add(1);
    }

    pub(crate) fn is_plausible(&self) -> bool {
        // A bit for each point seen, none on both sides of the centre, none beyond 2 sigma and not beyond 1.
        let seen = u8::MAX
            .checked_shr(u32::from(8 - self.seen.min(8)))
            .unwrap_or(0);
        let has_sound_bits = (self.above_1 | self.below_1) & !seen == 0
            && self.above_1 & self.below_1 == 0
            && self.above_2 & !self.above_1 == 0
            && self.below_2 & !self.below_1 == 0;
        let counts_points = [self.side.unsigned_abs(), self.within]
            .into_iter()
            .all(|points| points <= self.seen);
        // Steps lie between points.
        let counts_steps = [self.trend.unsigned_abs(), self.turns]
            .into_iter()
            .all(|steps| steps < self.seen || self.seen == u8::MAX);
        has_sound_bits
            && counts_points
            && counts_steps
            && self.direction == self.trend.signum()
            && self.last.abs() <= MAX_MAGNITUDE
    }
}

fn sign(value: f64, than: f64) -> i8 {
    i8::from(value > than) - i8::from(value < than)
}

/// The run's length, signed by its direction, with one more step in `direction`.
fn counted(run: i8, direction: i8) -> i8 {
    match direction {
        0 => 0,
        _ if run.signum() == direction => run.saturating_add(direction),
        _ => direction,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After `series` about 0 with sigma 1.
    fn after(series: impl IntoIterator<Item = f64>) -> Fixed {
        let mut runs = Fixed::default();
        for value in series {
            runs.take(value, 0.0, 1.0);
            assert!(runs.is_plausible(), "{runs:?}");
        }
        runs
    }

    fn alternating(n: i32) -> impl Iterator<Item = f64> {
        (0..n).map(|n| if n % 2 == 0 { 1.5 } else { -1.5 })
    }

    #[test]
    fn counters_saturate() {
        let alternating = after(alternating(1_000));
        assert_eq!((alternating.turns, alternating.seen), (u8::MAX, u8::MAX));
        assert_eq!((alternating.side, alternating.trend.abs()), (-1, 1));
        let falling = after((0..1_000).map(|n| f64::from(-n)));
        assert_eq!((falling.side, falling.trend), (i8::MIN, i8::MIN));
        let rising = after((0..1_000).map(f64::from));
        assert_eq!((rising.side, rising.trend), (i8::MAX, i8::MAX));
        let constant = after([0.5; 1_000]);
        assert_eq!((constant.within, constant.direction), (u8::MAX, 0));
    }

    #[test]
    fn what_no_series_leaves_is_refused() {
        let sound = after(alternating(5));
        let refuse = |spoil: fn(&mut Fixed)| {
            let mut runs = sound;
            spoil(&mut runs);
            assert!(!runs.is_plausible(), "{runs:?}");
        };
        refuse(|runs| runs.seen = 0);
        refuse(|runs| runs.below_1 |= runs.above_1);
        refuse(|runs| runs.above_1 = 0b100_0000);
        refuse(|runs| runs.above_2 = 0b10);
        refuse(|runs| runs.side = 6);
        refuse(|runs| runs.within = 6);
        refuse(|runs| runs.trend = -5);
        refuse(|runs| runs.turns = 5);
        refuse(|runs| runs.direction = 0);
        refuse(|runs| runs.direction = 2);
        refuse(|runs| runs.last = f64::NAN);
        refuse(|runs| runs.last = f64::INFINITY);
    }
}
