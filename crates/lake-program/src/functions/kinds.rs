//! What a value is: asked, taken for granted, made.

use vrl::compiler::prelude::*;

use crate::schema::json_type;

use super::checked::{Checked, required};

const VALUE: &[Parameter] = &[required("value", kind::ANY)];

macro_rules! is {
    ($name:literal, $($pattern:pat_param)|+) => {
        Checked {
            name: $name,
            usage: "Whether the value is of this type.",
            parameters: VALUE,
            returns: |_| TypeDef::boolean().infallible(),
            run: |&[value, ..]| Ok(matches!(value, $($pattern)|+).into()),
        }
    };
}

macro_rules! taken {
    ($name:literal, $kind:expr, $($pattern:pat_param)|+) => {
        Checked {
            name: $name,
            usage: "The value, if it is of this type; an error otherwise.",
            parameters: VALUE,
            returns: |[given, ..]| asserted(given.as_ref(), $kind),
            run: |&[value, ..]| match matches!(value, $($pattern)|+) {
                true => Ok(value.clone()),
                false => Err(format!(concat!("expected ", $name, ", got {}"), json_type(value)).into()),
            },
        }
    };
}

/// The part of the argument's type that is left, and whether anything was left out.
fn asserted(given: Option<&Kind>, wanted: Kind) -> TypeDef {
    let given = given.cloned().unwrap_or_else(Kind::any);
    let certain = wanted.is_superset(&given).is_ok();
    let left = match (given.as_object(), given.as_array()) {
        (Some(fields), _) if wanted.contains_object() => Kind::object(fields.clone()),
        (_, Some(items)) if wanted.contains_array() => Kind::array(items.clone()),
        _ => wanted,
    };
    TypeDef::from(left).maybe_fallible(!certain)
}

pub(super) const ALL: &[Checked] = &[
    is!("is_array", Value::Array(_)),
    is!("is_boolean", Value::Boolean(_)),
    is!("is_float", Value::Float(_)),
    is!("is_integer", Value::Integer(_)),
    is!("is_null", Value::Null),
    is!("is_object", Value::Object(_)),
    is!("is_string", Value::Bytes(_) | Value::String(_)),
    taken!("array", Kind::array(Collection::any()), Value::Array(_)),
    taken!("bool", Kind::boolean(), Value::Boolean(_)),
    taken!("float", Kind::float(), Value::Float(_)),
    taken!("int", Kind::integer(), Value::Integer(_)),
    taken!("object", Kind::object(Collection::any()), Value::Object(_)),
    taken!("string", Kind::bytes(), Value::Bytes(_) | Value::String(_)),
    taken!("timestamp", Kind::timestamp(), Value::Timestamp(_)),
    Checked {
        name: "to_float",
        usage: "A number, a truth value, a number's text or a timestamp (in seconds since the epoch) as a float; null as 0.",
        parameters: VALUE,
        returns: |[given, ..]| {
            let simple = Kind::float()
                .or_integer()
                .or_boolean()
                .or_null()
                .or_timestamp();
            TypeDef::float().maybe_fallible(!within(given.as_ref(), &simple))
        },
        run: |&[value, ..]| match value {
            Value::Float(_) => Ok(value.clone()),
            // Beyond 2^53 a float has not every whole number: the nearest is what a reader of JSON would take.
            Value::Integer(number) => Ok(Value::from_f64_or_zero(*number as f64)),
            Value::Boolean(truth) => Ok(Value::from_f64_or_zero(f64::from(u8::from(*truth)))),
            Value::Null => Ok(Value::from_f64_or_zero(0.0)),
            Value::Timestamp(time) => Ok(Value::from_f64_or_zero(
                time.timestamp_micros() as f64 / 1e6,
            )),
            Value::Bytes(_) | Value::String(_) => super::checked::text(value)
                .trim()
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
                .map(Value::from_f64_or_zero)
                .ok_or_else(|| "the text is no number".into()),
            other => Err(format!("no float can be made of {}", json_type(other)).into()),
        },
    },
    Checked {
        name: "to_int",
        usage: "A number (cut towards 0), a truth value, a whole number's text or a timestamp (in seconds since the epoch) as an integer; null as 0.",
        parameters: VALUE,
        returns: |[given, ..]| {
            let simple = Kind::float()
                .or_integer()
                .or_boolean()
                .or_null()
                .or_timestamp();
            TypeDef::integer().maybe_fallible(!within(given.as_ref(), &simple))
        },
        run: |&[value, ..]| match value {
            Value::Integer(_) => Ok(value.clone()),
            Value::Float(number) => Ok(Value::Integer(number.into_inner() as i64)),
            Value::Boolean(truth) => Ok(Value::Integer((*truth).into())),
            Value::Null => Ok(Value::Integer(0)),
            Value::Timestamp(time) => Ok(Value::Integer(time.timestamp())),
            Value::Bytes(_) | Value::String(_) => super::checked::text(value)
                .trim()
                .parse()
                .map(Value::Integer)
                .map_err(|_| "the text is no whole number".into()),
            other => Err(format!("no integer can be made of {}", json_type(other)).into()),
        },
    },
    Checked {
        name: "to_string",
        usage: "A number, a truth value or a timestamp as text; null as the empty text.",
        parameters: VALUE,
        returns: |[given, ..]| {
            let simple = Kind::bytes()
                .or_float()
                .or_integer()
                .or_boolean()
                .or_null()
                .or_timestamp();
            TypeDef::bytes().maybe_fallible(!within(given.as_ref(), &simple))
        },
        run: |&[value, ..]| match value {
            Value::Bytes(_) | Value::String(_) => Ok(value.clone()),
            Value::Null => Ok("".into()),
            Value::Object(_) | Value::Array(_) | Value::Regex(_) => {
                Err(format!("no string can be made of {}", json_type(value)).into())
            }
            scalar => Ok(scalar.to_string_lossy().into_owned().into()),
        },
    },
];

/// Whether nothing but `simple` can be given. An absent field is null by then.
fn within(given: Option<&Kind>, simple: &Kind) -> bool {
    given.is_some_and(|given| {
        simple
            .is_superset(&given.clone().upgrade_undefined())
            .is_ok()
    })
}

#[cfg(test)]
mod tests {
    use crate::functions::tests::check;

    #[test]
    fn a_value_is_asked_what_it_is() {
        check(&[
            ("is_array(.a)", "true"),
            ("is_array(.o)", "false"),
            ("is_boolean(.b)", "true"),
            ("is_boolean(.n)", "false"),
            ("is_float(.x)", "true"),
            ("is_float(.n)", "false"),
            ("is_integer(.n)", "true"),
            ("is_integer(.x)", "false"),
            ("is_null(.absent)", "true"),
            ("is_null(.o.k)", "true"),
            ("is_null(.t)", "false"),
            ("is_object(.o)", "true"),
            ("is_object(.a)", "false"),
            ("is_string(.t)", "true"),
            ("is_string(.n)", "false"),
        ]);
    }

    #[test]
    fn a_value_is_taken_for_what_it_is_or_not_at_all() {
        check(&[
            ("array!(.a)", r#"[1,"b"]"#),
            ("array!(.o)", "expected array, got object"),
            ("bool!(.b)", "true"),
            ("bool!(.t)", "expected bool, got string"),
            ("float!(.x)", "2.5"),
            ("float!(.n)", "expected float, got integer"),
            ("int!(.n)", "7"),
            ("int!(.x)", "expected int, got number"),
            ("object!(.o)", r#"{"k":null}"#),
            ("object!(.a)", "expected object, got array"),
            ("string!(.t)", "\"Text\""),
            ("string!(.absent)", "expected string, got null"),
            ("timestamp!(.t)", "expected timestamp, got string"),
            ("int(.n) ?? 0", "7"),
            ("int(.t) ?? 0", "0"),
            ("int(.n)", "unhandled fallible assignment"),
            ("int!(7)", "can't abort infallible function"),
        ]);
    }

    #[test]
    fn values_are_made_of_others() {
        check(&[
            ("to_float!(.n)", "7.0"),
            ("to_float!(\" 2.5 \")", "2.5"),
            ("to_float!(.t)", "the text is no number"),
            ("to_float!(\"inf\")", "the text is no number"),
            ("to_float!(.a)", "no float can be made of array"),
            ("to_float(true)", "1.0"),
            ("to_float(null)", "0.0"),
            ("to_float(t'2026-11-20T01:02:03.5Z')", "1795136523.5"),
            ("to_int!(.x)", "2"),
            ("to_int(-2.9)", "-2"),
            ("to_int(false)", "0"),
            ("to_int!(\"12\")", "12"),
            ("to_int!(\"1.5\")", "the text is no whole number"),
            ("to_int!(.o)", "no integer can be made of object"),
            ("to_string!(.n)", "\"7\""),
            ("to_string!(.x)", "\"2.5\""),
            ("to_string!(.absent)", "\"\""),
            ("to_string!(.b)", "\"true\""),
            ("to_string!(.a)", "no string can be made of array"),
            (
                "to_string(t'2026-11-20T01:02:03.456Z')",
                "\"2026-11-20T01:02:03.456Z\"",
            ),
        ]);
    }
}
