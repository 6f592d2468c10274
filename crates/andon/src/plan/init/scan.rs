//! Recorded readings taken apart into columns: one for every pointer that leads to a value.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::failure::Failure;
use crate::readings::{Readings, pointer};

/// Readings that are looked at: enough for any limit that a draft suggests.
pub(super) const MAX_READINGS: usize = 200_000;
/// Pointers that are looked at.
const MAX_COLUMNS: usize = 500;
/// Steps of a pointer, as many as a plan takes.
const MAX_DEPTH: usize = 16;
/// Elements of an array that are looked at.
const MAX_ELEMENTS: usize = 16;

/// Everything that stands at one pointer.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    /// The steps of the pointer.
    pub(super) tokens: Vec<String>,
    /// By reading; what lies beyond the end is absent.
    cells: Vec<Cell>,
    /// The different texts, in the order of their first appearance.
    pub(super) texts: Vec<String>,
    known: HashMap<String, u32>,
}

/// What stands there in one reading.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Cell {
    /// Nothing, or null.
    #[default]
    Absent,
    /// One that may be a name too: a whole number, or any of a table, where names are text however they are written.
    Number(f64),
    /// One written with decimals, be they zeros.
    Decimal(f64),
    /// By place in the column's texts.
    Text(u32),
    Boolean(bool),
}

/// The columns of a file.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) columns: Vec<Column>,
    by_pointer: HashMap<String, usize>,
    /// Readings looked at.
    pub(super) readings: usize,
    /// Lines that are none, by reason.
    pub(super) skipped: BTreeMap<&'static str, u64>,
    /// Whether the file has more readings, or more pointers, than are looked at.
    pub(super) is_partial: bool,
    is_table: bool,
}

impl Scan {
    /// Looks at the first readings of a file.
    pub(super) fn of(readings: &mut Readings) -> Result<Self, Failure> {
        let mut scan = Self {
            is_table: matches!(readings, Readings::Table(_)),
            ..Self::default()
        };
        for pointer in readings.pointers() {
            let tokens = pointer[1..].split('/').map(unescaped).collect::<Vec<_>>();
            scan.column(&tokens);
        }
        for record in readings {
            if scan.readings == MAX_READINGS {
                scan.is_partial = true;
                break;
            }
            let taken = record?.payload.and_then(|payload| scan.take(&payload));
            if let Err(reason) = taken {
                *scan.skipped.entry(reason).or_default() += 1;
            }
        }
        Ok(scan)
    }

    fn take(&mut self, payload: &[u8]) -> Result<(), &'static str> {
        let mut json = serde_json::Deserializer::from_slice(payload);
        let mut found = Vec::new();
        let mut tokens = Vec::new();
        Walk {
            tokens: &mut tokens,
            found: &mut found,
        }
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|_| "not-json")?;
        if found.is_empty() {
            return Err("no-object");
        }
        for (tokens, value) in found {
            if let Some(column) = self.column(&tokens) {
                let value = match value {
                    Value::Decimal(number) if self.is_table => Value::Whole(number),
                    value => value,
                };
                self.columns[column].put(self.readings, value);
            }
        }
        self.readings += 1;
        Ok(())
    }

    fn column(&mut self, tokens: &[String]) -> Option<usize> {
        let pointer = pointer(tokens);
        if let Some(known) = self.by_pointer.get(&pointer) {
            return Some(*known);
        }
        if self.columns.len() == MAX_COLUMNS {
            self.is_partial = true;
            return None;
        }
        self.by_pointer.insert(pointer, self.columns.len());
        self.columns.push(Column {
            tokens: tokens.to_vec(),
            ..Column::default()
        });
        Some(self.columns.len() - 1)
    }

    /// The column at a pointer.
    pub(super) fn find(&self, pointer: &str) -> Option<usize> {
        self.by_pointer.get(pointer).copied()
    }
}

impl Column {
    /// Its JSON pointer.
    pub(super) fn pointer(&self) -> String {
        pointer(&self.tokens)
    }

    /// What stands there in the reading.
    pub(super) fn cell(&self, reading: usize) -> Cell {
        self.cells.get(reading).copied().unwrap_or_default()
    }

    /// What stands there, reading by reading, as far as anything does.
    pub(super) fn present(&self) -> impl Iterator<Item = Cell> {
        let cells = self.cells.iter().copied();
        cells.filter(|cell| *cell != Cell::Absent)
    }

    /// A text or a number that may be a name, as a plan reads them.
    pub(super) fn name(&self, reading: usize) -> Option<String> {
        match self.cell(reading) {
            Cell::Text(text) => self.texts.get(usize::try_from(text).ok()?).cloned(),
            Cell::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    fn put(&mut self, reading: usize, value: Value) {
        if self.cells.len() <= reading {
            self.cells.resize(reading + 1, Cell::Absent);
        }
        self.cells[reading] = match value {
            Value::Whole(number) => Cell::Number(number),
            Value::Decimal(number) => Cell::Decimal(number),
            Value::Boolean(boolean) => Cell::Boolean(boolean),
            Value::Text(text) => {
                let next = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
                let place = *self.known.entry(text).or_insert_with_key(|text| {
                    self.texts.push(text.clone());
                    next
                });
                Cell::Text(place)
            }
        };
    }
}

fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

enum Value {
    Whole(f64),
    Decimal(f64),
    Text(String),
    Boolean(bool),
}

/// Finds the values of a payload with the way to each.
struct Walk<'w> {
    tokens: &'w mut Vec<String>,
    found: &'w mut Vec<(Vec<String>, Value)>,
}

impl Walk<'_> {
    fn keep<E>(self, value: Value) -> Result<(), E> {
        // The payload itself has no pointer that a plan takes.
        if !self.tokens.is_empty() && self.tokens.len() <= MAX_DEPTH {
            self.found.push((self.tokens.clone(), value));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.keep(Value::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.keep(Value::Whole(value as f64))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.keep(Value::Whole(value as f64))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.keep(Value::Decimal(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.keep(Value::Text(value.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            self.tokens.push(key);
            map.next_value_seed(Walk {
                tokens: &mut *self.tokens,
                found: &mut *self.found,
            })?;
            self.tokens.pop();
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            self.tokens.push(index.to_string());
            let kept = self.found.len();
            let more = seq.next_element_seed(Walk {
                tokens: &mut *self.tokens,
                found: &mut *self.found,
            })?;
            self.tokens.pop();
            if index >= MAX_ELEMENTS {
                self.found.truncate(kept);
            }
            if more.is_none() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::readings::Format;

    pub(in super::super) fn scan(content: &str) -> Scan {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let input = file.path().to_path_buf().into();
        Scan::of(&mut Format::default().open_unknown(&input).unwrap()).unwrap()
    }

    #[test]
    fn values_are_found_in_the_files_order() {
        let scan = scan(
            "{\"z\":1,\"a\":{\"b/c\":[true,\"x\"],\"n\":null}}\nnot json\n\n{\"z\":2.5,\"q\":\"y\"}\n7\n",
        );
        let pointers: Vec<String> = scan.columns.iter().map(Column::pointer).collect();
        assert_eq!(pointers, ["/z", "/a/b~1c/0", "/a/b~1c/1", "/q"]);
        assert_eq!(scan.readings, 2);
        assert_eq!(
            scan.skipped,
            BTreeMap::from([("blank", 1), ("not-json", 1), ("no-object", 1)])
        );
        assert_eq!(scan.columns[0].cell(1), Cell::Decimal(2.5));
        assert_eq!(scan.columns[1].cell(1), Cell::Absent);
        assert_eq!(scan.columns[3].name(1).as_deref(), Some("y"));
    }

    #[test]
    fn long_arrays_are_cut() {
        let elements: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let scan = scan(&format!("{{\"a\":[{}]}}\n", elements.join(",")));
        assert_eq!(scan.columns.len(), MAX_ELEMENTS);
    }
}
