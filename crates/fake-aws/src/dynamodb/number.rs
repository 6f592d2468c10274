//! DynamoDB's number: decimal, up to 38 significant digits, magnitude 1E-130 to 9.99…E+125. No binary floating
//! point anywhere.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::protocol::Refusal;

const MAX_DIGITS: usize = 38;
const MAX_MAGNITUDE: i64 = 125;
const MIN_MAGNITUDE: i64 = -130;

/// A decimal number as DynamoDB keeps it: normalised, so that `1.50` equals and is answered as `1.5`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number {
    negative: bool,
    /// Significant digits, most significant first, without zeros at either end; empty for zero.
    digits: Vec<u8>,
    /// The power of ten of the last digit.
    exponent: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadNumber {
    Malformed,
    Overflow,
    Underflow,
    Precision,
}

impl BadNumber {
    pub(crate) fn refusal(self, text: &str) -> Refusal {
        let message = match self {
            Self::Malformed => format!("The parameter cannot be converted to a numeric value: {text}"),
            Self::Overflow => {
                "Number overflow. Attempting to store a number with magnitude larger than supported range".to_owned()
            }
            Self::Underflow => {
                "Number underflow. Attempting to store a number with magnitude smaller than supported range"
                    .to_owned()
            }
            Self::Precision => "Attempting to store more than 38 significant digits in a Number".to_owned(),
        };
        Refusal::new("ValidationException", message)
    }
}

impl Number {
    pub(crate) fn parse(text: &str) -> Result<Self, BadNumber> {
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (
                mantissa,
                exponent.parse::<i64>().map_err(|_| BadNumber::Malformed)?,
            ),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(BadNumber::Malformed);
        }
        let digits = digits.into_iter().map(|digit| digit - b'0').collect();
        Self::normalised(
            negative,
            digits,
            exponent.saturating_sub(fraction.len() as i64),
        )
    }

    fn normalised(
        negative: bool,
        mut digits: Vec<u8>,
        mut exponent: i64,
    ) -> Result<Self, BadNumber> {
        let leading = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..leading);
        while digits.last() == Some(&0) {
            digits.pop();
            exponent = exponent.saturating_add(1);
        }
        if digits.is_empty() {
            return Ok(Self {
                negative: false,
                digits,
                exponent: 0,
            });
        }
        let number = Self {
            negative,
            digits,
            exponent,
        };
        match number.magnitude() {
            magnitude if magnitude > MAX_MAGNITUDE => Err(BadNumber::Overflow),
            magnitude if magnitude < MIN_MAGNITUDE => Err(BadNumber::Underflow),
            _ if number.digits.len() > MAX_DIGITS => Err(BadNumber::Precision),
            _ => Ok(number),
        }
    }

    /// The power of ten of the first digit.
    fn magnitude(&self) -> i64 {
        self.exponent.saturating_add(self.digits.len() as i64 - 1)
    }

    /// The sum; what 38 digits cannot hold is an overflow, as DynamoDB says.
    pub(crate) fn plus(&self, other: &Self) -> Result<Self, BadNumber> {
        let exponent = match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, _) => return Ok(other.clone()),
            (_, true) => return Ok(self.clone()),
            _ => self.exponent.min(other.exponent),
        };
        let (left, right) = (self.scaled(exponent), other.scaled(exponent));
        let (negative, digits) = if self.negative == other.negative {
            (self.negative, add(&left, &right))
        } else if compare_digits(&left, &right) == Ordering::Less {
            (other.negative, subtract(&right, &left))
        } else {
            (self.negative, subtract(&left, &right))
        };
        Self::normalised(negative, digits, exponent).map_err(|fault| match fault {
            BadNumber::Precision => BadNumber::Overflow,
            other => other,
        })
    }

    pub(crate) fn minus(&self, other: &Self) -> Result<Self, BadNumber> {
        self.plus(&Self {
            negative: !other.negative && !other.digits.is_empty(),
            ..other.clone()
        })
    }

    /// The digits with the last one at this power of ten, which must not exceed the number's own. Both lie
    /// within 256 powers of ten.
    fn scaled(&self, exponent: i64) -> Vec<u8> {
        let zeros = usize::try_from(self.exponent - exponent).unwrap_or(0);
        let mut digits = self.digits.clone();
        digits.resize(digits.len() + zeros, 0);
        digits
    }

    /// The bytes that DynamoDB counts for it: one for each two digits, one more, one for a sign.
    pub(crate) fn size(&self) -> usize {
        self.digits.len().div_ceil(2) + 1 + usize::from(self.negative)
    }

    /// The number as an integer, if it is one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.to_string().parse().ok()
    }
}

fn add(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut sum = Vec::with_capacity(left.len().max(right.len()) + 1);
    let mut carry = 0;
    let (mut left, mut right) = (left.iter().rev(), right.iter().rev());
    loop {
        let (a, b) = (left.next(), right.next());
        if a.is_none() && b.is_none() {
            break;
        }
        let total = a.copied().unwrap_or(0) + b.copied().unwrap_or(0) + carry;
        sum.push(total % 10);
        carry = total / 10;
    }
    sum.push(carry);
    sum.reverse();
    sum
}

/// The left must not be the smaller.
fn subtract(left: &[u8], right: &[u8]) -> Vec<u8> {
    let mut difference = Vec::with_capacity(left.len());
    let mut borrow = 0;
    let mut right = right.iter().rev();
    for digit in left.iter().rev() {
        let taken = right.next().copied().unwrap_or(0) + borrow;
        borrow = u8::from(*digit < taken);
        difference.push(*digit + 10 * borrow - taken);
    }
    difference.reverse();
    difference
}

fn compare_digits(left: &[u8], right: &[u8]) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        sign(self).cmp(&sign(other)).then_with(|| {
            let of_magnitude = self
                .magnitude()
                .cmp(&other.magnitude())
                .then_with(|| self.digits.cmp(&other.digits));
            if self.negative {
                of_magnitude.reverse()
            } else {
                of_magnitude
            }
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Plain notation, as DynamoDB answers it: never an exponent.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        let digits: String = self
            .digits
            .iter()
            .map(|digit| char::from(b'0' + digit))
            .collect();
        let sign = if self.negative { "-" } else { "" };
        if self.exponent >= 0 {
            let zeros = usize::try_from(self.exponent).unwrap_or(0);
            return write!(f, "{sign}{digits}{:0<zeros$}", "");
        }
        let fraction = usize::try_from(-self.exponent).unwrap_or(0);
        match digits.len().checked_sub(fraction) {
            Some(whole) if whole > 0 => {
                write!(f, "{sign}{}.{}", &digits[..whole], &digits[whole..])
            }
            _ => write!(f, "{sign}0.{digits:0>fraction$}"),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        let digits = value
            .unsigned_abs()
            .to_string()
            .bytes()
            .map(|digit| digit - b'0')
            .collect();
        // 19 digits are within every limit.
        Self::normalised(value < 0, digits, 0).unwrap_or(Self {
            negative: false,
            digits: Vec::new(),
            exponent: 0,
        })
    }
}

impl FromStr for Number {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).map_err(|fault| fault.refusal(text).message)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_normalised_as_dynamodb_answers_them() {
        for (text, answered) in [
            ("3", "3"),
            ("+3", "3"),
            ("-7.1234", "-7.1234"),
            ("1.50", "1.5"),
            ("0001.23", "1.23"),
            (".123", "0.123"),
            ("5.", "5"),
            ("-17e5", "-1700000"),
            ("-17.4E3", "-17400"),
            ("1e-5", "0.00001"),
            ("0.000", "0"),
            ("-0", "0"),
            ("0e1000", "0"),
            (
                "3.1415926535897932384626433832795028841",
                "3.1415926535897932384626433832795028841",
            ),
        ] {
            assert_eq!(number(text).to_string(), answered, "{text}");
        }
        assert_eq!(number("1e125").to_string().len(), 126);
    }

    #[test]
    fn what_is_no_number_or_too_much_of_one_is_refused() {
        use BadNumber::{Malformed, Overflow, Precision, Underflow};
        for (text, fault) in [
            ("", Malformed),
            ("dog", Malformed),
            ("NaN", Malformed),
            ("-Infinity", Malformed),
            (" 1", Malformed),
            ("1 ", Malformed),
            ("1e", Malformed),
            ("--1", Malformed),
            (".", Malformed),
            ("1e126", Overflow),
            ("11e125", Overflow),
            ("1.0e100000000", Overflow),
            ("1e-131", Underflow),
            ("0.9e-130", Underflow),
            ("3.14159265358979323846264338327950288419", Precision),
        ] {
            assert_eq!(Number::parse(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn arithmetic_is_decimal() {
        for (left, right, sum, difference) in [
            ("0.1", "0.2", "0.3", "-0.1"),
            (
                "1",
                "10000000000000000000000",
                "10000000000000000000001",
                "-9999999999999999999999",
            ),
            ("-5", "5", "0", "-10"),
            ("0", "-3", "-3", "3"),
            (
                "1e10",
                "1e-10",
                "10000000000.0000000001",
                "9999999999.9999999999",
            ),
        ] {
            assert_eq!(number(left).plus(&number(right)).unwrap().to_string(), sum);
            assert_eq!(
                number(left).minus(&number(right)).unwrap().to_string(),
                difference
            );
        }
        assert_eq!(
            number("9e125").plus(&number("9e125")),
            Err(BadNumber::Overflow)
        );
        assert_eq!(
            number("1e50").plus(&number("1")),
            Err(BadNumber::Overflow),
            "38 digits do not hold it"
        );
    }

    #[test]
    fn size_counts_two_digits_a_byte() {
        for (text, size) in [
            ("0", 1),
            ("7", 2),
            ("-7", 3),
            ("1795136400", 5),
            ("123456", 4),
        ] {
            assert_eq!(number(text).size(), size, "{text}");
        }
    }

    proptest! {
        #[test]
        fn integers_agree_with_i64(a in -1_000_000_000_000_000i64.., b in -1_000_000_000_000_000i64..) {
            let (a, b) = (a / 4, b / 4);
            prop_assert_eq!(Number::from(a).cmp(&Number::from(b)), a.cmp(&b));
            prop_assert_eq!(Number::from(a).plus(&Number::from(b)).unwrap().as_i64(), Some(a + b));
            prop_assert_eq!(Number::from(a).minus(&Number::from(b)).unwrap().as_i64(), Some(a - b));
            prop_assert_eq!(number(&a.to_string()), Number::from(a));
        }

        #[test]
        fn fractions_compare_as_scaled_integers(a in -100_000i64..100_000, b in -100_000i64..100_000) {
            let scaled = |value: i64| number(&format!("{value}e-3"));
            prop_assert_eq!(scaled(a).cmp(&scaled(b)), a.cmp(&b));
            prop_assert_eq!(number(&scaled(a).to_string()), scaled(a));
        }
    }
}
