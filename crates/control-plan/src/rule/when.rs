//! `when`: a condition that must not hold.

use crate::check::Check;
use crate::check::yaml::Node;
use crate::expression::{Compiled, Names, Type, compile};

/// A condition that must not hold.
#[derive(Clone, Debug)]
pub struct When {
    /// The condition as the plan writes it.
    pub text: String,
    pub(crate) compiled: std::sync::Arc<Compiled>,
}

pub(super) fn parse(check: &mut Check<'_>, node: &Node, names: &Names) -> Option<When> {
    let compiled = expression(check, node, "when", names, Type::Boolean)?;
    let text = check.text(node, "when")?.trim().to_owned();
    Some(When {
        text,
        compiled: compiled.into(),
    })
}

/// Compiles a scalar's expression; its faults point into the scalar.
pub(crate) fn expression(
    check: &mut Check<'_>,
    node: &Node,
    what: &str,
    names: &Names,
    wanted: Type,
) -> Option<Compiled> {
    let text = check.text(node, what)?;
    match compile(text, names, wanted) {
        Ok(compiled) => Some(compiled),
        Err(slips) => {
            for slip in slips {
                check.fault_inside(node, &slip.at, slip.message);
            }
            None
        }
    }
}
