//! What is known of a record besides its bytes: `%` in a program.

use chrono::{DateTime, Utc};
use vrl::value::kind::{Collection, Field, Kind};
use vrl::value::{KeyString, Value};

use crate::piece::{write, write_text};

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
        let fields = read.iter().filter_map(|name| {
            let value = self.field(name)?;
            Some((KeyString::from(*name), value))
        });
        Value::Object(fields.collect())
    }

    /// A field by its name, as the program sees it.
    pub(crate) fn field(&self, name: &str) -> Option<Value> {
        match name {
            "arrived" => self.arrived().map(Value::Timestamp),
            "sub_sequence_number" => self.sub_sequence_number.map(Value::Integer),
            text => self.text(text).map(Value::from),
        }
    }

    /// Appends the JSON of a field, which is that of the value that the program sees.
    pub(crate) fn write(&self, name: &str, rows: &mut Vec<u8>) {
        match (name, self.text(name)) {
            (_, Some(text)) => write_text(text, rows),
            (name, None) => write(&self.field(name).unwrap_or(Value::Null), rows),
        }
    }

    fn arrived(&self) -> Option<DateTime<Utc>> {
        self.arrived_ms.and_then(DateTime::from_timestamp_millis)
    }

    fn text(&self, name: &str) -> Option<&str> {
        match name {
            "shard" => self.shard,
            "sequence_number" => self.sequence_number,
            "partition_key" => self.partition_key,
            "log_group" => self.log_group,
            "log_stream" => self.log_stream,
            "log_event" => self.log_event,
            _ => None,
        }
    }
}

/// The field of that name.
pub(crate) fn field(name: &str) -> Option<&'static str> {
    FIELDS.into_iter().find(|field| *field == name)
}
