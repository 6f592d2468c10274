//! Sequence numbers: decimal text that compares as a number. AWS's own example has 56 digits (186 bits), so that
//! no machine integer holds one.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A record's place in its shard: unique and ascending within the shard only.
///
/// The text is kept as it was read, because Lambda wants the same text back; equality, order and hash are the
/// number's, so that leading zeros make no difference.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SequenceNumber(Box<str>);

/// The text is not a sequence number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sequence number consists of decimal digits")]
pub struct BadSequenceNumber;

impl SequenceNumber {
    /// The text as it was read.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Of text that [`is_valid`] has taken.
    pub(crate) fn trusted(digits: &str) -> Self {
        debug_assert!(is_valid(digits), "{digits}");
        Self(digits.into())
    }
}

/// Whether `text` is a sequence number.
pub(crate) fn is_valid(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Compares two valid sequence numbers as numbers.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (significant(left), significant(right));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

fn significant(digits: &str) -> &str {
    digits.trim_start_matches('0')
}

impl FromStr for SequenceNumber {
    type Err = BadSequenceNumber;

    fn from_str(text: &str) -> Result<Self, BadSequenceNumber> {
        if is_valid(text) {
            Ok(Self(text.into()))
        } else {
            Err(BadSequenceNumber)
        }
    }
}

impl TryFrom<String> for SequenceNumber {
    type Error = BadSequenceNumber;

    fn try_from(text: String) -> Result<Self, BadSequenceNumber> {
        if is_valid(&text) {
            Ok(Self(text.into_boxed_str()))
        } else {
            Err(BadSequenceNumber)
        }
    }
}

impl From<SequenceNumber> for String {
    fn from(number: SequenceNumber) -> String {
        number.0.into_string()
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl PartialEq for SequenceNumber {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for SequenceNumber {}

impl PartialOrd for SequenceNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SequenceNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.0, &other.0)
    }
}

impl Hash for SequenceNumber {
    fn hash<H: Hasher>(&self, state: &mut H) {
        significant(&self.0).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> SequenceNumber {
        text.parse().unwrap()
    }

    #[test]
    fn compares_as_a_number() {
        let ascending = [
            "0",
            "9",
            "10",
            "99",
            "340282366920938463463374607431768211456",
            "49590338271490256608559692538361571095921575989136588898",
            "49590338271490256608559692540925702759324208523137515618",
            "100000000000000000000000000000000000000000000000000000000",
        ];
        for (i, left) in ascending.iter().enumerate() {
            for (j, right) in ascending.iter().enumerate() {
                assert_eq!(
                    number(left).cmp(&number(right)),
                    i.cmp(&j),
                    "{left} {right}"
                );
            }
        }
    }

    #[test]
    fn leading_zeros_are_kept_and_make_no_difference() {
        assert_eq!(number("007"), number("7"));
        assert_eq!(number("000"), number("0"));
        assert!(number("007") < number("10"));
        assert_eq!(number("007").to_string(), "007");
        assert_eq!(
            HashSet::from([number("007"), number("7"), number("8")]).len(),
            2
        );
    }

    #[test]
    fn refuses_all_but_digits() {
        for text in [
            "",
            "-1",
            "+1",
            " 1",
            "1 ",
            "1.0",
            "1e3",
            "0x1",
            "TRIM_HORIZON",
            "١٢",
        ] {
            assert_eq!(
                text.parse::<SequenceNumber>(),
                Err(BadSequenceNumber),
                "{text}"
            );
            assert!(
                serde_json::from_value::<SequenceNumber>(text.into()).is_err(),
                "{text}"
            );
        }
        assert!(
            serde_json::from_str::<SequenceNumber>("7").is_err(),
            "a number is not its text"
        );
    }

    #[test]
    fn is_its_text_in_json() {
        let text = "49590338271490256608559692538361571095921575989136588898";
        let json = serde_json::to_string(&number(text)).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(
            serde_json::from_str::<SequenceNumber>(&json)
                .unwrap()
                .as_str(),
            text
        );
    }

    proptest! {
        #[test]
        fn orders_like_integers(left: u128, right: u128, zeros in 0_usize..4) {
            let padded = format!("{}{left}", "0".repeat(zeros));
            prop_assert_eq!(number(&padded).cmp(&number(&right.to_string())), left.cmp(&right));
        }
    }
}
