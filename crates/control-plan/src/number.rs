//! Numbers for people.

use std::fmt;

/// From the least number that is written without an exponent, with 9 decimals, to the greatest: each takes one fewer.
const POWERS: [f64; 19] = [
    1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
    1e13, 1e14,
];

/// A number as a person writes it: whole numbers in full, others rounded to 6 significant digits (never fewer than
/// the whole part has), without trailing zeros; with an exponent below 0.0001 and from 1e15 on; `n/a` for NaN.
///
/// ```
/// # use control_plan::readable;
/// assert_eq!(readable(308.6 - 300.0).to_string(), "8.6");
/// assert_eq!(readable(1234567.89).to_string(), "1234568");
/// ```
pub fn readable(number: f64) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        let magnitude = number.abs();
        if !number.is_finite() {
            f.write_str("n/a")
        } else if magnitude == 0.0 {
            f.write_str("0")
        } else if !(1e-4..1e15).contains(&magnitude) {
            let text = format!("{number:.5e}");
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            write!(f, "{}e{exponent}", trimmed(mantissa))
        } else if number.fract() == 0.0 {
            write!(f, "{number:.0}")
        } else {
            // Rounded up to a power of ten, it has a zero more, which goes.
            let powers = POWERS.partition_point(|power| *power <= magnitude);
            let decimals = 10_usize.saturating_sub(powers);
            f.write_str(trimmed(&format!("{number:.decimals$}")))
        }
    })
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The standard library's exponent form has the same six digits.
        #[test]
        fn has_six_digits_or_the_whole_part(number in prop_oneof![any::<f64>(), -1e6..1e6, -1.0..1.0]) {
            let rounded = match number.abs() {
                100_000.0..1e15 => number.round_ties_even(),
                _ => format!("{number:.5e}").parse().unwrap(),
            };
            let told = readable(number).to_string();
            prop_assert!(told.parse() == Ok(rounded) || !number.is_finite(), "{number:e}: {told}");
        }
    }

    #[track_caller]
    fn check(number: f64, expected: &str) {
        assert_eq!(readable(number).to_string(), expected);
    }

    #[test]
    fn reads_as_a_person_writes() {
        check(9421.5, "9421.5");
        check(42.0, "42");
        check(0.1 + 0.2, "0.3");
        check(-2.123456789, "-2.12346");
        check(1234567.0, "1234567");
        check(1234567.89, "1234568");
        check(999999.96, "1000000");
        check(999999.5, "1000000");
        check(99999.94, "99999.9");
        check(99999.96, "100000");
        check(9.999996, "10");
        check(9.999994, "9.99999");
        check(0.1, "0.1");
        check(0.09999996, "0.1");
        check(0.001, "0.001");
        check(0.00012345678, "0.000123457");
        check(0.0001, "0.0001");
        check(99_999_999_999_999.5, "100000000000000");
        check(0.000123456789, "0.000123457");
        check(0.00001, "1e-5");
        check(-2.5e300, "-2.5e300");
        check(1e14, "100000000000000");
        check(-0.0, "0");
        check(f64::NAN, "n/a");
    }
}
