//! A template's YAML (and so JSON) as a tree in which every node knows its place.
//!
//! Short forms are spelt out while reading (`!Ref X` becomes `{Ref: X}`), so that nothing else knows that there are two.
//! No text makes it panic, and none that is small makes it huge: nesting and what aliases repeat are bounded.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use crate::place::{FileId, Place};

/// Deepest nesting of mappings and sequences.
const MAX_DEPTH: usize = 100;
/// Most nodes that aliases may repeat, taken together.
const MAX_REPEATED: usize = 100_000;

/// A node and where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A text as written; `null` is the empty text.
    Scalar(String),
    Sequence(Vec<Node>),
    Mapping(Vec<(Key, Node)>),
}

/// A mapping's key.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) place: Place,
}

/// The spot and the reason why a text cannot be read.
pub(crate) type Unreadable = (Place, String);

impl Node {
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::Sequence(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn entries(&self) -> &[(Key, Node)] {
        match &self.kind {
            Kind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key; of several the last, as CloudFormation takes it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        let found = self
            .entries()
            .iter()
            .rev()
            .find(|(name, _)| name.text == key);
        found.map(|(_, value)| value)
    }

    /// The function and its argument, where the node is a call such as `{Ref: X}`.
    pub(crate) fn call(&self) -> Option<(&str, &Node)> {
        match self.entries() {
            [(key, argument)] if key.text == "Ref" || key.text.starts_with("Fn::") => {
                Some((&key.text, argument))
            }
            _ => None,
        }
    }

    /// Every node below and this one, each parent first.
    pub(crate) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        visit(self);
        match &self.kind {
            Kind::Scalar(_) => {}
            Kind::Sequence(items) => items.iter().for_each(|item| item.walk(visit)),
            Kind::Mapping(entries) => entries.iter().for_each(|(_, value)| value.walk(visit)),
        }
    }

    fn size(&self) -> usize {
        let mut nodes = 0;
        self.walk(&mut |_| nodes += 1);
        nodes
    }
}

/// Reads the file's first document.
pub(crate) fn read(file: FileId, text: &str) -> Result<Node, Unreadable> {
    let mut builder = Builder::new(file);
    let text = joined_surrogates(text.trim_start_matches('\u{feff}'));
    let text = quoted_hyphens(&text);
    for event in Parser::new_from_str(&text) {
        let (event, span) = event.map_err(|error| {
            let place = Place::new(file, error.marker().line(), error.marker().col());
            (place, format!("not YAML: {}", error.info()))
        })?;
        if matches!(event, Event::DocumentEnd) {
            break;
        }
        builder.take(event, span)?;
    }
    let nothing = || (Place::new(file, 1, 0), "the template is empty".to_owned());
    builder.root.ok_or_else(nothing)
}

/// JSON writes what lies beyond the first plane as two surrogates, `\ud83d\udca7`; YAML knows one escape for it, `\U0001F4A7`.
fn joined_surrogates(text: &str) -> Cow<'_, str> {
    if !text.trim_start().starts_with('{') || !text.contains("\\u") {
        return text.into();
    }
    let mut joined = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        joined.push_str(before);
        rest = match surrogates(escape) {
            Some(character) => {
                joined.push_str(&format!("\\U{character:08X}"));
                &escape[12..]
            }
            None => {
                // The character behind it as well: `\\u` is a backslash and a letter.
                let next = escape[1..].chars().next().map_or(0, char::len_utf8);
                let (escape, rest) = escape.split_at(1 + next);
                joined.push_str(escape);
                rest
            }
        };
    }
    joined.push_str(rest);
    joined.into()
}

/// The character of two escapes, where a text begins with such.
fn surrogates(text: &str) -> Option<u32> {
    let unit = |at: usize| {
        let digits = text.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u32::from_str_radix(digits, 16).ok().filter(|_| are_digits)
    };
    let (high, low) = (unit(0)?, unit(6)?);
    let is_pair = (0xd800..0xdc00).contains(&high) && (0xdc00..0xe000).contains(&low);
    is_pair.then(|| 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))
}

/// Stands for a hyphen that YAML 1.2 does not take; of private use, as long as one character.
const HYPHEN: char = '\u{e000}';

/// `!Join [-, [a, b]]`: YAML 1.1, as CloudFormation reads it, takes a hyphen alone in a flow sequence, YAML 1.2 does not.
fn quoted_hyphens(text: &str) -> Cow<'_, str> {
    if text.contains(HYPHEN) {
        return text.into();
    }
    let mut quoted = String::new();
    let mut done = 0;
    for (at, _) in text.match_indices('-') {
        let opens = text[..at].trim_end().ends_with(['[', ',']);
        if opens && text[at + 1..].trim_start().starts_with([',', ']']) {
            quoted.push_str(&text[done..at]);
            quoted.push(HYPHEN);
            done = at + 1;
        }
    }
    match done {
        0 => text.into(),
        _ => (quoted + &text[done..]).into(),
    }
}

struct Builder {
    file: FileId,
    open: Vec<Open>,
    anchors: Vec<(usize, Node)>,
    repeated: usize,
    root: Option<Node>,
}

/// A sequence or mapping that is being read.
struct Open {
    node: Node,
    key: Option<Key>,
    anchor: usize,
    tag: Option<String>,
}

impl Builder {
    fn new(file: FileId) -> Self {
        Self {
            file,
            open: Vec::new(),
            anchors: Vec::new(),
            repeated: 0,
            root: None,
        }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Unreadable> {
        let place = Place::new(self.file, span.start.line(), span.start.col());
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let null = style == ScalarStyle::Plain && matches!(&*text, "null" | "~" | "Null");
                let text = if null {
                    String::new()
                } else {
                    text.replace(HYPHEN, "-")
                };
                let kind = Kind::Scalar(text);
                let tag = tag.and_then(|tag| function(&tag));
                self.place(spelt_out(Node { place, kind }, tag), anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.enter(place, Kind::Sequence(Vec::new()), anchor, tag.as_deref())
            }
            Event::MappingStart(anchor, tag) => {
                self.enter(place, Kind::Mapping(Vec::new()), anchor, tag.as_deref())
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.place(spelt_out(open.node, open.tag), open.anchor),
                None => Ok(()),
            },
            Event::Alias(id) => {
                let known = self.anchors.iter().rev().find(|(anchor, _)| *anchor == id);
                let Some((_, node)) = known else {
                    return Err((place, "an alias of something that is still open".to_owned()));
                };
                let mut node = node.clone();
                node.place = place;
                self.repeated += node.size();
                if self.repeated > MAX_REPEATED {
                    return Err((
                        place,
                        format!("aliases repeat more than {MAX_REPEATED} nodes"),
                    ));
                }
                self.place(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn enter(
        &mut self,
        place: Place,
        kind: Kind,
        anchor: usize,
        tag: Option<&Tag>,
    ) -> Result<(), Unreadable> {
        if self.open.len() == MAX_DEPTH {
            return Err((place, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.open.push(Open {
            node: Node { place, kind },
            key: None,
            anchor,
            tag: tag.and_then(function),
        });
        Ok(())
    }

    fn place(&mut self, node: Node, anchor: usize) -> Result<(), Unreadable> {
        if anchor > 0 {
            self.repeated += node.size();
            self.anchors.push((anchor, node.clone()));
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut parent.node.kind {
            Kind::Scalar(_) => {}
            Kind::Sequence(items) => items.push(node),
            Kind::Mapping(entries) => match parent.key.take() {
                // What is merged does not override what is written out.
                Some(key) if key.text == "<<" => entries.splice(0..0, merged(node)).for_each(drop),
                Some(key) => entries.push((key, node)),
                None => match node.kind {
                    Kind::Scalar(text) => {
                        parent.key = Some(Key {
                            text,
                            place: node.place,
                        });
                    }
                    _ => return Err((node.place, "a key that is no text".to_owned())),
                },
            },
        }
        Ok(())
    }
}

/// What `<<` adds.
fn merged(node: Node) -> Vec<(Key, Node)> {
    match node.kind {
        Kind::Mapping(entries) => entries,
        Kind::Sequence(items) => items.into_iter().rev().flat_map(merged).collect(),
        Kind::Scalar(_) => Vec::new(),
    }
}

/// `!Sub` is `Fn::Sub`; `!Ref` and `!Condition` have no prefix. YAML's own tags say nothing here.
fn function(tag: &Tag) -> Option<String> {
    match (tag.handle.as_str(), tag.suffix.as_str()) {
        ("!", "Ref") => Some("Ref".to_owned()),
        ("!", "Condition") => Some("Condition".to_owned()),
        ("!", name) if !name.is_empty() => Some(format!("Fn::{name}")),
        _ => None,
    }
}

fn spelt_out(argument: Node, function: Option<String>) -> Node {
    let Some(text) = function else {
        return argument;
    };
    let place = argument.place;
    let key = Key { text, place };
    Node {
        place,
        kind: Kind::Mapping(vec![(key, argument)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(node: &Node) -> String {
        match &node.kind {
            Kind::Scalar(text) => text.clone(),
            Kind::Sequence(items) => {
                let items: Vec<_> = items.iter().map(render).collect();
                format!("[{}]", items.join(" "))
            }
            Kind::Mapping(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| format!("{}:{}", key.text, render(value)))
                    .collect();
                format!("{{{}}}", entries.join(" "))
            }
        }
    }

    #[test]
    fn short_forms_are_spelt_out() {
        for (text, expected) in [
            ("!Ref X", "{Ref:X}"),
            ("!GetAtt X.Arn", "{Fn::GetAtt:X.Arn}"),
            ("!If [A, !Ref B, 'c']", "{Fn::If:[A {Ref:B} c]}"),
            ("!Condition A", "{Condition:A}"),
            (
                "{\"Fn::Join\": [\"\", [\"a\", {\"Ref\": \"B\"}]]}",
                "{Fn::Join:[ [a {Ref:B}]]}",
            ),
            ("!Sub\n- ${a}\n- {a: 1}", "{Fn::Sub:[${a} {a:1}]}"),
            ("!Join [-, [a, b]]", "{Fn::Join:[- [a b]]}"),
            ("[a, - , '[-, ]', -]", "[a - [-, ] -]"),
            ("a: [\n -, b]", "{a:[- b]}"),
            ("a: &x {b: 1}\nc: {<<: *x, d: 2}", "{a:{b:1} c:{b:1 d:2}}"),
        ] {
            assert_eq!(render(&read(FileId(0), text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn places_are_those_of_the_text() {
        let root = read(FileId(0), "a:\n  b: !Ref X\n").unwrap();
        let b = root.get("a").and_then(|a| a.get("b")).unwrap();
        assert_eq!((b.place.line, b.place.column), (2, 6));
    }

    #[test]
    fn what_cannot_be_read_has_a_place_and_a_reason() {
        let laughs = (0..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, n| {
            format!("{text}a{}: &a{} [*a{n}, *a{n}]\n", n + 1, n + 1)
        });
        for (text, line, expected) in [
            ("a: [", 2, "not YAML"),
            ("a: b: c", 1, "not YAML"),
            ("", 1, "the template is empty"),
            ("? [a]\n: b", 1, "a key that is no text"),
            (&"- ".repeat(200), 1, "nested deeper than 100 levels"),
            (&laughs, 17, "aliases repeat more than"),
        ] {
            let (place, reason) = read(FileId(0), text).unwrap_err();
            assert!(reason.starts_with(expected), "{reason}");
            assert!(place.line.abs_diff(line) <= 2, "{reason}: {}", place.line);
        }
    }
}
