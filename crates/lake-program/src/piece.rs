//! A part of a record's JSON, borrowed from it: read to be written again, or to be made a value of the language.

use bytestring::ByteString;
use vrl::value::{KeyString, Value};

/// A value of a payload.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece<'p> {
    /// No value: a field that is not there.
    Absent,
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    /// A text as it stands in the payload: none of it is to be escaped.
    Plain(&'p str),
    /// A text that stands there with escapes.
    Text(String),
    Array(Vec<Piece<'p>>),
    /// In the order of the names, each once; some may be absent. No name has anything to be escaped.
    Object(Vec<(&'p str, Piece<'p>)>),
}

impl Piece<'_> {
    /// The language's value. A plain text is a view of `whole`, which it was read from.
    pub fn value(&self, whole: &ByteString) -> Value {
        match self {
            Self::Absent | Self::Null => Value::Null,
            Self::Boolean(truth) => Value::Boolean(*truth),
            Self::Integer(number) => Value::Integer(*number),
            Self::Float(number) => Value::from_f64_or_zero(*number),
            Self::Plain(text) => Value::String(whole.slice_ref(text)),
            Self::Text(text) => text.as_str().into(),
            Self::Array(items) => {
                Value::Array(items.iter().map(|item| item.value(whole)).collect())
            }
            Self::Object(fields) => {
                let fields = fields
                    .iter()
                    .filter(|(_, field)| !matches!(field, Self::Absent))
                    .map(|(name, field)| (KeyString::from(*name), field.value(whole)));
                Value::Object(fields.collect())
            }
        }
    }

    /// Appends the JSON that the language's value has.
    pub fn write(&self, rows: &mut Vec<u8>) {
        match self {
            Self::Absent | Self::Null => rows.extend_from_slice(b"null"),
            Self::Boolean(true) => rows.extend_from_slice(b"true"),
            Self::Boolean(false) => rows.extend_from_slice(b"false"),
            Self::Integer(number) => serialize(number, rows),
            Self::Float(number) => serialize(number, rows),
            Self::Plain(text) => write_plain(text, rows),
            Self::Text(text) => write_text(text, rows),
            Self::Array(items) => {
                rows.push(b'[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        rows.push(b',');
                    }
                    item.write(rows);
                }
                rows.push(b']');
            }
            Self::Object(fields) => {
                let mut before = b'{';
                for (name, field) in fields {
                    if matches!(field, Self::Absent) {
                        continue;
                    }
                    rows.push(before);
                    write_plain(name, rows);
                    rows.push(b':');
                    field.write(rows);
                    before = b',';
                }
                if before == b'{' {
                    rows.push(before);
                }
                rows.push(b'}');
            }
        }
    }
}

/// Appends the JSON of a value of the language.
pub(crate) fn write(value: &Value, rows: &mut Vec<u8>) {
    match value {
        Value::String(text) => write_text(text, rows),
        Value::Null => rows.extend_from_slice(b"null"),
        other => serialize(other, rows),
    }
}

/// Appends the JSON of a text.
pub(crate) fn write_text(text: &str, rows: &mut Vec<u8>) {
    // Over the whole text without a way out, which is several bytes at a time.
    let escaped = text.bytes().fold(false, |escaped, byte| {
        escaped | (byte < b' ') | (byte == b'"') | (byte == b'\\')
    });
    match escaped {
        true => serialize(text, rows),
        false => write_plain(text, rows),
    }
}

fn write_plain(text: &str, rows: &mut Vec<u8>) {
    rows.reserve(text.len() + 2);
    rows.push(b'"');
    rows.extend_from_slice(text.as_bytes());
    rows.push(b'"');
}

fn serialize<T: serde::Serialize + ?Sized>(value: &T, rows: &mut Vec<u8>) {
    // Writing to memory does not fail, and every value has a JSON form.
    let written = serde_json::to_writer(&mut *rows, value);
    debug_assert!(written.is_ok());
}
