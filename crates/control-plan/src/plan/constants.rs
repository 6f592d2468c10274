//! `constants`: numbers, or tables of numbers keyed by an attribute.

use std::collections::BTreeMap;

use super::payload::declare;
use crate::check::Check;
use crate::check::yaml::{Kind, Node};
use crate::digest::Definition;
use crate::expression::{Meaning, Names, Table};
use crate::reading::AttributeId;
use crate::rule::reference::attribute;

pub(super) const TABLE_KEYS: [&str; 2] = ["by", "values"];

/// Most entries of one table.
const MAX_ENTRIES: usize = 1_000;

/// Reads the section: the tables, in the order of their places. Numbers live in their names' meaning.
pub(super) fn parse(
    check: &mut Check<'_>,
    node: &Node,
    names: &mut Names,
    definitions: &mut BTreeMap<String, u64>,
) -> Vec<Table> {
    let mut tables = Vec::new();
    for entry in check.named(node, "constants").unwrap_or_default() {
        let (meaning, definition) = match &entry.value.kind {
            Kind::Mapping(_) => match table(check, entry.value, names) {
                None => (Meaning::Faulty, 0),
                Some((table, attribute)) => {
                    let definition = table.values.iter().fold(
                        Definition::new("table")
                            .definition(definitions.get(&attribute).copied().unwrap_or_default()),
                        |definition, (key, value)| definition.text(key).number(*value),
                    );
                    tables.push(table);
                    let place = u16::try_from(tables.len() - 1).unwrap_or(u16::MAX);
                    (Meaning::Table(place), definition.finish())
                }
            },
            _ => match check.number(entry.value, &format!("the constant `{}`", entry.name)) {
                None => (Meaning::Faulty, 0),
                Some(number) => (
                    Meaning::Number(number),
                    Definition::new("number").number(number).finish(),
                ),
            },
        };
        declare(check, entry.key, entry.name, meaning, names);
        definitions.insert(entry.name.to_owned(), definition);
    }
    tables
}

fn table(check: &mut Check<'_>, node: &Node, names: &Names) -> Option<(Table, String)> {
    let entries = check.mapping(node, "a table", &TABLE_KEYS, "")?;
    let attribute = entries.require(check, "by").and_then(|node| {
        let AttributeId(place) = attribute(check, node, "by", names)?;
        Some((place, check.text(node, "by")?.to_owned()))
    });
    let node = entries.require(check, "values")?;
    let named = check.named(node, "values")?;
    if named.is_empty() || named.len() > MAX_ENTRIES {
        check.fault(&node.span, format!("a table has 1 to {MAX_ENTRIES} values"));
        return None;
    }
    let mut values = Vec::with_capacity(named.len());
    for entry in &named {
        let what = format!("the value for `{}`", entry.name);
        values.push(
            check
                .number(entry.value, &what)
                .map(|number| (Box::from(entry.name), number)),
        );
    }
    let mut values = values
        .into_iter()
        .collect::<Option<Vec<(Box<str>, f64)>>>()?;
    values.sort_by(|(a, _), (b, _)| a.cmp(b));
    let (place, name) = attribute?;
    Some((
        Table {
            attribute: place,
            values,
        },
        name,
    ))
}
