//! Arrival times: seconds since the epoch as a JSON number, read exactly and rounded down to the millisecond.
//! Lambda writes `1545084650.987`, the Kinesis API `1.545084650987E9`: both are the same instant here.

/// The last instant taken, in milliseconds since the epoch: 9999-12-30T22:00:00.999Z, where calendars that follow
/// RFC 3339 in every time zone end.
pub const MAX_ARRIVED_MS: i64 = 253_402_207_200_999;

/// The arrival time of a record; `None` unless `number` is a JSON number between 1970 and [`MAX_ARRIVED_MS`].
pub(crate) fn arrived_ms(number: &str) -> Option<i64> {
    millis(number).filter(|ms| (0..=MAX_ARRIVED_MS).contains(ms))
}

/// Milliseconds in so many seconds, rounded down; `None` unless `number` is a JSON number and the result an `i64`.
fn millis(number: &str) -> Option<i64> {
    let (negative, unsigned) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let fraction = match fraction {
        Some(digits) => Some(digits).filter(|digits| is_digits(digits))?,
        None => "",
    };
    if !is_digits(whole) {
        return None;
    }
    // The digits before this place are whole milliseconds.
    let place = i64::try_from(whole.len())
        .ok()?
        .saturating_add(exponent)
        .saturating_add(3);
    let mut digits = whole
        .bytes()
        .chain(fraction.bytes())
        .map(|digit| i64::from(digit - b'0'));
    let mut magnitude = 0_i64;
    for _ in 0..place.max(0) {
        match digits.next() {
            Some(digit) => magnitude = magnitude.checked_mul(10)?.checked_add(digit)?,
            None if magnitude == 0 => break,
            None => magnitude = magnitude.checked_mul(10)?,
        }
    }
    let inexact = digits.any(|digit| digit != 0);
    if negative {
        (-magnitude).checked_sub(i64::from(inexact))
    } else {
        Some(magnitude)
    }
}

/// Saturates far outside what can matter.
fn parse_exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    if !is_digits(digits) {
        return None;
    }
    let magnitude = digits.bytes().fold(0_i64, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
    });
    Some(if negative { -magnitude } else { magnitude })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(number: &str, expected: Option<i64>) {
        assert_eq!(millis(number), expected, "{number}");
    }

    #[test]
    fn reads_what_aws_writes() {
        check("1545084650.987", Some(1_545_084_650_987));
        check("1545084711.166", Some(1_545_084_711_166));
        check("1607497475.000", Some(1_607_497_475_000));
        check("1.545084650987E9", Some(1_545_084_650_987));
        check("1428537600", Some(1_428_537_600_000));
    }

    #[test]
    fn short_fractions_are_tenths_and_hundredths() {
        check("1545084650.9", Some(1_545_084_650_900));
        check("1545084650.98", Some(1_545_084_650_980));
        check("1545084650.098", Some(1_545_084_650_098));
        check("1545084650.008", Some(1_545_084_650_008));
    }

    #[test]
    fn digits_below_a_millisecond_are_cut_off() {
        check("1545084650.987999", Some(1_545_084_650_987));
        check(
            "1545084650.98700000000000000000000000000000000001",
            Some(1_545_084_650_987),
        );
        check("0.0009", Some(0));
        check("-0.0009", Some(-1));
        check("-1.5", Some(-1500));
    }

    #[test]
    fn exponents_move_the_point() {
        check("1545084650987e-3", Some(1_545_084_650_987));
        check("15450846509870000e-7", Some(1_545_084_650_987));
        check("0.1545084650987e+10", Some(1_545_084_650_987));
        check("1e-400", Some(0));
        check("0e999999999999999999999", Some(0));
        check("1e-999999999999999999999", Some(0));
    }

    #[test]
    fn refuses_what_is_no_number_or_does_not_fit() {
        for text in [
            "", "-", ".5", "5.", "1e", "1e+", "+1", "1_0", "NaN", "null", "\"1\"", "1.2.3", "0x10",
            "1e3.5", " 1",
        ] {
            check(text, None);
        }
        check("9223372036854775.807", Some(i64::MAX));
        check("9223372036854775.808", None);
        check("1e17", None);
        check("1e999999999999999999999", None);
    }

    #[test]
    fn a_record_arrives_between_1970_and_9999() {
        assert_eq!(arrived_ms("0"), Some(0));
        assert_eq!(arrived_ms("-0.001"), None);
        assert_eq!(arrived_ms("253402207200.9999"), Some(MAX_ARRIVED_MS));
        assert_eq!(arrived_ms("253402207201"), None);
    }

    proptest! {
        /// The oracle works on an exact decimal: an integer count of 10^-`scale` seconds.
        #[test]
        fn equals_the_exact_decimal(units in -10_i128.pow(24)..10_i128.pow(24), scale in 0_u32..24, shift in 0_u32..12) {
            let exact = (units * 1000).div_euclid(10_i128.pow(scale));
            let sign = if units < 0 { "-" } else { "" };
            let padded = format!("{:0>width$}", units.unsigned_abs(), width = scale as usize + 1);
            let (whole, fraction) = padded.split_at(padded.len() - scale as usize);
            let plain = if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") };
            prop_assert_eq!(millis(&plain), i64::try_from(exact).ok());
            // The same value with its point moved and moved back by the exponent.
            let scaled = format!("{sign}{}e-{}", units.unsigned_abs(), scale);
            prop_assert_eq!(millis(&scaled), i64::try_from(exact).ok());
            let raised = format!("{sign}{}{}E-{}", units.unsigned_abs(), "0".repeat(shift as usize), scale + shift);
            prop_assert_eq!(millis(&raised), i64::try_from(exact).ok());
        }

        #[test]
        fn every_millisecond_survives_three_decimals(ms in 0..=MAX_ARRIVED_MS) {
            prop_assert_eq!(arrived_ms(&format!("{}.{:03}", ms / 1000, ms % 1000)), Some(ms));
        }

        #[test]
        fn arbitrary_text_never_panics(text in "[-+0-9.eE]{0,40}") {
            let _ = millis(&text);
        }
    }
}
