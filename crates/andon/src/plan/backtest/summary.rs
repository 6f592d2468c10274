//! A backtest's summary: what each rule would have done.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use control_plan::ControlPlan;
use judgement::Tally;
use quality_event::{QualityEvent, Timestamp, Transition};

/// Counts by rule, and of the lines that were no readings.
#[derive(Debug)]
pub struct Summary {
    readings: u64,
    rules: Vec<Row>,
    skipped: BTreeMap<&'static str, u64>,
}

/// One rule's counts.
#[derive(Debug)]
struct Row {
    rule: String,
    reaction: String,
    episodes: u64,
    fired: u64,
    not_applicable: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    machines: BTreeSet<String>,
}

impl Summary {
    /// Nothing counted yet; every rule has its row, fired or not.
    pub fn new(plan: &ControlPlan) -> Self {
        let rules = plan.rules().map(|rule| Row {
            rule: rule.id().to_owned(),
            reaction: rule.reaction().to_string(),
            episodes: 0,
            fired: 0,
            not_applicable: 0,
            first: None,
            last: None,
            machines: BTreeSet::new(),
        });
        Self {
            readings: 0,
            rules: rules.collect(),
            skipped: BTreeMap::new(),
        }
    }

    /// Counts an event.
    pub fn count(&mut self, event: &QualityEvent) {
        if let Some(row) = self
            .rules
            .iter_mut()
            .find(|row| row.rule == event.subject())
        {
            row.count(event);
        }
    }

    /// Counts a line in which nothing stands.
    pub fn blank(&mut self) {
        *self.skipped.entry("blank").or_default() += 1;
    }

    /// Takes what the run has counted itself.
    pub fn close(&mut self, tally: &Tally) {
        self.readings = tally.readings;
        self.skipped.extend(&tally.unreadable);
        for row in &mut self.rules {
            row.not_applicable = tally
                .not_applicable
                .get(&row.rule)
                .copied()
                .unwrap_or_default();
        }
    }

    /// The table, and the unreadable lines by reason.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        const HEAD: [&str; 9] = [
            "rule", "reaction", "episodes", "readings", "share", "n/a", "machines", "first", "last",
        ];
        let rows: Vec<[String; 9]> = self
            .rules
            .iter()
            .map(|row| row.cells(self.readings))
            .collect();
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([HEAD[column].len()]).max().unwrap_or_default()
        };
        let widths: [usize; 9] = std::array::from_fn(width);
        for row in [HEAD.map(str::to_owned)].iter().chain(&rows) {
            let cells = row
                .iter()
                .zip(widths)
                .enumerate()
                .map(|(column, (cell, width))| match column {
                    2..=6 => format!("{cell:>width$}"),
                    _ => format!("{cell:<width$}"),
                });
            writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        writeln!(out, "\n{} readings judged", self.readings)?;
        self.write_skipped(out)
    }

    /// The lines that were no readings, by reason; nothing if all were.
    pub fn write_skipped(&self, out: &mut impl Write) -> io::Result<()> {
        let lines: u64 = self.skipped.values().sum();
        if lines > 0 {
            let reasons = self
                .skipped
                .iter()
                .map(|(reason, lines)| format!("{lines} {reason}"));
            writeln!(
                out,
                "{lines} lines skipped: {}",
                reasons.collect::<Vec<_>>().join(", ")
            )?;
        }
        Ok(())
    }
}

impl Row {
    /// A `cleared` is the end of an episode, not a reading on which the rule fired.
    fn count(&mut self, event: &QualityEvent) {
        match event.transition() {
            Some(Transition::Opened) => self.episodes += 1,
            Some(Transition::Ongoing) => {}
            Some(Transition::Cleared) | None => return,
        }
        self.fired += 1;
        self.first = self.first.into_iter().chain([event.time]).min();
        self.last = self.last.into_iter().chain([event.time]).max();
        self.machines.insert(event.machine.clone());
    }

    fn cells(&self, readings: u64) -> [String; 9] {
        let time =
            |time: Option<Timestamp>| time.map_or_else(|| "-".into(), |time| time.to_string());
        let share = 100.0 * self.fired as f64 / readings.max(1) as f64;
        [
            self.rule.clone(),
            self.reaction.clone(),
            self.episodes.to_string(),
            self.fired.to_string(),
            format!("{share:.2} %"),
            self.not_applicable.to_string(),
            self.machines.len().to_string(),
            time(self.first),
            time(self.last),
        ]
    }
}
