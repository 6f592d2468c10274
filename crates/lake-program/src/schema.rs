//! What a program is given, declared in a part of JSON Schema: `type`, `properties`, `required`, `items`,
//! `additionalProperties`. The same declaration makes the types that a program is compiled against and the check that
//! every record passes before the program sees it, so that what the compiler took for granted holds.
//!
//! A `number` may be whole. An `integer` is exact: one beyond 64 bits would lose digits, and is none.

use std::collections::BTreeMap;

use serde::Deserialize;
use vrl::value::kind::{Collection, Field, Index, Kind};
use vrl::value::{KeyString, Value};

use crate::plan::Types;

/// The declared shape of a JSON value.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    types: Vec<Type>,
    pub(crate) properties: BTreeMap<String, Property>,
    pub(crate) others: Others,
    pub(crate) items: Option<Box<Schema>>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Property {
    pub schema: Schema,
    pub required: bool,
}

/// Fields that are not named.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Others {
    Any,
    None,
    Like(Box<Schema>),
}

/// JSON's types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// A declaration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct SchemaFault {
    /// Where, as a path of fields from `input`.
    pub path: String,
    /// What is wrong.
    pub problem: String,
}

/// Where a value is not as declared. Says types and places, never the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path} is {found}, declared is {declared}")]
pub struct Mismatch {
    /// The place, as a program would name it: `.measurements.torque`.
    pub path: String,
    /// What was declared.
    pub declared: String,
    /// What was found.
    pub found: &'static str,
}

/// As it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Written {
    #[serde(rename = "type")]
    types: OneOrMany,
    #[serde(default)]
    properties: BTreeMap<String, Written>,
    #[serde(default)]
    required: Vec<String>,
    #[serde(default)]
    additional_properties: Option<Additional>,
    #[serde(default)]
    items: Option<Box<Written>>,
    #[serde(default, rename = "description")]
    _description: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Type),
    Many(Vec<Type>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Additional {
    Allowed(bool),
    Like(Box<Written>),
}

impl Schema {
    /// Takes over what was written.
    pub(crate) fn of(written: Written, path: &str) -> Result<Self, SchemaFault> {
        let fault = |problem: String| SchemaFault {
            path: path.to_owned(),
            problem,
        };
        let types = match written.types {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        };
        if types.is_empty() {
            return Err(fault("a value of no type at all".into()));
        }
        let object = types.contains(&Type::Object);
        let described = !written.properties.is_empty() || written.additional_properties.is_some();
        if !object && (described || !written.required.is_empty()) {
            return Err(fault("only an object has fields".into()));
        }
        if !types.contains(&Type::Array) && written.items.is_some() {
            return Err(fault("only an array has items".into()));
        }
        if let Some(absent) = written
            .required
            .iter()
            .find(|name| !written.properties.contains_key(*name))
        {
            return Err(fault(format!(
                "`{absent}` is required, but not among the properties"
            )));
        }
        let required = written.required;
        let properties = written
            .properties
            .into_iter()
            .map(|(name, written)| {
                let schema = Self::of(written, &format!("{path}.{name}"))?;
                let required = required.contains(&name);
                Ok((name, Property { schema, required }))
            })
            .collect::<Result<_, SchemaFault>>()?;
        let others = match written.additional_properties {
            None | Some(Additional::Allowed(true)) => Others::Any,
            Some(Additional::Allowed(false)) => Others::None,
            Some(Additional::Like(written)) => {
                Others::Like(Box::new(Self::of(*written, &format!("{path}.*"))?))
            }
        };
        let items = written
            .items
            .map(|written| Self::of(*written, &format!("{path}[]")).map(Box::new))
            .transpose()?;
        Ok(Self {
            types,
            properties,
            others,
            items,
        })
    }

    /// Whether every value of this shape is an object.
    pub(crate) fn is_object(&self) -> bool {
        self.types == [Type::Object]
    }

    /// The type that the compiler reckons with.
    pub(crate) fn kind(&self) -> Kind {
        self.types
            .iter()
            .fold(Kind::never(), |kind, one| match one {
                Type::Null => kind.or_null(),
                Type::Boolean => kind.or_boolean(),
                Type::Integer => kind.or_integer(),
                Type::Number => kind.or_integer().or_float(),
                Type::String => kind.or_bytes(),
                Type::Array => kind.or_array(self.array()),
                Type::Object => kind.or_object(self.object()),
            })
    }

    /// The types that a value of this shape may be of.
    pub(crate) fn types(&self) -> Types {
        self.types
            .iter()
            .fold(Types::NONE, |types, one| types.and(one.types()))
    }

    fn array(&self) -> Collection<Index> {
        match &self.items {
            None => Collection::from_unknown(Kind::json()),
            Some(items) => Collection::from_unknown(items.kind()),
        }
    }

    fn object(&self) -> Collection<Field> {
        let known = self.properties.iter().map(|(name, property)| {
            let kind = property.schema.kind();
            let kind = if property.required {
                kind
            } else {
                kind.or_undefined()
            };
            (Field::from(name.as_str()), kind)
        });
        let unknown = match &self.others {
            Others::Any => Kind::json(),
            Others::None => Kind::undefined(),
            Others::Like(schema) => schema.kind(),
        };
        Collection::from_parts(known.collect(), unknown)
    }

    /// Holds a value to the declaration.
    pub(crate) fn check(&self, value: &Value) -> Result<(), Mismatch> {
        // The path grows from the inside out.
        self.fits(value).map_err(|mut mismatch| {
            if mismatch.path.is_empty() {
                mismatch.path.push('.');
            }
            mismatch
        })
    }

    fn fits(&self, value: &Value) -> Result<(), Mismatch> {
        if !self.types.iter().any(|one| one.takes(value)) {
            return Err(self.mismatch(json_type(value)));
        }
        match value {
            Value::Object(fields) => {
                // Both are in the order of their names: one pass over either finds every pair.
                let mut fields_in_order = fields.iter().peekable();
                for (name, property) in &self.properties {
                    let before = |field: &(&KeyString, &Value)| field.0.as_str() < name.as_str();
                    while fields_in_order.next_if(before).is_some() {}
                    let same = |field: &(&KeyString, &Value)| field.0.as_str() == name.as_str();
                    match fields_in_order.next_if(same) {
                        Some((_, value)) => property
                            .schema
                            .fits(value)
                            .map_err(|mismatch| mismatch.within(name))?,
                        None if property.required => {
                            return Err(property.schema.mismatch("absent").within(name));
                        }
                        None => {}
                    }
                }
                if self.others != Others::Any {
                    self.others_fit(fields)?;
                }
            }
            Value::Array(items) => {
                if let Some(schema) = &self.items {
                    for (index, item) in items.iter().enumerate() {
                        schema.fits(item).map_err(|mismatch| mismatch.at(index))?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn others_fit(&self, fields: &vrl::value::ObjectMap) -> Result<(), Mismatch> {
        let others = fields
            .iter()
            .filter(|(name, _)| !self.properties.contains_key(name.as_str()));
        for (name, value) in others {
            match &self.others {
                Others::Any => {}
                Others::Like(schema) => schema
                    .fits(value)
                    .map_err(|mismatch| mismatch.within(name))?,
                Others::None => {
                    return Err(Mismatch {
                        path: String::new(),
                        declared: "none".into(),
                        found: "present",
                    }
                    .within(name));
                }
            }
        }
        Ok(())
    }

    fn mismatch(&self, found: &'static str) -> Mismatch {
        let declared: Vec<&str> = self.types.iter().map(|one| one.as_str()).collect();
        Mismatch {
            path: String::new(),
            declared: declared.join(" or "),
            found,
        }
    }
}

impl Mismatch {
    fn within(mut self, name: &str) -> Self {
        // A field's name comes from the record: nothing of it that is long or unprintable goes into a log.
        let plain = name.len() <= 64
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let step = if plain { name } else { "\"…\"" };
        self.path = format!(".{step}{}", self.path);
        self
    }

    fn at(mut self, index: usize) -> Self {
        self.path = format!("[{index}]{}", self.path);
        self
    }
}

impl Type {
    fn takes(self, value: &Value) -> bool {
        match self {
            Self::Null => matches!(value, Value::Null),
            Self::Boolean => matches!(value, Value::Boolean(_)),
            Self::Integer => matches!(value, Value::Integer(_)),
            Self::Number => matches!(value, Value::Integer(_) | Value::Float(_)),
            Self::String => matches!(value, Value::Bytes(_) | Value::String(_)),
            Self::Array => matches!(value, Value::Array(_)),
            Self::Object => matches!(value, Value::Object(_)),
        }
    }

    fn types(self) -> Types {
        match self {
            Self::Null => Types::NULL,
            Self::Boolean => Types::BOOLEAN,
            Self::Integer => Types::INTEGER,
            Self::Number => Types::NUMBER,
            Self::String => Types::STRING,
            Self::Array => Types::ARRAY,
            Self::Object => Types::OBJECT,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// A value's type as JSON names it.
pub(crate) fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Bytes(_) | Value::String(_) | Value::Regex(_) | Value::Timestamp(_) => "string",
        Value::Integer(_) => "integer",
        Value::Float(_) => "number",
        Value::Boolean(_) => "boolean",
        Value::Object(_) => "object",
        Value::Array(_) => "array",
        Value::Null => "null",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(written: &str) -> Result<Schema, SchemaFault> {
        Schema::of(serde_json::from_str(written).unwrap(), "input")
    }

    #[track_caller]
    fn check(declared: &str, value: &str, expected: &str) {
        let value: Value = serde_json::from_str(value).unwrap();
        let found = schema(declared)
            .unwrap()
            .check(&value)
            .map_or_else(|mismatch| mismatch.to_string(), |()| String::new());
        assert_eq!(found, expected, "{declared}, {value}");
    }

    const PRESS: &str = r#"{"type": "object", "required": ["machine"], "properties": {
        "machine": {"type": "string"}, "seq": {"type": ["integer", "null"]},
        "measurements": {"type": "object", "additionalProperties": {"type": "number"}},
        "tests": {"type": "array", "items": {"type": "string"}},
        "sealed": {"type": "object", "properties": {"a": {"type": "boolean"}}, "additionalProperties": false}}}"#;

    #[test]
    fn a_value_is_as_declared_or_the_place_is_named() {
        for sound in [
            r#"{"machine": "press-07"}"#,
            r#"{"machine": "", "seq": null, "other": [1]}"#,
            r#"{"machine": "", "seq": 9223372036854775807, "measurements": {"torque": 1, "power": 2.5}}"#,
            r#"{"machine": "", "tests": ["a"], "sealed": {"a": true}}"#,
        ] {
            check(PRESS, sound, "");
        }
        check(PRESS, "{}", ".machine is absent, declared is string");
        check(PRESS, "7", ". is integer, declared is object");
        check(
            PRESS,
            r#"{"machine": "", "seq": 1.0}"#,
            ".seq is number, declared is integer or null",
        );
        check(
            PRESS,
            r#"{"machine": "", "measurements": {"torque": "4"}}"#,
            ".measurements.torque is string, declared is number",
        );
        check(
            PRESS,
            r#"{"machine": "", "tests": ["a", 7]}"#,
            ".tests[1] is integer, declared is string",
        );
        check(
            PRESS,
            r#"{"machine": "", "sealed": {"b": 1}}"#,
            ".sealed.b is present, declared is none",
        );
    }

    #[test]
    fn an_integer_that_would_lose_digits_is_none() {
        check(
            PRESS,
            r#"{"machine": "", "seq": 9223372036854775808}"#,
            ".seq is number, declared is integer or null",
        );
    }

    #[test]
    fn names_from_records_stay_out_of_messages() {
        check(
            PRESS,
            r#"{"machine": "", "measurements": {"secret token": true}}"#,
            ".measurements.\"…\" is boolean, declared is number",
        );
    }

    #[track_caller]
    fn refused(written: &str, expected: &str) {
        assert_eq!(schema(written).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_declaration_that_contradicts_itself_is_refused() {
        refused(r#"{"type": []}"#, "input: a value of no type at all");
        refused(
            r#"{"type": "string", "properties": {"a": {"type": "null"}}}"#,
            "input: only an object has fields",
        );
        refused(
            r#"{"type": "object", "properties": {"a": {"type": "string", "items": {"type": "null"}}}}"#,
            "input.a: only an array has items",
        );
        refused(
            r#"{"type": "object", "required": ["a"]}"#,
            "input: `a` is required, but not among the properties",
        );
    }

    #[test]
    fn keywords_that_nobody_would_check_are_refused() {
        let fault = serde_json::from_str::<Written>(r#"{"type": "string", "pattern": "a"}"#);
        assert!(fault.unwrap_err().to_string().contains("pattern"));
    }
}
