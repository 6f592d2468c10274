//! How large a rule's part of a machine's state may get: the plan promises it before any reading arrives.

use super::evidence::tracked_names;
use super::{Rule, RuleKind};

/// The most that the rules of a plan may ask of one machine's state, in bytes.
pub const MAX_STATE_BYTES: usize = 32 * 1_024;

/// Version, the count of rules and that of reading ids.
const HEADER: usize = 1 + 2 + 1;

/// The digests of a machine's latest reading ids, where the plan names them.
const READING_IDS: usize = 64 * 8;

/// The digest of the rule's definition.
const DEFINITION: usize = 8;

/// A tag, then an episode's id, severity, reaction, opening time, count of readings and count of extremes, or the
/// shorter progress of a `for`.
const PHASE: usize = 1 + 16 + 1 + 1 + 8 + 5 + 2;

/// A 64-bit time, a 32-bit count and a double, encoded.
const TIME: usize = 8;
const COUNT: usize = 5;
const DOUBLE: usize = 8;

/// The most bytes that a plan with these rules keeps of a machine.
pub(crate) fn of_plan<'p>(rules: impl Iterator<Item = Rule<'p>>, names_ids: bool) -> usize {
    let ids = if names_ids { READING_IDS } else { 0 };
    HEADER + ids + rules.map(of_rule).sum::<usize>()
}

/// The most bytes of one rule.
fn of_rule(rule: Rule<'_>) -> usize {
    let extremes: usize = tracked_names(rule)
        .iter()
        .map(|name| 1 + name.len() + DOUBLE)
        .sum();
    1 + rule.id().len() + DEFINITION + 1 + trace(rule) + PHASE + extremes
}

/// What the kind itself remembers.
fn trace(rule: Rule<'_>) -> usize {
    match rule.kind() {
        RuleKind::Specification(_) => 0,
        RuleKind::When(when) => match when.previous().len() {
            0 => 0,
            n => 2 + n * DOUBLE,
        },
        RuleKind::Chart(chart) => {
            let keys = chart.reset_on.len()
                + chart.relearn_on.len()
                + usize::from(chart.subgroup_by.is_some());
            chart.chart.state_bytes() + 1 + keys * (1 + 8)
        }
        RuleKind::Rate(_) => 1 + TIME + DOUBLE,
        RuleKind::Stuck(_) => DOUBLE + COUNT,
        RuleKind::Missing(_) => COUNT,
        RuleKind::Gap(_) => 1 + TIME,
    }
}
