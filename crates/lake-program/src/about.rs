//! What is known of a record besides its bytes: `%` in a program.

use chrono::DateTime;
use vrl::value::kind::{Collection, Field, Kind};
use vrl::value::{KeyString, ObjectMap, Value};

/// What is known of a record besides its bytes. What is `None` is absent in the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct About<'a> {
    /// `%arrived`, a timestamp: when the service took the record, in milliseconds since the epoch.
    pub arrived_ms: Option<i64>,
    /// `%shard`: the shard of the stream that the record comes from.
    pub shard: Option<&'a str>,
    /// `%sequence_number`: its place in the shard.
    pub sequence_number: Option<&'a str>,
    /// `%sub_sequence_number`: its place in an aggregate, 0 for a plain record.
    pub sub_sequence_number: Option<i64>,
    /// `%partition_key`: the key that it was put under.
    pub partition_key: Option<&'a str>,
    /// `%log_group`: the CloudWatch log group of a log event.
    pub log_group: Option<&'a str>,
    /// `%log_stream`: its log stream.
    pub log_stream: Option<&'a str>,
    /// `%log_event`: its id.
    pub log_event: Option<&'a str>,
}

/// What may stand under `%` when a program begins.
pub(crate) const FIELDS: [&str; 8] = [
    "arrived",
    "shard",
    "sequence_number",
    "sub_sequence_number",
    "partition_key",
    "log_group",
    "log_stream",
    "log_event",
];

impl About<'_> {
    /// The types that the compiler reckons with.
    pub(crate) fn kind() -> Kind {
        let known = FIELDS.map(|name| {
            let kind = match name {
                "arrived" => Kind::timestamp(),
                "sub_sequence_number" => Kind::integer(),
                _ => Kind::bytes(),
            };
            (Field::from(name), kind.or_undefined())
        });
        Kind::object(Collection::from_parts(
            known.into_iter().collect(),
            Kind::undefined(),
        ))
    }

    /// The fields that a program reads; the others are not worth their making.
    pub(crate) fn value(&self, read: &[&'static str]) -> Value {
        let mut fields = ObjectMap::new();
        for name in read {
            let value = match *name {
                "arrived" => self
                    .arrived_ms
                    .and_then(DateTime::from_timestamp_millis)
                    .map(Value::Timestamp),
                "shard" => self.shard.map(Value::from),
                "sequence_number" => self.sequence_number.map(Value::from),
                "sub_sequence_number" => self.sub_sequence_number.map(Value::Integer),
                "partition_key" => self.partition_key.map(Value::from),
                "log_group" => self.log_group.map(Value::from),
                "log_stream" => self.log_stream.map(Value::from),
                "log_event" => self.log_event.map(Value::from),
                _ => None,
            };
            if let Some(value) = value {
                fields.insert(KeyString::from(*name), value);
            }
        }
        Value::Object(fields)
    }
}
