//! Conditions: `attribute_not_exists(a) OR (a.b = :v AND NOT size(c) > :n)`.
//!
//! An absent attribute is unequal (`<>`) to everything, another absent one included; every other comparison with
//! it is false. Values of different types are unequal and in no order.

mod grammar;

use std::cmp::Ordering;

use super::parser::Parser;
use super::path::Path;
use super::placeholders::Placeholders;
use crate::dynamodb::value::{Item, Value};
use crate::protocol::Refusal;

pub(crate) use grammar::comparator;

/// A parsed condition.
#[derive(Debug)]
pub(crate) enum Condition {
    Or(Box<Condition>, Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Compare(Operand, Comparator, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Exists(Path),
    Type(Path, String),
    BeginsWith(Operand, Operand),
    Contains(Operand, Operand),
}

#[derive(Debug)]
pub(crate) enum Operand {
    Path(Path),
    Value(Value),
    Size(Path),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Condition {
    pub(crate) fn parse(
        parameter: &'static str,
        source: &str,
        placeholders: &mut Placeholders,
    ) -> Result<Self, Refusal> {
        let mut parser = Parser::new(parameter, source, placeholders)?;
        let condition = grammar::or(&mut parser)?;
        parser.expect_end()?;
        Ok(condition)
    }

    /// Whether it holds for the item; an absent item has no attributes.
    pub(crate) fn holds(&self, item: &Item) -> bool {
        match self {
            Self::Or(left, right) => left.holds(item) || right.holds(item),
            Self::And(left, right) => left.holds(item) && right.holds(item),
            Self::Not(condition) => !condition.holds(item),
            Self::Compare(left, comparator, right) => {
                comparator.holds(left.value(item), right.value(item))
            }
            Self::Between(operand, low, high) => {
                let value = operand.value(item);
                Comparator::GreaterOrEqual.holds(value.clone(), low.value(item))
                    && Comparator::LessOrEqual.holds(value, high.value(item))
            }
            Self::In(operand, list) => {
                let value = operand.value(item);
                list.iter()
                    .any(|element| Comparator::Equal.holds(value.clone(), element.value(item)))
            }
            Self::Exists(path) => path.get(item).is_some(),
            Self::Type(path, name) => path
                .get(item)
                .is_some_and(|value| value.type_name() == name),
            Self::BeginsWith(operand, prefix) => match (operand.value(item), prefix.value(item)) {
                (Some(Value::S(text)), Some(Value::S(prefix))) => text.starts_with(&prefix),
                (Some(Value::B(bytes)), Some(Value::B(prefix))) => bytes.starts_with(&prefix),
                _ => false,
            },
            Self::Contains(operand, sought) => match (operand.value(item), sought.value(item)) {
                (Some(container), Some(sought)) => contains(&container, &sought),
                _ => false,
            },
        }
    }
}

impl Condition {
    /// The top-level attributes that the condition names.
    pub(crate) fn attributes(&self) -> Vec<&str> {
        match self {
            Self::Or(left, right) | Self::And(left, right) => left
                .attributes()
                .into_iter()
                .chain(right.attributes())
                .collect(),
            Self::Not(condition) => condition.attributes(),
            Self::Compare(left, _, right)
            | Self::BeginsWith(left, right)
            | Self::Contains(left, right) => [left, right]
                .into_iter()
                .filter_map(Operand::attribute)
                .collect(),
            Self::Between(operand, low, high) => [operand, low, high]
                .into_iter()
                .filter_map(Operand::attribute)
                .collect(),
            Self::In(operand, list) => std::iter::once(operand)
                .chain(list)
                .filter_map(Operand::attribute)
                .collect(),
            Self::Exists(path) | Self::Type(path, _) => vec![&path.attribute],
        }
    }
}

impl Operand {
    fn attribute(&self) -> Option<&str> {
        match self {
            Self::Path(path) | Self::Size(path) => Some(&path.attribute),
            Self::Value(_) => None,
        }
    }

    fn value(&self, item: &Item) -> Option<Value> {
        match self {
            Self::Path(path) => path.get(item).cloned(),
            Self::Value(value) => Some(value.clone()),
            Self::Size(path) => {
                let size = match path.get(item)? {
                    Value::S(text) => text.chars().count(),
                    Value::B(bytes) => bytes.len(),
                    Value::M(map) => map.len(),
                    Value::L(list) => list.len(),
                    Value::Ss(set) => set.len(),
                    Value::Ns(set) => set.len(),
                    Value::Bs(set) => set.len(),
                    Value::N(_) | Value::Bool(_) | Value::Null => return None,
                };
                i64::try_from(size).ok().map(Value::from)
            }
        }
    }
}

impl Comparator {
    fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Unequal => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    pub(crate) fn holds(self, left: Option<Value>, right: Option<Value>) -> bool {
        let (Some(left), Some(right)) = (left, right) else {
            return self == Self::Unequal;
        };
        let ordering = order(&left, &right);
        match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::Less => ordering == Some(Ordering::Less),
            Self::LessOrEqual => ordering.is_some_and(Ordering::is_le),
            Self::Greater => ordering == Some(Ordering::Greater),
            Self::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
        }
    }
}

/// Numbers by magnitude, strings and binaries byte by byte; everything else is in no order.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::S(left), Value::S(right)) => Some(left.cmp(right)),
        (Value::N(left), Value::N(right)) => Some(left.cmp(right)),
        (Value::B(left), Value::B(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

fn contains(container: &Value, sought: &Value) -> bool {
    match (container, sought) {
        (Value::S(text), Value::S(sought)) => text.contains(sought.as_str()),
        (Value::B(bytes), Value::B(sought)) => {
            sought.is_empty()
                || bytes
                    .windows(sought.len())
                    .any(|window| window == sought.as_slice())
        }
        (Value::L(list), sought) => list.contains(sought),
        (Value::Ss(set), Value::S(sought)) => set.contains(sought),
        (Value::Ns(set), Value::N(sought)) => set.contains(sought),
        (Value::Bs(set), Value::B(sought)) => set.contains(sought),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::dynamodb::value::item_from_json;

    fn values(values: &Json) -> Placeholders {
        let names = std::collections::BTreeMap::from([("#o".to_owned(), "owner".to_owned())]);
        Placeholders::new(
            Some(&names),
            values.as_object().filter(|v| !v.is_empty()),
            true,
        )
        .unwrap()
    }

    /// Whether the condition holds for one fixed item.
    fn check(source: &str, placeholders: &Json, expected: bool) {
        let item = json!({
            "machine": {"S": "press-07"}, "version": {"N": "10"}, "owner": {"S": "a"}, "payload": {"B": "AAEC"},
            "armed": {"BOOL": true}, "doc": {"M": {"x": {"L": [{"N": "1"}, {"N": "2"}]}}}, "tags": {"SS": ["a", "b"]},
        });
        let item = item_from_json(item.as_object().unwrap()).unwrap();
        let condition = Condition::parse("ConditionExpression", source, &mut values(placeholders));
        assert_eq!(condition.unwrap().holds(&item), expected, "{source}");
    }

    #[test]
    fn conditions_hold_or_not() {
        let v = json!({":n": {"N": "9"}, ":m": {"N": "10.0"}, ":s": {"S": "press"}, ":t": {"S": "zebra"},
            ":b": {"B": "AAE="}, ":yes": {"BOOL": true}, ":a": {"S": "a"}, ":type": {"S": "M"}, ":two": {"N": "2"}});
        for (source, expected) in [
            ("attribute_exists(machine)", true),
            ("attribute_not_exists(machine)", false),
            ("attribute_not_exists(claim)", true),
            ("attribute_exists(doc.x[1])", true),
            ("attribute_exists(doc.x[2])", false),
            ("version = :m", true),
            ("version > :n", true),
            ("version < :n", false),
            ("version <= :m AND version >= :m", true),
            ("version <> :n", true),
            ("version = :s", false),
            ("version <> :s", true),
            ("version < :t", false),
            ("claim = :s", false),
            ("claim <> :s", true),
            ("claim <> absent", true),
            ("claim = absent", false),
            ("claim < :s", false),
            ("#o = :a", true),
            ("armed = :yes", true),
            ("version BETWEEN :n AND :m", true),
            ("machine between :a and :t", true),
            ("#o IN (:t, :a)", true),
            ("#o IN (:t, :s)", false),
            ("begins_with(machine, :s)", true),
            ("begins_with(machine, :t)", false),
            ("begins_with(payload, :b)", true),
            ("begins_with(version, :s)", false),
            ("contains(machine, :s)", true),
            ("contains(tags, :a)", true),
            ("contains(doc.x, :two)", true),
            ("attribute_type(doc, :type)", true),
            ("size(machine) < :n", true),
            ("size(version) < :n", false),
            ("NOT version = :n", true),
            ("NOT NOT version = :n", false),
            // AND binds closer than OR, NOT closer than AND.
            ("version = :m OR version = :n AND claim = :s", true),
            ("(version = :m OR version = :n) AND claim = :s", false),
            ("not claim = :s and version = :m", true),
        ] {
            check(source, &v, expected);
        }
    }

    #[test]
    fn what_is_no_condition_is_refused_as_dynamodb_refuses_it() {
        let v = json!({":n": {"N": "9"}, ":l": {"L": []}, ":s": {"S": "s"}, ":low": {"N": "1"}});
        for (source, message) in [
            ("", "The expression can not be empty;"),
            (
                "version =",
                "Syntax error; token: \"<EOF>\", near: \"version =\"",
            ),
            ("version == :n", "Syntax error; token: \"=\""),
            ("version = :n extra", "Syntax error; token: \"extra\""),
            ("(version = :n", "Syntax error; token: \"<EOF>\""),
            ("_v = :n", "Syntax error; token: \"_\""),
            (
                "state = :n",
                "Attribute name is a reserved keyword; reserved keyword: state",
            ),
            (
                "#z = :n",
                "name used in the document path is not defined; attribute name: #z",
            ),
            (
                "version = :z",
                "value used in expression is not defined; attribute value: :z",
            ),
            ("exists(version)", "Invalid function name; function: exists"),
            ("attribute_exists(:n)", "requires a document path"),
            ("begins_with(machine)", "number of operands: 1"),
            (
                "begins_with(machine, :n)",
                "operator or function: begins_with, operand type: N",
            ),
            ("version < :l", "operator or function: <, operand type: L"),
            (
                "version BETWEEN :n AND :low",
                "upper bound to be greater than or equal to lower bound",
            ),
            (
                "version BETWEEN :n AND :s",
                "same data type for lower and upper bounds",
            ),
        ] {
            let refusal =
                Condition::parse("ConditionExpression", source, &mut values(&v)).unwrap_err();
            assert!(
                refusal.message.contains(message),
                "{source}: {}",
                refusal.message
            );
            assert_eq!(refusal.code, "ValidationException");
            assert!(refusal.message.starts_with("Invalid ConditionExpression: "));
        }
    }
}
