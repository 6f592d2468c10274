//! Programs that end in a row: `. = {"id": id, "torque": .measurements.torque}`.
//!
//! The language would make an object of it, with a copy of each name and of each value, put it in the place of `.`, and drop it
//! once it is written. Here the statements before it run as they are, and the fields are written one by one: one that only
//! names a place is written from that place, the others are computed by the language, from the very text of the program.
//! Where that could give anything else than the whole program would, the whole program runs.

use std::collections::BTreeSet;

use vrl::compiler::Program as Code;
use vrl::compiler::TargetValue;
use vrl::compiler::runtime::{Runtime, Terminate};
use vrl::compiler::state::TypeState;
use vrl::compiler::{TimeZone, TypeInfo};
use vrl::parser::ast::{
    Assignment, AssignmentOp, AssignmentTarget, Container, Expr, QueryTarget, RootExpr,
};
use vrl::path::{OwnedValuePath, PathPrefix};
use vrl::value::Value;

/// A program, ready to be run.
#[derive(Debug)]
pub(crate) enum Executable {
    /// What it leaves is `.`.
    Whole(Box<Code>),
    /// What it leaves is written field by field.
    Row(Box<Row>),
}

/// A program in two parts.
#[derive(Debug)]
pub(crate) struct Row {
    before: Code,
    /// An array of the fields that have to be computed.
    computed: Option<Code>,
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    /// `{"id":` or `,"id":`.
    opening: String,
    value: Source,
}

/// Where a field's value is found.
#[derive(Debug)]
enum Source {
    Event(OwnedValuePath),
    About(OwnedValuePath),
    /// The next one of those computed.
    Computed(usize),
}

impl Row {
    /// Parts a program, if it ends in a row and the parts give what the whole gives.
    pub fn part(
        source: &str,
        whole: &Code,
        compile: impl Fn(&str, Option<&TypeState>) -> Option<Code>,
    ) -> Option<Self> {
        // After a `return`, the row would be what `.` was at the time.
        if !whole.final_type_info().result.returns().is_never() {
            return None;
        }
        let Last { start, fields } = Last::of(source)?;
        let names: BTreeSet<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        if names.len() < fields.len() || fields.is_empty() {
            return None;
        }
        let before = compile(&format!("{}\nnull", source.get(..start)?), None)?;
        let (computed, fields) = arrange(fields);
        let computed = match computed.as_slice() {
            [] => None,
            spans => {
                if changes_anything(source, spans) {
                    return None;
                }
                let TypeInfo { state, .. } = before.final_type_info();
                Some(compile(&only(source, spans)?, Some(&state))?)
            }
        };
        Some(Self {
            before,
            computed,
            fields,
        })
    }

    /// Runs the program and appends the row.
    pub fn run(
        &self,
        runtime: &mut Runtime,
        target: &mut TargetValue,
        timezone: &TimeZone,
        rows: &mut Vec<u8>,
    ) -> Result<(), Terminate> {
        runtime.resolve(target, &self.before, timezone)?;
        let computed = match &self.computed {
            None => Value::Null,
            Some(code) => runtime.resolve(target, code, timezone)?,
        };
        let computed = computed.as_array().unwrap_or_default();
        for Field { opening, value } in &self.fields {
            rows.extend_from_slice(opening.as_bytes());
            let value = match value {
                Source::Event(path) => target.value.get(path),
                Source::About(path) => target.metadata.get(path),
                Source::Computed(place) => computed.get(*place),
            };
            write(value.unwrap_or(&Value::Null), rows);
        }
        rows.extend_from_slice(b"}\n");
        Ok(())
    }
}

/// Appends a value's JSON.
pub(crate) fn write(value: &Value, rows: &mut Vec<u8>) {
    // Writing to memory does not fail, and every value has a JSON form.
    let written = serde_json::to_writer(&mut *rows, value);
    debug_assert!(written.is_ok());
}

/// The last statement of a program, where it sets `.` to an object.
struct Last {
    /// Where the statement begins.
    start: usize,
    fields: Vec<Written>,
}

/// A field as it is written.
struct Written {
    name: String,
    /// The bytes of its expression.
    span: (usize, usize),
    place: Option<(PathPrefix, OwnedValuePath)>,
}

impl Last {
    fn of(source: &str) -> Option<Self> {
        let statement = vrl::parser::parse(source).ok()?.into_iter().last()?;
        let start = statement.start();
        let RootExpr::Expr(expression) = statement.into_inner() else {
            return None;
        };
        let Expr::Assignment(assignment) = expression.into_inner() else {
            return None;
        };
        let Assignment::Single {
            target,
            op: AssignmentOp::Assign,
            expr,
        } = assignment.into_inner()
        else {
            return None;
        };
        if !is_root(target.inner()) {
            return None;
        }
        let Expr::Container(container) = expr.into_inner() else {
            return None;
        };
        let Container::Object(object) = container.into_inner() else {
            return None;
        };
        let fields = object
            .into_inner()
            .into_iter()
            .map(|(name, value)| Written {
                name: name.into_inner(),
                span: (value.start(), value.end()),
                place: place(value.into_inner()),
            });
        Some(Self {
            start,
            fields: fields.collect(),
        })
    }
}

fn is_root(target: &AssignmentTarget) -> bool {
    match target {
        AssignmentTarget::External(None) => true,
        AssignmentTarget::External(Some(path)) => {
            path.prefix == PathPrefix::Event && path.path.is_root()
        }
        AssignmentTarget::Query(query) => {
            matches!(
                query.target.inner(),
                QueryTarget::External(PathPrefix::Event)
            ) && query.path.is_root()
        }
        _ => false,
    }
}

/// The place in the record that an expression is the value of, and nothing more.
fn place(value: Expr) -> Option<(PathPrefix, OwnedValuePath)> {
    let Expr::Query(query) = value else {
        return None;
    };
    let query = query.into_inner();
    match query.target.into_inner() {
        QueryTarget::External(prefix) => Some((prefix, query.path.into_inner())),
        _ => None,
    }
}

/// The fields in the order of a row, which is that of their names, and the spans of those to be computed.
fn arrange(mut fields: Vec<Written>) -> (Vec<(usize, usize)>, Vec<Field>) {
    fields.sort_by_key(|field| field.span);
    let computed: Vec<(usize, usize)> = fields
        .iter()
        .filter(|field| field.place.is_none())
        .map(|field| field.span)
        .collect();
    fields.sort_by(|one, other| one.name.cmp(&other.name));
    let fields = fields.into_iter().enumerate().map(|(place, field)| {
        let before = if place == 0 { '{' } else { ',' };
        let value = match field.place {
            Some((PathPrefix::Event, path)) => Source::Event(path),
            Some((PathPrefix::Metadata, path)) => Source::About(path),
            None => Source::Computed(computed.partition_point(|span| *span < field.span)),
        };
        Field {
            opening: format!("{before}{}:", serde_json::Value::from(field.name)),
            value,
        }
    });
    let fields = fields.collect();
    (computed, fields)
}

/// A program that is an array of these parts of another. They stay at their places, so that what is said of them in an error
/// is true of the other.
fn only(source: &str, spans: &[(usize, usize)]) -> Option<String> {
    let mut text = String::with_capacity(source.len() + 1);
    for (place, (start, end)) in spans.iter().enumerate() {
        let (before, after) = (source.get(..*start)?, source.get(*end..)?);
        let alone = before.trim_end().ends_with(':') && after.trim_start().starts_with([',', '}']);
        if !alone {
            return None;
        }
        let blank = before.get(text.len()..start - 1)?;
        text.extend(std::iter::repeat_n(' ', blank.len()));
        text.push(if place == 0 { '[' } else { ',' });
        text.push_str(source.get(*start..*end)?);
    }
    text.push(']');
    Some(text)
}

/// Whether these parts could assign or delete anything. Fields are computed in the order of their text, by the language in that
/// of their names: only where none changes what another sees, that is the same.
fn changes_anything(source: &str, spans: &[(usize, usize)]) -> bool {
    spans.iter().any(|(start, end)| {
        let text = source.get(*start..*end).unwrap_or("=");
        let compares = ["==", "!=", "<=", ">="];
        let rest = compares.iter().fold(text.to_owned(), |text, comparison| {
            text.replace(comparison, " ")
        });
        let mut words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        rest.contains('=') || words.any(|word| word == "del")
    })
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::{About, Failed, Program, Verdict};

    const DECLARED: &str = r#"{"partition_keys": [], "input": {"type": "object", "required": ["t"], "properties":
        {"t": {"type": "string"}, "n": {"type": "integer"}, "o": {"type": "object"}}}}"#;

    fn compile(source: &str) -> Program {
        Program::compile("p", source, DECLARED).unwrap()
    }

    fn outcome(program: &Program, payload: &[u8]) -> (Result<Verdict, Failed>, String) {
        let about = About {
            shard: Some("shardId-000000000006"),
            ..About::default()
        };
        let mut rows = Vec::new();
        let verdict = program.runner().run(payload, &about, &mut rows);
        (verdict, String::from_utf8(rows).unwrap())
    }

    /// The same by the language alone: with something after it, a row is an assignment like any other.
    fn whole(source: &str) -> Program {
        let whole = compile(&format!("{source}\nnull"));
        assert!(matches!(whole.code, Executable::Whole(_)));
        whole
    }

    static PAIRS: LazyLock<Vec<(Program, Program)>> = LazyLock::new(|| {
        PARTED
            .iter()
            .map(|source| (compile(source), whole(source)))
            .collect()
    });

    /// The program gives what the language itself gives; whether it is run in parts is `parted`.
    #[track_caller]
    fn check(parted: bool, source: &str) {
        let (program, whole) = (compile(source), whole(source));
        assert_eq!(
            matches!(program.code, Executable::Row(_)),
            parted,
            "{source}"
        );
        for payload in [
            r#"{"t": "text"}"#,
            r#"{"t": "2026-11-20T01:02:03Z", "n": 7, "o": {"k": [1, {"l": "\"é"}], "d e": 1.50}, "x": null}"#,
            r#"{"t": "", "n": 0, "o": {"k": []}, "x": true, "model": "m"}"#,
        ] {
            let (found, expected) = (
                outcome(&program, payload.as_bytes()),
                outcome(&whole, payload.as_bytes()),
            );
            assert_eq!(found, expected, "{source}\n{payload}");
        }
    }

    const PARTED: &[&str] = &[
        r#". = {"t": .t}"#,
        r#". = {"z": .o.k[1].l, "a": .absent, "m": .o."d e", "%": %shard, "all": ., "about": %}"#,
        r#". = {"\"quoted\" é": .n, "nothing": null, "seven": 7}"#,
        r#"if exists(.x) { abort }
. = {"t": .t}"#,
        r#"x = upcase(.t)
.n = 8
.t = "changed"
. = {"n": .n, "t": .t, "x": x, "y": downcase(x) + "!"}"#,
        r#"x = 1
. = {
    "later": { x >= 1 }, # a block
    "inner": {"o": .o, "x": x},
    "earlier": [x, .n],
    "either": .absent || "or",
    "model": .model,
}"#,
        r#". = {"t": parse_timestamp!(.t, "%+"), "n": .n}"#,
        r#". = {"a": .n, "t": to_int!(.t), "o": .o}"#,
        r#". = {"if": { if exists(.n) { .n } else { abort } }, "t": .t}"#,
        r#". = {"a": .o.k || [], "b": (to_int(.t) ?? 1), "c": upcase(.t)}"#,
    ];

    #[test]
    fn a_row_in_parts_is_the_row_of_the_whole() {
        for source in PARTED {
            check(true, source);
        }
    }

    #[test]
    fn what_parts_could_change_is_run_as_a_whole() {
        for source in [
            ".n = 1",
            ". = [{\"t\": .t}]",
            ".o = {\"t\": .t}",
            ". = {}",
            ". |= {\"u\": .t}",
            "x = {\"t\": .t}\n. = x",
            ". = {\"t\": .t, \"t\": .n}",
            ". = {\"b\": { .t = \"changed\"; 1 }, \"c\": .t, \"a\": .t}",
            "x = 1\n. = {\"b\": { x = x + 1; x }, \"c\": .t, \"a\": x}",
            ". = {\"b\": del(.t), \"c\": .t, \"a\": .t}",
            "if exists(.n) { return null }\n. = {\"t\": .t}",
            "if exists(.n) { . = {\"t\": .t} }",
        ] {
            check(false, source);
        }
    }

    #[test]
    fn errors_point_into_the_program() {
        let source = "x = .t\n. = {\n  \"a\": .n,\n  \"t\": to_int!(x)\n}";
        let program = compile(source);
        assert!(matches!(program.code, Executable::Row(_)));
        let (verdict, rows) = outcome(&program, br#"{"t": "text"}"#);
        assert_eq!(rows, "");
        let said = verdict.unwrap_err().to_string();
        assert!(said.contains("in line 4"), "{said}");
    }

    proptest! {
        #[test]
        fn any_text_and_number_pass_either_way(t: String, n: i64, x: f64) {
            let payload = serde_json::json!({"t": t, "n": n, "x": x, "o": {"k": [t]}}).to_string();
            for (program, whole) in PAIRS.iter() {
                let expected = outcome(whole, payload.as_bytes());
                prop_assert_eq!(outcome(program, payload.as_bytes()), expected, "{}", program.source());
            }
        }
    }
}
