//! The texts and numbers of a plan.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::expression::{MAX_LENGTH, reserved_words};

/// A type of the schema that is no Rust type of its own.
macro_rules! scalar {
    ($name:ident, $schema:expr) => {
        pub(super) struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

scalar!(
    Name,
    json_schema!({
        "description": "Letters, digits and `_`, not a digit first. Characteristics, attributes and constants share one space of names.",
        "type": "string",
        "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,63}$",
        "not": {"enum": reserved_words().collect::<Vec<_>>()},
    })
);

scalar!(
    Pointer,
    json_schema!({
        "description": "Where the value stands in a reading: a JSON pointer (RFC 6901), as in `/measurements/torque` or `/values/0`. In a name `~` is written `~0` and `/` is written `~1`.",
        "type": "string",
        "pattern": "^(/([^~/]|~[01])*){1,16}$",
    })
);

// An expression may be a literal: YAML reads `formula: 5` as a number.
scalar!(
    Expression,
    json_schema!({
        "description": "An expression of CEL over the plan's names: `&& || ! < <= > >= == != in + - * / ?:`, has(x), abs(x), min(x, y), max(x, y); in conditions previous(x) as well, the value that x had before this reading.",
        "type": ["string", "number", "boolean"],
        "minLength": 1,
        "maxLength": MAX_LENGTH,
    })
);

scalar!(
    Text,
    json_schema!({
        "type": ["string", "number", "boolean"],
        "minLength": 1,
    })
);

scalar!(
    Positive,
    json_schema!({
        "type": "number",
        "exclusiveMinimum": 0,
    })
);
