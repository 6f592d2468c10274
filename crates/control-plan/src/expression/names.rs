//! The names that expressions and summaries know: characteristics, attributes and constants share one space.

use std::collections::BTreeMap;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Meaning {
    /// A characteristic, by its place in the plan.
    Characteristic(u16),
    /// An attribute, by its place in the plan.
    Attribute(u16),
    /// A constant number.
    Number(f64),
    /// A constant that an attribute selects, by its place among the tables.
    Table(u16),
    /// Its definition is faulty; that has been reported.
    Faulty,
}

/// All names of a plan.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<String, Meaning>);

impl Names {
    /// False if the name is taken; it then means nothing, so that its uses are not faulted as well.
    pub(crate) fn declare(&mut self, name: &str, meaning: Meaning) -> bool {
        let taken = self.0.contains_key(name);
        self.0.insert(
            name.to_owned(),
            if taken { Meaning::Faulty } else { meaning },
        );
        !taken
    }

    pub(crate) fn get(&self, name: &str) -> Option<Meaning> {
        self.0.get(name).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.keys().map(String::as_str)
    }
}

/// Longest name.
const MAX_CHARS: usize = 64;

/// CEL's reserved words and literals, the functions, and what a summary calls the reading's own.
const TAKEN: [&str; 33] = [
    "abs",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "has",
    "if",
    "import",
    "in",
    "let",
    "line",
    "loop",
    "machine",
    "max",
    "min",
    "namespace",
    "null",
    "package",
    "previous",
    "return",
    "rule",
    "time",
    "true",
    "var",
    "void",
    "while",
    "and",
    "or",
    "not",
];

/// The words that [`refuse_name`] keeps.
#[cfg(feature = "schema")]
pub(crate) fn reserved_words() -> impl Iterator<Item = &'static str> {
    TAKEN.into_iter()
}

/// Whether a plan keeps `word` for itself, so that no characteristic, attribute or constant can be called so.
///
/// ```
/// assert!(control_plan::is_reserved_word("previous") && !control_plan::is_reserved_word("torque"));
/// ```
pub fn is_reserved_word(word: &str) -> bool {
    TAKEN.contains(&word)
}

/// Why `name` can be no name of a characteristic, attribute or constant.
pub(crate) fn refuse_name(name: &str) -> Option<String> {
    let identifier = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !identifier {
        return Some(format!(
            "`{name}` is no name: use letters, digits and `_`, not a digit first"
        ));
    }
    if name.len() > MAX_CHARS {
        return Some(format!("a name has at most {MAX_CHARS} characters"));
    }
    if is_reserved_word(name) {
        return Some(format!("`{name}` is a reserved word"));
    }
    None
}
