//! Just enough XML to answer: elements and escaped text.

use std::fmt::Write;

pub(crate) const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Text as XML carries it. Characters that XML 1.0 cannot carry become the replacement character.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' | '\n' | ' '.. => escaped.push(character),
            _ => escaped.push('\u{fffd}'),
        }
    }
    escaped
}

/// An element around text.
pub(crate) fn text(name: &str, text: impl std::fmt::Display) -> String {
    element(name, &escape(&text.to_string()))
}

/// An element around what is XML already.
pub(crate) fn element(name: &str, content: &str) -> String {
    let mut element = String::with_capacity(content.len() + 2 * name.len() + 5);
    // Writing to a string cannot fail.
    let _ = write!(element, "<{name}>{content}</{name}>");
    element
}
