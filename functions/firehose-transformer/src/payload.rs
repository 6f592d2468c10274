//! What a record's data hold: JSON, compressed JSON, or the log events that CloudWatch Logs puts into one record.

use std::borrow::Cow;
use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;

/// The most bytes of a compressed payload, decompressed. What is larger could hardly give an answer under 6 MB, and a small
/// payload may be a bomb.
pub const MAX_PAYLOAD_BYTES: usize = 32 * 1024 * 1024;

/// RFC 1952. No JSON begins like this.
const GZIP: &[u8] = &[0x1f, 0x8b];

/// Why there is no payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("the record has no data")]
    NoData,
    #[error("the data are not base64")]
    NotBase64,
    #[error("the data begin as gzip does, and are none")]
    NotGzip,
    #[error("the data are over {MAX_PAYLOAD_BYTES} bytes, decompressed")]
    TooLarge,
}

impl Unreadable {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoData => "no-data",
            Self::NotBase64 => "not-base64",
            Self::NotGzip => "not-gzip",
            Self::TooLarge => "too-large",
        }
    }
}

/// Room that is used again for every record.
#[derive(Default)]
pub(crate) struct Room {
    decoded: Vec<u8>,
    inflated: Vec<u8>,
}

/// What was found.
#[derive(Debug)]
pub(crate) enum Payload<'r> {
    /// One value, or whatever the producer put.
    One(&'r [u8]),
    /// What CloudWatch Logs puts.
    Logs(Logs<'r>),
}

/// A record of CloudWatch Logs: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Logs<'r> {
    #[serde(borrow)]
    pub message_type: Cow<'r, str>,
    #[serde(borrow)]
    pub log_group: Cow<'r, str>,
    #[serde(borrow)]
    pub log_stream: Cow<'r, str>,
    #[serde(borrow)]
    pub log_events: Vec<LogEvent<'r>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct LogEvent<'r> {
    #[serde(borrow)]
    pub id: Cow<'r, str>,
    #[serde(borrow)]
    pub message: Cow<'r, str>,
}

impl Room {
    /// Decodes a record's data.
    pub fn open(&mut self, data: Option<&str>) -> Result<Payload<'_>, Unreadable> {
        let data = data.ok_or(Unreadable::NoData)?;
        self.decoded.clear();
        base64_simd::STANDARD
            .decode_append(data, &mut self.decoded)
            .map_err(|_| Unreadable::NotBase64)?;
        if !self.decoded.starts_with(GZIP) {
            return Ok(Payload::One(&self.decoded));
        }
        self.inflated.clear();
        let most = MAX_PAYLOAD_BYTES as u64;
        MultiGzDecoder::new(self.decoded.as_slice())
            .take(most + 1)
            .read_to_end(&mut self.inflated)
            .map_err(|_| Unreadable::NotGzip)?;
        if self.inflated.len() > MAX_PAYLOAD_BYTES {
            return Err(Unreadable::TooLarge);
        }
        match serde_json::from_slice(&self.inflated) {
            Ok(logs) => Ok(Payload::Logs(logs)),
            Err(_) => Ok(Payload::One(&self.inflated)),
        }
    }
}
