//! `missing`: a characteristic must not lack a value for so many readings in a row.

use super::parse::Scope;
use super::reference::characteristic;
use super::sustain::MAX_READINGS;
use crate::check::Check;
use crate::check::yaml::Node;
use crate::digest::Definition;
use crate::reading::CharacteristicId;

pub(super) const KEYS: [&str; 2] = ["characteristic", "readings"];

/// How long a value may be missing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Missing {
    /// What may be missing.
    pub characteristic: CharacteristicId,
    /// From so many readings in a row on, it is told.
    pub readings: u32,
}

impl Missing {
    pub(super) fn definition(&self, scope: &Scope<'_>) -> Definition {
        Definition::new("missing")
            .definition(scope.definition_of(self.characteristic))
            .text(scope.name_of(self.characteristic))
            .number(f64::from(self.readings))
    }
}

pub(super) fn parse(check: &mut Check<'_>, node: &Node, scope: &Scope<'_>) -> Option<Missing> {
    let entries = check.mapping(node, "missing", &KEYS, "")?;
    let found = entries
        .require(check, "characteristic")
        .and_then(|node| characteristic(check, node, "characteristic", scope.names));
    let readings = entries
        .require(check, "readings")
        .and_then(|node| check.whole(node, "readings", 1..=MAX_READINGS));
    Some(Missing {
        characteristic: found?,
        readings: readings?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{definition, kind, named, told};
    use super::super::{Evidence, RuleKind};

    #[track_caller]
    fn check(rule: &str, expected: Result<u32, &str>) {
        let found = kind(rule).map(|kind| match kind {
            RuleKind::Missing(missing) => missing.readings,
            other => panic!("{other:?}"),
        });
        assert_eq!(
            found,
            expected.map_err(|told| vec![told.to_owned()]),
            "{rule}"
        );
    }

    #[test]
    fn takes_a_row() {
        check("missing: {characteristic: torque, readings: 1}", Ok(1));
        check(
            "missing: {characteristic: torque, readings: 0}",
            Err("readings must be a whole number from 1 to 1000000"),
        );
        check(
            "missing: {characteristic: torque, readings: 3}, for: {seconds: 3}",
            Err("a `missing` rule takes no `for`: its `readings` say for how long"),
        );
    }

    #[test]
    fn tells_what_is_missing() {
        let rule = "missing: {characteristic: torque, readings: 1}";
        let (values, tracked, summary) = told(rule, "", &Evidence::Readings(3));
        assert_eq!((values, tracked), (named(&[]), named(&[])));
        assert_eq!(summary, "r: no torque from press-07 (3 readings in a row)");
        let (_, _, summary) = told(rule, "", &Evidence::Readings(1));
        assert_eq!(summary, "r: no torque from press-07 (1 reading)");
    }

    #[test]
    fn a_definition_covers_characteristic_and_row() {
        let rule = "missing: {characteristic: torque, readings: 3}";
        assert_ne!(definition(rule), definition(&rule.replace('3', "4")));
        assert_ne!(
            definition(rule),
            definition(&rule.replace("torque", "defects"))
        );
    }
}
