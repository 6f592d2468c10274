//! An argument of a call. What stands somewhere already is looked at there, not copied.

use vrl::compiler::expression::Expr;
use vrl::compiler::prelude::*;
use vrl::parser::ast::Ident;
use vrl::path::{OwnedTargetPath, OwnedValuePath};

/// The value of what is not there.
static ABSENT: Value = Value::Null;

/// An argument of a call.
#[derive(Clone, Debug)]
pub(super) enum Argument {
    Literal(Value),
    /// A place under `.` or `%`.
    Place(OwnedTargetPath),
    /// A place in a variable.
    Variable(Ident, OwnedValuePath),
    Computed(Box<Expr>),
}

impl Argument {
    pub fn of(expression: Expr) -> Self {
        match &expression {
            Expr::Literal(literal) => Self::Literal(literal.to_value()),
            Expr::Variable(variable) => {
                Self::Variable(variable.ident().clone(), OwnedValuePath::root())
            }
            Expr::Query(query) => match (query.external_path(), query.variable_ident()) {
                (Some(path), _) => Self::Place(path.clone()),
                (None, Some(ident)) => Self::Variable(ident.clone(), query.path().clone()),
                (None, None) => Self::Computed(Box::new(expression)),
            },
            _ => Self::Computed(Box::new(expression)),
        }
    }

    /// The same where an argument after it is computed: that could change what stands in its place.
    pub fn before_computed(self, expression: Expr) -> Self {
        match self {
            Self::Literal(_) => self,
            _ => Self::Computed(Box::new(expression)),
        }
    }

    pub fn is_computed(&self) -> bool {
        matches!(self, Self::Computed(_))
    }

    /// Computes it, if it is to be.
    pub fn compute(&self, context: &mut Context<'_>) -> Resolved {
        match self {
            Self::Computed(expression) => expression.resolve(context),
            _ => Ok(Value::Null),
        }
    }

    /// The value, where `computed` is what [`compute`](Self::compute) gave.
    pub fn value<'v>(&'v self, computed: &'v Value, context: &'v Context<'_>) -> &'v Value {
        let there = match self {
            Self::Literal(value) => Some(value),
            Self::Place(path) => context.target().target_get(path).ok().flatten(),
            Self::Variable(ident, path) => {
                let held = context.state().variable(ident);
                held.and_then(|held| held.get(path))
            }
            Self::Computed(_) => Some(computed),
        };
        there.unwrap_or(&ABSENT)
    }
}
