//! Scores out of an answer. Pure.
//!
//! An answer has exactly one row for each row of the request, or it says nothing about any: which row is missing nobody
//! can tell.

use std::borrow::Cow;

use control_plan::{Answer, ContentType};
use serde_json::Value;

/// An answer that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// It is no text, or no JSON.
    #[error("the answer is not {0}")]
    Syntax(&'static str),
    /// It has no array of rows where the plan says.
    #[error("the answer has no array of rows where the plan's `answer.rows` says")]
    NoRows,
    /// It has another number of rows than the request.
    #[error("{got} rows in answer to {asked}")]
    Length {
        /// Rows of the answer.
        got: usize,
        /// Rows of the request.
        asked: usize,
    },
    /// A row has no number where the plan says.
    #[error("row {0} of the answer has no score where the plan's `answer.score` says")]
    NoScore(usize),
}

/// The scores of an answer to `asked` rows, in their order; NaN where the model gave none (NaN, infinite, null).
pub fn scores(answer: &Answer, body: &[u8], asked: usize) -> Result<Vec<f64>, BadAnswer> {
    let scores = match answer.content_type {
        ContentType::Csv => csv(answer, body, asked)?,
        ContentType::JsonLines => {
            let body = finite(body);
            let lines = body.split(|byte| *byte == b'\n');
            let lines = lines.filter(|line| !line.trim_ascii().is_empty());
            let rows = lines
                .map(|line| {
                    serde_json::from_slice::<Value>(line)
                        .map_err(|_| BadAnswer::Syntax("JSON Lines"))
                })
                .collect::<Result<Vec<_>, _>>()?;
            json(&rows, &answer.score)?
        }
        ContentType::Json => {
            let whole: Value =
                serde_json::from_slice(&finite(body)).map_err(|_| BadAnswer::Syntax("JSON"))?;
            let rows = at(&whole, &answer.rows).and_then(Value::as_array);
            json(rows.ok_or(BadAnswer::NoRows)?, &answer.score)?
        }
    };
    match scores.len() == asked {
        true => Ok(scores),
        false => Err(BadAnswer::Length {
            got: scores.len(),
            asked,
        }),
    }
}

/// A line a row. Some models answer all scores on one line, which is read as such where a row is its score.
fn csv(answer: &Answer, body: &[u8], asked: usize) -> Result<Vec<f64>, BadAnswer> {
    let text = std::str::from_utf8(body).map_err(|_| BadAnswer::Syntax("UTF-8"))?;
    let mut lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    if let ([line], true) = (lines.as_slice(), answer.score.is_empty())
        && asked > 1
    {
        lines = line.split(',').collect();
    }
    let column = match answer.score.as_slice() {
        [] => Some(0),
        [column] => column.parse::<usize>().ok(),
        _ => None,
    };
    let scores = lines.iter().enumerate().map(|(n, line)| {
        let mut columns = line.split(',');
        let score = column
            .and_then(|column| columns.nth(column))
            .and_then(|text| text.trim().trim_matches('"').parse::<f64>().ok());
        // A row that is its score has one column: of several nobody said which.
        match score {
            Some(score) if !answer.score.is_empty() || columns.next().is_none() => {
                Ok(or_nan(score))
            }
            _ => Err(BadAnswer::NoScore(n + 1)),
        }
    });
    scores.collect()
}

fn json(rows: &[Value], score: &[String]) -> Result<Vec<f64>, BadAnswer> {
    let scores = rows
        .iter()
        .enumerate()
        .map(|(n, row)| match at(row, score) {
            Some(Value::Null) => Ok(f64::NAN),
            Some(value) => value.as_f64().map(or_nan).ok_or(BadAnswer::NoScore(n + 1)),
            None => Err(BadAnswer::NoScore(n + 1)),
        });
    scores.collect()
}

fn or_nan(score: f64) -> f64 {
    if score.is_finite() { score } else { f64::NAN }
}

fn at<'v>(value: &'v Value, tokens: &[String]) -> Option<&'v Value> {
    tokens.iter().try_fold(value, |value, token| match value {
        Value::Array(items) => items.get(token.parse::<usize>().ok()?),
        Value::Object(members) => members.get(token),
        _ => None,
    })
}

/// The body with null for the bare `NaN` and `Infinity` that Python's `json` writes, though they are no JSON.
fn finite(body: &[u8]) -> Cow<'_, [u8]> {
    const WORDS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
    let has = |word: &[u8]| body.windows(word.len()).any(|part| part == word);
    if !has(b"NaN") && !has(b"Infinity") {
        return Cow::Borrowed(body);
    }
    let (mut out, mut rest, mut is_text) = (Vec::with_capacity(body.len()), body, false);
    while let [first, tail @ ..] = rest {
        let word = WORDS.iter().find(|word| !is_text && rest.starts_with(word));
        if let Some(word) = word {
            out.extend_from_slice(b"null");
            rest = &rest[word.len()..];
            continue;
        }
        if is_text && *first == b'\\' && !tail.is_empty() {
            out.extend_from_slice(&rest[..2]);
            rest = &rest[2..];
            continue;
        }
        is_text ^= *first == b'"';
        out.push(*first);
        rest = tail;
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(content_type: ContentType, rows: &str, score: &str) -> Answer {
        let tokens = |pointer: &str| pointer.split('/').skip(1).map(str::to_owned).collect();
        Answer {
            content_type,
            rows: tokens(rows),
            score: tokens(score),
        }
    }

    #[track_caller]
    fn check(answer: &Answer, body: &str, asked: usize, expected: Result<&[f64], BadAnswer>) {
        let found = scores(answer, body.as_bytes(), asked);
        let same = match (&found, &expected) {
            (Ok(found), Ok(expected)) => {
                found.len() == expected.len()
                    && found
                        .iter()
                        .zip(*expected)
                        .all(|(a, b)| a == b || a.is_nan() && b.is_nan())
            }
            (Err(found), Err(expected)) => found == expected,
            _ => false,
        };
        assert!(same, "{body:?}: {found:?}, not {expected:?}");
    }

    #[test]
    fn csv_is_a_row_a_line() {
        let whole = answer(ContentType::Csv, "", "");
        check(&whole, "0.25\n0.5\n", 2, Ok(&[0.25, 0.5]));
        check(&whole, "0.25,0.5", 2, Ok(&[0.25, 0.5]));
        check(&whole, "0.25\r\nnan\n", 2, Ok(&[0.25, f64::NAN]));
        check(&whole, "inf", 1, Ok(&[f64::NAN]));
        check(&whole, "0.25,0.5", 1, Err(BadAnswer::NoScore(1)));
        check(
            &whole,
            "0.25\n",
            2,
            Err(BadAnswer::Length { got: 1, asked: 2 }),
        );
        check(&whole, "", 1, Err(BadAnswer::Length { got: 0, asked: 1 }));
        check(&whole, "low\n", 1, Err(BadAnswer::NoScore(1)));
        let second = answer(ContentType::Csv, "", "/1");
        check(&second, "0.75,0.25\n0.5,0.5\n", 2, Ok(&[0.25, 0.5]));
        check(&second, "0.75,0.25\n0.5", 2, Err(BadAnswer::NoScore(2)));
    }

    #[test]
    fn json_is_read_where_the_plan_says() {
        let built_in = answer(ContentType::Json, "/predictions", "/score");
        check(
            &built_in,
            r#"{"predictions":[{"score":0.25,"predicted_label":0},{"score":1}]}"#,
            2,
            Ok(&[0.25, 1.0]),
        );
        check(
            &built_in,
            r#"{"predictions":{}}"#,
            1,
            Err(BadAnswer::NoRows),
        );
        check(
            &built_in,
            r#"{"predictions":[{}]}"#,
            1,
            Err(BadAnswer::NoScore(1)),
        );
        check(
            &built_in,
            r#"{"predictions":[{"sc"#,
            1,
            Err(BadAnswer::Syntax("JSON")),
        );
        check(
            &built_in,
            r#"{"predictions":[{"score":NaN,"note":"\"NaN\" Infinity"},{"score":-Infinity},{"score":null}]}"#,
            3,
            Ok(&[f64::NAN, f64::NAN, f64::NAN]),
        );
        let vectors = answer(ContentType::Json, "", "/1");
        check(&vectors, "[[0.75,0.25],[0.5,0.5]]", 2, Ok(&[0.25, 0.5]));
        let lines = answer(ContentType::JsonLines, "", "/score");
        check(
            &lines,
            "{\"score\":0.5}\n{\"score\":0.25}\n",
            2,
            Ok(&[0.5, 0.25]),
        );
        check(
            &lines,
            "{\"score\":0.5}\n",
            2,
            Err(BadAnswer::Length { got: 1, asked: 2 }),
        );
        check(
            &lines,
            "{\"score\":\n",
            1,
            Err(BadAnswer::Syntax("JSON Lines")),
        );
        let scalars = answer(ContentType::JsonLines, "", "");
        check(&scalars, "0.5\nNaN\n", 2, Ok(&[0.5, f64::NAN]));
    }
}
