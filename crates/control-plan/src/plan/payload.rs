//! `reading`: where machine, line, time, id and attributes stand in a payload.

use crate::check::Check;
use crate::check::yaml::Node;
use crate::expression::{Meaning, Names, refuse_name};
use crate::reading::{Pointers, pointer};

pub(super) const KEYS: [&str; 5] = ["machine", "line", "time", "id", "attributes"];

/// Most attributes.
const MAX_ATTRIBUTES: usize = 100;

/// Reads the section; attributes are declared in the order of the file.
pub(super) fn parse(
    check: &mut Check<'_>,
    node: &Node,
    names: &mut Names,
) -> (Pointers, Vec<(String, Vec<String>)>) {
    let mut pointers = Pointers::default();
    let mut attributes = Vec::new();
    let Some(entries) = check.mapping(node, "reading", &KEYS, "") else {
        return (pointers, attributes);
    };
    if let Some(node) = entries.require(check, "machine") {
        pointers.machine = pointer_at(check, node).unwrap_or_default();
    }
    if let Some(node) = entries.require(check, "time") {
        pointers.time = pointer_at(check, node).unwrap_or_default();
    }
    pointers.line = entries.get("line").and_then(|node| pointer_at(check, node));
    pointers.id = entries.get("id").and_then(|node| pointer_at(check, node));
    let named = entries
        .get("attributes")
        .and_then(|node| check.named(node, "attributes"))
        .unwrap_or_default();
    if named.len() > MAX_ATTRIBUTES {
        check.fault(
            &named[MAX_ATTRIBUTES].key.span,
            format!("more than {MAX_ATTRIBUTES} attributes"),
        );
    }
    for entry in named.iter().take(MAX_ATTRIBUTES) {
        let place = u16::try_from(attributes.len()).unwrap_or(u16::MAX);
        declare(
            check,
            entry.key,
            entry.name,
            Meaning::Attribute(place),
            names,
        );
        let pointer = pointer_at(check, entry.value).unwrap_or_default();
        attributes.push((entry.name.to_owned(), pointer));
    }
    (pointers, attributes)
}

/// A scalar's JSON pointer.
pub(crate) fn pointer_at(check: &mut Check<'_>, node: &Node) -> Option<Vec<String>> {
    let text = check.text(node, "a JSON pointer")?;
    match pointer::parse(text) {
        Ok(tokens) => Some(tokens),
        Err((at, message)) => {
            let rest = at..text.len();
            check.fault_inside(node, &rest, message);
            None
        }
    }
}

/// Declares a name, or tells why it cannot be one.
pub(super) fn declare(
    check: &mut Check<'_>,
    key: &Node,
    name: &str,
    meaning: Meaning,
    names: &mut Names,
) {
    if let Some(reason) = refuse_name(name) {
        check.fault(&key.span, reason);
    } else if !names.declare(name, meaning) {
        check.fault(&key.span, format!("`{name}` is already defined; characteristics, attributes and constants share one space of names"));
    }
}
