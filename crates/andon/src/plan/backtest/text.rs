//! The summary as a person reads it.

use std::io::{self, Write};

use control_plan::readable;
use judgement::duration;
use quality_event::Timestamp;

use super::summary::{Capability, Row, Summary, worst};
use super::watch::Learning;

/// Machines that are named where many are alike.
const NAMED: usize = 5;
/// The longest bar of the Pareto.
const BAR: f64 = 30.0;

/// The table by rule, the Pareto, the capability, and what was no reading.
pub fn write(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    write_rules(summary, out)?;
    write_pareto(summary, out)?;
    write_capability(summary, out)?;
    writeln!(out, "\n{} readings judged", summary.readings.judged)?;
    write_notes(summary, out)
}

/// The lines that were no readings, by reason, and charts that are still learning; nothing where there is nothing to
/// tell.
pub fn write_notes(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let lines: u64 = summary.readings.skipped.values().sum();
    if lines > 0 {
        let reasons = summary.readings.skipped.iter();
        let reasons: Vec<String> = reasons.map(|(reason, n)| format!("{n} {reason}")).collect();
        writeln!(out, "{lines} lines skipped: {}", reasons.join(", "))?;
    }
    if summary.readings.duplicates > 0 {
        let duplicates = summary.readings.duplicates;
        writeln!(out, "{duplicates} duplicates not judged again")?;
    }
    write_learning(&summary.learning, out)
}

fn write_rules(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let head = [
        "rule", "reaction", "episodes", "readings", "share", "n/a", "machines", "longest", "first",
        "last",
    ];
    let rows = summary.rules.iter().map(|row| cells(row).to_vec());
    write_table(out, &head, rows.collect(), 2..8)
}

fn cells(row: &Row) -> [String; 10] {
    let time = |time: Option<Timestamp>| time.map_or_else(|| "-".into(), |time| time.to_string());
    [
        row.rule.clone(),
        row.reaction.clone(),
        row.episodes.to_string(),
        row.readings.to_string(),
        percent(row.share, 2),
        row.not_applicable.to_string(),
        row.machines.to_string(),
        row.longest_ms.map_or_else(|| "-".into(), duration),
        time(row.first),
        time(row.last),
    ]
}

fn write_pareto(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let Some(first) = summary.pareto.first() else {
        return Ok(());
    };
    let longest = first.episodes as f64;
    let rows = summary.pareto.iter().map(|share| {
        let bar = (BAR * share.episodes as f64 / longest).round().max(1.0) as usize;
        vec![
            share.rule.clone(),
            share.episodes.to_string(),
            percent(share.share, 1),
            percent(share.cumulative, 1),
            "#".repeat(bar),
        ]
    });
    writeln!(out)?;
    let head = ["pareto", "episodes", "share", "cumulative", ""];
    write_table(out, &head, rows.collect(), 1..4)
}

fn write_capability(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let mut rows = Vec::new();
    for together in summary
        .capability
        .iter()
        .filter(|found| found.machine.is_none())
    {
        rows.push(indices(together, together.rule.clone()));
        if let Some(worst) = worst(&summary.capability, &together.rule) {
            let machine = worst.machine.as_deref().unwrap_or_default();
            rows.push(indices(worst, format!("  worst: {machine}")));
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let head = ["capability", "n", "mean", "sigma", "Pp", "Ppk", "Cp", "Cpk"];
    write_table(out, &head, rows, 1..8)
}

fn indices(found: &Capability, label: String) -> Vec<String> {
    let index = |index: Option<f64>| index.map_or("-".to_owned(), |index| format!("{index:.2}"));
    let number =
        |number: Option<f64>| number.map_or("-".to_owned(), |number| readable(number).to_string());
    vec![
        label,
        found.n.to_string(),
        number(found.mean),
        number(found.sigma),
        index(found.pp),
        index(found.ppk),
        index(found.cp),
        index(found.cpk),
    ]
}

fn write_learning(learning: &[Learning], out: &mut impl Write) -> io::Result<()> {
    let mut rules: Vec<&str> = learning.iter().map(|chart| chart.rule.as_str()).collect();
    rules.dedup();
    for rule in rules {
        let of_rule = || learning.iter().filter(|chart| chart.rule == rule);
        let mut machines: Vec<String> = of_rule()
            .take(NAMED)
            .map(|chart| format!("{} ({} of {})", chart.machine, chart.seen, chart.wanted))
            .collect();
        let count = of_rule().count();
        if count > NAMED {
            machines.push(format!("{} more", count - NAMED));
        }
        writeln!(out, "{rule} is still learning: {}", machines.join(", "))?;
    }
    Ok(())
}

/// Columns as wide as their widest cell; those in `right` are numbers.
fn write_table(
    out: &mut impl Write,
    head: &[&str],
    rows: Vec<Vec<String>>,
    right: std::ops::Range<usize>,
) -> io::Result<()> {
    let head = head.iter().map(|cell| (*cell).to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or_default()
        })
        .collect();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| match right.contains(&column) {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            })
            .collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

fn percent(share: f64, decimals: usize) -> String {
    format!("{:.decimals$} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_learning_machines_are_counted() {
        let learning: Vec<Learning> = (0..8)
            .map(|n| Learning {
                rule: "drift".into(),
                machine: format!("m{n}"),
                seen: n,
                wanted: 100,
            })
            .collect();
        let mut out = Vec::new();
        write_learning(&learning, &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "drift is still learning: m0 (0 of 100), m1 (1 of 100), m2 (2 of 100), m3 (3 of 100), m4 (4 of 100), 3 more\n"
        );
    }
}
