//! Rows in requests, rows in answers, in the three content types.

mod csv;
mod json;

use crate::refusal::Refusal;

/// What rows are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentType {
    Csv,
    JsonLines,
    Json,
}

/// Rows of one length, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rows {
    pub(crate) columns: usize,
    pub(crate) values: Vec<f32>,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.values.len().checked_div(self.columns).unwrap_or(0)
    }

    fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.columns.max(1))
    }
}

impl ContentType {
    const ALL: [Self; 3] = [Self::Csv, Self::Json, Self::JsonLines];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::JsonLines => "application/jsonlines",
            Self::Json => "application/json",
        }
    }

    /// Of a header's text, whatever its parameters.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let essence = text.split(';').next().unwrap_or_default().trim();
        Self::ALL
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(essence))
    }

    /// What `Accept` asks for (RFC 9110, section 12.5.1): of the highest weight, among equals the one that is named first, by a
    /// range `own`.
    pub(crate) fn accepted(text: &str, own: Self) -> Option<Self> {
        if text.split(',').all(|range| range.trim().is_empty()) {
            return Some(own);
        }
        let ranges: Vec<_> = text.split(',').filter_map(Range::of).collect();
        let known = Self::ALL.into_iter().filter_map(|known| {
            let covering = ranges.iter().enumerate();
            let covering =
                covering.filter_map(|(at, range)| Some((range.covers(known)?, at, range)));
            // The closest range speaks for a type.
            let (_, at, range) = covering.min_by_key(|(distance, at, _)| (*distance, *at))?;
            (range.weight > 0.0).then_some((range.weight, at, known))
        });
        let best = known.min_by(|(weight, at, known), (other, after, second)| {
            other
                .total_cmp(weight)
                .then(at.cmp(after))
                .then((*known != own).cmp(&(*second != own)))
        });
        best.map(|(_, _, known)| known)
    }

    /// Reads rows of `columns` finite numbers, at least one.
    pub(crate) fn read(self, body: &[u8], columns: usize) -> Result<Rows, Refusal> {
        let mut values = Vec::new();
        match self {
            Self::Csv => csv::read(body, columns, &mut values)?,
            Self::JsonLines => json::read_lines(body, columns, &mut values)?,
            Self::Json => json::read(body, columns, &mut values)?,
        }
        match values.is_empty() {
            true => Err(Refusal::Body("there are no rows in the body".to_owned())),
            false => Ok(Rows { columns, values }),
        }
    }

    /// Writes rows; `name` is what the model calls them.
    pub(crate) fn write(self, rows: &Rows, name: &str) -> Vec<u8> {
        match self {
            Self::Csv => csv::write(rows),
            Self::JsonLines => json::write_lines(rows, name),
            Self::Json => json::write(rows, name),
        }
    }
}

/// One of the media ranges in `Accept`.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    weight: f32,
}

impl<'a> Range<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let weight = parts
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.eq_ignore_ascii_case("q"))
            .and_then(|(_, weight)| weight.parse().ok())
            .filter(|weight| (0.0..=1.0).contains(weight));
        Some(Self {
            kind,
            subtype,
            weight: weight.unwrap_or(1.0),
        })
    }

    /// How far it is from naming a type: not at all, by its kind, by anything.
    fn covers(&self, known: ContentType) -> Option<u8> {
        let (kind, subtype) = known.as_str().split_once('/')?;
        let same = |found: &str, wanted: &str| found.eq_ignore_ascii_case(wanted);
        match (self.kind, self.subtype) {
            ("*", "*") => Some(2),
            (found, "*") if same(found, kind) => Some(1),
            (found, under) if same(found, kind) && same(under, subtype) => Some(0),
            _ => None,
        }
    }
}

fn check_length(found: usize, columns: usize, row: usize) -> Result<(), Refusal> {
    match found == columns {
        true => Ok(()),
        false => Err(Refusal::Row {
            row,
            column: None,
            message: format!("row {row} has {found} values, the model takes {columns}"),
        }),
    }
}

/// As the model takes it: a number that a float cannot hold is no better than none.
fn finite(value: f64, text: &str, row: usize, column: usize) -> Result<f32, Refusal> {
    let single = value as f32;
    match single.is_finite() {
        true => Ok(single),
        false => Err(not_a_number(text, row, column)),
    }
}

fn not_a_number(text: &str, row: usize, column: usize) -> Refusal {
    let shown: String = text.chars().take(40).collect();
    Refusal::Row {
        row,
        column: Some(column),
        message: format!(
            "row {row}, column {column}: `{}` is no finite number",
            shown.trim()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content_type: ContentType, body: &str, expected: Result<&[f32], &str>) {
        let found = content_type.read(body.as_bytes(), 2);
        let found = found
            .as_ref()
            .map(|rows| rows.values.as_slice())
            .map_err(ToString::to_string);
        assert_eq!(
            found.as_ref().map_err(String::as_str).copied(),
            expected,
            "{body}"
        );
    }

    #[test]
    fn csv_is_a_row_a_line() {
        let check = |body, expected| check(ContentType::Csv, body, expected);
        check("1,2", Ok(&[1.0, 2.0]));
        check("1,2\n3,4\n", Ok(&[1.0, 2.0, 3.0, 4.0]));
        check(" 1 , -2.5e3 \r\n3,4\r\n", Ok(&[1.0, -2_500.0, 3.0, 4.0]));
        check("\"1\",2", Ok(&[1.0, 2.0]));
        check("", Err("there are no rows in the body"));
        check("1,2\n3", Err("row 2 has 1 values, the model takes 2"));
        check("1,2\n\n3,4", Err("row 2 has 0 values, the model takes 2"));
        check("1,2,3", Err("row 1 has 3 values, the model takes 2"));
        check("1,2\n3,x", Err("row 2, column 2: `x` is no finite number"));
        check("1,", Err("row 1, column 2: `` is no finite number"));
        check("nan,1", Err("row 1, column 1: `nan` is no finite number"));
        check("1,1e39", Err("row 1, column 2: `1e39` is no finite number"));
    }

    #[test]
    fn json_lines_are_objects_or_arrays() {
        let check = |body, expected| check(ContentType::JsonLines, body, expected);
        check(
            "{\"features\": [1, 2]}\n[3, 4.5]\n",
            Ok(&[1.0, 2.0, 3.0, 4.5]),
        );
        check("\n", Err("there are no rows in the body"));
        check("[1,2]\n[1]", Err("row 2 has 1 values, the model takes 2"));
        check(
            "[1,2]\n[1,\"2\"]",
            Err("row 2, column 2: `\"2\"` is no finite number"),
        );
        check(
            "[1,2]\n[1,null]",
            Err("row 2, column 2: `null` is no finite number"),
        );
        check(
            "[1,2]\n7",
            Err("row 2 is neither an array of numbers nor {\"features\": [numbers]}"),
        );
        check(
            "[1,2]\n[1,",
            Err("row 2 is no JSON: EOF while parsing a value at line 1 column 3"),
        );
    }

    #[test]
    fn json_is_a_list_of_instances() {
        let check = |body, expected| check(ContentType::Json, body, expected);
        check("[[1,2],[3,4]]", Ok(&[1.0, 2.0, 3.0, 4.0]));
        check("[[1,2]]", Ok(&[1.0, 2.0]));
        check("[{\"features\": [1,2]}]", Ok(&[1.0, 2.0]));
        check(
            "{\"instances\": [{\"features\": [1, 2]}, [3, 4]]}",
            Ok(&[1.0, 2.0, 3.0, 4.0]),
        );
        check("[]", Err("there are no rows in the body"));
        check("[[1,2],[3]]", Err("row 2 has 1 values, the model takes 2"));
        check(
            "{\"instances\": [[1,2], {\"feature\": [3,4]}]}",
            Err("row 2 is neither an array of numbers nor {\"features\": [numbers]}"),
        );
        check(
            "[[1,2],{\"features\":[3,\"4\"]}]",
            Err("row 2, column 2: `\"4\"` is no finite number"),
        );
        check(
            "{\"rows\": []}",
            Err("the body is neither an array of rows nor {\"instances\": [rows]}"),
        );
        check(
            "[[1,2]",
            Err("the body is no JSON: EOF while parsing a list at line 1 column 6"),
        );
    }

    #[test]
    fn answers_are_rows_again() {
        let rows = Rows {
            columns: 2,
            values: vec![0.25, 0.75, 1.0, f32::NAN],
        };
        let single = Rows {
            columns: 1,
            values: vec![0.25, 1.0],
        };
        for (content_type, rows, expected) in [
            (ContentType::Csv, &rows, "0.25,0.75\n1,nan\n"),
            (ContentType::Csv, &single, "0.25\n1\n"),
            (
                ContentType::JsonLines,
                &rows,
                "{\"p\":[0.25,0.75]}\n{\"p\":[1.0,null]}\n",
            ),
            (
                ContentType::JsonLines,
                &single,
                "{\"p\":0.25}\n{\"p\":1.0}\n",
            ),
            (
                ContentType::Json,
                &single,
                "{\"predictions\":[{\"p\":0.25},{\"p\":1.0}]}",
            ),
        ] {
            let written = content_type.write(rows, "p");
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        }
    }

    #[test]
    fn types_are_negotiated() {
        assert_eq!(
            ContentType::of("Text/CSV; charset=utf-8"),
            Some(ContentType::Csv)
        );
        assert_eq!(ContentType::of("text/plain"), None);
        for (accept, expected) in [
            ("*/*", Some(ContentType::Csv)),
            ("text/*", Some(ContentType::Csv)),
            ("application/json", Some(ContentType::Json)),
            (
                "image/png, application/jsonlines;q=0.5",
                Some(ContentType::JsonLines),
            ),
            ("", Some(ContentType::Csv)),
            (" , ", Some(ContentType::Csv)),
            ("text/csv;q=nan", Some(ContentType::Csv)),
            (
                "application/json, application/jsonlines;q=7",
                Some(ContentType::Json),
            ),
            ("application/*", Some(ContentType::Json)),
            ("text/csv;q=0.1, application/*", Some(ContentType::Json)),
            ("application/json, */*", Some(ContentType::Json)),
            ("text/csv;q=0, */*;q=0.5", Some(ContentType::Json)),
            ("APPLICATION/JsonLines; Q=1", Some(ContentType::JsonLines)),
            ("image/png", None),
            ("text/csv; q=0", None),
        ] {
            assert_eq!(
                ContentType::accepted(accept, ContentType::Csv),
                expected,
                "{accept}"
            );
        }
    }
}
