//! What an expression compiles to: a short program for a stack of doubles, evaluated without allocation.
//!
//! One representation for every type: a number is itself, a boolean is 1 or 0, a text is an index, and NaN is *no
//! value*. JSON has no NaN and every arithmetic result is checked, so NaN never means anything else; it passes
//! through arithmetic by itself.

/// Deepest stack of a program.
pub(super) const STACK: usize = 64;

/// No value: a characteristic is missing, or a result is not finite.
const NOTHING: f64 = f64::NAN;

/// One step. Operators take their operands from the top of the stack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Op {
    Number(f64),
    Characteristic(u16),
    Attribute(u16),
    Text(u16),
    Table(u16),
    HasCharacteristic(u16),
    HasAttribute(u16),
    HasTable(u16),
    Negate,
    Not,
    Abs,
    Add,
    Subtract,
    Multiply,
    Divide,
    Min,
    Max,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    TextEqual,
    TextNotEqual,
    /// The text is one of `count` literals from `first` on.
    TextIn {
        first: u16,
        count: u16,
    },
    And,
    Or,
    /// Short cuts: jump and keep the value that decides.
    JumpIfFalse(u16),
    JumpIfTrue(u16),
    /// A ternary's condition: false jumps to the other branch; no value is the result.
    Choose {
        otherwise: u16,
        end: u16,
    },
    Jump(u16),
}

impl Op {
    /// How the step changes the stack's depth.
    pub(super) fn effect(self) -> isize {
        match self {
            Op::Number(_)
            | Op::Characteristic(_)
            | Op::Attribute(_)
            | Op::Text(_)
            | Op::Table(_)
            | Op::HasCharacteristic(_)
            | Op::HasAttribute(_)
            | Op::HasTable(_) => 1,
            Op::Negate
            | Op::Not
            | Op::Abs
            | Op::TextIn { .. }
            | Op::JumpIfFalse(_)
            | Op::JumpIfTrue(_)
            | Op::Jump(_) => 0,
            _ => -1,
        }
    }
}

/// A compiled expression.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    pub(super) ops: Vec<Op>,
    pub(super) texts: Vec<Box<str>>,
}

/// A constant that an attribute selects.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The attribute's place in the plan.
    pub(crate) attribute: u16,
    /// Sorted by the attribute's value.
    pub(crate) values: Vec<(Box<str>, f64)>,
}

impl Table {
    /// The value that the attribute selects, if it is present and listed.
    pub(crate) fn select(&self, attributes: &[Option<Box<str>>]) -> Option<f64> {
        let wanted = attributes.get(usize::from(self.attribute))?.as_deref()?;
        let at = self
            .values
            .binary_search_by(|(key, _)| (**key).cmp(wanted))
            .ok()?;
        Some(self.values[at].1)
    }
}

/// What a program reads.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'r> {
    /// A double for each characteristic; NaN where there is none.
    pub(crate) characteristics: &'r [f64],
    /// A text for each attribute.
    pub(crate) attributes: &'r [Option<Box<str>>],
    /// The plan's tables.
    pub(crate) tables: &'r [Table],
}

impl Program {
    /// The expression's value; NaN if it has none.
    pub(crate) fn run(&self, frame: &Frame<'_>) -> f64 {
        let mut stack = [0.0_f64; STACK];
        let mut top = 0_usize;
        let mut at = 0_usize;
        macro_rules! push {
            ($value:expr) => {{
                stack[top] = $value;
                top += 1;
            }};
        }
        macro_rules! unary {
            ($f:expr) => {
                stack[top - 1] = $f(stack[top - 1])
            };
        }
        macro_rules! binary {
            ($f:expr) => {{
                top -= 1;
                stack[top - 1] = $f(stack[top - 1], stack[top]);
            }};
        }
        while let Some(op) = self.ops.get(at) {
            at += 1;
            match *op {
                Op::Number(number) => push!(number),
                Op::Characteristic(slot) => push!(frame.characteristics[usize::from(slot)]),
                Op::Attribute(slot) => {
                    let present = frame.attributes[usize::from(slot)].is_some();
                    push!(if present { f64::from(slot) } else { NOTHING });
                }
                Op::Text(n) => push!((frame.attributes.len() + usize::from(n)) as f64),
                Op::Table(n) => push!(
                    frame.tables[usize::from(n)]
                        .select(frame.attributes)
                        .unwrap_or(NOTHING)
                ),
                Op::HasCharacteristic(slot) => {
                    push!(truth(!frame.characteristics[usize::from(slot)].is_nan()))
                }
                Op::HasAttribute(slot) => {
                    push!(truth(frame.attributes[usize::from(slot)].is_some()))
                }
                Op::HasTable(n) => push!(truth(
                    frame.tables[usize::from(n)]
                        .select(frame.attributes)
                        .is_some()
                )),
                Op::Negate => unary!(|a: f64| -a),
                Op::Not => unary!(|a: f64| 1.0 - a),
                Op::Abs => unary!(f64::abs),
                Op::Add => binary!(|a: f64, b: f64| finite(a + b)),
                Op::Subtract => binary!(|a: f64, b: f64| finite(a - b)),
                Op::Multiply => binary!(|a: f64, b: f64| finite(a * b)),
                Op::Divide => binary!(|a: f64, b: f64| finite(a / b)),
                Op::Min => binary!(|a: f64, b: f64| if b < a || b.is_nan() { b } else { a }),
                Op::Max => binary!(|a: f64, b: f64| if b > a || b.is_nan() { b } else { a }),
                Op::Less => binary!(|a: f64, b: f64| decided(a, b, a < b)),
                Op::LessOrEqual => binary!(|a: f64, b: f64| decided(a, b, a <= b)),
                Op::Greater => binary!(|a: f64, b: f64| decided(a, b, a > b)),
                Op::GreaterOrEqual => binary!(|a: f64, b: f64| decided(a, b, a >= b)),
                Op::Equal => binary!(|a: f64, b: f64| decided(a, b, a == b)),
                Op::NotEqual => binary!(|a: f64, b: f64| decided(a, b, a != b)),
                Op::TextEqual => {
                    binary!(|a, b| decided(a, b, self.text(frame, a) == self.text(frame, b)))
                }
                Op::TextNotEqual => {
                    binary!(|a, b| decided(a, b, self.text(frame, a) != self.text(frame, b)))
                }
                Op::TextIn { first, count } => unary!(|a| {
                    let listed =
                        &self.texts[usize::from(first)..usize::from(first) + usize::from(count)];
                    let text = self.text(frame, a);
                    decided(a, a, listed.iter().any(|item| Some(&**item) == text))
                }),
                Op::And => binary!(|a: f64, b: f64| if a == 0.0 || b == 0.0 { 0.0 } else { a * b }),
                Op::Or => binary!(|a: f64, b: f64| if a == 1.0 || b == 1.0 { 1.0 } else { a + b }),
                Op::JumpIfFalse(to) if stack[top - 1] == 0.0 => at = usize::from(to),
                Op::JumpIfTrue(to) if stack[top - 1] == 1.0 => at = usize::from(to),
                Op::JumpIfFalse(_) | Op::JumpIfTrue(_) => {}
                Op::Choose { otherwise, end } => {
                    top -= 1;
                    if stack[top].is_nan() {
                        push!(NOTHING);
                        at = usize::from(end);
                    } else if stack[top] == 0.0 {
                        at = usize::from(otherwise);
                    }
                }
                Op::Jump(to) => at = usize::from(to),
            }
        }
        stack[0]
    }

    /// The text behind an index: attributes first, then the program's literals.
    fn text<'t>(&'t self, frame: &Frame<'t>, index: f64) -> Option<&'t str> {
        if index.is_nan() {
            return None;
        }
        let index = index as usize;
        match index.checked_sub(frame.attributes.len()) {
            None => frame.attributes[index].as_deref(),
            Some(n) => Some(&self.texts[n]),
        }
    }
}

/// A boolean program's value: `None` where there is no value.
pub(crate) fn is_true(value: f64) -> Option<bool> {
    if value.is_nan() {
        None
    } else {
        Some(value == 1.0)
    }
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

fn finite(result: f64) -> f64 {
    if result.is_finite() { result } else { NOTHING }
}

/// A comparison with nothing decides nothing.
fn decided(a: f64, b: f64, holds: bool) -> f64 {
    if a.is_nan() || b.is_nan() {
        NOTHING
    } else {
        truth(holds)
    }
}
