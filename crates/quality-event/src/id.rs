//! Event ids: the same reading, judged again, gives the same id (promise 2: effects happen once per record).

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Source;

/// 32 lower-case hexadecimal digits: the first 128 bits of a SHA-256 over the source, the kind and the
/// rule or model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId(String);

impl EventId {
    /// The id of what `subject` (a rule or a model) has to say, as `kind`, of the reading at `source`.
    ///
    /// Fields are hashed with their lengths, so that no two different lists run together.
    pub fn derive(source: &Source, kind: &str, subject: &str) -> Self {
        let mut hash = Sha256::new();
        let mut field = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        };
        match source {
            Source::Stream {
                stream,
                shard,
                sequence_number,
                sub_sequence_number,
            } => {
                field("stream");
                field(stream);
                field(shard);
                field(sequence_number);
                field(&sub_sequence_number.map_or_else(String::new, |n| n.to_string()));
            }
            Source::File { file, line } => {
                field("file");
                field(file);
                field(&line.to_string());
            }
        }
        field(kind);
        field(subject);
        let digest = hash.finalize();
        Self::from(*digest.first_chunk::<16>().unwrap_or(&[0; 16]))
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not an event id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event id has 32 lower-case hexadecimal digits")]
pub struct BadEventId;

impl TryFrom<String> for EventId {
    type Error = BadEventId;

    fn try_from(text: String) -> Result<Self, BadEventId> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 32 && text.bytes().all(hex) {
            Ok(Self(text))
        } else {
            Err(BadEventId)
        }
    }
}

impl From<[u8; 16]> for EventId {
    fn from(bits: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(bits)))
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> String {
        id.0
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for EventId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "The first 128 bits of a SHA-256 over the source, the kind and the rule or model.",
            "type": "string",
            "pattern": "^[0-9a-f]{32}$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(shard: &str, sequence_number: &str, sub: Option<u64>) -> Source {
        Source::Stream {
            stream: "arn:aws:kinesis:eu-central-1:123456789012:stream/readings".into(),
            shard: shard.into(),
            sequence_number: sequence_number.into(),
            sub_sequence_number: sub,
        }
    }

    /// The id is a promise to whoever stored one: a change of the recipe must be seen.
    /// The expected value was computed with Python's hashlib from the documented recipe.
    #[test]
    fn is_stable() {
        let id = EventId::derive(
            &source("shardId-000000000006", "495901", Some(3)),
            "violation",
            "torque-drift",
        );
        assert_eq!(id.as_str(), "1702dd7179cb88b218858af5939507a8");
    }

    #[test]
    fn differs_in_every_field() {
        let ids = [
            EventId::derive(&source("a", "bc", None), "violation", "r"),
            EventId::derive(&source("ab", "c", None), "violation", "r"),
            EventId::derive(&source("a", "bc", Some(0)), "violation", "r"),
            EventId::derive(&source("a", "bc", None), "prediction", "r"),
            EventId::derive(&source("a", "bc", None), "violation", "s"),
            EventId::derive(
                &Source::File {
                    file: "a".into(),
                    line: 1,
                },
                "violation",
                "r",
            ),
        ];
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }

    #[test]
    fn refuses_other_text() {
        for text in [
            "",
            "5f1c",
            "5F1C000000000000000000000000000F",
            "zz000000000000000000000000000000",
        ] {
            assert_eq!(
                EventId::try_from(text.to_owned()),
                Err(BadEventId),
                "{text}"
            );
        }
    }
}
