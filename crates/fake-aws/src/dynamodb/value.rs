//! Attribute values and items, from and to the wire, with the sizes that DynamoDB counts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::number::Number;
use super::validation;
use crate::protocol::Refusal;

/// An item: attributes by name.
pub type Item = BTreeMap<String, Value>;

/// An attribute's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A string.
    S(String),
    /// A number.
    N(Number),
    /// Bytes.
    B(Vec<u8>),
    /// A boolean.
    Bool(bool),
    /// The null value.
    Null,
    /// A map.
    M(BTreeMap<String, Value>),
    /// A list.
    L(Vec<Value>),
    /// A set of strings.
    Ss(BTreeSet<String>),
    /// A set of numbers.
    Ns(BTreeSet<Number>),
    /// A set of bytes.
    Bs(BTreeSet<Vec<u8>>),
}

impl Value {
    /// The string, if it is one.
    pub fn as_s(&self) -> Option<&str> {
        match self {
            Self::S(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_n(&self) -> Option<&Number> {
        match self {
            Self::N(number) => Some(number),
            _ => None,
        }
    }

    /// The number, if it is an integer that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_n().and_then(Number::as_i64)
    }

    /// The bytes, if they are bytes.
    pub fn as_b(&self) -> Option<&[u8]> {
        match self {
            Self::B(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The map, if it is one.
    pub fn as_m(&self) -> Option<&BTreeMap<String, Value>> {
        match self {
            Self::M(map) => Some(map),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_l(&self) -> Option<&[Value]> {
        match self {
            Self::L(list) => Some(list),
            _ => None,
        }
    }

    /// DynamoDB's name of the type: `S`, `N`, `BOOL`, …
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::M(_) => "M",
            Self::L(_) => "L",
            Self::Ss(_) => "SS",
            Self::Ns(_) => "NS",
            Self::Bs(_) => "BS",
        }
    }

    /// Reads the wire's form: an object whose one member names the type.
    pub(crate) fn from_json(json: &Json) -> Result<Self, Refusal> {
        let Some(members) = json.as_object() else {
            return Err(unreadable(json));
        };
        let mut members = members.iter();
        let Some((kind, content)) = members.next() else {
            return Err(validation(
                "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
            ));
        };
        if members.next().is_some() {
            return Err(validation(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the \
                 supported datatypes",
            ));
        }
        match (kind.as_str(), content) {
            ("S", Json::String(text)) => Ok(Self::S(text.clone())),
            ("N", Json::String(text)) => number(text).map(Self::N),
            ("B", Json::String(text)) => bytes(text).map(Self::B),
            ("BOOL", Json::Bool(value)) => Ok(Self::Bool(*value)),
            ("NULL", Json::Bool(true)) => Ok(Self::Null),
            ("NULL", Json::Bool(false)) => Err(validation(
                "One or more parameter values were invalid: Null attribute value types must have the value of true",
            )),
            ("M", Json::Object(members)) => item_from_json(members).map(Self::M),
            ("L", Json::Array(elements)) => elements
                .iter()
                .map(Self::from_json)
                .collect::<Result<_, _>>()
                .map(Self::L),
            ("SS", Json::Array(elements)) => {
                set(elements, "string", |text| Ok(text.to_owned())).map(Self::Ss)
            }
            ("NS", Json::Array(elements)) => set(elements, "number", number).map(Self::Ns),
            ("BS", Json::Array(elements)) => set(elements, "binary", bytes).map(Self::Bs),
            _ => Err(unreadable(json)),
        }
    }

    /// The wire's form.
    pub(crate) fn to_json(&self) -> Json {
        let base64 = |bytes: &Vec<u8>| base64_simd::STANDARD.encode_to_string(bytes);
        match self {
            Self::S(text) => json!({"S": text}),
            Self::N(number) => json!({"N": number.to_string()}),
            Self::B(bytes) => json!({"B": base64(bytes)}),
            Self::Bool(value) => json!({"BOOL": value}),
            Self::Null => json!({"NULL": true}),
            Self::M(map) => json!({"M": item_to_json(map)}),
            Self::L(list) => json!({"L": list.iter().map(Self::to_json).collect::<Vec<_>>()}),
            Self::Ss(set) => json!({"SS": set}),
            Self::Ns(set) => json!({"NS": set.iter().map(Number::to_string).collect::<Vec<_>>()}),
            Self::Bs(set) => json!({"BS": set.iter().map(base64).collect::<Vec<_>>()}),
        }
    }

    /// The bytes that DynamoDB counts: UTF-8 text, raw binary, 3 bytes for a document and 1 for each element.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.size(),
            Self::B(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null => 1,
            Self::M(map) => 3 + map.len() + item_size(map),
            Self::L(list) => 3 + list.iter().map(|value| 1 + value.size()).sum::<usize>(),
            Self::Ss(set) => set.iter().map(String::len).sum(),
            Self::Ns(set) => set.iter().map(Number::size).sum(),
            Self::Bs(set) => set.iter().map(Vec::len).sum(),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::S(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::S(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::N(number.into())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::B(bytes)
    }
}

pub(crate) fn item_from_json(members: &Map<String, Json>) -> Result<Item, Refusal> {
    members
        .iter()
        .map(|(name, value)| Ok((name.clone(), Value::from_json(value)?)))
        .collect()
}

pub(crate) fn item_to_json(item: &Item) -> Json {
    item.iter()
        .map(|(name, value)| (name.clone(), value.to_json()))
        .collect::<Map<_, _>>()
        .into()
}

/// The bytes that DynamoDB counts for an item: names and values.
pub(crate) fn item_size(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value.size())
        .sum()
}

fn number(text: &str) -> Result<Number, Refusal> {
    Number::parse(text).map_err(|fault| fault.refusal(text))
}

fn bytes(text: &str) -> Result<Vec<u8>, Refusal> {
    base64_simd::STANDARD
        .decode_to_vec(text)
        .map_err(|_| Refusal::new("SerializationException", "value is not valid Base64"))
}

fn set<T: Ord>(
    elements: &[Json],
    kind: &str,
    read: impl Fn(&str) -> Result<T, Refusal>,
) -> Result<BTreeSet<T>, Refusal> {
    if elements.is_empty() {
        return Err(validation(format!(
            "One or more parameter values were invalid: An {kind} set  may not be empty"
        )));
    }
    let mut set = BTreeSet::new();
    for element in elements {
        let Json::String(text) = element else {
            return Err(unreadable(element));
        };
        if !set.insert(read(text)?) {
            return Err(validation(
                "One or more parameter values were invalid: Input collection contains duplicates.",
            ));
        }
    }
    Ok(set)
}

fn unreadable(json: &Json) -> Refusal {
    Refusal::new(
        "SerializationException",
        format!("not an attribute value: {json}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_survives_the_wire() {
        let wire = json!({
            "s": {"S": "프레스"}, "n": {"N": "1.5"}, "b": {"B": "AAEC"}, "t": {"BOOL": true}, "z": {"NULL": true},
            "m": {"M": {"a": {"L": [{"N": "1"}, {"S": ""}]}}},
            "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "2"]}, "bs": {"BS": ["AA==", "AQ=="]},
        });
        let item = item_from_json(wire.as_object().unwrap()).unwrap();
        assert_eq!(item_to_json(&item), wire);
    }

    #[test]
    fn malformed_values_are_refused() {
        for (wire, message) in [
            (json!({}), "Supplied AttributeValue is empty"),
            (json!({"S": "a", "N": "1"}), "more than one datatypes set"),
            (json!({"NULL": false}), "must have the value of true"),
            (json!({"SS": []}), "An string set  may not be empty"),
            (json!({"NS": ["1", "1.0"]}), "contains duplicates"),
            (
                json!({"N": "abc"}),
                "cannot be converted to a numeric value: abc",
            ),
            (json!({"N": 1}), "not an attribute value"),
            (json!({"B": "?"}), "not valid Base64"),
        ] {
            let refusal = Value::from_json(&wire).unwrap_err();
            assert!(
                refusal.message.contains(message),
                "{wire}: {}",
                refusal.message
            );
        }
    }

    #[test]
    fn sizes_follow_the_documented_rules() {
        let item = Item::from([
            ("name".to_owned(), Value::from("abc")),
            ("n".to_owned(), Value::from(27)),
            (
                "l".to_owned(),
                Value::L(vec![Value::Null, Value::from("xy")]),
            ),
            (
                "m".to_owned(),
                Value::M(BTreeMap::from([("k".to_owned(), Value::Bool(true))])),
            ),
        ]);
        // 4+3, 1+2, 1+3+(1+1)+(1+2), 1+3+(1+1+1)
        assert_eq!(item_size(&item), 7 + 3 + 9 + 7);
    }
}
