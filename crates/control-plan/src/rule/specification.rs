//! `specification`: a characteristic stays within its specification limits. A value on a limit conforms.

use crate::check::Check;
use crate::check::nearest::hint;
use crate::check::yaml::Node;
use crate::expression::{Meaning, Names};

/// A characteristic's lower and upper specification limit (LSL, USL); at least one is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Specification {
    pub(crate) characteristic: u16,
    /// The lower limit.
    pub lower: Option<f64>,
    /// The upper limit.
    pub upper: Option<f64>,
}

impl Specification {
    /// Whether `value` lies outside the limits.
    pub fn is_violated(&self, value: f64) -> bool {
        self.lower.is_some_and(|lower| value < lower)
            || self.upper.is_some_and(|upper| value > upper)
    }
}

pub(super) fn parse(
    check: &mut Check<'_>,
    node: &Node,
    names: &Names,
) -> Option<(String, Specification)> {
    let entries = check.mapping(
        node,
        "specification",
        &["characteristic", "lower", "upper"],
        "",
    )?;
    let lower = entries.get("lower").map(|node| check.number(node, "lower"));
    let upper = entries.get("upper").map(|node| check.number(node, "upper"));
    if lower.is_none() && upper.is_none() {
        check.fault(
            entries.span(),
            "specification takes `lower`, `upper` or both",
        );
    }
    if let (Some(Some(low)), Some(Some(high)), Some(node)) = (lower, upper, entries.get("upper"))
        && low >= high
    {
        check.fault(&node.span, format!("upper must be above lower ({low})"));
    }
    let node = entries.require(check, "characteristic")?;
    let name = check.text(node, "characteristic")?;
    match names.get(name) {
        Some(Meaning::Characteristic(characteristic)) => {
            let limits = Specification {
                characteristic,
                lower: lower.flatten(),
                upper: upper.flatten(),
            };
            Some((name.to_owned(), limits))
        }
        Some(Meaning::Faulty) => None,
        Some(_) => {
            check.fault(&node.span, format!("`{name}` is no characteristic"));
            None
        }
        None => {
            let known = names
                .iter()
                .filter(|name| matches!(names.get(name), Some(Meaning::Characteristic(_))));
            check.fault(
                &node.span,
                format!("unknown characteristic `{name}`{}", hint(name, known)),
            );
            None
        }
    }
}
