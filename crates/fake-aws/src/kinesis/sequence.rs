//! Sequence numbers in the shape of Kinesis's own: 186 bits, 56 decimal digits.
//!
//! From the most significant bit: the shard's creation, a digit of the shard, the count within the shard, the
//! second of arrival, the shard, a version. So they grow within a shard, children's numbers exceed their
//! parents', and across shards they say nothing about the order of arrival.

use std::cmp::Ordering;
use std::fmt::Write;

/// The sequence number of a shard's n-th record; 0 is where the shard starts.
pub(super) fn sequence_number(created_s: i64, shard: usize, n: u64, arrived_s: i64) -> String {
    let hex = format!(
        "2{created_s:09x}{:x}{n:016x}00{arrived_s:09x}{shard:08x}2",
        shard % 16
    );
    decimal(&hex)
}

/// As numbers: Kinesis promises no number of digits.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

fn decimal(hex: &str) -> String {
    const BASE: u64 = 1_000_000_000;
    // Little-endian.
    let mut limbs = vec![0u64];
    // Eight digits at a time: a limb shifted by them fits in 64 bits.
    for digits in hex.as_bytes().chunks(8) {
        let digit = |digit: &u8| char::from(*digit).to_digit(16).map_or(0, u64::from);
        let mut carry = digits.iter().fold(0, |value, one| value * 16 + digit(one));
        for limb in &mut limbs {
            let value = (*limb << (4 * digits.len())) + carry;
            *limb = value % BASE;
            carry = value / BASE;
        }
        while carry > 0 {
            limbs.push(carry % BASE);
            carry /= BASE;
        }
    }
    let mut limbs = limbs.into_iter().rev();
    let mut text = limbs.next().unwrap_or_default().to_string();
    for limb in limbs {
        // Writing to a string does not fail.
        let _ = write!(text, "{limb:09}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_look_like_kinesiss_own_and_grow() {
        let numbers: Vec<String> = [
            sequence_number(1_795_136_400, 0, 0, 1_795_136_400),
            sequence_number(1_795_136_400, 0, 1, 1_795_136_400),
            sequence_number(1_795_136_400, 0, 2, 1_795_136_400),
            sequence_number(1_795_136_400, 0, u64::from(u32::MAX), 1_795_140_000),
            sequence_number(1_795_136_401, 17, 0, 1_795_136_401),
        ]
        .into();
        assert!(
            numbers.is_sorted_by(|a, b| compare(a, b) == Ordering::Less),
            "{numbers:?}"
        );
        assert!(
            numbers
                .iter()
                .all(|number| number.len() == 56 && number.starts_with("49")),
            "{numbers:?}"
        );
    }

    #[test]
    fn hexadecimal_becomes_decimal() {
        for (hex, expected) in [
            ("0", "0"),
            ("ff", "255"),
            ("3b9aca00", "1000000000"),
            (
                "ffffffffffffffffffffffffffffffff",
                "340282366920938463463374607431768211455",
            ),
        ] {
            assert_eq!(decimal(hex), expected);
        }
    }
}
