//! The drafted plan as YAML, each part with the numbers it came from.

use std::fmt::Write as _;

use control_plan::readable;
use quality_event::Timestamp;

use super::names::{Names, labelled};
use super::profile::{MAX_SILENCE, Profile, Silence, silence};
use super::roles::{Role, Roles, instant, names};
use super::rules::write_rules;
use super::scan::{Cell, Column, MAX_READINGS, Scan};
use super::yaml::{comment, scalar};

/// Texts that a plan's conditions may ask for have no more different values.
const MAX_ATTRIBUTE_TEXTS: usize = 40;

/// As many attributes as a plan takes.
const MAX_ATTRIBUTES: usize = 100;

/// A pointer that leads to a value in fewer readings than one in so many is an accident.
const RARE: usize = 100;

/// What is drafted from one scan.
#[derive(Debug)]
pub(super) struct Draft<'s> {
    scan: &'s Scan,
    roles: &'s Roles,
    machines: Vec<Vec<usize>>,
    attributes: Vec<(String, usize)>,
    characteristics: Vec<Characteristic>,
    left_out: Vec<(usize, String)>,
    span: Option<(i64, i64)>,
    silence: Option<Silence>,
}

/// A characteristic of the draft.
#[derive(Debug)]
pub(super) struct Characteristic {
    pub(super) name: String,
    unit: Option<String>,
    column: usize,
    pub(super) profile: Profile,
}

/// How much is drafted: a plan's state is bounded, and a file may have hundreds of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extent {
    /// Charts and limits of so many characteristics, and `gap`.
    Few(usize),
    Limits,
    WithStuck,
    /// `missing` too.
    Full,
}

impl Extent {
    /// From everything to next to nothing.
    pub(super) const ALL: [Self; 5] = [
        Self::Full,
        Self::WithStuck,
        Self::Limits,
        Self::Few(50),
        Self::Few(10),
    ];
}

impl<'s> Draft<'s> {
    pub(super) fn new(scan: &'s Scan, roles: &'s Roles) -> Self {
        let machines = by_machine(scan, roles);
        let time = &scan.columns[roles.time.column];
        let times: Vec<Vec<i64>> = machines
            .iter()
            .map(|readings| {
                let cells = readings.iter().map(|reading| time.cell(*reading));
                cells.filter_map(|cell| instant(time, cell)).collect()
            })
            .collect();
        let span = times.iter().flatten().min().copied();
        let mut draft = Self {
            span: span.zip(times.iter().flatten().max().copied()),
            silence: silence(&times),
            scan,
            roles,
            machines,
            attributes: Vec::new(),
            characteristics: Vec::new(),
            left_out: Vec::new(),
        };
        draft.sort_columns();
        draft
    }

    /// Whether there is anything to judge.
    pub(super) fn is_empty(&self) -> bool {
        self.characteristics.is_empty()
    }

    fn sort_columns(&mut self) {
        let mut names = Names::default();
        let taken = [
            Some(self.roles.machine.column),
            Some(self.roles.time.column),
            self.roles.line.as_ref().map(|role| role.column),
            self.roles.id.as_ref().map(|role| role.column),
        ];
        for (at, column) in self.scan.columns.iter().enumerate() {
            if taken.contains(&Some(at)) {
                continue;
            }
            let (mut numbers, mut all) = (0, 0);
            for cell in column.present() {
                all += 1;
                numbers += usize::from(matches!(cell, Cell::Number(_) | Cell::Decimal(_)));
            }
            if all * RARE < self.scan.readings || all == 0 {
                let reason = format!("in {all} of {} readings", self.scan.readings);
                self.left_out.push((at, reason));
            } else if numbers * 10 >= all * 9 {
                if let Some(profile) = Profile::of(&self.values(column)) {
                    let last = column.tokens.last().map_or("", String::as_str);
                    self.characteristics.push(Characteristic {
                        name: names.name(&column.tokens),
                        unit: labelled(last).1.map(str::to_owned),
                        column: at,
                        profile,
                    });
                }
            } else if numbers > 0 {
                let reason = format!("{numbers} numbers among {all} values");
                self.left_out.push((at, reason));
            } else if column.texts.len() > MAX_ATTRIBUTE_TEXTS {
                let reason = format!("{} different texts", column.texts.len());
                self.left_out.push((at, reason));
            } else if column
                .texts
                .iter()
                .any(|text| text.trim().parse::<f64>().is_ok())
            {
                let reason = "numbers in quotes, which a plan reads as texts".to_owned();
                self.left_out.push((at, reason));
            } else if self.attributes.len() == MAX_ATTRIBUTES {
                let reason = format!("a plan takes {MAX_ATTRIBUTES} attributes");
                self.left_out.push((at, reason));
            } else {
                self.attributes.push((names.name(&column.tokens), at));
            }
        }
    }

    /// By machine and reading.
    fn values(&self, column: &Column) -> Vec<Vec<Option<f64>>> {
        let value = |reading: &usize| match column.cell(*reading) {
            Cell::Number(number) | Cell::Decimal(number) => Some(number),
            _ => None,
        };
        self.machines
            .iter()
            .map(|readings| readings.iter().map(value).collect())
            .collect()
    }

    /// The plan.
    pub(super) fn text(&self, source: &str, extent: Extent) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut out, source, extent);
        out
    }

    fn write(&self, out: &mut String, source: &str, extent: Extent) -> std::fmt::Result {
        self.write_head(out, source)?;
        self.write_reading(out)?;
        writeln!(
            out,
            "\n# What is measured. Units are for people; add those that are missing, as in {{at: /torque, unit: Nm}}."
        )?;
        writeln!(out, "characteristics:")?;
        for known in &self.characteristics {
            let unit = known
                .unit
                .as_ref()
                .map_or(String::new(), |unit| format!(", unit: {}", scalar(unit)));
            writeln!(
                out,
                "  {}: {{at: {}{unit}}}  # {}",
                known.name,
                scalar(&self.scan.columns[known.column].pointer()),
                facts(&known.profile)
            )?;
        }
        writeln!(
            out,
            "\n# Reactions are `record` at first: raise them to `notify` or `stop-line` once a rule has proved itself."
        )?;
        writeln!(out, "rules:")?;
        let most = match extent {
            Extent::Few(most) => most,
            _ => usize::MAX,
        };
        for known in self.characteristics.iter().take(most) {
            write_rules(out, known, extent)?;
        }
        if self.characteristics.len() > most {
            writeln!(
                out,
                "\n  # No rules for the other {} characteristics: a plan's state is bounded.",
                self.characteristics.len() - most
            )?;
        }
        self.write_gap(out)
    }

    fn write_head(&self, out: &mut String, source: &str) -> std::fmt::Result {
        let time = |ms: i64| Timestamp::from_millis(ms).map_or(String::new(), |t| t.to_string());
        let span = self.span.map_or(String::new(), |(from, to)| {
            format!(", {} to {}", time(from), time(to))
        });
        writeln!(
            out,
            "# Control plan drafted from {}: {} readings of {} machines{span}.",
            comment(source),
            self.scan.readings,
            self.machines.len()
        )?;
        if self.scan.is_partial {
            writeln!(
                out,
                "# The file has more: the first {MAX_READINGS} readings and 500 pointers were looked at."
            )?;
        }
        let skipped: u64 = self.scan.skipped.values().sum();
        if skipped > 0 {
            let reasons: Vec<String> = self
                .scan
                .skipped
                .iter()
                .map(|(reason, lines)| format!("{lines} {reason}"))
                .collect();
            writeln!(out, "# {skipped} lines skipped: {}.", reasons.join(", "))?;
        }
        writeln!(
            out,
            "#
# EVERYTHING HERE IS A SUGGESTION, computed from these readings with whatever faults they hold. Limits that come from
# data say what the process does, not what the product needs: put the drawing's in their place, and delete the rules
# that nobody would act on. Then
#   andon plan check FILE
#   andon plan backtest --plan FILE --readings {}
version: 1",
            comment(source)
        )
    }

    fn write_reading(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "\n# Where things stand in a reading, as guessed.\nreading:"
        )?;
        let mut role = |key: &str, role: &Role| {
            writeln!(
                out,
                "  {key}: {}  # {}",
                scalar(&self.scan.columns[role.column].pointer()),
                comment(&role.reason)
            )
        };
        role("machine", &self.roles.machine)?;
        role("time", &self.roles.time)?;
        if let Some(line) = &self.roles.line {
            role("line", line)?;
        }
        if let Some(id) = &self.roles.id {
            role("id", id)?;
        }
        if !self.attributes.is_empty() {
            writeln!(out, "  attributes:")?;
        }
        for (name, column) in &self.attributes {
            let column = &self.scan.columns[*column];
            writeln!(
                out,
                "    {name}: {}  # {}",
                scalar(&column.pointer()),
                comment(&texts(column))
            )?;
        }
        for (column, reason) in &self.left_out {
            let pointer = self.scan.columns[*column].pointer();
            writeln!(
                out,
                "# left out: {}: {}",
                comment(&pointer),
                comment(reason)
            )?;
        }
        Ok(())
    }

    fn write_gap(&self, out: &mut String) -> std::fmt::Result {
        let Some(silence) = self.silence else {
            return writeln!(
                out,
                "\n  # A reading after a silence of a day.\n  - id: gap\n    gap: {{seconds: 86400}}\n    reaction: record"
            );
        };
        writeln!(
            out,
            "\n  # A machine's readings usually come every {} s; {} longer silences in the file.",
            readable(silence.usual),
            silence.longer
        )?;
        if 5.0 * silence.usual > MAX_SILENCE {
            writeln!(
                out,
                "  # A plan waits a week at most, which is less than five times as long as usual."
            )?;
        }
        writeln!(
            out,
            "  - id: gap\n    gap: {{seconds: {}}}\n    reaction: record",
            silence.seconds
        )
    }
}

/// The readings of each machine, in order.
fn by_machine(scan: &Scan, roles: &Roles) -> Vec<Vec<usize>> {
    let column = &scan.columns[roles.machine.column];
    let order: Vec<String> = names(scan, column).into_iter().collect();
    let mut machines = vec![Vec::new(); order.len()];
    for reading in 0..scan.readings {
        let machine = column.name(reading);
        if let Some(at) = machine.and_then(|machine| order.binary_search(&machine).ok()) {
            machines[at].push(reading);
        }
    }
    machines
}

fn facts(profile: &Profile) -> String {
    let mut facts = format!(
        "n {}, median {}, min {}, max {}",
        profile.values,
        readable(profile.median),
        readable(profile.min),
        readable(profile.max)
    );
    if profile.missing > 0 {
        let _ = write!(facts, "; missing in {} readings", profile.missing);
    }
    facts
}

fn texts(column: &Column) -> String {
    if column.texts.is_empty() {
        return "true or false".to_owned();
    }
    let mut texts = column.texts.clone();
    texts.sort();
    let more = texts.len().saturating_sub(8);
    texts.truncate(8);
    let listed = texts.join(", ");
    match (texts.len(), more) {
        (1, _) => format!("always {listed}"),
        (all, 0) => format!("{all} texts: {listed}"),
        (shown, more) => format!("{} texts: {listed} and {more} more", shown + more),
    }
}
