//! `stuck`: a sensor must not say the same for so many readings in a row.

use super::parse::Scope;
use super::reference::characteristic;
use super::sustain::MAX_READINGS;
use crate::check::Check;
use crate::check::yaml::Node;
use crate::digest::Definition;
use crate::reading::CharacteristicId;

pub(super) const KEYS: [&str; 3] = ["characteristic", "readings", "tolerance"];

/// How long a value may stay the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stuck {
    /// What may be stuck.
    pub characteristic: CharacteristicId,
    /// From so many readings in a row on, it is.
    pub readings: u32,
    /// Values within this distance of the first in the row are the same.
    pub tolerance: f64,
}

impl Stuck {
    pub(super) fn definition(&self, scope: &Scope<'_>) -> Definition {
        Definition::new("stuck")
            .definition(scope.definition_of(self.characteristic))
            .text(scope.name_of(self.characteristic))
            .numbers(&[f64::from(self.readings), self.tolerance])
    }
}

pub(super) fn parse(check: &mut Check<'_>, node: &Node, scope: &Scope<'_>) -> Option<Stuck> {
    let entries = check.mapping(node, "stuck", &KEYS, "")?;
    let found = entries
        .require(check, "characteristic")
        .and_then(|node| characteristic(check, node, "characteristic", scope.names));
    let readings = entries
        .require(check, "readings")
        .and_then(|node| check.whole(node, "readings", 2..=MAX_READINGS));
    let tolerance = match entries.get("tolerance") {
        None => Some(0.0),
        Some(node) => check.number(node, "tolerance").filter(|tolerance| {
            let is_sound = *tolerance >= 0.0;
            if !is_sound {
                check.fault(&node.span, "tolerance must not be negative");
            }
            is_sound
        }),
    };
    Some(Stuck {
        characteristic: found?,
        readings: readings?,
        tolerance: tolerance?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{definition, kind, named, told};
    use super::super::{Evidence, RuleKind};

    /// Readings and tolerance.
    #[track_caller]
    fn check(rule: &str, expected: Result<(u32, f64), &str>) {
        let found = kind(rule).map(|kind| match kind {
            RuleKind::Stuck(stuck) => (stuck.readings, stuck.tolerance),
            other => panic!("{other:?}"),
        });
        assert_eq!(
            found,
            expected.map_err(|told| vec![told.to_owned()]),
            "{rule}"
        );
    }

    #[test]
    fn takes_a_row_and_a_tolerance() {
        check(
            "stuck: {characteristic: torque, readings: 20}",
            Ok((20, 0.0)),
        );
        check(
            "stuck: {characteristic: torque, readings: 2, tolerance: 0.5}",
            Ok((2, 0.5)),
        );
        check(
            "stuck: {characteristic: torque, readings: 1}",
            Err("readings must be a whole number from 2 to 1000000"),
        );
        check(
            "stuck: {characteristic: torque, readings: 2, tolerance: -1}",
            Err("tolerance must not be negative"),
        );
        check(
            "stuck: {characteristic: torque, readings: 2}, for: {readings: 3}",
            Err("a `stuck` rule takes no `for`: its `readings` say for how long"),
        );
    }

    #[test]
    fn tells_the_value_and_the_row() {
        let rule = "stuck: {characteristic: torque, readings: 20}";
        let (values, tracked, summary) = told(rule, r#""torque":42"#, &Evidence::Readings(21));
        assert_eq!(values, named(&[("torque", 42.0)]));
        assert_eq!(tracked, values);
        assert_eq!(
            summary,
            "r: torque 42 Nm on press-07 (the same for 21 readings in a row)"
        );
        let rule = "stuck: {characteristic: torque, readings: 20, tolerance: 0.5}";
        let (_, _, summary) = told(rule, r#""torque":42"#, &Evidence::Readings(20));
        assert_eq!(
            summary,
            "r: torque 42 Nm on press-07 (within 0.5 for 20 readings in a row)"
        );
    }

    #[test]
    fn a_definition_covers_row_and_tolerance() {
        let rule = "stuck: {characteristic: torque, readings: 20, tolerance: 1}";
        for changed in ["readings: 21, tolerance: 1", "readings: 20, tolerance: 2"] {
            let changed = rule.replace("readings: 20, tolerance: 1", changed);
            assert_ne!(definition(rule), definition(&changed), "{changed}");
        }
    }
}
