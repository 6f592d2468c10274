//! Projections: the attributes that a read answers, top-level ones and paths into documents.

use super::parser::Parser;
use super::path::{Path, Step};
use super::placeholders::Placeholders;
use crate::dynamodb::validation;
use crate::dynamodb::value::{Item, Value};
use crate::protocol::Refusal;

/// A parsed projection.
#[derive(Debug)]
pub(crate) struct Projection(Vec<Path>);

impl Projection {
    pub(crate) fn parse(source: &str, placeholders: &mut Placeholders) -> Result<Self, Refusal> {
        let mut parser = Parser::new("ProjectionExpression", source, placeholders)?;
        let mut paths: Vec<Path> = Vec::new();
        loop {
            let path = parser.path()?;
            if path
                .steps
                .iter()
                .any(|step| matches!(step, Step::Element(_)))
            {
                return Err(validation(
                    "not supported: list elements in a ProjectionExpression",
                ));
            }
            if let Some(earlier) = paths.iter().find(|earlier| earlier.overlaps(&path)) {
                return Err(parser.invalid(format!(
                    "Two document paths overlap with each other; must remove or rewrite one of these paths; path \
                     one: {earlier}, path two: {path}"
                )));
            }
            paths.push(path);
            if !parser.takes(",") {
                parser.expect_end()?;
                return Ok(Self(paths));
            }
        }
    }

    pub(crate) fn of(&self, item: &Item) -> Item {
        let mut projected = Item::new();
        for path in &self.0 {
            let Some(value) = path.get(item) else {
                continue;
            };
            let names: Vec<&String> = path.steps.iter().filter_map(Step::member).collect();
            insert(&mut projected, &path.attribute, &names, value.clone());
        }
        projected
    }
}

/// Inserts the value below an attribute, with the maps that lead to it.
fn insert(members: &mut Item, name: &str, steps: &[&String], value: Value) {
    let Some((next, rest)) = steps.split_first() else {
        members.insert(name.to_owned(), value);
        return;
    };
    let parent = members
        .entry(name.to_owned())
        .or_insert_with(|| Value::M(Item::new()));
    if let Value::M(map) = parent {
        insert(map, next, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dynamodb::value::{item_from_json, item_to_json};

    #[test]
    fn only_what_is_named_is_answered() {
        let item = json!({"a": {"S": "x"}, "m": {"M": {"k": {"N": "1"}, "j": {"N": "2"}, "o": {"M": {"p": {"N": "3"}}}}}});
        let item = item_from_json(item.as_object().unwrap()).unwrap();
        for (source, expected) in [
            ("a", json!({"a": {"S": "x"}})),
            ("a, absent", json!({"a": {"S": "x"}})),
            (
                "m.k, m.o.p",
                json!({"m": {"M": {"k": {"N": "1"}, "o": {"M": {"p": {"N": "3"}}}}}}),
            ),
        ] {
            let projection = Projection::parse(source, &mut Placeholders::default()).unwrap();
            assert_eq!(item_to_json(&projection.of(&item)), expected, "{source}");
        }
        let refusal = Projection::parse("m, m.k", &mut Placeholders::default()).unwrap_err();
        assert!(refusal.message.contains("overlap"), "{}", refusal.message);
    }
}
