//! Walking a plan file: every helper takes what it can use, notes what is wrong and lets the walk go on, so that all
//! faults are found in one go.

pub(crate) mod fault;
pub(crate) mod inside;
pub(crate) mod nearest;
pub(crate) mod source;
pub(crate) mod yaml;

use std::ops::Range;

use nearest::hint;
use yaml::{Kind, Node, Scalar, Style};

/// A walk over one plan file, and what it has found.
pub(crate) struct Check<'s> {
    text: &'s str,
    faults: Vec<(Range<usize>, String)>,
}

/// A mapping whose keys are known, without duplicates.
pub(crate) struct Entries<'n> {
    what: String,
    span: Range<usize>,
    pairs: Vec<Entry<'n>>,
    unknown: bool,
}

/// A key and its value.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'n> {
    pub(crate) name: &'n str,
    pub(crate) key: &'n Node,
    pub(crate) value: &'n Node,
}

impl<'s> Check<'s> {
    pub(crate) fn new(text: &'s str) -> Self {
        Self {
            text,
            faults: Vec::new(),
        }
    }

    pub(crate) fn into_faults(self) -> Vec<(Range<usize>, String)> {
        self.faults
    }

    pub(crate) fn fault(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.faults.push((span.clone(), message.into()));
    }

    /// A fault at `within`, bytes of a scalar's value.
    pub(crate) fn fault_inside(
        &mut self,
        node: &Node,
        within: &Range<usize>,
        message: impl Into<String>,
    ) {
        let span = match &node.kind {
            Kind::Scalar(scalar) => inside::locate(self.text, &node.span, scalar, within),
            _ => node.span.clone(),
        };
        self.faults.push((span, message.into()));
    }

    /// A mapping with names of the author's own.
    pub(crate) fn named<'n>(&mut self, node: &'n Node, what: &str) -> Option<Vec<Entry<'n>>> {
        let Kind::Mapping(entries) = &node.kind else {
            self.fault(
                &heading(node),
                format!("{what} must be a mapping, not {}", described(node)),
            );
            return None;
        };
        let mut pairs: Vec<Entry<'n>> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for (key, value) in entries {
            let Kind::Scalar(Scalar { text, .. }) = &key.kind else {
                self.fault(&heading(key), format!("a key of {what} must be a name"));
                continue;
            };
            if seen.insert(text.as_str()) {
                pairs.push(Entry {
                    name: text,
                    key,
                    value,
                });
            } else {
                self.fault(&key.span, format!("duplicate key `{text}` in {what}"));
            }
        }
        Some(pairs)
    }

    /// A mapping with keys of the plan's language; `note` follows the message on an unknown one.
    pub(crate) fn mapping<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
        known: &[&str],
        note: &str,
    ) -> Option<Entries<'n>> {
        let mut pairs = self.named(node, what)?;
        let all = pairs.len();
        pairs.retain(|entry| {
            let fine = known.contains(&entry.name);
            if !fine {
                let hint = match nearest::nearest(entry.name, known.iter().copied()) {
                    None if !note.is_empty() => note.to_owned(),
                    _ => hint(entry.name, known.iter().copied()),
                };
                self.fault(
                    &entry.key.span,
                    format!("unknown key `{}` in {what}{hint}", entry.name),
                );
            }
            fine
        });
        let unknown = pairs.len() < all;
        Some(Entries {
            what: what.to_owned(),
            span: heading(node),
            pairs,
            unknown,
        })
    }

    pub(crate) fn sequence<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        let Kind::Sequence(items) = &node.kind else {
            self.fault(
                &heading(node),
                format!("{what} must be a list, not {}", described(node)),
            );
            return None;
        };
        Some(items)
    }

    /// Any scalar but an empty one, as it is written.
    pub(crate) fn text<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        match &node.kind {
            Kind::Scalar(scalar) if !is_null(scalar) => Some(&scalar.text),
            _ => {
                self.fault(
                    &heading(node),
                    format!("{what} must be text, not {}", described(node)),
                );
                None
            }
        }
    }

    pub(crate) fn number(&mut self, node: &Node, what: &str) -> Option<f64> {
        let found = match &node.kind {
            Kind::Scalar(scalar) if scalar.style == Style::Plain => parse_number(&scalar.text),
            _ => None,
        };
        match found {
            Some(number) if number.is_finite() => Some(number),
            Some(_) => {
                self.fault(&node.span, format!("{what} must be a finite number"));
                None
            }
            None => {
                self.fault(
                    &heading(node),
                    format!("{what} must be a number, not {}", described(node)),
                );
                None
            }
        }
    }

    /// A whole number in `range`.
    pub(crate) fn whole(
        &mut self,
        node: &Node,
        what: &str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Option<u32> {
        let number = self.number(node, what)?;
        let whole = (number.fract() == 0.0
            && number >= f64::from(*range.start())
            && number <= f64::from(*range.end()))
        .then_some(number as u32);
        if whole.is_none() {
            let (low, high) = (range.start(), range.end());
            self.fault(
                &node.span,
                format!("{what} must be a whole number from {low} to {high}"),
            );
        }
        whole
    }

    /// The text and place of a mapping's member, without any demand.
    pub(crate) fn scalar_of<'n>(
        &self,
        node: &'n Node,
        name: &str,
    ) -> Option<(&'n str, Range<usize>)> {
        let Kind::Mapping(entries) = &node.kind else {
            return None;
        };
        let (_, value) = entries
            .iter()
            .find(|(key, _)| matches!(&key.kind, Kind::Scalar(scalar) if scalar.text == name))?;
        match &value.kind {
            Kind::Scalar(scalar) => Some((&scalar.text, value.span.clone())),
            _ => None,
        }
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        node: &Node,
        what: &str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let text = self.text(node, what)?;
        let found = words
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, value)| *value);
        if found.is_none() {
            let hint = hint(text, words.iter().map(|(word, _)| *word));
            self.fault(&node.span, format!("unknown {what} `{text}`{hint}"));
        }
        found
    }
}

impl<'n> Entries<'n> {
    pub(crate) fn entry(&self, name: &str) -> Option<Entry<'n>> {
        self.pairs.iter().find(|entry| entry.name == name).copied()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'n Node> {
        self.entry(name).map(|entry| entry.value)
    }

    pub(crate) fn require(&self, check: &mut Check<'_>, name: &str) -> Option<&'n Node> {
        let found = self.get(name);
        if found.is_none() {
            check.fault(&self.span, format!("{} lacks the key `{name}`", self.what));
        }
        found
    }

    /// Whether unknown keys were found (and reported).
    pub(crate) fn has_unknown(&self) -> bool {
        self.unknown
    }

    /// Where to point when the mapping as a whole is at fault.
    pub(crate) fn span(&self) -> &Range<usize> {
        &self.span
    }
}

/// Where to point for a node: a collection's first character would underline the whole of it.
fn heading(node: &Node) -> Range<usize> {
    match &node.kind {
        Kind::Scalar(_) => node.span.clone(),
        Kind::Sequence(items) => items
            .first()
            .map_or(node.span.start..node.span.start, heading),
        Kind::Mapping(entries) => entries
            .first()
            .map_or(node.span.start..node.span.start, |(key, _)| heading(key)),
    }
}

fn described(node: &Node) -> &'static str {
    match &node.kind {
        Kind::Scalar(scalar) if is_null(scalar) => "nothing",
        Kind::Scalar(scalar)
            if scalar.style == Style::Plain && parse_number(&scalar.text).is_some() =>
        {
            "a number"
        }
        Kind::Scalar(scalar)
            if scalar.style == Style::Plain && matches!(&*scalar.text, "true" | "false") =>
        {
            "true or false"
        }
        Kind::Scalar(_) => "text",
        Kind::Sequence(_) => "a list",
        Kind::Mapping(_) => "a mapping",
    }
}

fn is_null(scalar: &Scalar) -> bool {
    scalar.style == Style::Plain && matches!(&*scalar.text, "" | "~" | "null" | "Null" | "NULL")
        || scalar.text.trim().is_empty()
}

/// YAML's and JSON's decimal numbers; what is not finite parses, so that the message can say so.
fn parse_number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(
        unsigned,
        ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN"
    ) {
        return Some(f64::NAN);
    }
    let plain = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<f64>) {
        assert_eq!(parse_number(text), expected, "{text}");
    }

    #[test]
    fn numbers_are_decimal() {
        check("1", Some(1.0));
        check("-1.5e3", Some(-1500.0));
        check("+.5", Some(0.5));
        check("8.6", Some(8.6));
        check("1_000", None);
        check("0x10", None);
        check("inf", None);
        check("12 V", None);
        check("", None);
    }
}
