//! A record's JSON as the language's values. Texts are views of one copy of the payload, and cost no allocation of their own,
//! neither here nor where a program passes them on; only one with an escape in it is a text by itself.
//!
//! That is for the whole of a record. Most need less of it, and are [read](crate::read) by what their program wants.

use std::fmt;

use bytestring::ByteString;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use vrl::value::{KeyString, ObjectMap, Value};

/// The one value that the bytes are.
pub(crate) fn parse(payload: &[u8]) -> serde_json::Result<Value> {
    let Ok(text) = std::str::from_utf8(payload) else {
        // Fails, and says where.
        return serde_json::from_slice(payload);
    };
    let whole = ByteString::from(text);
    let mut reader = serde_json::Deserializer::from_str(&whole);
    let value = View(&whole).deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Reads a value out of this text.
#[derive(Clone, Copy)]
struct View<'w>(&'w ByteString);

impl<'w> DeserializeSeed<'w> for View<'w> {
    type Value = Value;

    fn deserialize<D: Deserializer<'w>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'w> Visitor<'w> for View<'w> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Boolean(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        match i64::try_from(number) {
            Ok(number) => Ok(Value::Integer(number)),
            // Not exact any more, and so no integer.
            Err(_) => self.visit_f64(number as f64),
        }
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::from_f64_or_zero(number))
    }

    fn visit_borrowed_str<E>(self, text: &'w str) -> Result<Value, E> {
        Ok(Value::String(self.0.slice_ref(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'w>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'w>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut object = ObjectMap::new();
        while let Some(name) = fields.next_key::<KeyString>()? {
            object.insert(name, fields.next_value_seed(self)?);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As the language itself reads JSON: the same values, the same errors in the same places.
    #[track_caller]
    fn check(payload: &[u8]) {
        let expected = serde_json::from_slice::<Value>(payload).map_err(|error| error.to_string());
        let found = parse(payload).map_err(|error| error.to_string());
        assert_eq!(found, expected, "{}", String::from_utf8_lossy(payload));
    }

    #[test]
    fn values_and_errors_are_the_language_s_own() {
        for payload in [
            r#"{"a": "text", "b": "esc\"aped\u00e9", "c": [1, -1, 1.5, 1e300, null, true], "a": "again"}"#,
            r#"{"": {"프레스": "왼쪽"}, "big": 18446744073709551615, "bigger": 1e400}"#,
            r#"[9223372036854775807, 9223372036854775808, -9223372036854775808, -0.0]"#,
            "\"\"",
            " 7 ",
            "",
            "{\"a\": 1,}",
            "{\"a\": 1} {}",
            "{\"a\n\": \"\u{1}\"}",
            "{\"a\": \"\\ud800\"}",
        ] {
            check(payload.as_bytes());
        }
        check(b"{\"a\": \"\xff\"}");
        check(&[b'['; 200]);
        check([[b'['; 127], [b']'; 127]].concat().as_slice());
    }

    proptest! {
        #[test]
        fn any_bytes_give_the_same(payload: Vec<u8>) {
            check(&payload);
        }

        #[test]
        fn any_text_gives_the_same(name: String, text: String) {
            check(serde_json::json!({name: [text]}).to_string().as_bytes());
        }
    }
}
