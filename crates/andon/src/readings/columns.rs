//! The columns of a table: where each stands in the payload, and whether its cells may be numbers.

use std::collections::BTreeMap;

use control_plan::{ControlPlan, Pointed};
use serde_json::{Map, Number, Value};

/// What is known of the cells before the file is opened.
#[derive(Clone, Debug)]
pub enum Cells {
    /// Nothing: a cell is a number where it is written as one.
    Unknown,
    /// What a plan reads, by pointer; other columns are passed over.
    Read(Vec<Column>),
}

/// What a plan reads at a pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The JSON pointer.
    pub pointer: String,
    /// Whether numbers are numbers there, or texts.
    pub is_number: bool,
    /// Whether no row can be read without it.
    pub is_vital: bool,
    /// What reads it, for messages.
    pub what: String,
}

impl Cells {
    /// What `plan` reads.
    pub fn of_plan(plan: &ControlPlan) -> Self {
        let mut columns: Vec<Column> = Vec::new();
        for (pointed, pointer) in plan.pointers() {
            let what = match pointed {
                Pointed::Machine => "the machine".to_owned(),
                Pointed::Line => "the line".to_owned(),
                Pointed::Time => "the time".to_owned(),
                Pointed::Id => "the reading's id".to_owned(),
                Pointed::Attribute(name) => format!("attribute `{name}`"),
                Pointed::Characteristic(name) => format!("characteristic `{name}`"),
            };
            let is_number = matches!(pointed, Pointed::Time | Pointed::Characteristic(_));
            let is_vital = matches!(pointed, Pointed::Machine | Pointed::Time);
            match columns.iter_mut().find(|known| known.pointer == pointer) {
                Some(known) => {
                    known.is_number |= is_number;
                    known.is_vital |= is_vital;
                }
                None => columns.push(Column {
                    pointer,
                    is_number,
                    is_vital,
                    what,
                }),
            }
        }
        Self::Read(columns)
    }
}

/// How the cells of a row become a payload.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    /// By place in the row: the tokens of the pointer, and whether numbers are numbers.
    columns: Vec<Option<(Vec<String>, bool)>>,
}

impl Layout {
    /// The layout of a header row, or what is wrong with the row.
    pub(super) fn new(headers: &[String], cells: &Cells) -> Result<Self, String> {
        let mut seen: BTreeMap<Vec<String>, &str> = BTreeMap::new();
        let mut columns = Vec::new();
        for header in headers {
            // A column without a name, such as an exported index, is nobody's.
            if header.is_empty() {
                columns.push(None);
                continue;
            }
            let tokens = tokens(header);
            if let Some(other) = seen.insert(tokens.clone(), header) {
                return Err(format!("the columns `{other}` and `{header}` are the same"));
            }
            let is_number = match cells {
                Cells::Unknown => Some(true),
                Cells::Read(read) => read
                    .iter()
                    .find(|column| self::tokens(&column.pointer) == tokens)
                    .map(|column| column.is_number),
            };
            columns.push(is_number.map(|is_number| (tokens, is_number)));
        }
        // In the order of their tokens a column comes right before those below it.
        let mut before: Option<(&Vec<String>, &str)> = None;
        for (tokens, header) in &seen {
            let is_below =
                |outer: &Vec<String>| outer.len() < tokens.len() && tokens.starts_with(outer);
            if let Some((_, other)) = before.filter(|(outer, _)| is_below(outer)) {
                return Err(format!(
                    "the column `{header}` lies within the column `{other}`"
                ));
            }
            before = Some((tokens, header));
        }
        Ok(Self { columns })
    }

    /// The payload of a row.
    pub(super) fn payload<'c>(&self, cells: impl Iterator<Item = &'c str>) -> Vec<u8> {
        let mut payload = Map::new();
        for (column, cell) in self.columns.iter().zip(cells) {
            let Some((tokens, is_number)) = column else {
                continue;
            };
            let trimmed = cell.trim();
            if trimmed.is_empty() {
                continue;
            }
            let value = match is_number.then(|| number(trimmed)).flatten() {
                Some(number) => Value::Number(number),
                None => Value::String(trimmed.to_owned()),
            };
            put(&mut payload, tokens, value);
        }
        Value::Object(payload).to_string().into_bytes()
    }
}

/// The tokens of a pointer, whose leading `/` may be missing.
pub(super) fn tokens(pointer: &str) -> Vec<String> {
    pointer
        .strip_prefix('/')
        .unwrap_or(pointer)
        .split('/')
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// The JSON pointer of `tokens`.
pub fn pointer(tokens: &[impl AsRef<str>]) -> String {
    tokens
        .iter()
        .flat_map(|token| {
            let token = token.as_ref().replace('~', "~0").replace('/', "~1");
            ["/".to_owned(), token]
        })
        .collect()
}

/// A number as JSON writes it: no leading plus or zeros, no decimal comma, no NaN.
pub(super) fn number(cell: &str) -> Option<Number> {
    serde_json::from_str(cell).ok()
}

fn put(object: &mut Map<String, Value>, tokens: &[String], value: Value) {
    match tokens {
        [] => {}
        [last] => {
            object.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let inner = object
                .entry(first.as_str())
                .or_insert_with(|| Value::Object(Map::new()));
            // The layout has refused columns that lie within others.
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(headers: &[&str], cells: &Cells) -> Result<Layout, String> {
        let headers: Vec<String> = headers.iter().map(|header| (*header).to_owned()).collect();
        Layout::new(&headers, cells)
    }

    #[track_caller]
    fn check(headers: &[&str], row: &[&str], expected: &str) {
        let layout = layout(headers, &Cells::Unknown).unwrap();
        let payload = layout.payload(row.iter().copied());
        assert_eq!(String::from_utf8(payload).unwrap(), expected);
    }

    #[test]
    fn cells_stand_at_their_pointers() {
        check(
            &["machine", "measurements/torque", "/measurements/speed"],
            &["press-07", "42.8", "1500"],
            r#"{"machine":"press-07","measurements":{"speed":1500,"torque":42.8}}"#,
        );
        check(&["a~1b"], &["x"], r#"{"a/b":"x"}"#);
        check(&["a", "", "b"], &["1", "2", "3"], r#"{"a":1,"b":3}"#);
        check(
            &["machine", "time"],
            &[" press-07", " 2026-11-20T00:00:00Z "],
            r#"{"machine":"press-07","time":"2026-11-20T00:00:00Z"}"#,
        );
    }

    #[test]
    fn only_json_numbers_are_numbers() {
        for number in ["0", "-1.5", "1e3", " 7 "] {
            check(
                &["x"],
                &[number],
                &format!(
                    r#"{{"x":{}}}"#,
                    match number.trim() {
                        "1e3" => "1000.0",
                        other => other,
                    }
                ),
            );
        }
        for text in [
            "007", "+1", "1,5", ".5", "NaN", "1 2", "0x10", "true", "null",
        ] {
            check(&["x"], &[text], &format!(r#"{{"x":"{text}"}}"#));
        }
        check(&["x", "y"], &["", "  "], "{}");
    }

    #[test]
    fn what_a_plan_reads_as_text_stays_text() {
        let column = |pointer: &str, is_number| Column {
            pointer: pointer.to_owned(),
            is_number,
            is_vital: false,
            what: String::new(),
        };
        let cells = Cells::Read(vec![column("/lot", false), column("/m/torque", true)]);
        let layout = layout(&["lot", "m/torque", "other"], &cells).unwrap();
        let payload = layout.payload(["1.50", "1.50", "x"].into_iter());
        assert_eq!(payload, br#"{"lot":"1.50","m":{"torque":1.5}}"#);
    }

    #[test]
    fn contradictory_headers_are_refused() {
        #[track_caller]
        fn check(headers: &[&str], expected: &str) {
            assert_eq!(layout(headers, &Cells::Unknown).unwrap_err(), expected);
        }
        check(&["a", "/a"], "the columns `a` and `/a` are the same");
        check(&["a/b", "a"], "the column `a/b` lies within the column `a`");
        assert!(layout(&["a", "ab", "a b/c"], &Cells::Unknown).is_ok());
    }
}
