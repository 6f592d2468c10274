//! Looks on while readings are judged: which charts are still learning, and what they would show on paper.

use std::collections::BTreeMap;

use control_chart::{Baseline, Observed};
use control_plan::{ControlPlan, Reading, Rule, RuleKind};
use judgement::{ChartStep, Observer, Restart};
use serde::Serialize;

use super::sheets::Sheets;

/// A chart whose phase I is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Learning {
    /// The rule's id.
    pub rule: String,
    /// The machine.
    pub machine: String,
    /// Readings, or subgroups, since phase I began; some may have been left out.
    pub seen: u32,
    /// How many phase I takes in.
    pub wanted: u32,
}

/// Looks on.
pub struct Watch<'p> {
    /// By place of the rule in the plan, then by machine: readings of phase I, as long as it lasts.
    learning: Vec<BTreeMap<String, u32>>,
    plan: &'p ControlPlan,
    /// The charts to be drawn, if any are.
    pub sheets: Option<Sheets<'p>>,
}

impl<'p> Watch<'p> {
    /// Nothing seen yet.
    pub fn new(plan: &'p ControlPlan, sheets: Option<Sheets<'p>>) -> Self {
        Self {
            learning: vec![BTreeMap::new(); plan.rules().len()],
            plan,
            sheets,
        }
    }

    /// The charts that are still learning, in the order of the plan.
    pub fn learning(&self) -> Vec<Learning> {
        let mut found = Vec::new();
        for (rule, machines) in self.plan.rules().zip(&self.learning) {
            let RuleKind::Chart(chart) = rule.kind() else {
                continue;
            };
            let Baseline::Learned { points } = chart.chart.baseline() else {
                continue;
            };
            found.extend(machines.iter().map(|(machine, seen)| Learning {
                rule: rule.id().to_owned(),
                machine: machine.clone(),
                seen: *seen,
                wanted: points,
            }));
        }
        found
    }
}

impl Observer for Watch<'_> {
    fn chart(&mut self, rule: Rule<'_>, reading: &Reading, step: &ChartStep<'_>) {
        if let Some(machines) = self.learning.get_mut(rule.index()) {
            if step.restart == Some(Restart::Learning) {
                machines.remove(&reading.machine);
            }
            match step.observed {
                Observed::Learning => match machines.get_mut(&reading.machine) {
                    Some(seen) => *seen += 1,
                    None => {
                        machines.insert(reading.machine.clone(), 1);
                    }
                },
                Observed::Point(_) => {
                    machines.remove(&reading.machine);
                }
                Observed::Gathering | Observed::Unusable => {}
            }
        }
        if let Some(sheets) = &mut self.sheets {
            sheets.take(rule, reading, step);
        }
    }
}
