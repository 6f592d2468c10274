//! Texts that are only ever compared are remembered as eight bytes.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// The same on every machine and in every version: it is stored.
pub(crate) fn digest(text: &str) -> [u8; 8] {
    let mut hasher = SipHasher13::new();
    hasher.write(text.as_bytes());
    hasher.finish().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_stable() {
        assert_eq!(
            u64::from_be_bytes(digest("M14860")),
            15_571_924_599_137_999_303
        );
    }
}
