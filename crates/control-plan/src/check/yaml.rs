//! YAML (and so JSON) as a tree in which every node knows its place.
//!
//! Built from the parser's events rather than from a loaded document, so that duplicate keys are seen. What a plan
//! has no use for and what could make a small file huge is refused: anchors, aliases, tags, several documents.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// Deepest nesting of mappings and sequences.
const MAX_DEPTH: usize = 16;

/// A node and the bytes of the file that it covers.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
}

#[derive(Debug)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Block,
}

/// The spot and the reason why the file cannot be read.
pub(crate) type Unreadable = (Range<usize>, String);

/// Reads the file's one document.
pub(crate) fn read(text: &str) -> Result<Node, Unreadable> {
    let places = Places::of(text);
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = places.byte(error.marker().index());
            // The commonest slip of a condition: a ternary's colon in a value without quotes.
            let hint = if error.info().contains("mapping values") {
                "; a text with `: ` in it needs quotes"
            } else {
                ""
            };
            (at..at, format!("not YAML: {}{hint}", error.info()))
        })?;
        let span = places.byte(span.start.index())..places.byte(span.end.index());
        builder.take(event, span)?;
    }
    match builder.root {
        Some(root) => Ok(root),
        None => Err((0..0, "the plan is empty".to_owned())),
    }
}

#[derive(Default)]
struct Builder {
    open: Vec<Node>,
    /// The keys that wait for their values, one place for each open node.
    keys: Vec<Option<Node>>,
    root: Option<Node>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Range<usize>) -> Result<(), Unreadable> {
        let refuse = |what: &str| Err((span.clone(), format!("a plan has no {what}")));
        match event {
            Event::Alias(_) => return refuse("aliases; write the value out"),
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(anchor, _)
            | Event::MappingStart(anchor, _)
                if anchor > 0 =>
            {
                return refuse("anchors; write the value out");
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => return refuse("tags"),
            Event::Scalar(text, style, ..) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::SingleQuoted,
                    ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                self.place(Node {
                    span,
                    kind: Kind::Scalar(Scalar {
                        text: text.into_owned(),
                        style,
                    }),
                });
            }
            Event::SequenceStart(..) => self.enter(Node {
                span,
                kind: Kind::Sequence(Vec::new()),
            })?,
            Event::MappingStart(..) => self.enter(Node {
                span,
                kind: Kind::Mapping(Vec::new()),
            })?,
            Event::SequenceEnd | Event::MappingEnd => {
                self.keys.pop();
                if let Some(mut node) = self.open.pop() {
                    node.span.end = span.end.max(node.span.end);
                    self.place(node);
                }
            }
            Event::DocumentStart(_) if self.root.is_some() => return refuse("second document"),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn enter(&mut self, node: Node) -> Result<(), Unreadable> {
        if self.open.len() == MAX_DEPTH {
            return Err((node.span, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.open.push(node);
        self.keys.push(None);
        Ok(())
    }

    fn place(&mut self, node: Node) {
        let (Some(parent), Some(key)) = (self.open.last_mut(), self.keys.last_mut()) else {
            self.root = Some(node);
            return;
        };
        match &mut parent.kind {
            Kind::Sequence(items) => items.push(node),
            Kind::Mapping(entries) => match key.take() {
                None => *key = Some(node),
                Some(key) => entries.push((key, node)),
            },
            // Scalars are never open.
            Kind::Scalar(_) => {}
        }
    }
}

/// The parser counts characters; everything else here counts bytes.
struct Places(Option<Vec<usize>>, usize);

impl Places {
    fn of(text: &str) -> Self {
        let table = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self(table, text.len())
    }

    fn byte(&self, chars: usize) -> usize {
        match &self.0 {
            None => chars.min(self.1),
            Some(table) => table.get(chars).copied().unwrap_or(self.1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_cover_their_text() {
        let text = "키: {b: 'it''s'}\n";
        let root = read(text).unwrap();
        let Kind::Mapping(entries) = &root.kind else {
            panic!("{root:?}")
        };
        let (key, value) = &entries[0];
        assert_eq!(&text[key.span.clone()], "키");
        let Kind::Mapping(inner) = &value.kind else {
            panic!("{value:?}")
        };
        assert_eq!(&text[inner[0].1.span.clone()], "'it''s'");
    }

    #[test]
    fn duplicate_keys_stay_visible() {
        let root = read("a: 1\na: 2\n").unwrap();
        assert!(matches!(root.kind, Kind::Mapping(entries) if entries.len() == 2));
    }

    #[test]
    fn refuses_what_a_plan_has_no_use_for() {
        for (text, expected) in [
            (
                "a: &x 1\nb: *x",
                "a plan has no anchors; write the value out",
            ),
            ("a: !!str 1", "a plan has no tags"),
            ("a: 1\n---\nb: 2", "a plan has no second document"),
            ("", "the plan is empty"),
            (&"- ".repeat(40), "nested deeper than 16 levels"),
        ] {
            assert_eq!(read(text).unwrap_err().1, expected, "{text}");
        }
    }
}
