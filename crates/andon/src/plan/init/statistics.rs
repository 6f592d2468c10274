//! Robust statistics: the faults among the readings must not shape the limits that a draft suggests.

/// The median of |X - Y| for independent normal X and Y is this many sigma: the square root of 2 times the normal
/// distribution's 75 % quantile.
const MEDIAN_MOVING_RANGE: f64 = 0.953_872_552_4;
/// The mean of the same, d2 for two.
const MEAN_MOVING_RANGE: f64 = std::f64::consts::FRAC_2_SQRT_PI;
/// One over the normal distribution's 75 % quantile.
const MEDIAN_DEVIATION: f64 = 1.482_602_218_5;

/// The median; none of nothing. Sorts the values.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        _ if values.is_empty() => None,
        0 => Some((values[middle - 1] + values[middle]) / 2.0),
        _ => Some(values[middle]),
    }
}

/// A quantile of sorted values, interpolated between neighbours (type 7 of Hyndman and Fan).
pub(super) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let low = sorted[place.floor() as usize];
    let high = sorted[place.ceil() as usize];
    Some(low + (high - low) * place.fract())
}

/// A standard deviation, and how it was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sigma {
    pub(super) value: f64,
    pub(super) source: Source,
}

/// How a standard deviation was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    MedianMovingRange,
    MeanMovingRange,
    MedianDeviation,
    Quantiles,
}

impl Source {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::MedianMovingRange => "median moving range / 0.9539",
            Self::MeanMovingRange => "mean moving range / 1.128",
            Self::MedianDeviation => "1.4826 times the median absolute deviation",
            Self::Quantiles => "a third of the way to the farther 0.135 % quantile",
        }
    }
}

/// Sigma from one reading to the next; each series is one machine's. None where nothing varies.
pub(super) fn short_term(series: &[Vec<f64>]) -> Option<Sigma> {
    let mut ranges: Vec<f64> = series
        .iter()
        .flat_map(|series| series.windows(2).map(|pair| (pair[1] - pair[0]).abs()))
        .collect();
    let mean = ranges.iter().sum::<f64>() / ranges.len().max(1) as f64;
    let found = match median(&mut ranges)? {
        // More than half of the readings repeat the one before.
        0.0 => Sigma {
            value: mean / MEAN_MOVING_RANGE,
            source: Source::MeanMovingRange,
        },
        median => Sigma {
            value: median / MEDIAN_MOVING_RANGE,
            source: Source::MedianMovingRange,
        },
    };
    (found.value > 0.0).then_some(found)
}

/// Sigma of all values around their median, or each series around its own. None where it would be 0.
pub(super) fn overall(series: &[Vec<f64>], around_own: bool) -> Option<Sigma> {
    let common = median(&mut series.concat())?;
    let mut deviations: Vec<f64> = Vec::new();
    for series in series {
        let center = if around_own {
            median(&mut series.clone())
        } else {
            Some(common)
        };
        let center = center.unwrap_or(common);
        deviations.extend(series.iter().map(|value| (value - center).abs()));
    }
    let value = median(&mut deviations)? * MEDIAN_DEVIATION;
    (value > 0.0).then_some(Sigma {
        value,
        source: Source::MedianDeviation,
    })
}

/// A third of the distance from the centre to the farther of the quantiles that three sigma cut off a normal
/// distribution: wide enough for a skewed one.
pub(super) fn from_quantiles(sorted: &[f64], center: f64) -> Option<Sigma> {
    let low = quantile(sorted, 0.00135)?;
    let high = quantile(sorted, 0.99865)?;
    let value = (center - low).max(high - center) / 3.0;
    (value > 0.0).then_some(Sigma {
        value,
        source: Source::Quantiles,
    })
}

/// Rounded to so many digits of `unit`: for numbers that people will read and change.
pub(super) fn rounded(value: f64, unit: f64, digits: i32) -> f64 {
    if !unit.is_finite() || unit <= 0.0 {
        return value;
    }
    let exponent = unit.log10().floor() as i32 - digits + 1;
    let text = match usize::try_from(-exponent) {
        Ok(decimals) => format!("{value:.decimals$}"),
        Err(_) => {
            let step = 10_f64.powi(exponent);
            format!("{:.0}", (value / step).round() * step)
        }
    };
    text.parse().unwrap_or(value)
}

/// The next of 1, 2, 5, 10, 20, ... at or above a positive number.
pub(super) fn round_up(value: f64) -> f64 {
    let power = 10_f64.powi(value.log10().floor() as i32);
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|round| *round >= value * (1.0 - 1e-12))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Normal noise of unit variance, near enough: the sum of twelve uniform numbers.
    fn noise(seed: u64, count: usize) -> Vec<f64> {
        let mut state = seed;
        let mut uniform = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        (0..count)
            .map(|_| (0..12).map(|_| uniform()).sum::<f64>() - 6.0)
            .collect()
    }

    #[test]
    fn sigmas_agree_on_noise_and_withstand_faults() {
        let mut series = noise(1, 4_000);
        for value in series.iter_mut().step_by(50) {
            *value = 1_000.0;
        }
        let series = [series];
        for sigma in [
            short_term(&series).unwrap(),
            overall(&series, false).unwrap(),
            overall(&series, true).unwrap(),
        ] {
            assert!((sigma.value - 1.0).abs() < 0.08, "{sigma:?}");
        }
    }

    #[test]
    fn machines_may_stand_at_different_levels() {
        let low = noise(2, 2_000);
        let high: Vec<f64> = noise(3, 2_000).iter().map(|value| value + 50.0).collect();
        let series = [low, high];
        assert!(overall(&series, false).unwrap().value > 20.0);
        assert!((overall(&series, true).unwrap().value - 1.0).abs() < 0.08);
        assert!((short_term(&series).unwrap().value - 1.0).abs() < 0.08);
    }

    #[test]
    fn nothing_varies_and_nothing_is_there() {
        assert_eq!(short_term(&[vec![5.0; 10]]), None);
        assert_eq!(overall(&[vec![5.0; 10]], false), None);
        assert_eq!(short_term(&[]), None);
        assert_eq!(median(&mut []), None);
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(
            short_term(&[vec![1.0, 1.0, 1.0, 2.0]]).unwrap().source,
            Source::MeanMovingRange
        );
    }

    #[test]
    fn quantiles_are_interpolated() {
        let sorted = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(quantile(&sorted, 0.0), Some(1.0));
        assert_eq!(quantile(&sorted, 0.5), Some(2.5));
        assert_eq!(quantile(&sorted, 1.0), Some(4.0));
    }

    #[test]
    fn numbers_are_rounded_for_people() {
        #[track_caller]
        fn check(value: f64, unit: f64, expected: f64) {
            assert_eq!(rounded(value, unit, 2), expected);
        }
        check(40.123_456, 9.87, 40.1);
        check(40.123_456, 0.05, 40.123);
        check(1_538.7, 180.0, 1_540.0);
        check(3.0, 0.0, 3.0);
        assert_eq!(round_up(45.0), 50.0);
        assert_eq!(round_up(50.0), 50.0);
        assert_eq!(round_up(0.3), 0.5);
        assert_eq!(round_up(61.0), 100.0);
    }
}
