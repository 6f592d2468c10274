//! How large a rule's part of a machine's state may get: the plan promises it before any reading arrives.

use super::RuleBody;

/// The most that the rules of a plan may ask of one machine's state, in bytes.
pub const MAX_STATE_BYTES: usize = 32 * 1_024;

/// Version, and the count of rules.
pub(crate) const HEADER: usize = 4;

/// An episode's id, severity, reaction, opening time, count of readings and count of extremes, or the shorter
/// progress of a `for`; with a tag that tells them apart.
const PHASE: usize = 1 + 16 + 1 + 1 + 8 + 5 + 2;

/// The digest of the rule's definition.
const DEFINITION: usize = 8;

/// The most bytes that the state of `rule` takes in one machine's item.
pub(crate) fn bound(rule: &RuleBody, name: impl Fn(u16) -> usize) -> usize {
    let extremes: usize = rule
        .characteristics
        .iter()
        .map(|(slot, _)| 1 + name(*slot) + 8)
        .sum();
    1 + rule.id.len() + DEFINITION + PHASE + extremes
}
