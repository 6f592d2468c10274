//! Numbers for people.

use std::fmt;

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
            // Rounding first: 999999.5 has seven digits before the point.
            let text = format!("{number:.5e}");
            let exponent: i32 = text
                .split_once('e')
                .and_then(|(_, e)| e.parse().ok())
                .unwrap_or(0);
            let decimals = usize::try_from(5 - exponent).unwrap_or(0);
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
    use super::*;

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
        check(0.000123456789, "0.000123457");
        check(0.00001, "1e-5");
        check(-2.5e300, "-2.5e300");
        check(1e14, "100000000000000");
        check(-0.0, "0");
        check(f64::NAN, "n/a");
    }
}
