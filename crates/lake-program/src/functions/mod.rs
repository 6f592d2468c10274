//! The functions that programs may call, by the names, parameters and results that they have in the language's standard
//! library; those for addresses are the project's own.
//!
//! | what for | functions |
//! |---|---|
//! | fields | `del`, `exists` |
//! | what a value is | `is_array`, `is_boolean`, `is_float`, `is_integer`, `is_null`, `is_object`, `is_string` |
//! | taking a value for what it is | `array`, `bool`, `float`, `int`, `object`, `string`, `timestamp` |
//! | making one of another | `to_float`, `to_int`, `to_string` |
//! | addresses | `url_host`, `url_path` |
//! | text | `contains`, `downcase`, `ends_with`, `join`, `length`, `replace`, `split`, `starts_with`, `strip_whitespace`, `truncate`, `upcase` |
//! | numbers | `abs`, `ceil`, `floor`, `mod`, `round` |
//! | time | `format_timestamp`, `from_unix_timestamp`, `parse_timestamp`, `to_unix_timestamp` |
//!
//! Each gives the same answer for the same record, in time that its arguments bound. Where one is narrower than its
//! namesake: `replace` and `split` take text as the pattern, not an expression; the format of a timestamp is literal.
//! An error never says what the record holds.

mod address;
mod argument;
mod checked;
mod fields;
mod kinds;
mod numbers;
mod text;
mod time;

use vrl::compiler::Function;

use checked::Checked;

/// All of them.
pub fn all() -> Vec<Box<dyn Function>> {
    let checked = [address::ALL, kinds::ALL, numbers::ALL, text::ALL, time::ALL];
    let mut all: Vec<Box<dyn Function>> = checked
        .into_iter()
        .flatten()
        .map(|checked: &Checked| Box::new(*checked) as _)
        .collect();
    all.extend(fields::all());
    all.extend(time::formatted());
    all
}

#[cfg(test)]
pub(crate) mod tests {
    use crate::{About, Failed, Program, Verdict};

    const ANYTHING: &str = r#"{"partition_keys": [], "input": {"type": "object"}}"#;

    /// What `expression` gives for the record, or the error without the place.
    pub(crate) fn evaluate(expression: &str, record: &str) -> String {
        let source = format!(". = {{\"is\": {expression}}}");
        let program = match Program::compile("p", &source, ANYTHING) {
            Ok(program) => program,
            Err(errors) => return errors.faults()[0].message.clone(),
        };
        let mut rows = Vec::new();
        match program
            .runner()
            .run(record.as_bytes(), &About::default(), &mut rows)
        {
            Ok(Verdict::Kept { .. }) => {
                let row: serde_json::Value = serde_json::from_slice(&rows).unwrap();
                row["is"].to_string()
            }
            Ok(Verdict::Dropped) => "dropped".into(),
            Err(Failed::Program(message)) => match message.split_once(" in line 1: ") {
                Some((_, message)) => message.to_owned(),
                None => message,
            },
            Err(other) => other.to_string(),
        }
    }

    /// A table of expressions with what they give for the record `{"n": 7, "x": 2.5, "t": "Text", "a": [1, "b"]}` and some more.
    #[track_caller]
    pub(crate) fn check(expected: &[(&str, &str)]) {
        for (expression, expected) in expected {
            let found = evaluate(
                expression,
                r#"{"n": 7, "x": 2.5, "t": "Text", "a": [1, "b"], "o": {"k": null}, "b": true, "large": 1e300}"#,
            );
            assert_eq!(found, *expected, "{expression}");
        }
    }

    #[test]
    fn every_function_is_in_the_table_of_the_documentation() {
        let documented: std::collections::BTreeSet<&str> = include_str!("mod.rs")
            .lines()
            .filter(|line| line.starts_with("//! |"))
            .flat_map(|line| line.split('`').skip(1).step_by(2))
            .collect();
        let offered = super::all();
        let offered: std::collections::BTreeSet<&str> = offered
            .iter()
            .map(|function| function.identifier())
            .collect();
        assert_eq!(documented, offered);
    }
}
