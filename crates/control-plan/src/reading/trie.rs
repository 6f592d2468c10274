//! One pass over a payload that keeps only what the plan's pointers name.
//!
//! The pointers form a tree that walks along with the JSON: members that no pointer passes are skipped without
//! being built. Of duplicate members the last wins, with everything below it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What stands at a pointer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Captured<'de> {
    /// Nothing.
    #[default]
    Absent,
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(Cow<'de, str>),
    /// An object or an array.
    Container,
}

/// The pointers of a plan.
#[derive(Clone, Debug)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
    captures: usize,
}

#[derive(Clone, Debug, Default)]
struct Node {
    children: Vec<(Box<str>, usize)>,
    capture: Option<usize>,
    /// The captures at and below this node: they are numbered in depth-first order.
    below: Range<usize>,
}

impl Trie {
    /// The tree of `pointers`, and each pointer's capture.
    pub(crate) fn new(pointers: &[Vec<String>]) -> (Self, Vec<usize>) {
        let mut trie = Self {
            nodes: vec![Node::default()],
            captures: 0,
        };
        let ends: Vec<usize> = pointers
            .iter()
            .map(|pointer| trie.insert(pointer))
            .collect();
        let mut wanted = vec![false; trie.nodes.len()];
        ends.iter().for_each(|end| wanted[*end] = true);
        trie.number(0, &wanted);
        let captures = ends
            .iter()
            .map(|end| trie.nodes[*end].capture.unwrap_or_default())
            .collect();
        (trie, captures)
    }

    fn insert(&mut self, pointer: &[String]) -> usize {
        pointer
            .iter()
            .fold(0, |at, token| match self.child(at, token) {
                Some(child) => child,
                None => {
                    self.nodes.push(Node::default());
                    let child = self.nodes.len() - 1;
                    self.nodes[at].children.push((token.as_str().into(), child));
                    child
                }
            })
    }

    fn number(&mut self, at: usize, wanted: &[bool]) {
        let first = self.captures;
        if wanted[at] {
            self.nodes[at].capture = Some(self.captures);
            self.captures += 1;
        }
        for n in 0..self.nodes[at].children.len() {
            self.number(self.nodes[at].children[n].1, wanted);
        }
        self.nodes[at].below = first..self.captures;
    }

    /// The reference tokens on the way to a capture.
    pub(crate) fn tokens(&self, capture: usize) -> Vec<&str> {
        let mut tokens = Vec::new();
        let mut at = 0;
        while self.nodes[at].capture != Some(capture) {
            let next = self.nodes[at]
                .children
                .iter()
                .find(|(_, child)| self.nodes[*child].below.contains(&capture));
            let Some((token, child)) = next else { break };
            tokens.push(&**token);
            at = *child;
        }
        tokens
    }

    fn child(&self, at: usize, token: &str) -> Option<usize> {
        self.nodes[at]
            .children
            .iter()
            .find(|(name, _)| &**name == token)
            .map(|(_, child)| *child)
    }

    /// What stands at each capture's pointer.
    pub(crate) fn capture<'de>(
        &self,
        payload: &'de [u8],
    ) -> Result<Vec<Captured<'de>>, serde_json::Error> {
        let mut captured = vec![Captured::Absent; self.captures];
        let mut json = serde_json::Deserializer::from_slice(payload);
        Walk {
            trie: self,
            at: 0,
            captured: &mut captured,
        }
        .deserialize(&mut json)?;
        json.end()?;
        Ok(captured)
    }
}

/// Reads the value at one node of the tree.
struct Walk<'t, 'c, 'de> {
    trie: &'t Trie,
    at: usize,
    captured: &'c mut [Captured<'de>],
}

impl<'de> Walk<'_, '_, 'de> {
    fn keep(self, value: Captured<'de>) {
        if let Some(capture) = self.trie.nodes[self.at].capture {
            self.captured[capture] = value;
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.captured[self.trie.nodes[self.at].below.clone()].fill(Captured::Absent);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.keep(Captured::Null);
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.keep(Captured::Bool(value));
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.keep(Captured::Signed(value));
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.keep(Captured::Unsigned(value));
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.keep(Captured::Float(value));
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<(), E> {
        self.keep(Captured::Text(Cow::Borrowed(value)));
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        if self.trie.nodes[self.at].capture.is_some() {
            self.keep(Captured::Text(Cow::Owned(value.to_owned())));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { trie, at, captured } = self;
        while let Some(child) = map.next_key_seed(Key { trie, at })? {
            match child {
                Some(at) => map.next_value_seed(Walk { trie, at, captured })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Walk { trie, at, captured }.keep(Captured::Container);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { trie, at, captured } = self;
        let indexed = trie.nodes[at]
            .children
            .iter()
            .any(|(name, _)| name.bytes().all(|b| b.is_ascii_digit()));
        for index in 0_usize.. {
            let child = if indexed {
                trie.child(at, &index.to_string())
            } else {
                None
            };
            let more = match child {
                Some(at) => seq
                    .next_element_seed(Walk { trie, at, captured })?
                    .is_some(),
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                break;
            }
        }
        Walk { trie, at, captured }.keep(Captured::Container);
        Ok(())
    }
}

/// Reads a member's name without keeping it.
struct Key<'t> {
    trie: &'t Trie,
    at: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.trie.child(self.at, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pointers: &[&str], payload: &str, expected: &[Captured<'_>]) {
        let parsed: Vec<_> = pointers
            .iter()
            .map(|pointer| crate::reading::pointer::parse(pointer).unwrap())
            .collect();
        let (trie, places) = Trie::new(&parsed);
        let captured = trie.capture(payload.as_bytes()).unwrap();
        let found: Vec<_> = places
            .iter()
            .map(|place| captured[*place].clone())
            .collect();
        assert_eq!(found, expected, "{payload}");
    }

    #[test]
    fn keeps_what_pointers_name() {
        use Captured::*;
        check(
            &["/m/a", "/m/b/1", "/x", "/m"],
            r#"{"m":{"z":[1,{"a":2}],"a":1.5,"b":[7,"two"]},"y":0}"#,
            &[Float(1.5), Text("two".into()), Absent, Container],
        );
        check(&["/a", "/a"], r#"{"a":-1}"#, &[Signed(-1), Signed(-1)]);
        check(
            &["/a~1b", "/"],
            r#"{"a/b":null,"":true}"#,
            &[Null, Bool(true)],
        );
        check(&["/0/a"], r#"[{"a":3}]"#, &[Unsigned(3)]);
        check(&["/a/b"], r#"{"a":5}"#, &[Absent]);
        check(&["/a"], r#"{"a":"e\u0301"}"#, &[Text("e\u{301}".into())]);
    }

    #[test]
    fn the_last_duplicate_wins_with_everything_below() {
        use Captured::*;
        check(&["/a"], r#"{"a":1,"a":2}"#, &[Unsigned(2)]);
        check(
            &["/m/a", "/m/b"],
            r#"{"m":{"a":1},"m":{"b":2}}"#,
            &[Absent, Unsigned(2)],
        );
        check(&["/m/a"], r#"{"m":{"a":1},"m":3}"#, &[Absent]);
    }

    #[test]
    fn refuses_what_is_not_one_json_value() {
        let (trie, _) = Trie::new(&[vec!["a".into()]]);
        for payload in [
            "",
            "{",
            "{} {}",
            r#"{"a":1}x"#,
            r#"{"a":NaN}"#,
            r#"{"a":01}"#,
            "\u{feff}{}",
        ] {
            assert!(trie.capture(payload.as_bytes()).is_err(), "{payload}");
        }
        assert!(trie.capture(&[b'"', 0xff, b'"']).is_err());
        assert!(trie.capture("[".repeat(100_000).as_bytes()).is_err());
    }
}
