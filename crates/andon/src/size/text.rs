//! The answer for people.

use std::collections::BTreeMap;
use std::io::Write;

use sizing::{Bound, INPUTS, Limit, Load, Sizing};

use super::widest;
use crate::failure::Failure;

/// Limits that are told; the others are further away.
const LIMITS: usize = 8;

/// Every input: default, unit, range, origin.
pub(super) fn inputs(out: &mut impl Write) -> Result<(), Failure> {
    let load = Load::default();
    let width = widest();
    for input in INPUTS {
        let default = *(input.of)(&load);
        let (default, range) = match input.unit {
            "yes or no" => (yes(default).to_owned(), "yes or no".to_owned()),
            unit => (
                plain(default),
                format!("{} to {} {unit}", plain(input.least), plain(input.most)),
            ),
        };
        writeln!(out, "{:width$}  {default:>6}  {range}", input.key)?;
        writeln!(out, "{:width$}          {}", "", input.about)?;
    }
    Ok(())
}

/// What is needed, what breaks first, what it costs.
pub(super) fn write(sizing: &Sizing, out: &mut impl Write) -> Result<(), Failure> {
    load(sizing, out)?;
    for part in &sizing.parts {
        writeln!(out, "\n{}", part.name)?;
        for figure in &part.figures {
            let value = quantity(figure.value, &figure.unit);
            writeln!(out, "  {:30} {value:<22} = {}", figure.name, figure.formula)?;
            if let Some(assumption) = &figure.assumption {
                writeln!(out, "  {:53}   assuming {assumption}", "")?;
            }
        }
    }
    limits(&sizing.limits, out)?;
    costs(sizing, out)
}

fn load(sizing: &Sizing, out: &mut impl Write) -> Result<(), Failure> {
    let defaults = Load::default();
    writeln!(out, "load (the rest are defaults: --inputs)")?;
    for input in INPUTS {
        let value = sizing.load.get(input.key).copied().unwrap_or_default();
        let always = matches!(
            input.key,
            "readings_per_second" | "bytes_per_reading" | "machines" | "peak"
        );
        if always || value != *(input.of)(&defaults) {
            let value = match input.unit {
                "yes or no" => yes(value).to_owned(),
                unit => format!("{} {unit}", number(value)),
            };
            writeln!(out, "  {:30} {value}", input.key)?;
        }
    }
    Ok(())
}

fn limits(limits: &[Limit], out: &mut impl Write) -> Result<(), Failure> {
    writeln!(
        out,
        "\nwhat breaks first, as the load grows (used in the busiest minute, of the limit)"
    )?;
    for limit in limits.iter().take(LIMITS) {
        let growth = match limit.growth < 1.0 {
            true => "TOO MUCH".to_owned(),
            false => format!("at {} times", number(limit.growth)),
        };
        let who = match limit.bound {
            Bound::Quota => "a quota to raise",
            Bound::Setting => "a setting of this stack",
            Bound::Service => "fixed",
        };
        let used = match limit.unit.starts_with("bytes") {
            true => quantity(limit.used, &limit.unit),
            false => number(limit.used),
        };
        let most = quantity(limit.limit, &limit.unit);
        writeln!(
            out,
            "  {growth:15} {:44} {used} of {most} ({who})",
            limit.name
        )?;
        writeln!(out, "  {:15} {}", "", limit.cure)?;
    }
    match limits.len().saturating_sub(LIMITS) {
        0 => {}
        more => writeln!(out, "  {:15} … and {more} further away (--json)", "")?,
    }
    Ok(())
}

fn costs(sizing: &Sizing, out: &mut impl Write) -> Result<(), Failure> {
    let list = &sizing.prices;
    writeln!(
        out,
        "\ncost of a month, {} ({}, prices of {})",
        list.currency, list.region, list.date
    )?;
    let mut groups: BTreeMap<&str, f64> = BTreeMap::new();
    for cost in &sizing.costs {
        let quantity = format!("{} × {}", number(cost.quantity), plain(cost.price));
        let month = format!("{:.2}", cost.per_month);
        writeln!(
            out,
            "  {month:>14}  {:32} {quantity:24} per {}",
            cost.name, cost.unit
        )?;
        writeln!(out, "  {:>14}  {:32} = {}", "", "", cost.formula)?;
        let group = cost.price_key.split('_').next().unwrap_or_default();
        *groups.entry(group).or_default() += cost.per_month;
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by(|left, right| right.1.total_cmp(&left.1));
    let shares: Vec<String> = groups
        .iter()
        .map(|(group, month)| format!("{group} {:.0} %", month / sizing.cost_per_month * 100.0))
        .collect();
    writeln!(
        out,
        "  {:>14.2}  together: {}",
        sizing.cost_per_month,
        shares.join(", ")
    )?;
    if !list.note.is_empty() {
        writeln!(out, "  {:>14}  {}", "", list.note)?;
    }
    Ok(())
}

fn yes(value: f64) -> &'static str {
    match value > 0.0 {
        true => "yes",
        false => "no",
    }
}

/// Three digits, thousands apart.
pub(crate) fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size => (2 - size.log10().floor() as i32).clamp(3, 9) as usize,
    };
    let text = format!("{value:.digits$}");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let part = part.trim_end_matches('0');
    let apart: Vec<String> = whole
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|three| String::from_utf8_lossy(three).into_owned())
        .collect();
    match part.is_empty() {
        true => apart.join(","),
        false => format!("{}.{part}", apart.join(",")),
    }
}

/// With its unit; bytes in thousands, millions and so on.
fn quantity(value: f64, unit: &str) -> String {
    let Some(rest) = unit.strip_prefix("bytes") else {
        return format!("{} {unit}", number(value));
    };
    let scales = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")];
    let scale = scales.into_iter().find(|(scale, _)| value >= *scale);
    let (scale, name) = scale.unwrap_or((1.0, "bytes"));
    format!("{} {name}{rest}", number(value / scale))
}

/// As it was written, without a digit too many.
fn plain(value: f64) -> String {
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.000_123_4, "0.000123"),
            (0.5, "0.5"),
            (1.0, "1"),
            (1.234, "1.23"),
            (12.34, "12.3"),
            (123.4, "123"),
            (1_234_567.8, "1,234,568"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
