//! `application/jsonlines` and `application/json`.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Rows, check_length, finite, not_a_number};
use crate::refusal::Refusal;

/// A row, alone or under a name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Row {
    Bare(Vec<Value>),
    Named { features: Vec<Value> },
}

/// Rows under a name; each is read by itself, so that a fault has a place.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    instances: Vec<&'a RawValue>,
}

pub(super) fn read_lines(
    body: &[u8],
    columns: usize,
    values: &mut Vec<f32>,
) -> Result<(), Refusal> {
    let lines = body.split(|byte| *byte == b'\n');
    let lines = lines
        .enumerate()
        .filter(|(_, line)| !line.trim_ascii().is_empty());
    for (at, line) in lines {
        take(line, columns, at + 1, values)?;
    }
    Ok(())
}

pub(super) fn read(body: &[u8], columns: usize, values: &mut Vec<f32>) -> Result<(), Refusal> {
    // A struct would take an array too, for its fields one after the other.
    let rows = serde_json::from_slice::<Vec<&RawValue>>(body)
        .or_else(|_| serde_json::from_slice::<Named<'_>>(body).map(|named| named.instances))
        .map_err(|_| {
            Refusal::Body(match no_json(body) {
                Some(fault) => format!("the body is no JSON: {fault}"),
                None => {
                    "the body is neither an array of rows nor {\"instances\": [rows]}".to_owned()
                }
            })
        })?;
    for (at, read) in rows.into_iter().enumerate() {
        take(read.get().as_bytes(), columns, at + 1, values)?;
    }
    Ok(())
}

fn take(text: &[u8], columns: usize, row: usize, values: &mut Vec<f32>) -> Result<(), Refusal> {
    let read = serde_json::from_slice(text).map_err(|_| Refusal::Row {
        row,
        column: None,
        message: match no_json(text) {
            Some(fault) => format!("row {row} is no JSON: {fault}"),
            None => {
                format!("row {row} is neither an array of numbers nor {{\"features\": [numbers]}}")
            }
        },
    })?;
    let (Row::Bare(fields) | Row::Named { features: fields }) = read;
    check_length(fields.len(), columns, row)?;
    for (at, field) in fields.iter().enumerate() {
        let number = field
            .as_f64()
            .ok_or_else(|| not_a_number(&field.to_string(), row, at + 1))?;
        values.push(finite(number, &field.to_string(), row, at + 1)?);
    }
    Ok(())
}

/// Why a text that was not understood is no JSON; nothing where it is.
fn no_json(text: &[u8]) -> Option<serde_json::Error> {
    serde_json::from_slice::<&RawValue>(text).err()
}

pub(super) fn write_lines(rows: &Rows, name: &str) -> Vec<u8> {
    let mut text = Vec::with_capacity(rows.values.len() * 16);
    for row in rows.iter() {
        text.extend(predicted(row, name).to_string().into_bytes());
        text.push(b'\n');
    }
    text
}

pub(super) fn write(rows: &Rows, name: &str) -> Vec<u8> {
    let predictions: Vec<Value> = rows.iter().map(|row| predicted(row, name)).collect();
    json!({ "predictions": predictions })
        .to_string()
        .into_bytes()
}

/// What is no number is null, as JSON has it.
fn predicted(row: &[f32], name: &str) -> Value {
    match row {
        [only] => json!({ name: number(*only) }),
        several => json!({ name: several.iter().map(|value| number(*value)).collect::<Vec<_>>() }),
    }
}

/// With the digits of the float, not those of the double that is nearest to it.
fn number(value: f32) -> Value {
    let shortest = value.to_string().parse::<f64>();
    shortest.map_or(Value::Null, Value::from)
}
