//! How well a process keeps a specification, over the readings of a run: Pp and Ppk, Cp and Cpk.

use std::collections::BTreeMap;

use control_chart::capability::{Capability, Moments, Within};
use control_plan::{ControlPlan, Reading, Rule, RuleKind, Specification};

/// One machine's, or all machines', part of a specification rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleCapability<'c> {
    /// The rule.
    pub rule: &'c str,
    /// The machine; none: all machines together.
    pub machine: Option<&'c str>,
    /// Values that were there.
    pub values: u64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation; none below two values.
    pub standard_deviation: Option<f64>,
    /// The indices; none where nothing varies, or below two values.
    pub capability: Option<Capability>,
}

/// The accumulated values of every specification rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Capabilities {
    /// By place of the rule in the plan, then by machine.
    processes: BTreeMap<usize, BTreeMap<String, Process>>,
}

#[derive(Clone, Debug, Default)]
struct Process {
    overall: Moments,
    within: Option<Within>,
}

impl Capabilities {
    pub(crate) fn take(&mut self, plan: &ControlPlan, reading: &Reading) {
        for (rule, limits) in specifications(plan) {
            let Some(value) = reading.value(limits.characteristic) else {
                continue;
            };
            let machines = self.processes.entry(rule.index()).or_default();
            let process = match machines.get_mut(&reading.machine) {
                Some(process) => process,
                None => machines
                    .entry(reading.machine.clone())
                    .or_insert_with(|| Process::of(limits)),
            };
            process.push(value);
        }
    }

    /// For each specification rule all machines together, then each machine.
    pub(crate) fn report<'c>(&'c self, plan: &'c ControlPlan) -> Vec<RuleCapability<'c>> {
        let mut report = Vec::new();
        for (rule, limits) in specifications(plan) {
            let mut all = Process::of(limits);
            let machines = self.processes.get(&rule.index());
            for process in machines.into_iter().flat_map(BTreeMap::values) {
                all.merge(process);
            }
            report.push(all.report(rule, limits, None));
            for (machine, process) in machines.into_iter().flatten() {
                report.push(process.report(rule, limits, Some(machine)));
            }
        }
        report
    }
}

fn specifications(plan: &ControlPlan) -> impl Iterator<Item = (Rule<'_>, &Specification)> {
    plan.rules().filter_map(|rule| match rule.kind() {
        RuleKind::Specification(limits) => Some((rule, limits)),
        _ => None,
    })
}

impl Process {
    fn of(limits: &Specification) -> Self {
        Self {
            overall: Moments::default(),
            within: limits.subgroup.map(Within::subgroups_of),
        }
    }

    fn push(&mut self, value: f64) {
        self.overall.push(value);
        if let Some(within) = &mut self.within {
            within.push(value);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.overall.merge(&other.overall);
        if let (Some(within), Some(other)) = (&mut self.within, &other.within) {
            within.merge(other);
        }
    }

    fn report<'c>(
        &self,
        rule: Rule<'c>,
        limits: &Specification,
        machine: Option<&'c str>,
    ) -> RuleCapability<'c> {
        RuleCapability {
            rule: rule.id(),
            machine,
            values: self.overall.n(),
            mean: self.overall.mean(),
            standard_deviation: self.overall.standard_deviation(),
            capability: Capability::of(
                (limits.lower, limits.upper),
                &self.overall,
                self.within.as_ref(),
            ),
        }
    }
}
