//! The type check, and the program it gives.

use std::ops::Range;

use cel::common::ast::operators as op;
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};

use super::program::{Binary, Op, Program, STACK};
use super::syntax::{Syntax, parse};
use super::tendency::{self, Tendency};
use super::{Meaning, Names, Slip, Type};
use crate::check::nearest;

const FUNCTIONS: [&str; 5] = ["abs", "has", "max", "min", "previous"];

/// A checked expression.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) program: Program,
    /// The names it uses, in the order of their first use, with what they mean.
    pub(crate) uses: Vec<(String, Meaning)>,
    /// In which direction each characteristic offends, for a condition.
    pub(crate) tendencies: Vec<(u16, Tendency)>,
}

/// Compiles `text`, which must be of the type `wanted`, or tells all that is wrong with it.
pub(crate) fn compile(text: &str, names: &Names, wanted: Type) -> Result<Compiled, Vec<Slip>> {
    let syntax = parse(text).map_err(|slip| vec![slip])?;
    let mut compiler = Compiler {
        text,
        syntax: &syntax,
        names,
        has_memory: wanted == Type::Boolean,
        program: Program::default(),
        uses: Vec::new(),
        slips: Vec::new(),
        jumped_to: usize::MAX,
        depth: 0,
        deepest: 0,
    };
    compiler.wanted(
        &syntax.root,
        wanted,
        match wanted {
            Type::Boolean => "a condition",
            _ => "a formula",
        },
    );
    if compiler.deepest > STACK as isize {
        compiler.slips.push(Slip::new(0..0, "too deeply nested"));
    }
    if !compiler.slips.is_empty() {
        return Err(compiler.slips);
    }
    let tendencies = tendency::of(&syntax.root, names);
    compiler.program.depth = usize::try_from(compiler.deepest).unwrap_or(STACK);
    Ok(Compiled {
        program: compiler.program,
        uses: compiler.uses,
        tendencies,
    })
}

struct Compiler<'c> {
    text: &'c str,
    syntax: &'c Syntax,
    names: &'c Names,
    /// Whether the expression belongs to a rule, which remembers.
    has_memory: bool,
    program: Program,
    uses: Vec<(String, Meaning)>,
    slips: Vec<Slip>,
    /// Where the last jump goes to.
    jumped_to: usize,
    depth: isize,
    deepest: isize,
}

impl Compiler<'_> {
    fn slip(&mut self, node: &IdedExpr, message: impl Into<String>) -> Type {
        let place = self.place(node);
        self.slips.push(Slip::new(place, message));
        Type::Unknown
    }

    /// A node's own token; for a call its name rather than its parenthesis.
    fn place(&self, node: &IdedExpr) -> Range<usize> {
        let place = self.syntax.place(node);
        let Expr::Call(call) = &node.expr else {
            return place;
        };
        let before = self.text.get(..place.start).unwrap_or_default().trim_end();
        match before.strip_suffix(call.func_name.as_str()) {
            Some(rest) => rest.len()..before.len(),
            None => place,
        }
    }

    fn emit(&mut self, op: Op) {
        self.depth += op.effect();
        self.deepest = self.deepest.max(self.depth);
        self.program.ops.push(op);
    }

    /// The operator, joined with its second operand where that is the step before and nothing jumps in between.
    fn emit_binary(&mut self, binary: Binary) {
        let joined = match self.program.ops.last() {
            _ if self.jumped_to == self.program.ops.len() => None,
            Some(Op::Number(number)) => Some(Op::WithNumber(binary, *number)),
            Some(Op::Characteristic(slot)) => Some(Op::WithCharacteristic(binary, *slot)),
            _ => None,
        };
        match joined {
            None => self.emit(Op::Binary(binary)),
            Some(op) => {
                self.program.ops.pop();
                self.program.ops.push(op);
                self.depth -= 1;
            }
        }
    }

    /// The next step's place, as a jump's target.
    fn here(&mut self) -> u16 {
        self.jumped_to = self.program.ops.len();
        // An expression's length bounds its steps.
        u16::try_from(self.program.ops.len()).unwrap_or(u16::MAX)
    }

    fn wanted(&mut self, node: &IdedExpr, wanted: Type, what: &str) {
        let found = self.node(node);
        if found != wanted && found != Type::Unknown {
            self.slip(
                node,
                format!(
                    "{what} must be {}, this is {}",
                    wanted.described(),
                    found.described()
                ),
            );
        }
    }

    fn node(&mut self, node: &IdedExpr) -> Type {
        match &node.expr {
            Expr::Literal(literal) => self.literal(node, literal),
            Expr::Ident(name) => self.name(node, name),
            Expr::Call(call) => self.call(node, call),
            Expr::Select(_) => self.slip(
                node,
                "names have no fields; the plan gives every value a name of its own",
            ),
            Expr::List(_) => self.slip(node, "a list stands only after `in`"),
            Expr::Map(_) | Expr::Struct(_) => {
                self.slip(node, "maps and messages are not supported")
            }
            Expr::Comprehension(_) | Expr::Unspecified => self.slip(node, "this is not supported"),
        }
    }

    fn literal(&mut self, node: &IdedExpr, literal: &LiteralValue) -> Type {
        match literal {
            LiteralValue::Double(double) => self.number(*double.inner()),
            LiteralValue::Int(int) => self.number(*int.inner() as f64),
            LiteralValue::Boolean(boolean) => {
                self.emit(Op::Number(if *boolean.inner() { 1.0 } else { 0.0 }));
                Type::Boolean
            }
            LiteralValue::String(text) => {
                let index = self.text(text.inner());
                self.emit(Op::Text(index));
                Type::Text
            }
            LiteralValue::UInt(_) => self.slip(node, "write a number without `u`"),
            LiteralValue::Null => self.slip(
                node,
                "there is no null; `has(x)` asks whether x has a value",
            ),
            LiteralValue::Bytes(_) => self.slip(node, "bytes are not supported"),
        }
    }

    fn number(&mut self, number: f64) -> Type {
        self.emit(Op::Number(number));
        Type::Number
    }

    fn text(&mut self, text: &str) -> u16 {
        self.program.texts.push(text.into());
        u16::try_from(self.program.texts.len() - 1).unwrap_or(u16::MAX)
    }

    fn name(&mut self, node: &IdedExpr, name: &str) -> Type {
        match self.meaning(node, name) {
            Some(Meaning::Characteristic(slot)) => {
                self.emit(Op::Characteristic(slot));
                Type::Number
            }
            Some(Meaning::Attribute(slot)) => {
                self.emit(Op::Attribute(slot));
                Type::Text
            }
            Some(Meaning::Number(number)) => self.number(number),
            Some(Meaning::Table(table)) => {
                self.emit(Op::Table(table));
                Type::Number
            }
            Some(Meaning::Faulty) | None => Type::Unknown,
        }
    }

    fn meaning(&mut self, node: &IdedExpr, name: &str) -> Option<Meaning> {
        let found = self.names.get(name);
        match found {
            None if FUNCTIONS.contains(&name) => {
                self.slip(node, format!("`{name}` is a function; write `{name}(x)`"));
            }
            None => {
                let hint = nearest::hint(name, self.names.iter());
                self.slip(node, format!("unknown name `{name}`{hint}"));
            }
            Some(meaning) if self.uses.iter().all(|(used, _)| used != name) => {
                self.uses.push((name.to_owned(), meaning));
            }
            Some(_) => {}
        }
        found
    }

    fn call(&mut self, node: &IdedExpr, call: &CallExpr) -> Type {
        if call.target.is_some() {
            return self.slip(node, format!("`.{}(…)` is not supported", call.func_name));
        }
        match (call.func_name.as_str(), call.args.as_slice()) {
            (op::LOGICAL_AND, [a, b]) => self.logical(a, b, Op::JumpIfFalse, Op::And, "&&"),
            (op::LOGICAL_OR, [a, b]) => self.logical(a, b, Op::JumpIfTrue, Op::Or, "||"),
            (op::LOGICAL_NOT, [a]) => {
                self.wanted(a, Type::Boolean, "the operand of `!`");
                self.emit(Op::Not);
                Type::Boolean
            }
            (op::NEGATE, [a]) => {
                self.wanted(a, Type::Number, "the operand of `-`");
                self.emit(Op::Negate);
                Type::Number
            }
            (op::ADD, [a, b]) => self.arithmetic(a, b, Binary::Add, "+"),
            (op::SUBSTRACT, [a, b]) => self.arithmetic(a, b, Binary::Subtract, "-"),
            (op::MULTIPLY, [a, b]) => self.arithmetic(a, b, Binary::Multiply, "*"),
            (op::DIVIDE, [a, b]) => self.arithmetic(a, b, Binary::Divide, "/"),
            (op::LESS, [a, b]) => self.comparison(a, b, Binary::Less, "<"),
            (op::LESS_EQUALS, [a, b]) => self.comparison(a, b, Binary::LessOrEqual, "<="),
            (op::GREATER, [a, b]) => self.comparison(a, b, Binary::Greater, ">"),
            (op::GREATER_EQUALS, [a, b]) => self.comparison(a, b, Binary::GreaterOrEqual, ">="),
            (op::EQUALS, [a, b]) => self.equality(node, a, b, Binary::Equal, Op::TextEqual),
            (op::NOT_EQUALS, [a, b]) => {
                self.equality(node, a, b, Binary::NotEqual, Op::TextNotEqual)
            }
            (op::IN, [a, list]) => self.membership(a, list),
            (op::CONDITIONAL, [condition, a, b]) => self.choice(node, condition, a, b),
            (op::MODULO, _) => self.slip(node, "`%` is not supported"),
            (op::INDEX | op::OPT_INDEX | op::OPT_SELECT, _) => {
                self.slip(node, "values have no parts to select")
            }
            (name, arguments) => self.function(node, name, arguments),
        }
    }

    fn function(&mut self, node: &IdedExpr, name: &str, arguments: &[IdedExpr]) -> Type {
        match (name, arguments) {
            ("has", [argument]) => self.has(argument),
            ("abs", [argument]) => {
                self.wanted(argument, Type::Number, "the argument of abs");
                self.emit(Op::Abs);
                Type::Number
            }
            ("min" | "max", [first, rest @ ..]) if !rest.is_empty() => {
                let what = format!("an argument of {name}");
                self.wanted(first, Type::Number, &what);
                for argument in rest {
                    self.wanted(argument, Type::Number, &what);
                    self.emit_binary(if name == "min" {
                        Binary::Min
                    } else {
                        Binary::Max
                    });
                }
                Type::Number
            }
            ("previous", [argument]) => self.previous(node, argument),
            ("has" | "abs" | "previous", _) => {
                self.slip(node, format!("`{name}` takes one argument"))
            }
            ("min" | "max", _) => self.slip(node, format!("`{name}` takes two arguments or more")),
            _ => {
                let hint = nearest::hint(name, FUNCTIONS);
                self.slip(node, format!("unknown function `{name}`{hint}"))
            }
        }
    }

    fn has(&mut self, argument: &IdedExpr) -> Type {
        let Expr::Ident(name) = &argument.expr else {
            return self.slip(argument, "`has` asks about a name");
        };
        let op = match self.meaning(argument, name) {
            Some(Meaning::Characteristic(slot)) => Op::HasCharacteristic(slot),
            Some(Meaning::Attribute(slot)) => Op::HasAttribute(slot),
            Some(Meaning::Table(table)) => Op::HasTable(table),
            Some(Meaning::Number(_)) => {
                return self.slip(
                    argument,
                    format!("the constant `{name}` always has a value"),
                );
            }
            Some(Meaning::Faulty) | None => return Type::Unknown,
        };
        self.emit(op);
        Type::Boolean
    }

    fn previous(&mut self, node: &IdedExpr, argument: &IdedExpr) -> Type {
        if !self.has_memory {
            return self.slip(
                node,
                "a formula has no memory; `previous` stands in conditions only",
            );
        }
        let Expr::Ident(name) = &argument.expr else {
            return self.slip(argument, "`previous` asks about a characteristic");
        };
        match self.meaning(argument, name) {
            Some(Meaning::Characteristic(slot)) => {
                let known = &mut self.program.previous;
                let place = known.iter().position(|known| *known == slot);
                let place = place.unwrap_or_else(|| {
                    known.push(slot);
                    known.len() - 1
                });
                self.emit(Op::Previous(u16::try_from(place).unwrap_or(u16::MAX)));
                Type::Number
            }
            Some(Meaning::Faulty) | None => Type::Unknown,
            Some(_) => self.slip(
                argument,
                format!("`{name}` is no characteristic; only those have a value before"),
            ),
        }
    }

    fn logical(
        &mut self,
        a: &IdedExpr,
        b: &IdedExpr,
        jump: fn(u16) -> Op,
        join: Op,
        sign: &str,
    ) -> Type {
        let what = format!("an operand of `{sign}`");
        self.wanted(a, Type::Boolean, &what);
        let from = self.program.ops.len();
        self.emit(jump(0));
        self.wanted(b, Type::Boolean, &what);
        self.emit(join);
        self.program.ops[from] = jump(self.here());
        Type::Boolean
    }

    fn arithmetic(&mut self, a: &IdedExpr, b: &IdedExpr, op: Binary, sign: &str) -> Type {
        let what = format!("an operand of `{sign}`");
        self.wanted(a, Type::Number, &what);
        self.wanted(b, Type::Number, &what);
        self.emit_binary(op);
        Type::Number
    }

    fn comparison(&mut self, a: &IdedExpr, b: &IdedExpr, op: Binary, sign: &str) -> Type {
        self.arithmetic(a, b, op, sign);
        Type::Boolean
    }

    fn equality(
        &mut self,
        node: &IdedExpr,
        a: &IdedExpr,
        b: &IdedExpr,
        number: Binary,
        text: Op,
    ) -> Type {
        let (left, right) = (self.node(a), self.node(b));
        if left != right && left != Type::Unknown && right != Type::Unknown {
            self.slip(
                node,
                format!(
                    "{} is never equal to {}",
                    left.described(),
                    right.described()
                ),
            );
        }
        match left {
            Type::Text => self.emit(text),
            _ => self.emit_binary(number),
        }
        Type::Boolean
    }

    fn membership(&mut self, a: &IdedExpr, list: &IdedExpr) -> Type {
        self.wanted(a, Type::Text, "what stands before `in`");
        let Expr::List(list_of) = &list.expr else {
            return self.slip(
                list,
                "after `in` stands a list of texts, as in `grade in ['L', 'M']`",
            );
        };
        let first = u16::try_from(self.program.texts.len()).unwrap_or(u16::MAX);
        for item in &list_of.elements {
            match &item.expr {
                Expr::Literal(LiteralValue::String(text)) => {
                    self.text(text.inner());
                }
                _ => {
                    self.slip(item, "the list after `in` holds texts in quotes");
                }
            }
        }
        let count = u16::try_from(list_of.elements.len()).unwrap_or(u16::MAX);
        self.emit(Op::TextIn { first, count });
        Type::Boolean
    }

    fn choice(
        &mut self,
        node: &IdedExpr,
        condition: &IdedExpr,
        a: &IdedExpr,
        b: &IdedExpr,
    ) -> Type {
        self.wanted(condition, Type::Boolean, "what stands before `?`");
        let choose = self.program.ops.len();
        self.emit(Op::Choose {
            otherwise: 0,
            end: 0,
        });
        let left = self.node(a);
        let jump = self.program.ops.len();
        self.emit(Op::Jump(0));
        let otherwise = self.here();
        // Only one branch is taken, and each leaves one value.
        self.depth -= 1;
        let right = self.node(b);
        let end = self.here();
        self.program.ops[choose] = Op::Choose { otherwise, end };
        self.program.ops[jump] = Op::Jump(end);
        match (left, right) {
            (Type::Unknown, other) | (other, Type::Unknown) => other,
            _ if left == right => left,
            _ => self.slip(
                node,
                format!(
                    "both branches of `?` must be alike, not {} and {}",
                    left.described(),
                    right.described()
                ),
            ),
        }
    }
}
