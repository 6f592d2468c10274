//! `rate`: a characteristic must not change faster than so much per second of reading time, up or down.

use super::parse::Scope;
use super::reference::characteristic;
use crate::check::Check;
use crate::check::yaml::Node;
use crate::digest::Definition;
use crate::reading::CharacteristicId;

pub(super) const KEYS: [&str; 2] = ["characteristic", "max_per_second"];

/// The fastest change that is allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// What changes.
    pub characteristic: CharacteristicId,
    /// By so much per second, in the characteristic's unit; a change on the limit is allowed.
    pub max_per_second: f64,
}

impl Rate {
    pub(super) fn definition(&self, scope: &Scope<'_>) -> Definition {
        Definition::new("rate")
            .definition(scope.definition_of(self.characteristic))
            .text(scope.name_of(self.characteristic))
            .number(self.max_per_second)
    }
}

pub(super) fn parse(check: &mut Check<'_>, node: &Node, scope: &Scope<'_>) -> Option<Rate> {
    let entries = check.mapping(node, "rate", &KEYS, "")?;
    let found = entries
        .require(check, "characteristic")
        .and_then(|node| characteristic(check, node, "characteristic", scope.names));
    let max_per_second = entries
        .require(check, "max_per_second")
        .and_then(|node| positive(check, node, "max_per_second"));
    Some(Rate {
        characteristic: found?,
        max_per_second: max_per_second?,
    })
}

/// A number above 0.
pub(super) fn positive(check: &mut Check<'_>, node: &Node, what: &str) -> Option<f64> {
    let number = check.number(node, what)?;
    if number > 0.0 {
        return Some(number);
    }
    check.fault(&node.span, format!("{what} must be above 0"));
    None
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{definition, is_farther, kind, named, told};
    use super::super::{Evidence, RuleKind};

    #[track_caller]
    fn check(rule: &str, expected: Result<f64, &[&str]>) {
        let found = kind(rule).map(|kind| match kind {
            RuleKind::Rate(rate) => rate.max_per_second,
            other => panic!("{other:?}"),
        });
        let expected =
            expected.map_err(|told| told.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(found, expected, "{rule}");
    }

    #[test]
    fn takes_a_positive_limit() {
        check(
            "rate: {characteristic: torque, max_per_second: 15}",
            Ok(15.0),
        );
        check(
            "rate: {characteristic: torque, max_per_second: 1e-3}, for: {readings: 2}",
            Ok(0.001),
        );
        let positive = "max_per_second must be above 0";
        check(
            "rate: {characteristic: torque, max_per_second: 0}",
            Err(&[positive]),
        );
        check(
            "rate: {characteristic: torque, max_per_second: -15}",
            Err(&[positive]),
        );
        check(
            "rate: {}",
            Err(&[
                "rate lacks the key `characteristic`",
                "rate lacks the key `max_per_second`",
            ]),
        );
    }

    #[test]
    fn tells_the_change() {
        let rule = "rate: {characteristic: torque, max_per_second: 15}";
        let evidence = Evidence::PerSecond(-22.1);
        let (values, tracked, summary) = told(rule, r#""torque":75"#, &evidence);
        assert_eq!(
            values,
            named(&[("torque", 75.0), ("torque.per_second", -22.1)])
        );
        assert_eq!(tracked, named(&[("torque.per_second", -22.1)]));
        assert_eq!(
            summary,
            "r: torque 75 Nm on press-07 (changed by -22.1 Nm/s, at most 15)"
        );
        assert!(is_farther(
            rule,
            "torque.per_second",
            -22.1,
            20.0,
            &evidence
        ));
    }

    #[test]
    fn a_definition_covers_characteristic_and_limit() {
        let rule = "rate: {characteristic: torque, max_per_second: 15}";
        assert_ne!(definition(rule), definition(&rule.replace("15", "16")));
        assert_ne!(
            definition(rule),
            definition(&rule.replace("torque", "defects"))
        );
    }
}
