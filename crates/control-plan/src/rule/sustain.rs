//! `for`: how long a rule must fire before an episode opens.

use crate::check::Check;
use crate::check::yaml::Node;

/// Most readings in a row.
const MAX_READINGS: u32 = 1_000_000;

/// Longest stretch: a week.
const MAX_SECONDS: f64 = 604_800.0;

/// How long a rule must fire before an episode opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sustain {
    /// So many readings in a row.
    Readings(u32),
    /// So many milliseconds of reading time, from the first reading in the row to the one that completes it.
    Millis(i64),
}

pub(super) fn parse(check: &mut Check<'_>, node: &Node) -> Option<Sustain> {
    let entries = check.mapping(node, "for", &["readings", "seconds"], "")?;
    match (entries.get("readings"), entries.get("seconds")) {
        (Some(readings), None) => check
            .whole(readings, "for.readings", 1..=MAX_READINGS)
            .map(Sustain::Readings),
        (None, Some(seconds)) => {
            let number = check.number(seconds, "for.seconds")?;
            if (0.001..=MAX_SECONDS).contains(&number) {
                return Some(Sustain::Millis((number * 1_000.0).round() as i64));
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
