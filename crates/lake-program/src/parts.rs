//! A program's text in parts: the statements, and the row that it ends in.

use std::collections::BTreeSet;

use vrl::compiler::Program as Code;
use vrl::compiler::TypeInfo;
use vrl::compiler::state::TypeState;
use vrl::parser::ast::{
    Assignment, AssignmentOp, AssignmentTarget, Container, Expr, QueryTarget, RootExpr,
};
use vrl::path::{OwnedValuePath, PathPrefix};

/// A program in parts.
pub(crate) struct Parts {
    /// The statements before the row.
    pub before: Code,
    /// An array of the fields that have to be computed.
    pub computed: Option<Code>,
    /// The row's fields in their order, each with what opens it: `{"id":` or `,"id":`.
    pub fields: Vec<(String, Content)>,
}

/// Parts a program, if it ends in a row and the parts give what the whole gives.
pub(crate) fn parts(
    source: &str,
    compile: impl Fn(&str, Option<&TypeState>) -> Option<Code>,
) -> Option<Parts> {
    // After a `return`, the row would be what `.` was at the time. The language's types lose some of them.
    if words(source).any(|word| word == "return") {
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
            if changes_anything(source, spans) || ends_differently(source, spans, &fields) {
                return None;
            }
            let TypeInfo { state, .. } = before.final_type_info();
            Some(compile(&only(source, spans)?, Some(&state))?)
        }
    };
    Some(Parts {
        before,
        computed,
        fields,
    })
}

/// What a field is set to.
pub(crate) enum Content {
    /// What stands there.
    At(PathPrefix, OwnedValuePath),
    /// The next one of those computed.
    Computed(usize),
}

/// The last statement of a program, where it sets `.` to an object.
struct Last {
    /// Where the statement begins.
    start: usize,
    fields: Vec<Written>,
}

/// From which byte of the text to which.
type Span = (usize, usize);

/// A field as it is written.
struct Written {
    name: String,
    /// The bytes of its expression.
    span: Span,
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
fn arrange(mut fields: Vec<Written>) -> (Vec<Span>, Vec<(String, Content)>) {
    fields.sort_by_key(|field| field.span);
    let computed: Vec<Span> = fields
        .iter()
        .filter(|field| field.place.is_none())
        .map(|field| field.span)
        .collect();
    fields.sort_by(|one, other| one.name.cmp(&other.name));
    let fields = fields.into_iter().enumerate().map(|(place, field)| {
        let before = if place == 0 { '{' } else { ',' };
        let value = match field.place {
            Some((prefix, path)) => Content::At(prefix, path),
            None => Content::Computed(computed.partition_point(|span| *span < field.span)),
        };
        let opening = format!("{before}{}:", serde_json::Value::from(field.name));
        (opening, value)
    });
    let fields = fields.collect();
    (computed, fields)
}

/// A program that is an array of these parts of another. They stay at their places, so that what is said of them in an error
/// is true of the other.
fn only(source: &str, spans: &[Span]) -> Option<String> {
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
fn changes_anything(source: &str, spans: &[Span]) -> bool {
    spans.iter().any(|(start, end)| {
        let text = source.get(*start..*end).unwrap_or("=");
        let compares = ["==", "!=", "<=", ">="];
        let rest = compares.iter().fold(text.to_owned(), |text, comparison| {
            text.replace(comparison, " ")
        });
        rest.contains('=') || words(text).any(|word| word == "del")
    })
}

/// Whether it could matter for how the program ends that these parts are computed in the order of their text, and not in that
/// of the fields' names: several of them can fail or abort, and the first that does is what is told.
fn ends_differently(source: &str, spans: &[Span], fields: &[(String, Content)]) -> bool {
    let ends = |computed: &usize| {
        let span = spans.get(*computed);
        let text = span.and_then(|(start, end)| source.get(*start..*end));
        let text = text.unwrap_or("!").replace("!=", " ");
        text.contains('!') || words(&text).any(|word| word == "abort")
    };
    let by_name = fields.iter().filter_map(|(_, content)| match content {
        Content::Computed(computed) => Some(*computed),
        Content::At(..) => None,
    });
    !by_name.filter(ends).is_sorted()
}

/// The words of a program's text, in comments too.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
}
