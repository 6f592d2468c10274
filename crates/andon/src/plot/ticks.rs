//! Round numbers along an axis, and numbers written to a common precision.

/// Round numbers from `low` to `high`: a step of 1, 2 or 5 times a power of ten, at most `most` of them.
pub(super) fn ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let span = high - low;
    if !span.is_finite() || span <= 0.0 || most == 0 {
        return Vec::new();
    }
    let rough = span / most as f64;
    let power = 10_f64.powi(exponent(rough));
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| span / step <= most as f64)
        .unwrap_or(10.0 * power);
    let first = (low / step - 1e-9).ceil();
    let last = (high / step + 1e-9).floor();
    let count = (last - first).clamp(-1.0, most as f64 + 1.0) as i64;
    // Dividing keeps decimal steps exact where multiplying by 0.1 would not.
    let inverse = if step < 1.0 {
        (1.0 / step).round()
    } else {
        0.0
    };
    (0..=count)
        .map(|n| first + n as f64)
        .map(|n| if inverse > 0.0 { n / inverse } else { n * step })
        .collect()
}

/// Decimals with which numbers that differ by `step` are told apart; below zero, tens, hundreds and so on.
pub(super) fn decimals(step: f64) -> i32 {
    if !step.is_finite() || step <= 0.0 {
        return 0;
    }
    // A step of 0.25 has two, one of 0.2 a single decimal.
    let digits = -exponent(step);
    let scaled = step * 10_f64.powi(digits);
    digits + i32::from((scaled - scaled.round()).abs() > 1e-9)
}

/// A number with `decimals`, with an exponent where it would be too long to read; -0 is 0.
pub(super) fn number(value: f64, decimals: i32) -> String {
    if !value.is_finite() {
        return "n/a".to_owned();
    }
    if value == 0.0 && decimals > 9 {
        return "0".to_owned();
    }
    if value.abs() >= 1e9 || decimals > 9 {
        // As many digits as tell neighbours apart, though no more than a float has.
        let digits = exponent(value.abs()).saturating_add(decimals);
        let digits = usize::try_from(digits).unwrap_or(0).clamp(3, 15);
        return format!("{value:.digits$e}").replace('-', "\u{2212}");
    }
    let decimals = usize::try_from(decimals).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|byte| matches!(byte, b'0' | b'.')) => rest.to_owned(),
        _ => text.replace('-', "\u{2212}"),
    }
}

/// Decimals that show `spread` to three digits.
pub(super) fn precision(spread: f64) -> i32 {
    if !spread.is_finite() || spread <= 0.0 {
        return 3;
    }
    2 - exponent(spread)
}

/// The power of ten at or below a positive number.
fn exponent(number: f64) -> i32 {
    // The text form is exact where a logarithm would round.
    format!("{number:e}")
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        #[track_caller]
        fn check(low: f64, high: f64, most: usize, expected: &[f64]) {
            assert_eq!(ticks(low, high, most), expected, "{low}..{high}");
        }
        check(0.0, 10.0, 5, &[0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        check(8.0, 72.0, 7, &[10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0]);
        check(0.05, 0.35, 4, &[0.1, 0.2, 0.3]);
        check(-1e6, 1e6, 4, &[-1e6, -5e5, 0.0, 5e5, 1e6]);
        check(1.0, 1.0, 5, &[]);
        check(f64::NAN, 1.0, 5, &[]);
        check(3.1, 3.9, 2, &[3.5]);
    }

    #[test]
    fn numbers_share_their_decimals() {
        #[track_caller]
        fn check(value: f64, step: f64, expected: &str) {
            assert_eq!(number(value, decimals(step)), expected);
        }
        check(40.0, 5.0, "40");
        check(0.1, 0.1, "0.1");
        check(0.25, 0.25, "0.25");
        check(-0.001, 0.1, "0.0");
        check(-12.5, 0.5, "\u{2212}12.5");
        check(2.5e12, 1e12, "2.500e12");
        check(2.4e9, 200.0, "2.4000000e9");
        check(2.400_000_2e9, 200.0, "2.4000002e9");
        check(-0.010_000_01, 2e-10, "\u{2212}1.00000100e\u{2212}2");
        check(0.0, 2e-10, "0");
        check(f64::INFINITY, 1.0, "n/a");
    }

    #[test]
    fn limits_show_three_digits_of_sigma() {
        assert_eq!(precision(10.0), 1);
        assert_eq!(precision(0.05), 4);
        assert_eq!(precision(2500.0), -1);
        assert_eq!(number(123_456.7, precision(2500.0)), "123457");
        assert_eq!(precision(0.0), 3);
    }
}
