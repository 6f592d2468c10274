//! `specification`: a characteristic stays within its specification limits. A value on a limit conforms.

use super::parse::Scope;
use super::reference::characteristic;
use crate::check::Check;
use crate::check::yaml::Node;
use crate::digest::Definition;
use crate::reading::CharacteristicId;

pub(super) const KEYS: [&str; 4] = ["characteristic", "lower", "upper", "subgroup"];

/// A characteristic's lower and upper specification limit (LSL, USL); at least one is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Specification {
    /// What is specified.
    pub characteristic: CharacteristicId,
    /// The lower limit.
    pub lower: Option<f64>,
    /// The upper limit.
    pub upper: Option<f64>,
    /// Readings in a row that make a subgroup, for the capability within subgroups; it decides no verdict.
    pub subgroup: Option<u8>,
}

impl Specification {
    /// Whether `value` lies outside the limits.
    pub fn is_violated(&self, value: f64) -> bool {
        self.lower.is_some_and(|lower| value < lower)
            || self.upper.is_some_and(|upper| value > upper)
    }

    pub(super) fn definition(&self, scope: &Scope<'_>) -> Definition {
        let limit = |limit: Option<f64>| limit.unwrap_or(f64::NAN);
        Definition::new("specification")
            .definition(scope.definition_of(self.characteristic))
            .text(scope.name_of(self.characteristic))
            .numbers(&[limit(self.lower), limit(self.upper)])
    }
}

pub(super) fn parse(
    check: &mut Check<'_>,
    node: &Node,
    scope: &Scope<'_>,
) -> Option<Specification> {
    let entries = check.mapping(node, "specification", &KEYS, "")?;
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
    let subgroup = entries
        .get("subgroup")
        .map(|node| check.whole(node, "subgroup", 2..=25));
    let node = entries.require(check, "characteristic")?;
    Some(Specification {
        characteristic: characteristic(check, node, "characteristic", scope.names)?,
        lower: lower.flatten(),
        upper: upper.flatten(),
        subgroup: match subgroup {
            None => None,
            Some(size) => Some(u8::try_from(size?).unwrap_or(u8::MAX)),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{definition, kind};
    use super::*;
    use crate::RuleKind;

    /// Lower and upper limit, and the subgroup.
    type Found = (Option<f64>, Option<f64>, Option<u8>);

    #[track_caller]
    fn check(rule: &str, expected: Result<Found, &[&str]>) {
        let found = kind(rule).map(|kind| match kind {
            RuleKind::Specification(limits) => (limits.lower, limits.upper, limits.subgroup),
            other => panic!("{other:?}"),
        });
        let expected =
            expected.map_err(|told| told.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(found, expected, "{rule}");
    }

    #[test]
    fn takes_limits_and_a_subgroup() {
        check(
            "specification: {characteristic: torque, upper: 5}",
            Ok((None, Some(5.0), None)),
        );
        check(
            "specification: {characteristic: torque, lower: -1, upper: 5, subgroup: 25}",
            Ok((Some(-1.0), Some(5.0), Some(25))),
        );
        let range = "subgroup must be a whole number from 2 to 25";
        check(
            "specification: {characteristic: torque, upper: 5, subgroup: 1}",
            Err(&[range]),
        );
        check(
            "specification: {characteristic: torque, lower: 6, upper: 5, subgroup: 26}",
            Err(&["upper must be above lower (6)", range]),
        );
    }

    #[test]
    fn a_value_on_a_limit_conforms() {
        let limits = Specification {
            characteristic: CharacteristicId(0),
            lower: Some(1.0),
            upper: Some(2.0),
            subgroup: None,
        };
        for (value, violates) in [(0.999, true), (1.0, false), (2.0, false), (2.001, true)] {
            assert_eq!(limits.is_violated(value), violates, "{value}");
        }
    }

    #[test]
    fn a_subgroup_decides_no_verdict() {
        let rule = "specification: {characteristic: torque, upper: 5, subgroup: 5}";
        assert_eq!(
            definition(rule),
            definition(&rule.replace("subgroup: 5", "subgroup: 6"))
        );
        assert_ne!(
            definition(rule),
            definition(&rule.replace("upper", "lower"))
        );
    }
}
