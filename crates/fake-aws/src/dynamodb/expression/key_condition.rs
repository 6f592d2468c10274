//! Key conditions: the hash key's value, and optionally one condition on the range key.

use super::condition::{Comparator, comparator};
use super::parser::Parser;
use super::placeholders::Placeholders;
use crate::dynamodb::table::{Key, KeySchema};
use crate::dynamodb::validation;
use crate::dynamodb::value::Value;
use crate::protocol::Refusal;

const PARAMETER: &str = "KeyConditionExpression";

/// A parsed key condition.
#[derive(Debug)]
pub(crate) struct KeyCondition {
    hash: String,
    range: Option<Range>,
}

#[derive(Debug)]
enum Range {
    Compare(Comparator, String),
    Between(String, String),
    BeginsWith(String),
}

enum Clause {
    Hash(String),
    Range(Range),
}

impl KeyCondition {
    pub(crate) fn parse(
        source: &str,
        placeholders: &mut Placeholders,
        schema: &KeySchema,
    ) -> Result<Self, Refusal> {
        let mut parser = Parser::new(PARAMETER, source, placeholders)?;
        let first = clause(&mut parser, schema)?;
        let second = if parser.takes_keyword("AND") {
            Some(clause(&mut parser, schema)?)
        } else {
            None
        };
        parser.expect_end()?;
        match (first, second) {
            (Clause::Hash(hash), None) => Ok(Self { hash, range: None }),
            (Clause::Hash(hash), Some(Clause::Range(range)))
            | (Clause::Range(range), Some(Clause::Hash(hash))) => Ok(Self {
                hash,
                range: Some(range),
            }),
            (Clause::Hash(_), Some(Clause::Hash(_)))
            | (Clause::Range(_), Some(Clause::Range(_))) => Err(validation(
                "KeyConditionExpressions must only contain one condition per key",
            )),
            (Clause::Range(_), None) => Err(validation(format!(
                "Query condition missed key schema element: {}",
                schema.hash
            ))),
        }
    }

    pub(crate) fn holds(&self, place: &Key) -> bool {
        if place.hash != self.hash {
            return false;
        }
        let Some(range) = &self.range else {
            return true;
        };
        let text = place.range.as_deref().unwrap_or_default();
        match range {
            Range::Compare(comparator, value) => {
                comparator.holds(Some(Value::from(text)), Some(Value::from(value.as_str())))
            }
            Range::Between(low, high) => low.as_str() <= text && text <= high.as_str(),
            Range::BeginsWith(prefix) => text.starts_with(prefix.as_str()),
        }
    }
}

fn clause(parser: &mut Parser, schema: &KeySchema) -> Result<Clause, Refusal> {
    if parser.takes("(") {
        let clause = clause(parser, schema)?;
        parser.expect(")")?;
        return Ok(clause);
    }
    match parser.function() {
        Some("begins_with") => {
            parser.advance();
            parser.expect("(")?;
            key(parser, schema, Wanted::Range)?;
            parser.expect(",")?;
            let prefix = text(parser)?;
            parser.expect(")")?;
            return Ok(Clause::Range(Range::BeginsWith(prefix)));
        }
        Some(name) => {
            return Err(parser.invalid(format!("Invalid function name; function: {name}")));
        }
        None => {}
    }
    let is_hash = key(parser, schema, Wanted::Either)?;
    if parser.takes_keyword("BETWEEN") {
        let low = text(parser)?;
        if !parser.takes_keyword("AND") {
            return Err(parser.unexpected());
        }
        let high = text(parser)?;
        return if is_hash {
            Err(unsupported())
        } else {
            Ok(Clause::Range(Range::Between(low, high)))
        };
    }
    match (is_hash, comparator(parser)?) {
        (true, Comparator::Equal) => Ok(Clause::Hash(text(parser)?)),
        (true, _) => Err(unsupported()),
        (false, Comparator::Unequal) => {
            Err(parser.invalid("Invalid operator used in KeyConditionExpression: <>"))
        }
        (false, comparator) => Ok(Clause::Range(Range::Compare(comparator, text(parser)?))),
    }
}

#[derive(PartialEq)]
enum Wanted {
    Either,
    Range,
}

/// Whether the path that comes next is the hash key; it must be a key.
fn key(parser: &mut Parser, schema: &KeySchema, wanted: Wanted) -> Result<bool, Refusal> {
    let path = parser.path()?;
    let is_hash = path.attribute == schema.hash;
    let is_range = schema.range.as_deref() == Some(path.attribute.as_str());
    match (is_hash, is_range, path.steps.is_empty()) {
        (true, _, true) if wanted == Wanted::Range => Err(unsupported()),
        (true, _, true) | (_, true, true) => Ok(is_hash),
        _ => Err(validation(format!(
            "Query condition missed key schema element: {}",
            schema.range.as_deref().unwrap_or(&schema.hash)
        ))),
    }
}

fn text(parser: &mut Parser) -> Result<String, Refusal> {
    match parser.value().ok_or_else(|| parser.unexpected())?? {
        Value::S(text) if text.is_empty() => Err(validation(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an \
             empty string value.",
        )),
        Value::S(text) => Ok(text),
        _ => Err(validation(
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        )),
    }
}

fn unsupported() -> Refusal {
    validation("Query key condition not supported")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(source: &str) -> Result<KeyCondition, Refusal> {
        let values =
            json!({":m": {"S": "press-07"}, ":a": {"S": "b"}, ":z": {"S": "d"}, ":n": {"N": "1"}});
        let mut placeholders = Placeholders::new(None, values.as_object(), true)?;
        let schema = crate::dynamodb::Table::new("events", "machine", Some("time_id")).schema;
        KeyCondition::parse(source, &mut placeholders, &schema)
    }

    #[test]
    fn ranges_are_selected() {
        for (source, selected) in [
            ("machine = :m", "abbacdde"),
            ("machine = :m AND time_id = :a", "b"),
            ("machine = :m AND time_id > :a", "bacdde"),
            ("time_id >= :a and machine = :m", "bbacdde"),
            ("machine = :m AND time_id < :a", "a"),
            ("(machine = :m) AND (time_id BETWEEN :a AND :z)", "bbacd"),
            ("machine = :m AND begins_with(time_id, :a)", "bba"),
        ] {
            let condition = parse(source).unwrap();
            let ranges = ["a", "b", "ba", "c", "d", "de"];
            let found: String = ranges
                .iter()
                .filter(|range| {
                    condition.holds(&Key {
                        hash: "press-07".into(),
                        range: Some((**range).to_owned()),
                    })
                })
                .copied()
                .collect();
            assert_eq!(found, selected, "{source}");
            assert!(!condition.holds(&Key {
                hash: "press-08".into(),
                range: Some("b".into())
            }));
        }
    }

    #[test]
    fn what_is_no_key_condition_is_refused() {
        for (source, message) in [
            (
                "time_id = :a",
                "Query condition missed key schema element: machine",
            ),
            (
                "machine = :m AND version = :a",
                "Query condition missed key schema element: time_id",
            ),
            ("machine > :m", "Query key condition not supported"),
            (
                "begins_with(machine, :m)",
                "Query key condition not supported",
            ),
            (
                "machine = :m AND machine = :a",
                "must only contain one condition per key",
            ),
            (
                "machine = :m AND time_id <> :a",
                "Invalid operator used in KeyConditionExpression: <>",
            ),
            (
                "machine = :m OR time_id = :a",
                "Syntax error; token: \"OR\"",
            ),
            (
                "machine = :n",
                "Condition parameter type does not match schema type",
            ),
        ] {
            let refusal = parse(source).unwrap_err();
            assert!(
                refusal.message.contains(message),
                "{source}: {}",
                refusal.message
            );
        }
    }
}
