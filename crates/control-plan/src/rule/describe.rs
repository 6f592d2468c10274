//! The default summary: rule, values with units, limits, machine.

use std::fmt::Write as _;

use super::{Rule, RuleKind, Sustain};
use crate::number::readable;
use crate::reading::Reading;

pub(super) fn describe(rule: Rule<'_>, reading: &Reading) -> String {
    let mut out = format!("{}: ", rule.id());
    for (n, (name, value)) in rule.values(reading).enumerate() {
        let unit = rule
            .plan
            .unit(name)
            .map_or(String::new(), |unit| format!(" {unit}"));
        let comma = if n > 0 { ", " } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(out, "{comma}{name} {}{unit}", readable(value));
    }
    let _ = write!(out, " on {}", reading.machine);
    let _ = match rule.kind() {
        RuleKind::When(when) => write!(
            out,
            " ({}",
            when.text.split_whitespace().collect::<Vec<_>>().join(" ")
        ),
        RuleKind::Specification(limits) => match (limits.lower, limits.upper) {
            (Some(lower), Some(upper)) => {
                write!(out, " (outside {}..{}", readable(lower), readable(upper))
            }
            (Some(lower), None) => write!(out, " (below {}", readable(lower)),
            (_, upper) => write!(out, " (above {}", readable(upper.unwrap_or(f64::NAN))),
        },
    };
    let _ = match rule.sustain() {
        None => write!(out, ")"),
        Some(Sustain::Readings(readings)) => write!(out, ", for {readings} readings)"),
        Some(Sustain::Millis(ms)) => write!(out, ", for {} s)", readable(ms as f64 / 1_000.0)),
    };
    out
}
