//! `summary`: one sentence for a person, with places for the machine, the line and named values.

use std::fmt::Write as _;
use std::ops::Range;

use quality_event::MAX_SUMMARY_CHARS;

use crate::check::Check;
use crate::check::nearest::hint;
use crate::check::yaml::Node;
use crate::expression::{Frame, Meaning, Names};
use crate::number::readable;
use crate::reading::Reading;

/// A parsed summary.
#[derive(Clone, Debug)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Machine,
    Line,
    /// What this kind of summary alone may say.
    Own,
    Value(Meaning),
}

/// `own`: a word that this summary alone knows, `tests` in charts and `score` in the model's.
pub(crate) fn parse(
    check: &mut Check<'_>,
    node: &Node,
    names: &Names,
    own: Option<&str>,
) -> Option<Template> {
    let text = check.text(node, "summary")?;
    if text.chars().count() > MAX_SUMMARY_CHARS {
        check.fault(
            &node.span,
            format!("a summary has at most {MAX_SUMMARY_CHARS} characters"),
        );
        return None;
    }
    let (parts, slips) = split(text, names, own);
    if slips.is_empty() {
        return Some(Template(parts));
    }
    for (at, message) in slips {
        check.fault_inside(node, &at, message);
    }
    None
}

/// The parts of a summary, and what is wrong with it. `{{` and `}}` stand for braces.
fn split(text: &str, names: &Names, own: Option<&str>) -> (Vec<Part>, Vec<(Range<usize>, String)>) {
    let (mut parts, mut slips, mut plain) = (Vec::new(), Vec::new(), String::new());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let here = text.len() - rest.len() + at;
        plain.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        if rest[at + 1..].starts_with(brace) {
            plain.push_str(brace);
            rest = &rest[at + 2..];
            continue;
        }
        let Some(length) = rest[at..].find('}').filter(|_| brace == "{") else {
            slips.push((
                here..here + 1,
                format!("`{brace}` is unmatched; write `{brace}{brace}` for a brace"),
            ));
            rest = &rest[at + 1..];
            continue;
        };
        let name = &rest[at + 1..at + length];
        let part = match name.trim() {
            "machine" => Some(Part::Machine),
            "line" => Some(Part::Line),
            name if own == Some(name) && names.get(name).is_none() => Some(Part::Own),
            name => names.get(name).map(Part::Value),
        };
        match part {
            Some(part) => {
                parts.push(Part::Text(std::mem::take(&mut plain)));
                parts.push(part);
            }
            None => {
                let known = names.iter().chain(["machine", "line"]);
                let known = known.chain(own);
                let why = match name.trim() {
                    "tests" => "; only charts have tests".to_owned(),
                    name => hint(name, known),
                };
                slips.push((
                    here..here + length + 1,
                    format!("unknown name `{name}`{why}"),
                ));
            }
        }
        rest = &rest[at + length + 1..];
    }
    plain.push_str(rest);
    parts.push(Part::Text(plain));
    parts.retain(|part| *part != Part::Text(String::new()));
    (parts, slips)
}

impl Template {
    /// The sentence, with what it says of its own; what the reading lacks reads `n/a`.
    pub(crate) fn render(&self, reading: &Reading, frame: &Frame<'_>, own: &str) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Machine => out.push_str(&reading.machine),
                Part::Line => out.push_str(reading.line.as_deref().unwrap_or("n/a")),
                Part::Own => out.push_str(own),
                Part::Value(Meaning::Attribute(slot)) => {
                    out.push_str(
                        frame.attributes[usize::from(*slot)]
                            .as_deref()
                            .unwrap_or("n/a"),
                    );
                }
                Part::Value(meaning) => {
                    let value = match meaning {
                        Meaning::Characteristic(slot) => frame.characteristics[usize::from(*slot)],
                        Meaning::Number(number) => *number,
                        Meaning::Table(table) => frame.tables[usize::from(*table)]
                            .select(frame.attributes)
                            .unwrap_or(f64::NAN),
                        Meaning::Attribute(_) | Meaning::Faulty => f64::NAN,
                    };
                    // Writing to a String cannot fail.
                    let _ = write!(out, "{}", readable(value));
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<usize, (&str, &str)>) {
        let mut names = Names::default();
        names.declare("power", Meaning::Characteristic(0));
        let (parts, slips) = split(text, &names, None);
        let found = match slips.first() {
            None => Ok(parts.len()),
            Some((at, message)) => Err((&text[at.clone()], message.as_str())),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn finds_places_and_faults() {
        check("Power {power} W on {machine}", Ok(4));
        check("plain", Ok(1));
        check("{{power}}", Ok(1));
        check(
            "at {powre} W",
            Err(("{powre}", "unknown name `powre`; did you mean `power`?")),
        );
        check(
            "at {power W",
            Err(("{", "`{` is unmatched; write `{{` for a brace")),
        );
        check(
            "at power} W",
            Err(("}", "`}` is unmatched; write `}}` for a brace")),
        );
        check(
            "at {} W",
            Err(("{}", "unknown name ``; known: `power`, `machine`, `line`")),
        );
    }
}
