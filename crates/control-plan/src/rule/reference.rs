//! Names that must be those of characteristics or attributes.

use crate::check::Check;
use crate::check::nearest::hint;
use crate::check::yaml::{Kind, Node};
use crate::expression::{Meaning, Names, refuse_name};
use crate::reading::{AttributeId, CharacteristicId};

/// The characteristic that a scalar names.
pub(super) fn characteristic(
    check: &mut Check<'_>,
    node: &Node,
    what: &str,
    names: &Names,
) -> Option<CharacteristicId> {
    let name = check.text(node, what)?;
    match names.get(name) {
        Some(Meaning::Characteristic(place)) => Some(CharacteristicId(place)),
        Some(Meaning::Faulty) => None,
        Some(_) => {
            check.fault(&node.span, format!("`{name}` is no characteristic"));
            None
        }
        None if refuse_name(name).is_some() => {
            check.fault(
                &node.span,
                format!(
                    "`{name}` is no characteristic; a formula has its name under `characteristics`"
                ),
            );
            None
        }
        None => {
            unknown_characteristic(check, node, name, names);
            None
        }
    }
}

/// The attribute that a scalar names.
pub(crate) fn attribute(
    check: &mut Check<'_>,
    node: &Node,
    what: &str,
    names: &Names,
) -> Option<AttributeId> {
    let name = check.text(node, what)?;
    match names.get(name) {
        Some(Meaning::Attribute(place)) => Some(AttributeId(place)),
        Some(Meaning::Faulty) => None,
        Some(_) => {
            check.fault(&node.span, format!("`{name}` is no attribute"));
            None
        }
        None => {
            unknown_attribute(check, node, name, names);
            None
        }
    }
}

/// Reports that a name is no characteristic's, with the nearest that is.
pub(crate) fn unknown_characteristic(
    check: &mut Check<'_>,
    node: &Node,
    name: &str,
    names: &Names,
) {
    let known = names
        .iter()
        .filter(|name| matches!(names.get(name), Some(Meaning::Characteristic(_))));
    let hint = hint(name, known);
    check.fault(&node.span, format!("unknown characteristic `{name}`{hint}"));
}

fn unknown_attribute(check: &mut Check<'_>, node: &Node, name: &str, names: &Names) {
    let known = names
        .iter()
        .filter(|name| matches!(names.get(name), Some(Meaning::Attribute(_))));
    let hint = hint(name, known);
    check.fault(&node.span, format!("unknown attribute `{name}`{hint}"));
}

/// One attribute, or a list of them; none twice.
pub(super) fn attributes(
    check: &mut Check<'_>,
    node: &Node,
    what: &str,
    names: &Names,
) -> Option<Vec<AttributeId>> {
    let Kind::Sequence(items) = &node.kind else {
        if let Kind::Mapping(_) = &node.kind {
            check.fault(
                &(node.span.start..node.span.start),
                format!("{what} is an attribute or a list of them"),
            );
            return None;
        }
        return attribute(check, node, what, names).map(|attribute| vec![attribute]);
    };
    let mut found = Vec::new();
    let mut is_sound = true;
    for item in items {
        match attribute(check, item, what, names) {
            Some(attribute) if found.contains(&attribute) => {
                check.fault(&item.span, format!("{what} names this attribute twice"));
                is_sound = false;
            }
            Some(attribute) => found.push(attribute),
            None => is_sound = false,
        }
    }
    if items.is_empty() {
        check.fault(
            &(node.span.start..node.span.start),
            format!("{what} names at least one attribute"),
        );
    }
    (is_sound && !found.is_empty()).then_some(found)
}
