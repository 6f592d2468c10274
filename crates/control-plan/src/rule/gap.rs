//! `gap`: a machine must not be silent for longer than so many seconds; seen at the reading that ends the silence.

use super::sustain::{MAX_SECONDS, millis};
use crate::check::Check;
use crate::check::yaml::Node;
use crate::digest::Definition;

pub(super) const KEYS: [&str; 1] = ["seconds"];

/// The longest silence that is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// In milliseconds of reading time; a silence of exactly that is allowed.
    pub longest_ms: i64,
}

impl Gap {
    pub(super) fn definition(&self) -> Definition {
        Definition::new("gap").number(self.longest_ms as f64)
    }
}

pub(super) fn parse(check: &mut Check<'_>, node: &Node) -> Option<Gap> {
    let entries = check.mapping(node, "gap", &KEYS, "")?;
    let node = entries.require(check, "seconds")?;
    let seconds = check.number(node, "seconds")?;
    match millis(seconds) {
        Some(longest_ms) => Some(Gap { longest_ms }),
        None => {
            check.fault(
                &node.span,
                format!("gap.seconds must lie between 0.001 and {MAX_SECONDS}"),
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{definition, is_farther, kind, named, told};
    use super::super::{Evidence, RuleKind};

    #[track_caller]
    fn check(rule: &str, expected: Result<i64, &str>) {
        let found = kind(rule).map(|kind| match kind {
            RuleKind::Gap(gap) => gap.longest_ms,
            other => panic!("{other:?}"),
        });
        assert_eq!(
            found,
            expected.map_err(|told| vec![told.to_owned()]),
            "{rule}"
        );
    }

    #[test]
    fn takes_seconds() {
        check("gap: {seconds: 30}", Ok(30_000));
        check("gap: {seconds: 0.5}", Ok(500));
        let range = Err("gap.seconds must lie between 0.001 and 604800");
        check("gap: {seconds: 0}", range);
        check("gap: {seconds: -1}", range);
        check("gap: {seconds: 1e9}", range);
        check("gap: {}", Err("gap lacks the key `seconds`"));
        check(
            "gap: {seconds: 30}, for: {readings: 2}",
            Err("a `gap` rule takes no `for`: its `seconds` say for how long"),
        );
    }

    #[test]
    fn tells_the_silence() {
        let rule = "gap: {seconds: 30}";
        let evidence = Evidence::SilenceMs(45_000);
        let (values, tracked, summary) = told(rule, r#""torque":42"#, &evidence);
        assert_eq!(values, named(&[("reading.gap_seconds", 45.0)]));
        assert_eq!(tracked, values);
        assert_eq!(
            summary,
            "r: no reading from press-07 for 45 s (at most 30 s)"
        );
        assert!(is_farther(
            rule,
            "reading.gap_seconds",
            46.0,
            45.0,
            &evidence
        ));
    }

    #[test]
    fn a_definition_covers_the_length() {
        assert_ne!(
            definition("gap: {seconds: 30}"),
            definition("gap: {seconds: 31}")
        );
    }
}
