//! Partition values as they stand in object keys.

use std::borrow::Cow;

use vrl::value::Value;

/// What stands in for a value that is absent, empty, or not made of anything that may stand in a key.
pub const FALLBACK: &str = "unknown";

/// The most bytes of a value; what is longer is cut.
pub const MAX_PARTITION_VALUE_BYTES: usize = 128;

/// A value as it may stand in an object's key.
///
/// Letters and digits of any script, `-`, `_` and `.` stay, everything else becomes `_`. Leading `_` and `.` go:
/// Athena takes what begins with them as hidden, and `..` is a way out of the prefix for whoever makes files of
/// the objects. Whatever is empty by then is [`FALLBACK`].
pub fn partition_value(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let plain = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let mut value = String::new();
    for letter in text.chars() {
        let letter = if plain(letter) { letter } else { '_' };
        if value.is_empty() && matches!(letter, '_' | '.') {
            continue;
        }
        if value.len() + letter.len_utf8() > MAX_PARTITION_VALUE_BYTES {
            break;
        }
        value.push(letter);
    }
    match value.is_empty() {
        true => FALLBACK.to_owned(),
        false => value,
    }
}

/// Whether it may stand in a key as it is, for all that its bytes say.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=MAX_PARTITION_VALUE_BYTES).contains(&text.len())
        && !text.starts_with(['_', '.'])
        && text.bytes().all(plain)
}

/// The value that a program left for a key. Only text, numbers and truth values name a partition.
pub(crate) fn of(value: Option<&Value>) -> String {
    let text: Cow<'_, str> = match value {
        Some(value @ (Value::Bytes(_) | Value::String(_))) => {
            value.to_str_lossy().unwrap_or_default()
        }
        Some(Value::Integer(number)) => number.to_string().into(),
        Some(Value::Float(number)) => number.to_string().into(),
        Some(Value::Boolean(truth)) => truth.to_string().into(),
        _ => return FALLBACK.to_owned(),
    };
    partition_value(&text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(partition_value(text), expected, "{text:?}");
    }

    #[test]
    fn what_may_stand_in_a_key_stays() {
        check("L2", "L2");
        check("2026-11-20", "2026-11-20");
        check("프레스-07", "프레스-07");
        check("a/b c=d%e", "a_b_c_d_e");
        check("v1.2_x", "v1.2_x");
    }

    #[test]
    fn nothing_leads_out_of_the_prefix() {
        check("..", FALLBACK);
        check("../../etc/passwd", "etc_passwd");
        check("_hidden", "hidden");
        check(".hidden", "hidden");
        check("/", FALLBACK);
        check("", FALLBACK);
        check("\u{202e}\0", FALLBACK);
        check("!{timestamp:yyyy}", "timestamp_yyyy_");
    }

    #[test]
    fn only_scalars_name_a_partition() {
        assert_eq!(of(Some(&Value::Integer(-7))), "-7");
        assert_eq!(of(Some(&Value::from_f64_or_zero(2.5))), "2.5");
        assert_eq!(of(Some(&Value::Boolean(true))), "true");
        for none in [
            None,
            Some(&Value::Null),
            Some(&Value::Array(vec!["a".into()])),
        ] {
            assert_eq!(of(none), FALLBACK);
        }
    }

    proptest! {
        #[test]
        fn every_value_is_safe(text: String) {
            let value = partition_value(&text);
            prop_assert!(!value.is_empty() && value.len() <= MAX_PARTITION_VALUE_BYTES);
            prop_assert!(!value.starts_with(['_', '.']));
            let plain = |letter: char| letter.is_alphanumeric() || "-_.".contains(letter);
            prop_assert!(value.chars().all(plain));
            prop_assert_eq!(partition_value(&value), value, "sanitised once is sanitised");
        }
    }
}
