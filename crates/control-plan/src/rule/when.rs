//! `when`: a condition that must not hold.

use super::parse::Scope;
use crate::check::Check;
use crate::check::yaml::Node;
use crate::digest::Definition;
use crate::expression::{Compiled, Names, Type, compile};
use crate::reading::CharacteristicId;

/// A condition that must not hold.
#[derive(Clone, Debug)]
pub struct When {
    /// The condition as the plan writes it.
    pub text: String,
    pub(crate) compiled: std::sync::Arc<Compiled>,
    previous: Vec<CharacteristicId>,
}

impl When {
    /// The characteristics that the condition asks `previous(x)` of.
    pub fn previous(&self) -> &[CharacteristicId] {
        &self.previous
    }

    pub(super) fn definition(&self, scope: &Scope<'_>) -> Definition {
        self.compiled.uses.iter().fold(
            Definition::new("when").text(&self.text),
            |definition, (name, _)| definition.text(name).definition(scope.definition(name)),
        )
    }
}

pub(super) fn parse(check: &mut Check<'_>, node: &Node, names: &Names) -> Option<When> {
    let compiled = expression(check, node, "when", names, Type::Boolean)?;
    let text = check.text(node, "when")?.trim().to_owned();
    Some(When {
        text,
        previous: compiled
            .program
            .previous
            .iter()
            .map(|slot| CharacteristicId(*slot))
            .collect(),
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

#[cfg(test)]
mod tests {
    use super::super::fixture::kind;
    use super::super::{RuleKind, fixture};

    /// How many values before the reading a condition asks for.
    #[track_caller]
    fn check(condition: &str, expected: Result<usize, &str>) {
        let found = kind(&format!("when: {condition:?}")).map(|kind| match kind {
            RuleKind::When(when) => when.previous().len(),
            other => panic!("{other:?}"),
        });
        assert_eq!(
            found,
            expected.map_err(|told| vec![told.to_owned()]),
            "{condition}"
        );
    }

    #[test]
    fn each_characteristic_has_one_value_before() {
        check("torque > 1", Ok(0));
        check("torque - previous(torque) > 5", Ok(1));
        check(
            "previous(torque) > 5 && previous(defects) > previous(torque)",
            Ok(2),
        );
        check(
            "previous(grade) == 'L'",
            Err("`grade` is no characteristic; only those have a value before"),
        );
        check(
            "previous(torque + 1) > 1",
            Err("`previous` asks about a characteristic"),
        );
        check("previous() > 1", Err("`previous` takes one argument"));
    }

    #[test]
    fn a_definition_covers_the_characteristics_before() {
        assert_ne!(
            fixture::definition("when: previous(torque) > 1"),
            fixture::definition("when: torque > 1"),
        );
    }
}
