//! The grammar: an action per path, and in SET at most one `+` or `-`.

use super::{Action, Expression, Term};
use crate::dynamodb::expression::parser::Parser;
use crate::dynamodb::value::Value;
use crate::protocol::Refusal;

pub(super) fn action(parser: &mut Parser, section: &str) -> Result<Action, Refusal> {
    let path = parser.path()?;
    match section {
        "SET" => {
            parser.expect("=")?;
            Ok(Action::Set(path, expression(parser)?))
        }
        "REMOVE" => Ok(Action::Remove(path)),
        _ => {
            let value = parser.value().ok_or_else(|| parser.unexpected())??;
            let is_set = matches!(value, Value::Ss(_) | Value::Ns(_) | Value::Bs(_));
            match (section, &value) {
                ("ADD", Value::N(_)) => Ok(Action::Add(path, value)),
                ("ADD", _) if is_set => Ok(Action::Add(path, value)),
                ("DELETE", _) if is_set => Ok(Action::Delete(path, value)),
                _ => Err(incorrect_type(parser, section, value.type_name())),
            }
        }
    }
}

fn expression(parser: &mut Parser) -> Result<Expression, Refusal> {
    let left = term(parser)?;
    let operator = if parser.takes("+") {
        "+"
    } else if parser.takes("-") {
        "-"
    } else {
        return Ok(Expression::Term(left));
    };
    let right = term(parser)?;
    for name in [&left, &right]
        .into_iter()
        .filter_map(|term| term.type_name())
    {
        if name != "N" {
            return Err(incorrect_type(parser, operator, name));
        }
    }
    Ok(if operator == "+" {
        Expression::Plus(left, right)
    } else {
        Expression::Minus(left, right)
    })
}

fn term(parser: &mut Parser) -> Result<Term, Refusal> {
    if let Some(value) = parser.value() {
        return value.map(Term::Value);
    }
    let Some(name) = parser.function() else {
        return parser.path().map(Term::Path);
    };
    if !["if_not_exists", "list_append"].contains(&name) {
        return Err(parser.invalid(format!("Invalid function name; function: {name}")));
    }
    parser.advance();
    parser.expect("(")?;
    let first = term(parser)?;
    parser.expect(",")?;
    let second = term(parser)?;
    parser.expect(")")?;
    match (name, first) {
        ("if_not_exists", Term::Path(path)) => Ok(Term::IfNotExists(path, Box::new(second))),
        ("if_not_exists", _) => Err(parser.invalid(
            "Operator or function requires a document path; operator or function: if_not_exists",
        )),
        (_, first) => {
            for name in [&first, &second]
                .into_iter()
                .filter_map(|term| term.type_name())
            {
                if name != "L" {
                    return Err(incorrect_type(parser, "list_append", name));
                }
            }
            Ok(Term::ListAppend(Box::new(first), Box::new(second)))
        }
    }
}

fn incorrect_type(parser: &Parser, operator: &str, type_name: &str) -> Refusal {
    parser.invalid(format!(
        "Incorrect operand type for operator or function; operator or function: {operator}, operand type: \
         {type_name}"
    ))
}
