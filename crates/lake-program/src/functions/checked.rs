//! A function of values.

use vrl::compiler::expression::Expr;
use vrl::compiler::function::{ArgumentList, Compiled, Example, FunctionCompileContext};
use vrl::compiler::prelude::*;
use vrl::compiler::state::TypeState;

use super::argument::Argument;

/// The most parameters that any of the functions has.
const MOST: usize = 3;

/// A function of values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checked {
    pub name: &'static str,
    pub usage: &'static str,
    pub parameters: &'static [Parameter],
    /// The result's type by the arguments' types; absent arguments have none.
    pub returns: fn(&[Option<Kind>; MOST]) -> TypeDef,
    /// Absent arguments are null.
    pub run: fn(&[&Value; MOST]) -> Resolved,
}

/// A parameter that has to be given.
pub(super) const fn required(keyword: &'static str, kind: u16) -> Parameter {
    Parameter::required(keyword, kind, "")
}

/// A parameter that may be left out.
pub(super) const fn optional(keyword: &'static str, kind: u16) -> Parameter {
    Parameter::optional(keyword, kind, "")
}

impl Function for Checked {
    fn identifier(&self) -> &'static str {
        self.name
    }

    fn usage(&self) -> &'static str {
        self.usage
    }

    fn category(&self) -> &'static str {
        ""
    }

    fn return_kind(&self) -> u16 {
        kind::ANY
    }

    fn examples(&self) -> &'static [Example] {
        &[]
    }

    fn parameters(&self) -> &'static [Parameter] {
        self.parameters
    }

    fn compile(
        &self,
        _state: &TypeState,
        _context: &mut FunctionCompileContext,
        arguments: ArgumentList,
    ) -> Compiled {
        let mut given = [const { None }; MOST];
        let mut written = Box::new([const { None }; MOST]);
        let mut computes = false;
        let places = given.iter_mut().zip(written.iter_mut());
        for ((place, written), parameter) in places.zip(self.parameters).rev() {
            if arguments.optional(parameter.keyword).is_none() {
                continue;
            }
            let expression = arguments.required_expr(parameter.keyword);
            let mut argument = Argument::of(expression.clone());
            if computes {
                argument = argument.before_computed(expression.clone());
            }
            computes |= argument.is_computed();
            *place = Some(argument);
            *written = Some(expression);
        }
        Ok(Call {
            function: *self,
            arguments: given,
            written,
            computes,
        }
        .as_expr())
    }
}

#[derive(Clone, Debug)]
struct Call {
    function: Checked,
    arguments: [Option<Argument>; MOST],
    /// As they were written.
    written: Box<[Option<Expr>; MOST]>,
    /// Whether any of them has to be computed.
    computes: bool,
}

impl Call {
    /// Runs the function, where these are the arguments that had to be computed.
    #[inline(always)]
    fn run<'c>(&'c self, mut values: [&'c Value; MOST], context: &'c Context<'_>) -> Resolved {
        let given = self.function.parameters.iter().zip(&self.arguments);
        for (value, (parameter, argument)) in values.iter_mut().zip(given) {
            if let Some(argument) = argument {
                *value = argument.value(value, context);
                held_to(value, parameter.kind)?;
            }
        }
        (self.function.run)(&values)
    }

    #[inline(never)]
    fn computed(&self, context: &mut Context<'_>) -> Resolved {
        let mut computed = [const { Value::Null }; MOST];
        let given = self.function.parameters.iter().zip(&self.arguments);
        for (computed, (parameter, argument)) in computed.iter_mut().zip(given) {
            if let Some(argument) = argument {
                if argument.is_computed() {
                    *computed = argument.compute(context)?;
                }
                // Before the next is computed.
                held_to(argument.value(computed, context), parameter.kind)?;
            }
        }
        self.run(computed.each_ref(), context)
    }
}

impl FunctionExpression for Call {
    fn resolve(&self, context: &mut Context<'_>) -> Resolved {
        match self.computes {
            false => self.run([&Value::Null; MOST], context),
            true => self.computed(context),
        }
    }

    fn type_def(&self, state: &TypeState) -> TypeDef {
        let kinds = self.written.each_ref().map(|argument| {
            argument
                .as_ref()
                .map(|expression| expression.type_def(state).kind().clone())
        });
        (self.function.returns)(&kinds)
    }
}

/// Holds an argument to the parameter's types. The compiler has done so too, unless the call was told to fail (`f!(x)`).
pub(super) fn held_to(value: &Value, kind: u16) -> ExpressionResult<()> {
    let (bit, found) = match value {
        Value::Bytes(_) | Value::String(_) => (kind::BYTES, "string"),
        Value::Integer(_) => (kind::INTEGER, "integer"),
        Value::Float(_) => (kind::FLOAT, "float"),
        Value::Boolean(_) => (kind::BOOLEAN, "boolean"),
        Value::Object(_) => (kind::OBJECT, "object"),
        Value::Array(_) => (kind::ARRAY, "array"),
        Value::Timestamp(_) => (kind::TIMESTAMP, "timestamp"),
        Value::Regex(_) => (kind::REGEX, "regex"),
        Value::Null => (kind::NULL, "null"),
    };
    match kind & bit {
        0 => Err(format!("an argument is {found}, which it cannot be").into()),
        _ => Ok(()),
    }
}

/// The text of an argument that is text.
pub(super) fn text(value: &Value) -> std::borrow::Cow<'_, str> {
    value.to_str_lossy().unwrap_or_default()
}

/// A part of a text: a view of it rather than a copy, as long as the text is one that is known to be UTF-8.
pub(super) fn part(whole: &Value, part: &str) -> Value {
    match whole {
        Value::String(whole) => Value::String(whole.slice_ref(part)),
        _ => part.into(),
    }
}
