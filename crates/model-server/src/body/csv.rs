//! `text/csv`: a row a line, values separated by commas, no header.

use std::io::Write;

use super::{Rows, check_length, finite, not_a_number};
use crate::refusal::Refusal;

pub(super) fn read(body: &[u8], columns: usize, values: &mut Vec<f32>) -> Result<(), Refusal> {
    let text = std::str::from_utf8(body)
        .map_err(|error| Refusal::Body(format!("the body is not UTF-8: {error}")))?;
    for (at, line) in text.lines().enumerate() {
        let row = at + 1;
        let before = values.len();
        if !line.is_empty() {
            for (at, field) in line.split(',').enumerate().take(columns) {
                let bare = field.trim();
                let bare = bare
                    .strip_prefix('"')
                    .and_then(|rest| rest.strip_suffix('"'))
                    .unwrap_or(bare);
                let value: f64 = bare.parse().map_err(|_| not_a_number(field, row, at + 1))?;
                values.push(finite(value, field, row, at + 1)?);
            }
        }
        let found = match values.len() - before {
            most if most == columns => line.split(',').count(),
            fewer => fewer,
        };
        check_length(found, columns, row)?;
    }
    Ok(())
}

pub(super) fn write(rows: &Rows) -> Vec<u8> {
    let mut text = Vec::with_capacity(rows.values.len() * 12);
    for row in rows.iter() {
        for (at, value) in row.iter().enumerate() {
            if at > 0 {
                text.push(b',');
            }
            // Writing to memory does not fail.
            let _ = match value.is_nan() {
                true => write!(text, "nan"),
                false => write!(text, "{value}"),
            };
        }
        text.push(b'\n');
    }
    text
}
