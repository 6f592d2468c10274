//! What is said when an episode ends: the plan's own summaries speak of readings that violate.

use std::fmt::Write as _;

use control_plan::{ControlPlan, readable};
use quality_event::Ended;

/// `power-out-of-range cleared on press-07 after 4.2 s, 3 readings; extreme: power 9421.5 W`.
pub(crate) fn cleared(plan: &ControlPlan, rule: &str, machine: &str, ended: &Ended) -> String {
    let mut out = format!("{rule} cleared on {machine}");
    if plan.rule(rule).is_none() {
        out.push_str(" (no longer in the plan)");
    }
    let plural = if ended.readings == 1 { "" } else { "s" };
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        " after {}, {} reading{plural}",
        duration(ended.duration_ms),
        ended.readings
    );
    for (n, (name, value)) in ended.extreme.iter().enumerate() {
        let lead = if n == 0 { "; extreme: " } else { ", " };
        let unit = plan
            .unit(name)
            .map_or(String::new(), |unit| format!(" {unit}"));
        let _ = write!(out, "{lead}{name} {}{unit}", readable(*value));
    }
    out
}

/// A duration in milliseconds as people say it: `0 s`, `4.2 s`, `1 min 5 s`, `2 h 5 min`, `1 d 1 h`.
pub fn duration(ms: i64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        ..60 => format!("{} s", readable(ms as f64 / 1_000.0)),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ms: i64, expected: &str) {
        assert_eq!(duration(ms), expected);
    }

    #[test]
    fn durations_read_well() {
        check(0, "0 s");
        check(4_200, "4.2 s");
        check(65_000, "1 min 5 s");
        check(7_500_000, "2 h 5 min");
        check(90_000_000, "1 d 1 h");
    }
}
