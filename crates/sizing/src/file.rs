//! A load as a file: YAML, and so JSON, of names and numbers. Whatever is wrong is told with its line and column.

use saphyr_parser::{Event, Parser};

use crate::load::Load;

/// Why a file is no load.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {problem}")]
pub struct BadLoad {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: String,
    /// What to do about it.
    pub cure: String,
}

/// Reads a load; what the file leaves out keeps the value that it has.
pub fn read(text: &str, load: &mut Load) -> Result<(), BadLoad> {
    let mut key: Option<(String, usize, usize)> = None;
    let mut seen: Vec<String> = Vec::new();
    let mut depth = 0_usize;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| BadLoad {
            line: error.marker().line(),
            column: error.marker().col() + 1,
            problem: format!("not YAML: {}", error.info()),
            cure: SHAPE.to_owned(),
        })?;
        let (line, column) = (span.start.line(), span.start.col() + 1);
        let bad = |problem: String, cure: &str| BadLoad {
            line,
            column,
            problem,
            cure: cure.to_owned(),
        };
        match event {
            Event::MappingStart(..) if depth == 0 => depth = 1,
            Event::MappingEnd => depth = 0,
            Event::Scalar(value, ..) if depth == 1 => match key.take() {
                None if seen.iter().any(|before| *before == *value) => {
                    return Err(bad(format!("`{value}` stands here twice"), "leave one"));
                }
                None => {
                    seen.push(value.to_string());
                    key = Some((value.into_owned(), line, column));
                }
                Some((name, at_line, at_column)) => {
                    load.set(&name, &value).map_err(|bad| {
                        // A name that is unknown is at fault itself, otherwise its value.
                        let known = Load::input(&name).is_some();
                        BadLoad {
                            line: if known { line } else { at_line },
                            column: if known { column } else { at_column },
                            problem: bad.problem,
                            cure: bad.cure,
                        }
                    })?;
                }
            },
            Event::Scalar(..)
            | Event::SequenceStart(..)
            | Event::MappingStart(..)
            | Event::Alias(..) => {
                return Err(bad("not a name and a number".to_owned(), SHAPE));
            }
            _ => {}
        }
    }
    Ok(())
}

const SHAPE: &str = "a load is lines of `name: number`; `andon size --inputs` lists the names";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_yaml_and_json() {
        for text in [
            "machines: 7\nfan_out: yes\n",
            r#"{"machines": 7, "fan_out": true}"#,
        ] {
            let mut load = Load::default();
            read(text, &mut load).unwrap();
            assert_eq!((load.machines, load.fan_out, load.lines), (7.0, 1.0, 2.0));
        }
        let mut load = Load::default();
        read("# nothing\n", &mut load).unwrap();
        assert_eq!(load, Load::default());
    }

    #[test]
    fn a_fault_has_its_place() {
        for (text, place, problem) in [
            (
                "machines: 7\nmachins: 3\n",
                (2, 1),
                "unknown input `machins`",
            ),
            (
                "machines: 7\npeak: x\n",
                (2, 7),
                "peak is a number of times, not `x`",
            ),
            (
                "machines: 7\nmachines: 8\n",
                (2, 1),
                "`machines` stands here twice",
            ),
            ("machines:\n  - 7\n", (2, 3), "not a name and a number"),
            ("- 7\n", (1, 1), "not a name and a number"),
            ("7\n", (1, 1), "not a name and a number"),
        ] {
            let bad = read(text, &mut Load::default()).unwrap_err();
            assert_eq!((bad.line, bad.column), place, "{text}");
            assert_eq!(bad.problem, problem);
        }
        let bad = read("machines: [", &mut Load::default()).unwrap_err();
        assert!(bad.cure.contains("--inputs"), "{bad:?}");
    }
}
