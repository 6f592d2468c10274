//! Digests: of a plan file, and of what a rule means.

use sha2::{Digest as _, Sha256};

/// `sha256:` and the digest of a file's bytes, in hexadecimal.
pub(crate) fn of_file(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold("sha256:".to_owned(), |text, byte| {
            text + &format!("{byte:02x}")
        })
}

/// A digest of fields, each with its length, so that no two lists run together.
pub(crate) struct Definition(Sha256);

impl Definition {
    pub(crate) fn new(kind: &str) -> Self {
        Self(Sha256::new()).text(kind)
    }

    pub(crate) fn text(mut self, text: &str) -> Self {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
        self
    }

    pub(crate) fn number(mut self, number: f64) -> Self {
        self.0.update(number.to_bits().to_be_bytes());
        self
    }

    pub(crate) fn numbers(self, numbers: &[f64]) -> Self {
        numbers
            .iter()
            .fold(self, |definition, number| definition.number(*number))
    }

    pub(crate) fn definition(mut self, definition: u64) -> Self {
        self.0.update(definition.to_be_bytes());
        self
    }

    /// The first 64 bits: enough to see a change, and small in every machine's state.
    pub(crate) fn finish(self) -> u64 {
        self.0
            .finalize()
            .iter()
            .take(8)
            .fold(0, |hash, byte| (hash << 8) | u64::from(*byte))
    }
}
