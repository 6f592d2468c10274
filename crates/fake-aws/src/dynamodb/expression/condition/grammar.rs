//! The grammar: OR binds loosest, then AND, NOT, and comparisons and functions.

use std::cmp::Ordering;

use super::{Comparator, Condition, Operand, order};
use crate::dynamodb::expression::parser::Parser;
use crate::dynamodb::value::Value;
use crate::protocol::Refusal;

pub(super) fn or(parser: &mut Parser) -> Result<Condition, Refusal> {
    let mut condition = and(parser)?;
    while parser.takes_keyword("OR") {
        condition = Condition::Or(Box::new(condition), Box::new(and(parser)?));
    }
    Ok(condition)
}

fn and(parser: &mut Parser) -> Result<Condition, Refusal> {
    let mut condition = not(parser)?;
    while parser.takes_keyword("AND") {
        condition = Condition::And(Box::new(condition), Box::new(not(parser)?));
    }
    Ok(condition)
}

fn not(parser: &mut Parser) -> Result<Condition, Refusal> {
    if parser.takes_keyword("NOT") {
        return Ok(Condition::Not(Box::new(not(parser)?)));
    }
    if parser.takes("(") {
        let condition = or(parser)?;
        parser.expect(")")?;
        return Ok(condition);
    }
    match parser.function() {
        Some("size") | None => comparison(parser),
        Some(name) => function(parser, name),
    }
}

fn function(parser: &mut Parser, name: &str) -> Result<Condition, Refusal> {
    let arity = match name {
        "attribute_exists" | "attribute_not_exists" => 1,
        "attribute_type" | "begins_with" | "contains" => 2,
        _ => return Err(parser.invalid(format!("Invalid function name; function: {name}"))),
    };
    parser.advance();
    parser.expect("(")?;
    let mut operands = vec![operand(parser)?];
    while parser.takes(",") {
        operands.push(operand(parser)?);
    }
    parser.expect(")")?;
    let count = operands.len();
    let mut operands = operands.into_iter();
    match (name, operands.next(), operands.next()) {
        _ if count != arity => Err(parser.invalid(format!(
            "Incorrect number of operands for operator or function; operator or function: {name}, number of \
             operands: {count}"
        ))),
        ("attribute_exists", Some(Operand::Path(path)), _) => Ok(Condition::Exists(path)),
        ("attribute_not_exists", Some(Operand::Path(path)), _) => {
            Ok(Condition::Not(Box::new(Condition::Exists(path))))
        }
        ("attribute_type", Some(Operand::Path(path)), Some(Operand::Value(Value::S(name)))) => {
            Ok(Condition::Type(path, name))
        }
        ("begins_with", Some(text), Some(prefix)) => {
            for operand in [&text, &prefix] {
                match operand {
                    Operand::Value(Value::S(_) | Value::B(_)) | Operand::Path(_) => {}
                    Operand::Value(other) => return Err(incorrect_type(parser, name, other)),
                    Operand::Size(_) => return Err(incorrect_type(parser, name, &Value::from(0))),
                }
            }
            Ok(Condition::BeginsWith(text, prefix))
        }
        ("contains", Some(container), Some(sought)) => Ok(Condition::Contains(container, sought)),
        _ => Err(parser.invalid(format!(
            "Operator or function requires a document path; operator or function: {name}"
        ))),
    }
}

fn comparison(parser: &mut Parser) -> Result<Condition, Refusal> {
    let left = operand(parser)?;
    if parser.takes_keyword("BETWEEN") {
        let low = operand(parser)?;
        if !parser.takes_keyword("AND") {
            return Err(parser.unexpected());
        }
        let high = operand(parser)?;
        check_bounds(parser, &low, &high)?;
        return Ok(Condition::Between(left, low, high));
    }
    if parser.takes_keyword("IN") {
        parser.expect("(")?;
        let mut list = vec![operand(parser)?];
        while parser.takes(",") {
            list.push(operand(parser)?);
        }
        parser.expect(")")?;
        return Ok(Condition::In(left, list));
    }
    let comparator = comparator(parser)?;
    let right = operand(parser)?;
    if !matches!(comparator, Comparator::Equal | Comparator::Unequal) {
        for operand in [&left, &right] {
            check_ordered(parser, comparator.symbol(), operand)?;
        }
    }
    Ok(Condition::Compare(left, comparator, right))
}

pub(crate) fn comparator(parser: &mut Parser) -> Result<Comparator, Refusal> {
    use Comparator::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Unequal};
    let all = [Equal, Unequal, Less, LessOrEqual, Greater, GreaterOrEqual];
    all.into_iter()
        .find(|comparator| parser.takes(comparator.symbol()))
        .ok_or_else(|| parser.unexpected())
}

fn operand(parser: &mut Parser) -> Result<Operand, Refusal> {
    if let Some(value) = parser.value() {
        return value.map(Operand::Value);
    }
    match parser.function() {
        Some("size") => {
            parser.advance();
            parser.expect("(")?;
            let path = parser.path()?;
            parser.expect(")")?;
            Ok(Operand::Size(path))
        }
        Some(name) => Err(parser.invalid(format!("Invalid function name; function: {name}"))),
        None => parser.path().map(Operand::Path),
    }
}

fn check_ordered(parser: &Parser, operator: &str, operand: &Operand) -> Result<(), Refusal> {
    match operand {
        Operand::Value(Value::S(_) | Value::N(_) | Value::B(_))
        | Operand::Path(_)
        | Operand::Size(_) => Ok(()),
        Operand::Value(other) => Err(incorrect_type(parser, operator, other)),
    }
}

fn check_bounds(parser: &Parser, low: &Operand, high: &Operand) -> Result<(), Refusal> {
    check_ordered(parser, "BETWEEN", low)?;
    check_ordered(parser, "BETWEEN", high)?;
    let (Operand::Value(low), Operand::Value(high)) = (low, high) else {
        return Ok(());
    };
    let rule = match order(low, high) {
        Some(Ordering::Greater) => "upper bound to be greater than or equal to lower bound",
        None => "same data type for lower and upper bounds",
        Some(_) => return Ok(()),
    };
    Err(parser.invalid(format!(
        "The BETWEEN operator requires {rule}; lower bound operand: AttributeValue: {}, upper bound operand: \
         AttributeValue: {}",
        low.to_json(),
        high.to_json()
    )))
}

fn incorrect_type(parser: &Parser, operator: &str, value: &Value) -> Refusal {
    parser.invalid(format!(
        "Incorrect operand type for operator or function; operator or function: {operator}, operand type: {}",
        value.type_name()
    ))
}
