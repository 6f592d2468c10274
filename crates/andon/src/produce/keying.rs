//! The partition key of a line: where the reading names its machine, or the line's own hash.

use std::str::FromStr;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Where a reading names its partition key: a JSON pointer (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keying(String);

/// A payload with the key under which it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// 1 to 256 characters.
    pub partition_key: String,
    /// Whether the payload names the key; otherwise it is the payload's hash.
    pub named: bool,
    /// The payload as it came.
    pub data: Vec<u8>,
}

/// The longest partition key that Kinesis takes, in characters.
const MAX_KEY_CHARS: usize = 256;

impl FromStr for Keying {
    type Err = String;

    fn from_str(pointer: &str) -> Result<Self, String> {
        match pointer.starts_with('/') {
            true => Ok(Self(pointer.to_owned())),
            false => Err(format!("a JSON pointer begins with a slash: /{pointer}")),
        }
    }
}

impl Keying {
    /// Keys a payload. Whatever names no usable key is spread by its hash: it must reach the stream all the same.
    pub fn key(&self, data: Vec<u8>) -> Keyed {
        let named = serde_json::from_slice::<Value>(&data)
            .ok()
            .and_then(|value| match value.pointer(&self.0)? {
                Value::String(name) => Some(name.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            });
        match named.filter(|key| (1..=MAX_KEY_CHARS).contains(&key.chars().count())) {
            Some(partition_key) => Keyed {
                partition_key,
                named: true,
                data,
            },
            None => Keyed {
                partition_key: hash(&data),
                named: false,
                data,
            },
        }
    }
}

/// 32 hexadecimal digits of the payload's SHA-256.
fn hash(data: &[u8]) -> String {
    Sha256::digest(data)
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pointer: &str, data: &str, expected: Option<&str>) {
        let keyed = pointer.parse::<Keying>().unwrap().key(data.into());
        assert_eq!(keyed.data, data.as_bytes());
        assert_eq!(
            keyed.named.then_some(keyed.partition_key.as_str()),
            expected,
            "{data}"
        );
        assert!(!keyed.partition_key.is_empty());
    }

    #[test]
    fn the_machine_is_the_key() {
        check("/machine", r#"{"machine":"press-07"}"#, Some("press-07"));
        check("/machine", r#"{"machine":"프레스-07"}"#, Some("프레스-07"));
        check("/asset/id", r#"{"asset":{"id":17}}"#, Some("17"));
    }

    #[test]
    fn what_names_none_goes_by_its_hash() {
        for data in [
            "",
            "press-01 ERROR",
            "[1]",
            "{}",
            r#"{"machine":""}"#,
            r#"{"machine":null}"#,
            r#"{"machine":"pr"#,
        ] {
            check("/machine", data, None);
        }
        check(
            "/machine",
            &format!(r#"{{"machine":"{}"}}"#, "m".repeat(257)),
            None,
        );
    }

    #[test]
    fn equal_lines_share_their_hash() {
        let keying: Keying = "/machine".parse().unwrap();
        assert_eq!(keying.key(b"x".to_vec()), keying.key(b"x".to_vec()));
        assert_ne!(
            keying.key(b"x".to_vec()).partition_key,
            keying.key(b"y".to_vec()).partition_key
        );
        // The first half of SHA-256 of nothing.
        assert_eq!(
            keying.key(Vec::new()).partition_key,
            "e3b0c44298fc1c149afbf4c8996fb924"
        );
    }

    #[test]
    fn a_pointer_begins_with_a_slash() {
        assert_eq!(
            "machine".parse::<Keying>(),
            Err("a JSON pointer begins with a slash: /machine".into())
        );
    }
}
