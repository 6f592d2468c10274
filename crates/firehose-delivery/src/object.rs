//! An object as it is put.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression as Level;
use flate2::write::GzEncoder;
use siphasher::sip128::{Hasher128, SipHasher13};

use crate::prefix::utc;
use crate::settings::Compression;

/// An object to be put into the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What the answer names.
    pub id: ObjectId,
    /// Its key.
    pub key: String,
    /// Its bytes, compressed as the stream says.
    pub body: Vec<u8>,
    /// How many records it holds.
    pub records: usize,
    /// The type of error under which its records are kept; none if they are delivered.
    pub error_output_type: Option<&'static str>,
    /// 1 for the first attempt.
    pub attempt: u32,
}

/// Names an object; unique within a delivery stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(pub(crate) u64);

/// What follows the prefix: `<stream>-<version>-<time>-<uuid><extension>`.
pub(crate) fn suffix(
    stream: &str,
    version: &str,
    time_ms: i64,
    uuid: &str,
    extension: &str,
) -> String {
    let time = utc(time_ms).strftime("%Y-%m-%d-%H-%M-%S");
    format!("{stream}-{version}-{time}-{uuid}{extension}")
}

impl Compression {
    /// What an object's name ends with, if nothing else is said.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
        }
    }
}

/// The bytes as they are put.
pub(crate) fn compress(bytes: Vec<u8>, compression: Compression) -> Vec<u8> {
    match compression {
        Compression::None => bytes,
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Level::default());
            let written = encoder.write_all(&bytes).and_then(|()| encoder.finish());
            // Writing to memory does not fail.
            written.unwrap_or_default()
        }
    }
}

/// A digest in the form of a UUID: the machine has no randomness, and what it names must differ.
pub(crate) fn uuid(parts: &[&str]) -> String {
    let mut hasher = SipHasher13::new();
    for part in parts {
        std::hash::Hasher::write(&mut hasher, &(part.len() as u64).to_be_bytes());
        std::hash::Hasher::write(&mut hasher, part.as_bytes());
    }
    let mut text = String::with_capacity(36);
    for (index, byte) in hasher.finish128().as_bytes().iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
