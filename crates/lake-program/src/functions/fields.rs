//! Fields: whether they are there, and away with them.

use vrl::compiler::expression::Query;
use vrl::compiler::function::{ArgumentList, Compiled, Example, FunctionCompileContext};
use vrl::compiler::prelude::*;
use vrl::compiler::state::{TypeInfo, TypeState};

pub(super) fn all() -> Vec<Box<dyn Function>> {
    vec![Box::new(Del), Box::new(Exists)]
}

#[derive(Clone, Copy, Debug)]
struct Del;

#[derive(Clone, Copy, Debug)]
struct Exists;

impl Function for Del {
    fn identifier(&self) -> &'static str {
        "del"
    }

    fn usage(&self) -> &'static str {
        "Removes a field and gives what it held; null if there was none."
    }

    fn category(&self) -> &'static str {
        ""
    }

    fn return_kind(&self) -> u16 {
        kind::ANY
    }

    fn pure(&self) -> bool {
        false
    }

    fn examples(&self) -> &'static [Example] {
        &[]
    }

    fn parameters(&self) -> &'static [Parameter] {
        const PARAMETERS: &[Parameter] = &[Parameter::required("target", kind::ANY, "")];
        PARAMETERS
    }

    fn compile(
        &self,
        _state: &TypeState,
        context: &mut FunctionCompileContext,
        arguments: ArgumentList,
    ) -> Compiled {
        let query = arguments.required_query("target")?;
        if let Some(path) = query.external_path()
            && context.is_read_only_path(path)
        {
            return Err(function::Error::ReadOnlyMutation {
                context: format!("{query} is read-only, and cannot be deleted"),
            }
            .into());
        }
        Ok(Box::new(Deletion(query)))
    }
}

#[derive(Clone, Debug)]
struct Deletion(Query);

impl Expression for Deletion {
    fn resolve(&self, context: &mut Context<'_>) -> Resolved {
        let Self(query) = self;
        if let Some(path) = query.external_path() {
            let removed = context.target_mut().target_remove(path, false);
            return Ok(removed.ok().flatten().unwrap_or(Value::Null));
        }
        if let Some(variable) = query.variable_ident() {
            let held = context.state_mut().variable_mut(variable);
            let removed = held.and_then(|value| value.remove(query.path(), false));
            return Ok(removed.unwrap_or(Value::Null));
        }
        match query.expression_target() {
            Some(expression) => {
                let value = expression.resolve(context)?;
                Ok(value.get(query.path()).cloned().unwrap_or(Value::Null))
            }
            None => Ok(Value::Null),
        }
    }

    fn type_info(&self, state: &TypeState) -> TypeInfo {
        let mut state = state.clone();
        let held = self.0.apply_type_info(&mut state).impure();
        self.0.delete_type_def(&mut state.external, false);
        TypeInfo::new(state, held)
    }
}

impl fmt::Display for Deletion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "del({})", self.0)
    }
}

impl Function for Exists {
    fn identifier(&self) -> &'static str {
        "exists"
    }

    fn usage(&self) -> &'static str {
        "Whether there is such a field; one that holds null is there."
    }

    fn category(&self) -> &'static str {
        ""
    }

    fn return_kind(&self) -> u16 {
        kind::BOOLEAN
    }

    fn examples(&self) -> &'static [Example] {
        &[]
    }

    fn parameters(&self) -> &'static [Parameter] {
        const PARAMETERS: &[Parameter] = &[Parameter::required("field", kind::ANY, "")];
        PARAMETERS
    }

    fn compile(
        &self,
        _state: &TypeState,
        _context: &mut FunctionCompileContext,
        arguments: ArgumentList,
    ) -> Compiled {
        Ok(Existence(arguments.required_query("field")?).as_expr())
    }
}

#[derive(Clone, Debug)]
struct Existence(Query);

impl FunctionExpression for Existence {
    fn resolve(&self, context: &mut Context<'_>) -> Resolved {
        let Self(query) = self;
        let there = if let Some(path) = query.external_path() {
            let held = context.target().target_get(path);
            held.is_ok_and(|held| held.is_some())
        } else if let Some(variable) = query.variable_ident() {
            let held = context.state().variable(variable);
            held.is_some_and(|value| value.get(query.path()).is_some())
        } else if let Some(expression) = query.expression_target() {
            expression.resolve(context)?.get(query.path()).is_some()
        } else {
            false
        };
        Ok(there.into())
    }

    fn type_def(&self, _: &TypeState) -> TypeDef {
        TypeDef::boolean().infallible()
    }
}

#[cfg(test)]
mod tests {
    use crate::functions::tests::check;

    #[test]
    fn fields_are_there_or_not() {
        check(&[
            ("exists(.n)", "true"),
            ("exists(.o.k)", "true"),
            ("exists(.o.absent)", "false"),
            ("{ o = .o; exists(o.k) }", "true"),
            ("exists({\"k\": 1}.k)", "true"),
        ]);
    }

    #[test]
    fn a_field_that_is_removed_is_gone() {
        check(&[
            ("{ del(.n); exists(.n) }", "false"),
            ("del(.n)", "7"),
            ("del(.absent)", "null"),
            ("{ o = object!(.o); del(o.k); o }", "{}"),
            ("del({\"k\": 1}.k)", "1"),
        ]);
    }

    #[test]
    fn what_is_removed_is_gone_for_the_compiler_too() {
        check(&[(
            "{ .n = \"a\"; del(.n); upcase(.n) }",
            "unhandled fallible assignment",
        )]);
    }
}
