//! The rules that a draft suggests for one characteristic, each below the numbers it came from.

use std::fmt::Write as _;

use control_plan::readable;

use super::draft::{Characteristic, Extent};
use super::names::rule_id;
use super::profile::{Baseline, Nature, Run};
use super::yaml::decimal;

/// All rules of a characteristic.
pub(super) fn write_rules(
    out: &mut String,
    known: &Characteristic,
    extent: Extent,
) -> std::fmt::Result {
    let Characteristic { name, profile, .. } = known;
    writeln!(out, "\n  # {name}")?;
    match profile.nature {
        Nature::TooFew => {
            return writeln!(
                out,
                "  # Too few values ({}) to suggest anything.",
                profile.values
            );
        }
        Nature::Constant => {
            writeln!(
                out,
                "  # It never varies: no limits and no chart come from a constant."
            )?;
        }
        Nature::Code(different) => writeln!(
            out,
            "  # {different} different whole numbers: a code or a state rather than a measurement, so no chart. Is it a\n  # count of defects, a chart of type c suits it."
        )?,
        Nature::Counter => writeln!(
            out,
            "  # It rises and starts over (a counter, a wear): a chart would signal each turn. Set its end, as in\n  #   when: {name} > {}",
            decimal(profile.max)
        )?,
        Nature::Measured => write_limits(out, known)?,
    }
    if extent >= Extent::WithStuck
        && let Some(run) = profile.stuck()
    {
        write_run(out, name, "stuck", "equal values", run)?;
    }
    if extent >= Extent::Full
        && let Some(run) = profile.missing()
    {
        write_run(out, name, "missing", "readings without it", run)?;
    }
    Ok(())
}

/// A rule of so many readings in a row.
fn write_run(out: &mut String, name: &str, kind: &str, what: &str, run: Run) -> std::fmt::Result {
    let told = if run.longest >= run.readings {
        ": this rule would have fired"
    } else {
        ""
    };
    writeln!(
        out,
        "  # The longest run of {what} is {}{told}.\n  - id: {}\n    {kind}: {{characteristic: {name}, readings: {}}}\n    reaction: record",
        run.longest,
        rule_id(name, kind),
        run.readings
    )
}

/// Specification limits and the individuals chart.
fn write_limits(out: &mut String, known: &Characteristic) -> std::fmt::Result {
    let Characteristic { name, profile, .. } = known;
    if let Some(limits) = profile.specification() {
        let lower = limits.lower.map_or(String::new(), |lower| {
            format!("lower: {}, ", decimal(lower))
        });
        writeln!(
            out,
            "  # Suggested limits, a third farther out than 99.73 % of the values; {} of {} outside. Replace them by the drawing's.",
            limits.outside, profile.values
        )?;
        writeln!(
            out,
            "  - id: {}\n    specification: {{characteristic: {name}, {lower}upper: {}}}\n    reaction: record",
            rule_id(name, "specification"),
            decimal(limits.upper)
        )?;
    }
    let Some(chart) = profile.chart() else {
        return writeln!(
            out,
            "  # No chart: too many values would be beyond any limits that these readings suggest."
        );
    };
    let sigma = chart.sigma;
    writeln!(
        out,
        "  # Individuals chart: n {}, median {}, sigma {} ({}); {} values beyond its limits.",
        profile.values,
        readable(profile.median),
        readable(sigma.value),
        sigma.source.as_str(),
        chart.beyond
    )?;
    if !chart.reason.is_empty() {
        writeln!(out, "  # Note: {}.", chart.reason)?;
    }
    let baseline = match chart.baseline {
        Baseline::Given { center, sigma } => {
            format!("center: {}, sigma: {}", decimal(center), decimal(sigma))
        }
        Baseline::Learn(readings) => format!("learn: {readings}"),
    };
    writeln!(
        out,
        "  # Once it is quiet, tests: western-electric finds shifts and drifts earlier.\n  - id: {}\n    chart: {{type: individuals, characteristic: {name}, {baseline}, tests: [beyond-limits]}}\n    reaction: record",
        rule_id(name, "individuals")
    )
}
