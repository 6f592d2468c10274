//! `for`: how long a rule must fire before an episode opens.

use crate::check::Check;
use crate::check::yaml::Node;
use crate::digest::Definition;

/// Most readings in a row.
pub(crate) const MAX_READINGS: u32 = 1_000_000;

/// Longest stretch: a week.
pub(crate) const MAX_SECONDS: f64 = 604_800.0;

/// How long a rule must fire before an episode opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sustain {
    /// So many readings in a row.
    Readings(u32),
    /// So many milliseconds of reading time, from the first reading in the row to the one that completes it.
    Millis(i64),
}

pub(super) const KEYS: [&str; 2] = ["readings", "seconds"];

/// Seconds as milliseconds, where they are a stretch that a plan may name.
pub(super) fn millis(seconds: f64) -> Option<i64> {
    (0.001..=MAX_SECONDS)
        .contains(&seconds)
        .then(|| (seconds * 1_000.0).round() as i64)
}

impl Sustain {
    pub(super) fn define(self, definition: Definition) -> Definition {
        match self {
            Self::Readings(readings) => definition.text("readings").number(f64::from(readings)),
            Self::Millis(ms) => definition.text("ms").number(ms as f64),
        }
    }
}

pub(super) fn parse(check: &mut Check<'_>, node: &Node) -> Option<Sustain> {
    let entries = check.mapping(node, "for", &KEYS, "")?;
    match (entries.get("readings"), entries.get("seconds")) {
        (Some(readings), None) => check
            .whole(readings, "for.readings", 1..=MAX_READINGS)
            .map(Sustain::Readings),
        (None, Some(seconds)) => {
            let number = check.number(seconds, "for.seconds")?;
            if let Some(ms) = millis(number) {
                return Some(Sustain::Millis(ms));
            }
            check.fault(
                &seconds.span,
                format!("for.seconds must lie between 0.001 and {MAX_SECONDS}"),
            );
            None
        }
        _ => {
            check.fault(entries.span(), "for takes either `readings` or `seconds`");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_to_milliseconds() {
        for (seconds, expected) in [
            (1.5, Some(1_500)),
            (0.001, Some(1)),
            (0.0004, None),
            (MAX_SECONDS, Some(604_800_000)),
            (604_800.1, None),
            (f64::NAN, None),
        ] {
            assert_eq!(millis(seconds), expected, "{seconds}");
        }
    }
}
