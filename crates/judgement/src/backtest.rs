//! A plan tried on recorded readings: the same judging as in production, with the states in memory.

use std::collections::BTreeMap;

use control_plan::{ControlPlan, Unreadable};
use quality_event::{QualityEvent, Source};

use crate::capability::{Capabilities, RuleCapability};
use crate::judge::judge_observed;
use crate::observer::Observer;
use crate::state::MachineState;

/// A run of a plan over the lines of a file.
#[derive(Debug)]
pub struct Backtest<'p> {
    plan: &'p ControlPlan,
    file: String,
    machines: BTreeMap<String, MachineState>,
    tally: Tally,
    capabilities: Capabilities,
}

/// What a run has counted so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines judged.
    pub readings: u64,
    /// Lines that are no reading, by reason.
    pub unreadable: BTreeMap<&'static str, u64>,
    /// Lines that repeat a reading, by its id; they are not judged.
    pub duplicates: u64,
    /// Readings that a rule could not judge, by rule.
    pub not_applicable: BTreeMap<String, u64>,
}

impl<'p> Backtest<'p> {
    /// A run over `file`, whose name becomes the events' source.
    pub fn new(plan: &'p ControlPlan, file: impl Into<String>) -> Self {
        Self {
            plan,
            file: file.into(),
            machines: BTreeMap::new(),
            tally: Tally::default(),
            capabilities: Capabilities::default(),
        }
    }

    /// Judges one line, numbered from 1. It counts as arrived at the reading's own time.
    ///
    /// A blank line gives nothing; one that is no reading is counted and told.
    pub fn line(&mut self, number: u64, bytes: &[u8]) -> Result<Vec<QualityEvent>, Unreadable> {
        self.line_observed(number, bytes, &mut ())
    }

    /// [`line`](Self::line), with somebody looking on.
    pub fn line_observed(
        &mut self,
        number: u64,
        bytes: &[u8],
        observer: &mut impl Observer,
    ) -> Result<Vec<QualityEvent>, Unreadable> {
        if bytes.trim_ascii().is_empty() {
            return Ok(Vec::new());
        }
        let reading = self.plan.read(bytes).inspect_err(|unreadable| {
            *self
                .tally
                .unreadable
                .entry(unreadable.reason())
                .or_default() += 1;
        })?;
        let source = Source::File {
            file: self.file.clone(),
            line: number,
        };
        let mut state = self.machines.remove(&reading.machine).unwrap_or_default();
        let judgement = judge_observed(
            self.plan,
            &mut state,
            &reading,
            &source,
            reading.time,
            observer,
        );
        if judgement.is_duplicate {
            self.tally.duplicates += 1;
        } else {
            self.tally.readings += 1;
            self.capabilities.take(self.plan, &reading);
        }
        if !state.is_empty() {
            self.machines.insert(reading.machine, state);
        }
        for rule in judgement.not_applicable {
            match self.tally.not_applicable.get_mut(rule) {
                Some(count) => *count += 1,
                None => {
                    self.tally.not_applicable.insert(rule.to_owned(), 1);
                }
            }
        }
        Ok(judgement.events)
    }

    /// Judges numbered lines as they come: each line's number with its events, or why it is no reading.
    pub fn lines<B: AsRef<[u8]>>(
        &mut self,
        lines: impl IntoIterator<Item = (u64, B)>,
    ) -> impl Iterator<Item = (u64, Result<Vec<QualityEvent>, Unreadable>)> {
        lines
            .into_iter()
            .map(|(number, bytes)| (number, self.line(number, bytes.as_ref())))
    }

    /// How well each specification has been kept so far: for each rule all machines together, then each machine.
    pub fn capabilities(&self) -> Vec<RuleCapability<'_>> {
        self.capabilities.report(self.plan)
    }

    /// What has been counted so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }
}
