//! In which direction a characteristic offends, read off the comparisons of a condition: that is what the extreme
//! of an episode means.
//!
//! `x > 9` offends upwards, `x < 5` downwards, both joined on both sides, beyond the nearer limit; the direction
//! passes through sums, differences and products with constants. A product of two characteristics passes it to
//! both (quantities of a process are rarely negative).

use cel::common::ast::operators as op;
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};

use super::{Meaning, Names};

/// Where a characteristic offends. A side's limit is known only where the condition compares the characteristic
/// itself with a number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tendency {
    low: Option<Side>,
    high: Option<Side>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Limit(f64),
    Somewhere,
}

impl Tendency {
    /// Offends below `lower` and above `upper`.
    pub(crate) fn outside(lower: Option<f64>, upper: Option<f64>) -> Self {
        Self {
            low: lower.map(Side::Limit),
            high: upper.map(Side::Limit),
        }
    }

    /// How far out `value` is: the larger, the farther. Where no direction is known, the magnitude.
    pub(crate) fn distance(&self, value: f64) -> f64 {
        match (self.low, self.high) {
            (None, Some(_)) => value,
            (Some(_), None) => -value,
            (Some(Side::Limit(lower)), Some(Side::Limit(upper))) if lower <= upper => {
                (lower - value).max(value - upper)
            }
            _ => value.abs(),
        }
    }
}

/// The tendencies of the characteristics that a condition compares.
pub(super) fn of(root: &IdedExpr, names: &Names) -> Vec<(u16, Tendency)> {
    let mut found = Found {
        names,
        tendencies: Vec::new(),
    };
    found.condition(root, true);
    found.tendencies
}

struct Found<'n> {
    names: &'n Names,
    tendencies: Vec<(u16, Tendency)>,
}

impl Found<'_> {
    /// `holds`: whether the rule fires where the part is true.
    fn condition(&mut self, node: &IdedExpr, holds: bool) {
        let Expr::Call(call) = &node.expr else { return };
        match (call.func_name.as_str(), call.args.as_slice()) {
            (op::LOGICAL_AND | op::LOGICAL_OR, [a, b]) => {
                self.condition(a, holds);
                self.condition(b, holds);
            }
            (op::LOGICAL_NOT, [a]) => self.condition(a, !holds),
            (op::CONDITIONAL, [_, a, b]) => {
                self.condition(a, holds);
                self.condition(b, holds);
            }
            (op::LESS | op::LESS_EQUALS, [a, b]) => self.comparison(a, b, holds),
            (op::GREATER | op::GREATER_EQUALS, [a, b]) => self.comparison(b, a, holds),
            _ => {}
        }
    }

    /// `small < large`.
    fn comparison(&mut self, small: &IdedExpr, large: &IdedExpr, holds: bool) {
        self.side(small, !holds, self.constant(large));
        self.side(large, holds, self.constant(small));
    }

    /// `upwards`: whether the part offends when it is large.
    fn side(&mut self, node: &IdedExpr, upwards: bool, limit: Option<f64>) {
        match &node.expr {
            Expr::Ident(name) => {
                if let Some(Meaning::Characteristic(slot)) = self.names.get(name) {
                    self.note(slot, upwards, limit.map_or(Side::Somewhere, Side::Limit));
                }
            }
            Expr::Call(call) => self.within(call, upwards),
            _ => {}
        }
    }

    fn within(&mut self, call: &CallExpr, upwards: bool) {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (op::ADD, [a, b]) => {
                self.side(a, upwards, None);
                self.side(b, upwards, None);
            }
            ("min" | "max", arguments) => arguments
                .iter()
                .for_each(|argument| self.side(argument, upwards, None)),
            (op::SUBSTRACT, [a, b]) => {
                self.side(a, upwards, None);
                self.side(b, !upwards, None);
            }
            (op::NEGATE, [a]) => self.side(a, !upwards, None),
            (op::MULTIPLY, [a, b]) => {
                let flips = |factor: Option<f64>| factor.is_some_and(|factor| factor < 0.0);
                self.side(a, upwards != flips(self.constant(b)), None);
                self.side(b, upwards != flips(self.constant(a)), None);
            }
            (op::DIVIDE, [a, b]) => {
                let flips = self.constant(b).is_some_and(|divisor| divisor < 0.0);
                self.side(a, upwards != flips, None);
                self.side(b, !upwards, None);
            }
            (op::CONDITIONAL, [_, a, b]) => {
                self.side(a, upwards, None);
                self.side(b, upwards, None);
            }
            _ => {}
        }
    }

    fn constant(&self, node: &IdedExpr) -> Option<f64> {
        match &node.expr {
            Expr::Literal(LiteralValue::Double(double)) => Some(*double.inner()),
            Expr::Literal(LiteralValue::Int(int)) => Some(*int.inner() as f64),
            Expr::Ident(name) => match self.names.get(name) {
                Some(Meaning::Number(number)) => Some(number),
                _ => None,
            },
            Expr::Call(call) if call.func_name == op::NEGATE => {
                self.constant(call.args.first()?).map(|n| -n)
            }
            _ => None,
        }
    }

    fn note(&mut self, slot: u16, upwards: bool, side: Side) {
        let at = self
            .tendencies
            .iter()
            .position(|(known, _)| *known == slot)
            .unwrap_or_else(|| {
                self.tendencies.push((slot, Tendency::default()));
                self.tendencies.len() - 1
            });
        let tendency = &mut self.tendencies[at].1;
        let (known, nearer): (_, fn(f64, f64) -> f64) = if upwards {
            (&mut tendency.high, f64::min)
        } else {
            (&mut tendency.low, f64::max)
        };
        *known = Some(match (*known, side) {
            (None, side) => side,
            (Some(Side::Limit(a)), Side::Limit(b)) => Side::Limit(nearer(a, b)),
            _ => Side::Somewhere,
        });
    }
}
