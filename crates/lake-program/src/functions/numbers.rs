//! Numbers.

use vrl::compiler::prelude::*;

use super::checked::{Checked, optional, required};

const NUMBER: u16 = kind::INTEGER | kind::FLOAT;
const VALUE: &[Parameter] = &[required("value", NUMBER)];
const ROUNDED: &[Parameter] = &[
    required("value", NUMBER),
    optional("precision", kind::INTEGER),
];

/// Decimal places beyond these change no float.
const MOST_PLACES: i64 = 300;

pub(super) const ALL: &[Checked] = &[
    Checked {
        name: "abs",
        usage: "The value without its sign.",
        parameters: VALUE,
        returns: |[given, ..]| like(given.as_ref()),
        run: |&[value, ..]| match value {
            Value::Integer(number) => Ok(number.saturating_abs().into()),
            other => Ok(Value::from_f64_or_zero(float(other).abs())),
        },
    },
    Checked {
        name: "ceil",
        usage: "The value rounded up, to `precision` decimal places.",
        parameters: ROUNDED,
        returns: |[given, ..]| like(given.as_ref()),
        run: |values| rounded(values, f64::ceil),
    },
    Checked {
        name: "floor",
        usage: "The value rounded down, to `precision` decimal places.",
        parameters: ROUNDED,
        returns: |[given, ..]| like(given.as_ref()),
        run: |values| rounded(values, f64::floor),
    },
    Checked {
        name: "round",
        usage: "The value rounded, halves away from 0, to `precision` decimal places.",
        parameters: ROUNDED,
        returns: |[given, ..]| like(given.as_ref()),
        run: |values| rounded(values, f64::round),
    },
    Checked {
        name: "mod",
        usage: "The remainder of the value by the modulus, with the value's sign.",
        parameters: &[required("value", NUMBER), required("modulus", NUMBER)],
        returns: |_| TypeDef::integer().or_float().fallible(),
        run: |&[value, modulus, _]| match (value, modulus) {
            (Value::Integer(value), Value::Integer(modulus)) => value
                .checked_rem(*modulus)
                .map(Value::Integer)
                .ok_or_else(|| "no remainder by this modulus".into()),
            (value, modulus) => {
                let remainder = float(value) % float(modulus);
                match remainder.is_nan() {
                    false => Ok(Value::from_f64_or_zero(remainder)),
                    true => Err("no remainder by this modulus".into()),
                }
            }
        },
    },
];

/// Integers stay integers, floats stay floats.
fn like(given: Option<&Kind>) -> TypeDef {
    match given {
        Some(kind) if kind.is_integer() => TypeDef::integer(),
        Some(kind) if kind.is_float() => TypeDef::float(),
        _ => TypeDef::integer().or_float(),
    }
}

fn rounded(&[value, places, _]: &[&Value; 3], round: fn(f64) -> f64) -> Resolved {
    if value.is_integer() {
        return Ok(value.clone());
    }
    let places = places.as_integer().unwrap_or(0);
    let factor = 10_f64.powi(places.clamp(-MOST_PLACES, MOST_PLACES) as i32);
    let scaled = float(value) * factor;
    // A value too large to be scaled has no decimal places to lose.
    let rounded = match scaled.is_finite() {
        true => round(scaled) / factor,
        false => float(value),
    };
    Ok(Value::from_f64_or_zero(rounded))
}

fn float(value: &Value) -> f64 {
    match value {
        Value::Integer(number) => *number as f64,
        Value::Float(number) => number.into_inner(),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::tests::check;

    #[test]
    fn numbers_are_rounded() {
        check(&[
            ("abs(-7)", "7"),
            ("abs(-2.5)", "2.5"),
            ("ceil(2.1)", "3.0"),
            ("ceil(2.11, precision: 1)", "2.2"),
            ("floor(-2.1)", "-3.0"),
            ("floor(2.19, 1)", "2.1"),
            ("round(2.5)", "3.0"),
            ("round(-2.5)", "-3.0"),
            ("round(1234.56789, precision: 4)", "1234.5679"),
            ("round(7, precision: 2)", "7"),
            ("round!(.large, precision: 300)", "1e+300"),
            ("round!(.t)", "an argument is string, which it cannot be"),
        ]);
    }

    #[test]
    fn remainders_have_the_sign_of_the_value() {
        check(&[
            ("mod(7, 4) ?? 0", "3"),
            ("mod(-7, 4) ?? 0", "-3"),
            ("mod(5.5, 2) ?? 0", "1.5"),
            ("mod!(7, 0)", "no remainder by this modulus"),
            ("mod!(7.0, 0)", "no remainder by this modulus"),
        ]);
    }
}
