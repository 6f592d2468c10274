//! What a backtest found, rule by rule: the numbers, before they are written as text or as JSON.

use std::collections::{BTreeMap, BTreeSet};

use control_plan::ControlPlan;
use judgement::{RuleCapability, Tally};
use quality_event::{Finding, QualityEvent, Timestamp, Transition};
use serde::Serialize;

use super::watch::Learning;
use crate::plot::pareto::{self, Bar};

/// A run's result; as JSON, what `--summary` writes.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// The plan that judged.
    pub plan: PlanFile,
    /// What it judged.
    pub readings: ReadingsFile,
    /// In the order of the plan; every rule has its row, fired or not.
    pub rules: Vec<Row>,
    /// The rules that fired, most episodes first.
    pub pareto: Vec<Share>,
    /// Specification rules: all machines together, then each.
    pub capability: Vec<Capability>,
    /// Charts whose phase I was not over at the end.
    pub learning: Vec<Learning>,
    /// Episodes that have not been cleared, by rule and machine, with their opening and their last reading.
    #[serde(skip)]
    open: BTreeMap<(usize, String), (Timestamp, Timestamp)>,
    #[serde(skip)]
    by_id: BTreeMap<String, usize>,
}

/// The plan's file.
#[derive(Debug, Serialize)]
pub struct PlanFile {
    /// As it was given.
    pub file: String,
    /// As quality events carry it.
    pub hash: String,
}

/// The readings' file.
#[derive(Debug, Serialize)]
pub struct ReadingsFile {
    /// As it was given.
    pub file: String,
    /// Lines that were readings.
    pub judged: u64,
    /// Lines that were none, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Readings that had been sent before, and were not judged again.
    pub duplicates: u64,
}

/// One rule's counts.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The rule's id.
    pub rule: String,
    /// The key that makes it a rule of its kind.
    pub kind: &'static str,
    /// As in the plan.
    pub severity: String,
    /// As in the plan.
    pub reaction: String,
    /// Episodes opened.
    pub episodes: u64,
    /// Readings within episodes.
    pub readings: u64,
    /// Their share of all readings, 0 to 1.
    pub share: f64,
    /// Readings that it could not judge.
    pub not_applicable: u64,
    /// The longest episode in milliseconds of reading time; one that is still open, up to its last reading. Null
    /// without an episode.
    pub longest_ms: Option<i64>,
    /// Machines on which it fired.
    pub machines: u64,
    /// The time of the first reading within an episode.
    pub first: Option<Timestamp>,
    /// The time of the last one.
    pub last: Option<Timestamp>,
    #[serde(skip)]
    fired_on: BTreeSet<String>,
}

/// One rule's part of all episodes.
#[derive(Debug, Serialize)]
pub struct Share {
    /// The rule's id.
    pub rule: String,
    /// Its episodes.
    pub episodes: u64,
    /// Their share of all episodes, 0 to 1.
    pub share: f64,
    /// The share of this rule's and all earlier ones'.
    pub cumulative: f64,
}

/// How well one process, or all together, keeps a specification.
#[derive(Clone, Debug, Serialize)]
pub struct Capability {
    /// The rule's id.
    pub rule: String,
    /// Null: all machines together.
    pub machine: Option<String>,
    /// Values.
    pub n: u64,
    /// Their mean; null without a value.
    pub mean: Option<f64>,
    /// Their standard deviation.
    pub sigma: Option<f64>,
    /// The width of the specification over six sigma; null without both limits.
    pub pp: Option<f64>,
    /// The distance of the mean from the nearer limit over three sigma.
    pub ppk: Option<f64>,
    /// As `pp`, with the sigma within subgroups; null without `subgroup`.
    pub cp: Option<f64>,
    /// As `ppk`, likewise.
    pub cpk: Option<f64>,
}

impl Summary {
    /// Nothing counted yet.
    pub fn new(plan: &ControlPlan, plan_file: String, readings_file: String) -> Self {
        let rules = plan.rules().map(|rule| Row {
            rule: rule.id().to_owned(),
            kind: rule.kind().as_str(),
            severity: rule.severity().to_string(),
            reaction: rule.reaction().to_string(),
            episodes: 0,
            readings: 0,
            share: 0.0,
            not_applicable: 0,
            longest_ms: None,
            machines: 0,
            first: None,
            last: None,
            fired_on: BTreeSet::new(),
        });
        let rules: Vec<Row> = rules.collect();
        Self {
            plan: PlanFile {
                file: plan_file,
                hash: plan.hash().to_owned(),
            },
            readings: ReadingsFile {
                file: readings_file,
                judged: 0,
                skipped: BTreeMap::new(),
                duplicates: 0,
            },
            by_id: rules
                .iter()
                .enumerate()
                .map(|(at, row)| (row.rule.clone(), at))
                .collect(),
            rules,
            pareto: Vec::new(),
            capability: Vec::new(),
            learning: Vec::new(),
            open: BTreeMap::new(),
        }
    }

    /// Counts an event.
    pub fn count(&mut self, event: &QualityEvent) {
        let Some(&at) = self.by_id.get(event.subject()) else {
            return;
        };
        let row = &mut self.rules[at];
        let key = (at, event.machine.clone());
        match event.transition() {
            Some(Transition::Opened) => {
                row.episodes += 1;
                row.count(event);
                self.open.insert(key, (event.time, event.time));
            }
            Some(Transition::Ongoing) => {
                row.count(event);
                if let Some((_, last)) = self.open.get_mut(&key) {
                    *last = event.time;
                }
            }
            // The end of an episode is no reading on which the rule fired.
            Some(Transition::Cleared) => {
                self.open.remove(&key);
                if let Finding::Violation(violation) = &event.finding
                    && let Some(ended) = &violation.ended
                {
                    row.lasted(ended.duration_ms);
                }
            }
            None => {}
        }
    }

    /// Counts a line that is no reading.
    pub fn skip(&mut self, reason: &'static str) {
        *self.readings.skipped.entry(reason).or_default() += 1;
    }

    /// Takes what the run has counted itself, and draws the conclusions.
    pub fn close(
        &mut self,
        tally: &Tally,
        capabilities: &[RuleCapability<'_>],
        learning: Vec<Learning>,
    ) {
        self.readings.judged = tally.readings;
        self.readings.duplicates = tally.duplicates;
        for (reason, lines) in &tally.unreadable {
            *self.readings.skipped.entry(reason).or_default() += lines;
        }
        for ((at, _), (opened, last)) in std::mem::take(&mut self.open) {
            self.rules[at].lasted(last.millis_since(opened).max(0));
        }
        for row in &mut self.rules {
            let not_applicable = tally.not_applicable.get(&row.rule);
            row.not_applicable = not_applicable.copied().unwrap_or_default();
            row.share = row.readings as f64 / tally.readings.max(1) as f64;
            row.machines = row.fired_on.len() as u64;
        }
        let mut before = 0.0;
        self.pareto = pareto::ranked(&self.bars())
            .into_iter()
            .map(|(bar, cumulative)| Share {
                rule: bar.rule,
                episodes: bar.episodes,
                share: cumulative - std::mem::replace(&mut before, cumulative),
                cumulative,
            })
            .collect();
        self.capability = capabilities.iter().map(Capability::from).collect();
        self.learning = learning;
    }

    /// The rules as bars of a Pareto chart.
    pub fn bars(&self) -> Vec<Bar> {
        let bar = |row: &Row| Bar {
            rule: row.rule.clone(),
            reaction: match row.reaction.as_str() {
                "stop-line" => pareto::Reaction::StopLine,
                "record" => pareto::Reaction::Record,
                _ => pareto::Reaction::Notify,
            },
            episodes: row.episodes,
        };
        self.rules.iter().map(bar).collect()
    }
}

impl Row {
    fn count(&mut self, event: &QualityEvent) {
        self.readings += 1;
        self.first = self.first.into_iter().chain([event.time]).min();
        self.last = self.last.into_iter().chain([event.time]).max();
        if !self.fired_on.contains(&event.machine) {
            self.fired_on.insert(event.machine.clone());
        }
    }

    fn lasted(&mut self, ms: i64) {
        self.longest_ms = self.longest_ms.max(Some(ms));
    }
}

impl From<&RuleCapability<'_>> for Capability {
    fn from(found: &RuleCapability<'_>) -> Self {
        let indices = found.capability.as_ref();
        Self {
            rule: found.rule.to_owned(),
            machine: found.machine.map(str::to_owned),
            n: found.values,
            mean: (found.values > 0).then_some(found.mean),
            sigma: found.standard_deviation,
            pp: indices.and_then(|indices| indices.pp),
            ppk: indices.map(|indices| indices.ppk),
            cp: indices.and_then(|indices| indices.cp),
            cpk: indices.and_then(|indices| indices.cpk),
        }
    }
}

/// The machine that keeps the specification worst, by Ppk; none below two machines.
pub fn worst<'c>(capability: &'c [Capability], rule: &str) -> Option<&'c Capability> {
    let of_machines = || {
        capability
            .iter()
            .filter(|found| found.rule == rule && found.machine.is_some())
    };
    if of_machines().count() < 2 {
        return None;
    }
    let ppk = |found: &&Capability| found.ppk.unwrap_or(f64::INFINITY);
    of_machines().min_by(|a, b| ppk(a).total_cmp(&ppk(b)))
}
