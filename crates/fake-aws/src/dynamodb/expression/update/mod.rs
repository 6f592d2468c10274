//! Updates: `SET a = if_not_exists(a, :zero) + :one REMOVE b ADD c :n DELETE tags :gone`.
//!
//! All values are read before anything is written, so `SET a = b, b = a` swaps.

mod grammar;

use std::collections::BTreeSet;

use super::lexer::Kind;
use super::parser::Parser;
use super::path::Path;
use super::placeholders::Placeholders;
use crate::dynamodb::table::KeySchema;
use crate::dynamodb::validation;
use crate::dynamodb::value::{Item, Value};
use crate::protocol::Refusal;

/// A parsed update.
#[derive(Debug)]
pub(crate) struct Update {
    actions: Vec<Action>,
}

#[derive(Debug)]
enum Action {
    Set(Path, Expression),
    Remove(Path),
    Add(Path, Value),
    Delete(Path, Value),
}

#[derive(Debug)]
enum Expression {
    Term(Term),
    Plus(Term, Term),
    Minus(Term, Term),
}

#[derive(Debug)]
enum Term {
    Path(Path),
    Value(Value),
    IfNotExists(Path, Box<Term>),
    ListAppend(Box<Term>, Box<Term>),
}

const PARAMETER: &str = "UpdateExpression";

impl Update {
    pub(crate) fn parse(
        source: &str,
        placeholders: &mut Placeholders,
        schema: &KeySchema,
    ) -> Result<Self, Refusal> {
        let mut parser = Parser::new(PARAMETER, source, placeholders)?;
        let mut actions = Vec::new();
        let mut seen = BTreeSet::new();
        while parser.peek().kind != Kind::End {
            let section = ["SET", "REMOVE", "ADD", "DELETE"]
                .into_iter()
                .find(|word| parser.takes_keyword(word));
            let Some(section) = section else {
                return Err(parser.unexpected());
            };
            if !seen.insert(section) {
                return Err(parser.invalid(format!(
                    "The \"{section}\" section can only be used once in an update expression;"
                )));
            }
            loop {
                actions.push(grammar::action(&mut parser, section)?);
                if !parser.takes(",") {
                    break;
                }
            }
        }
        let update = Self { actions };
        update.check_paths(schema)?;
        Ok(update)
    }

    fn check_paths(&self, schema: &KeySchema) -> Result<(), Refusal> {
        for (place, action) in self.actions.iter().enumerate() {
            let path = action.path();
            if schema.names().any(|name| name == path.attribute) {
                return Err(validation(format!(
                    "One or more parameter values were invalid: Cannot update attribute {}. This attribute is part \
                     of the key",
                    path.attribute
                )));
            }
            for earlier in self.actions[..place].iter().map(Action::path) {
                let fault = if path.overlaps(earlier) {
                    "overlap"
                } else if path.conflicts(earlier) {
                    "conflict"
                } else {
                    continue;
                };
                return Err(validation(format!(
                    "Invalid {PARAMETER}: Two document paths {fault} with each other; must remove or rewrite one \
                     of these paths; path one: {earlier}, path two: {path}"
                )));
            }
        }
        Ok(())
    }

    /// The item after the update.
    pub(crate) fn apply(&self, before: &Item) -> Result<Item, Refusal> {
        let mut after = before.clone();
        let values = self
            .actions
            .iter()
            .map(|action| action.value(before))
            .collect::<Result<Vec<_>, _>>()?;
        // Removing from a list moves what follows it: from the last place to the first.
        let mut removals = Vec::new();
        for (action, value) in self.actions.iter().zip(values) {
            match value {
                Some(value) => path_exists(action.path().set(&mut after, value))?,
                None => removals.push(action.path()),
            }
        }
        removals.sort_by_key(|path| std::cmp::Reverse(path.last_place()));
        for path in removals {
            path_exists(path.remove(&mut after))?;
        }
        Ok(after)
    }

    pub(crate) fn is_nested(&self) -> bool {
        self.actions
            .iter()
            .any(|action| !action.path().steps.is_empty())
    }

    /// The attributes that the update names, for answers that return updated ones only.
    pub(crate) fn attributes(&self) -> BTreeSet<&str> {
        self.actions
            .iter()
            .map(|action| action.path().attribute.as_str())
            .collect()
    }
}

impl Action {
    fn path(&self) -> &Path {
        match self {
            Self::Set(path, _)
            | Self::Remove(path)
            | Self::Add(path, _)
            | Self::Delete(path, _) => path,
        }
    }

    /// What the path's value becomes; `None`: it is removed.
    fn value(&self, item: &Item) -> Result<Option<Value>, Refusal> {
        match self {
            Self::Set(_, expression) => expression.value(item).map(Some),
            Self::Remove(_) => Ok(None),
            Self::Add(path, addend) => added(path.get(item), addend).map(Some),
            Self::Delete(path, taken) => match path.get(item) {
                None => Ok(None),
                Some(set) => without(set, taken),
            },
        }
    }
}

impl Expression {
    fn value(&self, item: &Item) -> Result<Value, Refusal> {
        let (sum, left, right) = match self {
            Self::Term(term) => return term.value(item),
            Self::Plus(left, right) => (true, left, right),
            Self::Minus(left, right) => (false, left, right),
        };
        let (Value::N(left), Value::N(right)) = (left.value(item)?, right.value(item)?) else {
            return Err(wrong_type());
        };
        let result = if sum {
            left.plus(&right)
        } else {
            left.minus(&right)
        };
        result.map(Value::N).map_err(|fault| fault.refusal(""))
    }
}

impl Term {
    fn value(&self, item: &Item) -> Result<Value, Refusal> {
        match self {
            Self::Path(path) => path.get(item).cloned().ok_or_else(|| {
                validation("The provided expression refers to an attribute that does not exist in the item")
            }),
            Self::Value(value) => Ok(value.clone()),
            Self::IfNotExists(path, otherwise) => match path.get(item) {
                Some(value) => Ok(value.clone()),
                None => otherwise.value(item),
            },
            Self::ListAppend(front, back) => match (front.value(item)?, back.value(item)?) {
                (Value::L(mut front), Value::L(back)) => {
                    front.extend(back);
                    Ok(Value::L(front))
                }
                _ => Err(wrong_type()),
            },
        }
    }

    fn type_name(&self) -> Option<&'static str> {
        match self {
            Self::Value(value) => Some(value.type_name()),
            Self::Path(_) | Self::IfNotExists(..) | Self::ListAppend(..) => None,
        }
    }
}

fn added(value: Option<&Value>, addend: &Value) -> Result<Value, Refusal> {
    match (value, addend) {
        (None, addend) => Ok(addend.clone()),
        (Some(Value::N(number)), Value::N(addend)) => number
            .plus(addend)
            .map(Value::N)
            .map_err(|fault| fault.refusal("")),
        (Some(Value::Ss(set)), Value::Ss(more)) => Ok(Value::Ss(set | more)),
        (Some(Value::Ns(set)), Value::Ns(more)) => Ok(Value::Ns(set | more)),
        (Some(Value::Bs(set)), Value::Bs(more)) => Ok(Value::Bs(set | more)),
        _ => Err(wrong_type()),
    }
}

/// The set without these elements; an empty set is no set.
fn without(set: &Value, taken: &Value) -> Result<Option<Value>, Refusal> {
    let (value, is_empty) = match (set, taken) {
        (Value::Ss(set), Value::Ss(taken)) => (Value::Ss(set - taken), set.is_subset(taken)),
        (Value::Ns(set), Value::Ns(taken)) => (Value::Ns(set - taken), set.is_subset(taken)),
        (Value::Bs(set), Value::Bs(taken)) => (Value::Bs(set - taken), set.is_subset(taken)),
        _ => return Err(wrong_type()),
    };
    Ok((!is_empty).then_some(value))
}

fn wrong_type() -> Refusal {
    validation("An operand in the update expression has an incorrect data type")
}

fn path_exists(done: bool) -> Result<(), Refusal> {
    if done {
        return Ok(());
    }
    Err(validation(
        "The document path provided in the update expression is invalid for update",
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::dynamodb::value::{item_from_json, item_to_json};

    fn run(source: &str, values: &Json) -> Result<Json, Refusal> {
        let item = json!({"machine": {"S": "press-07"}, "n": {"N": "5"}, "b": {"S": "x"}, "tags": {"SS": ["a", "b"]},
            "l": {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}]}, "m": {"M": {"k": {"N": "1"}}}});
        let item = item_from_json(item.as_object().unwrap())?;
        let schema = crate::dynamodb::Table::new("state", "machine", None).schema;
        let mut placeholders =
            Placeholders::new(None, values.as_object().filter(|v| !v.is_empty()), true)?;
        let update = Update::parse(source, &mut placeholders, &schema)?;
        Ok(item_to_json(&update.apply(&item)?))
    }

    #[test]
    fn updates_change_the_item() {
        let v = json!({":one": {"N": "1"}, ":zero": {"N": "0"}, ":s": {"S": "y"}, ":l": {"L": [{"N": "9"}]},
            ":tags": {"SS": ["b", "c"]}});
        for (source, attribute, expected) in [
            ("SET n = n + :one", "n", json!({"N": "6"})),
            ("SET n = n - :one", "n", json!({"N": "4"})),
            ("set n=:one-n", "n", json!({"N": "-4"})),
            (
                "SET c = if_not_exists(c, :zero) + :one",
                "c",
                json!({"N": "1"}),
            ),
            (
                "SET c = if_not_exists(n, :zero) + :one",
                "c",
                json!({"N": "6"}),
            ),
            ("SET c = b, b = n", "c", json!({"S": "x"})),
            ("SET c = b, b = n", "b", json!({"N": "5"})),
            ("SET c = b REMOVE b", "b", Json::Null),
            (
                "SET l = list_append(:l, l)",
                "l",
                json!({"L": [{"N": "9"}, {"N": "1"}, {"N": "2"}, {"N": "3"}]}),
            ),
            (
                "SET l[1] = :s",
                "l",
                json!({"L": [{"N": "1"}, {"S": "y"}, {"N": "3"}]}),
            ),
            (
                "SET l[7] = :s",
                "l",
                json!({"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}, {"S": "y"}]}),
            ),
            ("REMOVE l[0], l[2]", "l", json!({"L": [{"N": "2"}]})),
            (
                "SET m.j = :s REMOVE m.k",
                "m",
                json!({"M": {"j": {"S": "y"}}}),
            ),
            ("ADD n :one", "n", json!({"N": "6"})),
            ("ADD c :one", "c", json!({"N": "1"})),
            ("ADD tags :tags", "tags", json!({"SS": ["a", "b", "c"]})),
            ("DELETE tags :tags", "tags", json!({"SS": ["a"]})),
            ("DELETE c :tags", "c", Json::Null),
        ] {
            let item =
                run(source, &v).unwrap_or_else(|refusal| panic!("{source}: {}", refusal.message));
            assert_eq!(
                item.get(attribute).cloned().unwrap_or_default(),
                expected,
                "{source}"
            );
        }
        let gone = run("DELETE tags :all", &json!({":all": {"SS": ["a", "b"]}})).unwrap();
        assert_eq!(gone.get("tags"), None, "an empty set is no set");
    }

    #[test]
    fn what_is_no_update_is_refused_as_dynamodb_refuses_it() {
        let v =
            json!({":one": {"N": "1"}, ":s": {"S": "y"}, ":l": {"L": []}, ":big": {"N": "1e125"}});
        for (source, message) in [
            (
                "",
                "Invalid UpdateExpression: The expression can not be empty;",
            ),
            ("HELLO n = :one", "Syntax error; token: \"HELLO\""),
            (
                "SET n = :one SET b = :one",
                "The \"SET\" section can only be used once",
            ),
            ("SET n = :one + :one + :one", "Syntax error; token: \"+\""),
            ("SET :one = :one", "Syntax error; token: \":one\""),
            (
                "SET machine = :s",
                "Cannot update attribute machine. This attribute is part of the key",
            ),
            ("REMOVE machine", "This attribute is part of the key"),
            (
                "SET n = :one REMOVE n",
                "overlap with each other; must remove or rewrite one of these paths; path one: [n]",
            ),
            ("SET m.k = :one, m = :one", "overlap"),
            ("SET m.k = :one, m[1] = :one", "conflict"),
            (
                "SET c = absent",
                "refers to an attribute that does not exist in the item",
            ),
            (
                "SET x = :one, y = x",
                "refers to an attribute that does not exist in the item",
            ),
            (
                "SET n = b + :one",
                "An operand in the update expression has an incorrect data type",
            ),
            ("SET n = n + :s", "operator or function: +, operand type: S"),
            (
                "SET l = list_append(l, :s)",
                "operator or function: list_append, operand type: S",
            ),
            (
                "ADD b :one",
                "An operand in the update expression has an incorrect data type",
            ),
            ("ADD c :s", "operator or function: ADD, operand type: S"),
            (
                "DELETE tags :one",
                "operator or function: DELETE, operand type: N",
            ),
            (
                "SET a.b = :one",
                "document path provided in the update expression is invalid for update",
            ),
            ("SET n = :big + n", "Number overflow"),
            (
                "SET n = increment(n)",
                "Invalid function name; function: increment",
            ),
        ] {
            let refusal = run(source, &v).unwrap_err();
            assert!(
                refusal.message.contains(message),
                "{source}: {}",
                refusal.message
            );
            assert_eq!(refusal.code, "ValidationException");
        }
    }
}
