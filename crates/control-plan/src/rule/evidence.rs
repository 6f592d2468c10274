//! What a rule found in a reading, and what of it events carry.

use std::borrow::Cow;

use control_chart::Point;

use super::{ChartRule, Rule, RuleKind};
use crate::reading::{CharacteristicId, Reading};

/// What a rule found besides the reading itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Evidence {
    /// Nothing: the reading says it all.
    Reading,
    /// A point of the rule's chart.
    Chart(Point),
    /// The change since the value before, per second.
    PerSecond(f64),
    /// So many readings in a row.
    Readings(u32),
    /// The time since the machine's latest reading before this one, in milliseconds.
    SilenceMs(i64),
}

/// A value with its name. A dot separates a characteristic from what was computed of it; names of a plan have none.
pub(super) type Named<'p> = (Cow<'p, str>, f64);

/// The name of a silence's length.
pub(super) const GAP_SECONDS: &str = "reading.gap_seconds";

/// What `rate` finds.
pub(super) const PER_SECOND: &str = "per_second";

pub(super) fn values<'p>(rule: Rule<'p>, reading: &Reading, evidence: &Evidence) -> Vec<Named<'p>> {
    let mut values: Vec<Named<'p>> = rule
        .named_values(reading)
        .map(|(name, value)| (name.into(), value))
        .collect();
    match (rule.kind(), evidence) {
        (RuleKind::Chart(chart), Evidence::Chart(point)) => {
            of_point(rule, chart, point, &mut values);
        }
        (RuleKind::Rate(rate), Evidence::PerSecond(change)) => {
            values.push((derived(rule, rate.characteristic, PER_SECOND), *change));
        }
        (RuleKind::Gap(_), Evidence::SilenceMs(ms)) => {
            values.push((GAP_SECONDS.into(), *ms as f64 / 1_000.0));
        }
        _ => {}
    }
    values.retain(|(_, value)| value.is_finite());
    values
}

fn of_point<'p>(rule: Rule<'p>, chart: &ChartRule, point: &Point, values: &mut Vec<Named<'p>>) {
    let mut add = |what: &str, value: Option<f64>| {
        if let Some(value) = value {
            values.push((derived(rule, chart.characteristic, what), value));
        }
    };
    match point.cusum {
        Some((high, low)) => {
            add("cusum_high", Some(high));
            add("cusum_low", Some(low));
        }
        None => {
            if let Some(statistic) = chart.statistic() {
                add(statistic, Some(point.value));
            }
            add("center", Some(point.limits.center));
            add("lower_limit", point.limits.lower);
        }
    }
    add("upper_limit", point.limits.upper);
    add(chart.second(), point.spread.map(|spread| spread.value));
}

/// The values whose extreme an episode keeps, with how far each is from what the rule asks for.
pub(super) fn tracked<'p>(
    rule: Rule<'p>,
    reading: &Reading,
    evidence: &Evidence,
) -> Vec<Named<'p>> {
    match (rule.kind(), evidence) {
        (RuleKind::When(_) | RuleKind::Specification(_) | RuleKind::Stuck(_), _) => {
            values(rule, reading, &Evidence::Reading)
        }
        (RuleKind::Chart(chart), Evidence::Chart(point)) => {
            vec![(statistic(rule, chart), point.value)]
        }
        (RuleKind::Rate(rate), Evidence::PerSecond(change)) => {
            vec![(derived(rule, rate.characteristic, PER_SECOND), *change)]
        }
        (RuleKind::Gap(_), Evidence::SilenceMs(ms)) => {
            vec![(GAP_SECONDS.into(), *ms as f64 / 1_000.0)]
        }
        _ => Vec::new(),
    }
}

/// The names that [`tracked`] may give.
pub(super) fn tracked_names<'p>(rule: Rule<'p>) -> Vec<Cow<'p, str>> {
    match rule.kind() {
        RuleKind::When(_) | RuleKind::Specification(_) | RuleKind::Stuck(_) => {
            rule.characteristics().map(Cow::Borrowed).collect()
        }
        RuleKind::Chart(chart) => vec![statistic(rule, chart)],
        RuleKind::Rate(rate) => vec![derived(rule, rate.characteristic, PER_SECOND)],
        RuleKind::Gap(_) => vec![GAP_SECONDS.into()],
        RuleKind::Missing(_) => Vec::new(),
    }
}

fn statistic<'p>(rule: Rule<'p>, chart: &ChartRule) -> Cow<'p, str> {
    match chart.statistic() {
        None => rule.plan.name(chart.characteristic).into(),
        Some(what) => derived(rule, chart.characteristic, what),
    }
}

fn derived<'p>(rule: Rule<'p>, of: CharacteristicId, what: &str) -> Cow<'p, str> {
    format!("{}.{what}", rule.plan.name(of)).into()
}
