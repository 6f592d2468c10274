//! What an expression compiles to: a short program for a stack of doubles, evaluated without allocation.
//!
//! One representation for every type: a number is itself, a boolean is 1 or 0, a text is an index, and NaN is *no
//! value*. JSON has no NaN and every arithmetic result is checked, so NaN never means anything else; it passes
//! through arithmetic by itself.

/// Deepest stack of a program.
pub(super) const STACK: usize = 64;

/// A stack that is enough for most.
const SHALLOW: usize = 8;

/// No value: a characteristic is missing, or a result is not finite.
const NOTHING: f64 = f64::NAN;

/// One step. Operators take their operands from the top of the stack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Op {
    Number(f64),
    Characteristic(u16),
    /// The value before, by its place in the program's `previous`.
    Previous(u16),
    Attribute(u16),
    Text(u16),
    Table(u16),
    HasCharacteristic(u16),
    HasAttribute(u16),
    HasTable(u16),
    Negate,
    Not,
    Abs,
    Binary(Binary),
    /// A binary operator whose second operand is a constant, or a characteristic: one step instead of two.
    WithNumber(Binary, f64),
    WithCharacteristic(Binary, u16),
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

/// An operator on two numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Binary {
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
}

impl Binary {
    #[inline(always)]
    fn of(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Add => finite(a + b),
            Self::Subtract => finite(a - b),
            Self::Multiply => finite(a * b),
            Self::Divide => finite(a / b),
            Self::Min if b < a || b.is_nan() => b,
            Self::Max if b > a || b.is_nan() => b,
            Self::Min | Self::Max => a,
            Self::Less => decided(a, b, a < b),
            Self::LessOrEqual => decided(a, b, a <= b),
            Self::Greater => decided(a, b, a > b),
            Self::GreaterOrEqual => decided(a, b, a >= b),
            Self::Equal => decided(a, b, a == b),
            Self::NotEqual => decided(a, b, a != b),
        }
    }
}

impl Op {
    /// How the step changes the stack's depth.
    pub(super) fn effect(self) -> isize {
        match self {
            Op::Number(_)
            | Op::Characteristic(_)
            | Op::Previous(_)
            | Op::Attribute(_)
            | Op::Text(_)
            | Op::Table(_)
            | Op::HasCharacteristic(_)
            | Op::HasAttribute(_)
            | Op::HasTable(_) => 1,
            Op::Negate
            | Op::Not
            | Op::Abs
            | Op::WithNumber(..)
            | Op::WithCharacteristic(..)
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
    /// The most numbers that it has on the stack at once.
    pub(super) depth: usize,
    pub(super) texts: Vec<Box<str>>,
    /// The characteristics whose value before this reading is asked for.
    pub(crate) previous: Vec<u16>,
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
    /// The values before this reading, for the program's `previous`; NaN where there was none.
    pub(crate) previous: &'r [f64],
    /// A text for each attribute.
    pub(crate) attributes: &'r [Option<Box<str>>],
    /// The plan's tables.
    pub(crate) tables: &'r [Table],
}

impl Program {
    /// How many steps it takes at most: an operation is one, and so is each text that is compared with.
    pub(crate) fn steps(&self) -> usize {
        let compared = self.ops.iter().map(|op| match op {
            Op::TextIn { count, .. } => usize::from(*count),
            _ => 0,
        });
        self.ops.len() + compared.sum::<usize>()
    }

    /// The expression's value; NaN if it has none.
    pub(crate) fn run(&self, frame: &Frame<'_>) -> f64 {
        // Few conditions need more than eight numbers at once, and clearing the full stack costs as much as running one.
        match self.depth {
            ..=SHALLOW => self.run_on::<SHALLOW>(frame),
            _ => self.run_on::<STACK>(frame),
        }
    }

    fn run_on<const DEPTH: usize>(&self, frame: &Frame<'_>) -> f64 {
        // The top of the stack is kept apart: most steps touch nothing else. DEPTH is a power of two and the checked
        // depth of a program never more, so that the mask changes no place and saves the bounds check.
        let mut stack = [0.0_f64; DEPTH];
        let mut top = 0.0_f64;
        let mut below = 0_usize;
        let mut at = 0_usize;
        macro_rules! push {
            ($value:expr) => {{
                stack[below & (DEPTH - 1)] = top;
                below += 1;
                top = $value;
            }};
        }
        macro_rules! unary {
            ($f:expr) => {
                top = $f(top)
            };
        }
        macro_rules! binary {
            ($f:expr) => {{
                below -= 1;
                top = $f(stack[below & (DEPTH - 1)], top);
            }};
        }
        while let Some(op) = self.ops.get(at) {
            at += 1;
            match *op {
                Op::Number(number) => push!(number),
                Op::Characteristic(slot) => push!(frame.characteristics[usize::from(slot)]),
                Op::Previous(n) => {
                    push!(
                        frame
                            .previous
                            .get(usize::from(n))
                            .copied()
                            .unwrap_or(NOTHING)
                    )
                }
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
                Op::Binary(operator) => binary!(|a: f64, b: f64| operator.of(a, b)),
                Op::WithNumber(operator, b) => unary!(|a: f64| operator.of(a, b)),
                Op::WithCharacteristic(operator, slot) => {
                    let b = frame.characteristics[usize::from(slot)];
                    unary!(|a: f64| operator.of(a, b));
                }
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
                Op::JumpIfFalse(to) if top == 0.0 => at = usize::from(to),
                Op::JumpIfTrue(to) if top == 1.0 => at = usize::from(to),
                Op::JumpIfFalse(_) | Op::JumpIfTrue(_) => {}
                // No value is the whole choice's result.
                Op::Choose { end, .. } if top.is_nan() => at = usize::from(end),
                Op::Choose { otherwise, .. } => {
                    if top == 0.0 {
                        at = usize::from(otherwise);
                    }
                    below -= 1;
                    top = stack[below & (DEPTH - 1)];
                }
                Op::Jump(to) => at = usize::from(to),
            }
        }
        top
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
