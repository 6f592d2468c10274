//! For the tests of the rule kinds: a plan of one rule, and what it says of a reading.

use super::{Evidence, Rule, RuleKind};
use crate::ControlPlan;
use crate::reading::Reading;

const HEAD: &str = "version: 1
reading: {machine: /machine, time: /time, attributes: {grade: /grade, tool: /tool}}
characteristics:
  torque: {at: /torque, unit: Nm}
  defects: {at: /defects}
  inspected: {at: /inspected}
rules:
";

/// The one rule's kind, or the messages of what is wrong with it. `rule` are the keys after `id: r`.
#[track_caller]
pub(super) fn kind(rule: &str) -> Result<RuleKind, Vec<String>> {
    try_plan(rule).map(|plan| only(&plan).kind().clone())
}

/// Its definition.
#[track_caller]
pub(super) fn definition(rule: &str) -> u64 {
    only(&plan(rule)).definition()
}

/// Names with a value each, for a reading that found `evidence`.
pub(super) type Values = Vec<(String, f64)>;

/// What events say of a reading: values, tracked values, the default summary.
#[track_caller]
pub(super) fn told(rule: &str, members: &str, evidence: &Evidence) -> (Values, Values, String) {
    let plan = plan(rule);
    let reading = reading(&plan, members);
    let rule = only(&plan);
    let owned = |values: Vec<(std::borrow::Cow<'_, str>, f64)>| {
        values
            .into_iter()
            .map(|(name, value)| (name.into_owned(), value))
            .collect::<Values>()
    };
    let tracked = owned(rule.tracked(&reading, evidence));
    assert!(tracked.iter().all(|(name, _)| rule.tracks(name)));
    (
        owned(rule.values(&reading, evidence)),
        tracked,
        rule.summary(&reading, evidence),
    )
}

/// Whether `value` lies farther out than `other`.
#[track_caller]
pub(super) fn is_farther(rule: &str, name: &str, value: f64, other: f64, found: &Evidence) -> bool {
    only(&plan(rule)).is_farther(name, value, other, found)
}

/// `name` with a value.
pub(super) fn named(values: &[(&str, f64)]) -> Values {
    let owned = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), *value));
    owned.collect()
}

#[track_caller]
fn plan(rule: &str) -> ControlPlan {
    try_plan(rule).unwrap_or_else(|faults| panic!("{faults:?}"))
}

fn try_plan(rule: &str) -> Result<ControlPlan, Vec<String>> {
    ControlPlan::parse("plan.yaml", &format!("{HEAD}  - {{id: r, {rule}}}\n")).map_err(|errors| {
        let faults = errors.faults().iter();
        faults.map(|fault| fault.message.clone()).collect()
    })
}

fn only(plan: &ControlPlan) -> Rule<'_> {
    plan.rules().next().unwrap()
}

/// `members` are the payload's, after machine and time.
fn reading(plan: &ControlPlan, members: &str) -> Reading {
    let comma = if members.is_empty() { "" } else { "," };
    let payload = format!(r#"{{"machine":"press-07","time":0{comma}{members}}}"#);
    plan.read(payload.as_bytes()).unwrap()
}
