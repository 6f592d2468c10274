//! The default summary: rule, values with units, limits, machine.

use std::fmt::Write as _;

use control_chart::{ChartKind, Point, Spread};

use super::{ChartRule, Evidence, Rule, RuleKind, Sustain};
use crate::number::readable;
use crate::reading::{CharacteristicId, Reading};

pub(super) fn describe(rule: Rule<'_>, reading: &Reading, evidence: &Evidence) -> String {
    let machine = &reading.machine;
    let mut out = match rule.kind() {
        RuleKind::Missing(missing) => format!(
            "{}: no {} from {machine} (",
            rule.id(),
            rule.plan.name(missing.characteristic)
        ),
        RuleKind::Gap(_) => {
            let silence = match evidence {
                Evidence::SilenceMs(ms) => format!(" for {} s", seconds(*ms)),
                _ => String::new(),
            };
            format!("{}: no reading from {machine}{silence} (", rule.id())
        }
        _ => format!("{}: {} on {machine} (", rule.id(), values(rule, reading)),
    };
    out.push_str(&reason(rule, evidence));
    let _ = match rule.sustain() {
        None => write!(out, ")"),
        Some(Sustain::Readings(readings)) => write!(out, ", for {readings} readings)"),
        Some(Sustain::Millis(ms)) => write!(out, ", for {} s)", seconds(ms)),
    };
    out
}

fn values(rule: Rule<'_>, reading: &Reading) -> String {
    let values: Vec<String> = rule
        .named_values(reading)
        .map(|(name, value)| {
            let unit = rule
                .plan
                .unit(name)
                .map_or(String::new(), |unit| format!(" {unit}"));
            format!("{name} {}{unit}", readable(value))
        })
        .collect();
    values.join(", ")
}

/// What the rule asked for, and by how much it was missed.
fn reason(rule: Rule<'_>, evidence: &Evidence) -> String {
    match (rule.kind(), evidence) {
        (RuleKind::When(when), _) => when.text.split_whitespace().collect::<Vec<_>>().join(" "),
        (RuleKind::Specification(limits), _) => match (limits.lower, limits.upper) {
            (Some(lower), Some(upper)) => {
                format!("outside {}..{}", readable(lower), readable(upper))
            }
            (Some(lower), None) => format!("below {}", readable(lower)),
            (None, upper) => format!("above {}", readable(upper.unwrap_or(f64::NAN))),
        },
        (RuleKind::Chart(chart), Evidence::Chart(point)) => of_chart(chart, point),
        (RuleKind::Chart(chart), _) => format!("{} chart", chart.chart.kind().as_str()),
        (RuleKind::Rate(rate), Evidence::PerSecond(change)) => {
            let unit = unit(rule, rate.characteristic);
            format!(
                "changed by {}{unit}/s, at most {}",
                readable(*change),
                readable(rate.max_per_second)
            )
        }
        (RuleKind::Rate(rate), _) => {
            let unit = unit(rule, rate.characteristic);
            format!(
                "changes by at most {}{unit}/s",
                readable(rate.max_per_second)
            )
        }
        (RuleKind::Stuck(stuck), Evidence::Readings(readings)) if stuck.tolerance > 0.0 => {
            format!(
                "within {} for {readings} readings in a row",
                readable(stuck.tolerance)
            )
        }
        (RuleKind::Stuck(_), Evidence::Readings(readings)) => {
            format!("the same for {readings} readings in a row")
        }
        (RuleKind::Stuck(_), _) => "the same for too long".to_owned(),
        (RuleKind::Missing(_), Evidence::Readings(1)) => "1 reading".to_owned(),
        (RuleKind::Missing(_), Evidence::Readings(readings)) => {
            format!("{readings} readings in a row")
        }
        (RuleKind::Missing(_), _) => "for too long".to_owned(),
        (RuleKind::Gap(gap), _) => format!("at most {} s", seconds(gap.longest_ms)),
    }
}

fn seconds(ms: i64) -> impl std::fmt::Display {
    readable(ms as f64 / 1_000.0)
}

/// `xbar-r chart: beyond-limits; mean 47.1, centre 40, limits 33.3..46.7`.
fn of_chart(chart: &ChartRule, point: &Point) -> String {
    let kind = chart.chart.kind();
    let mut out = format!("{} chart", kind.as_str());
    let tests: Vec<_> = point.fired.iter().map(|test| test.as_str()).collect();
    if !tests.is_empty() {
        let _ = write!(out, ": {}", tests.join(", "));
    }
    let mut lead = "; ";
    let mut say = |what: String| {
        let _ = write!(out, "{lead}{what}");
        lead = ", ";
    };
    match (kind, point.cusum) {
        (ChartKind::Cusum { .. }, Some((high, low))) => {
            say(format!(
                "sums {} up, {} down",
                readable(high),
                readable(low)
            ));
            say(format!(
                "limit {}",
                readable(point.limits.upper.unwrap_or(f64::NAN))
            ));
            return out;
        }
        _ => {
            if let Some(statistic) = chart.statistic() {
                let words = statistic.replace('_', " ");
                say(format!("{words} {}", readable(point.value)));
            }
        }
    }
    if let Some(Spread { value, limits }) = point.spread {
        let below = limits.lower.filter(|lower| value < *lower);
        let passed = below.or(limits.upper.filter(|upper| value > *upper));
        if let Some(limit) = passed {
            let words = chart.second().replace('_', " ");
            say(format!(
                "{words} {} beyond {}",
                readable(value),
                readable(limit)
            ));
        }
    }
    say(format!("centre {}", readable(point.limits.center)));
    match (point.limits.lower, point.limits.upper) {
        (Some(lower), Some(upper)) => {
            say(format!("limits {}..{}", readable(lower), readable(upper)));
        }
        (Some(lower), None) => say(format!("lower limit {}", readable(lower))),
        (None, Some(upper)) => say(format!("upper limit {}", readable(upper))),
        (None, None) => {}
    }
    out
}

fn unit(rule: Rule<'_>, characteristic: CharacteristicId) -> String {
    let name = rule.plan.name(characteristic);
    rule.plan
        .unit(name)
        .map_or(String::new(), |unit| format!(" {unit}"))
}
