//! One reading judged: what its rules say, and what follows for their episodes.

use std::collections::BTreeMap;

use control_plan::{ControlPlan, Evidence, Reading, Rule, Sustain, Verdict};
use quality_event::{
    Ended, EventId, Finding, MAX_SUMMARY_CHARS, QualityEvent, Reaction, Severity, Source,
    Timestamp, Transition, Violation, truncated,
};

use crate::episode::Episode;
use crate::memory::{self, Memory, Phase};
use crate::observer::Observer;
use crate::state::MachineState;
use crate::summary;

/// What a reading gives rise to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement<'p> {
    /// The events, in the order of the plan's rules; before them the ends of episodes whose rules are gone.
    pub events: Vec<QualityEvent>,
    /// The rules that could not judge this reading, for lack of a value.
    pub not_applicable: Vec<&'p str>,
    /// Whether the producer sent this reading before: it was not judged.
    pub is_duplicate: bool,
}

/// Judges one reading, made by this plan's `read`, of the machine whose state this is; changes the state.
///
/// `source` and `arrived` say where and when the reading entered the stream.
pub fn judge<'p>(
    plan: &'p ControlPlan,
    state: &mut MachineState,
    reading: &Reading,
    source: &Source,
    arrived: Timestamp,
) -> Judgement<'p> {
    judge_observed(plan, state, reading, source, arrived, &mut ())
}

/// [`judge`], with somebody looking on.
pub fn judge_observed<'p>(
    plan: &'p ControlPlan,
    state: &mut MachineState,
    reading: &Reading,
    source: &Source,
    arrived: Timestamp,
    observer: &mut impl Observer,
) -> Judgement<'p> {
    let mut bench = Bench {
        plan,
        reading,
        source,
        arrived,
        judgement: Judgement::default(),
    };
    if state.has_seen(plan, reading) {
        bench.judgement.is_duplicate = true;
        return bench.judgement;
    }
    for (id, episode) in state.align(plan) {
        let routing = (episode.severity(), episode.reaction());
        bench.clear(&id, &episode, routing, BTreeMap::new());
    }
    for rule in plan.rules() {
        let mut memory = state.take(rule);
        let found = memory::find(rule, &mut memory, reading, observer);
        match found.verdict {
            Verdict::NotApplicable => bench.judgement.not_applicable.push(rule.id()),
            Verdict::Undecided => {}
            Verdict::Fires => bench.fires(rule, &mut memory, &found.evidence),
            Verdict::Passes => bench.passes(rule, &mut memory, &found.evidence),
        }
        state.put(rule, memory);
    }
    bench.judgement
}

/// Judges one reading whose turn is long past: the machine's later readings have been judged. Only rules that need
/// no other reading judge it; what fires is told as `late`, outside any episode.
pub fn judge_late<'p>(
    plan: &'p ControlPlan,
    reading: &Reading,
    source: &Source,
    arrived: Timestamp,
) -> Judgement<'p> {
    let mut bench = Bench {
        plan,
        reading,
        source,
        arrived,
        judgement: Judgement::default(),
    };
    for rule in plan
        .rules()
        .filter(|rule| !rule.has_memory() && rule.sustain().is_none())
    {
        match rule.verdict(reading, &[]) {
            Verdict::NotApplicable => bench.judgement.not_applicable.push(rule.id()),
            Verdict::Fires => bench.emit_late(rule),
            Verdict::Passes | Verdict::Undecided => {}
        }
    }
    bench.judgement
}

/// One reading on the bench.
struct Bench<'p, 'r> {
    plan: &'p ControlPlan,
    reading: &'r Reading,
    source: &'r Source,
    arrived: Timestamp,
    judgement: Judgement<'p>,
}

impl Bench<'_, '_> {
    fn fires(&mut self, rule: Rule<'_>, memory: &mut Option<Box<Memory>>, evidence: &Evidence) {
        let phase = &mut memory
            .get_or_insert_with(|| Box::new(Memory::of(rule)))
            .phase;
        *phase = match std::mem::take(phase) {
            Phase::Open(mut episode) => {
                episode.count(rule, self.reading, evidence);
                self.emit_firing(rule, Transition::Ongoing, episode.id(), evidence);
                Phase::Open(episode)
            }
            waiting => match self.pending(rule, &waiting) {
                Some(pending) => pending,
                None => {
                    let id = self.id(rule.id());
                    let episode = Episode::open(&id, rule, self.reading, evidence);
                    self.emit_firing(rule, Transition::Opened, id, evidence);
                    Phase::Open(episode)
                }
            },
        };
    }

    /// The progress of `for` with this reading; none once it is complete.
    fn pending(&self, rule: Rule<'_>, before: &Phase) -> Option<Phase> {
        let now_ms = self.reading.time.as_millis();
        let (readings, since_ms) = match before {
            Phase::Pending { readings, since_ms } => (readings.saturating_add(1), *since_ms),
            _ => (1, now_ms),
        };
        let complete = match rule.sustain() {
            None => true,
            Some(Sustain::Readings(wanted)) => readings >= wanted,
            Some(Sustain::Millis(wanted)) => now_ms - since_ms >= wanted,
        };
        (!complete).then_some(Phase::Pending { readings, since_ms })
    }

    fn passes(&mut self, rule: Rule<'_>, memory: &mut Option<Box<Memory>>, evidence: &Evidence) {
        let Some(memory) = memory else { return };
        if let Phase::Open(episode) = std::mem::take(&mut memory.phase) {
            self.clear(
                rule.id(),
                &episode,
                (rule.severity(), rule.reaction()),
                self.values(rule, evidence),
            );
        }
    }

    fn emit_firing(
        &mut self,
        rule: Rule<'_>,
        transition: Transition,
        episode: EventId,
        evidence: &Evidence,
    ) {
        let tests = match evidence {
            Evidence::Chart(point) => point
                .fired
                .iter()
                .map(|test| test.as_str().to_owned())
                .collect(),
            _ => Vec::new(),
        };
        let violation = Violation {
            rule: rule.id().to_owned(),
            transition: Some(transition),
            episode: Some(episode),
            tests,
            ended: None,
        };
        let summary = rule.summary(self.reading, evidence);
        self.emit(
            violation,
            (rule.severity(), rule.reaction()),
            self.values(rule, evidence),
            &summary,
        );
    }

    fn emit_late(&mut self, rule: Rule<'_>) {
        let violation = Violation {
            rule: rule.id().to_owned(),
            transition: None,
            episode: None,
            tests: Vec::new(),
            ended: None,
        };
        let evidence = Evidence::Reading;
        let summary = rule.summary(self.reading, &evidence);
        self.emit(
            violation,
            (rule.severity(), rule.reaction()),
            self.values(rule, &evidence),
            &summary,
        );
        if let Some(event) = self.judgement.events.last_mut() {
            event.late = true;
        }
    }

    fn clear(
        &mut self,
        rule: &str,
        episode: &Episode,
        routing: (Severity, Reaction),
        values: BTreeMap<String, f64>,
    ) {
        let ended: Ended = episode.ended(self.reading.time);
        let summary = summary::cleared(self.plan, rule, &self.reading.machine, &ended);
        let violation = Violation {
            rule: rule.to_owned(),
            transition: Some(Transition::Cleared),
            episode: Some(episode.id()),
            tests: Vec::new(),
            ended: Some(ended),
        };
        self.emit(violation, routing, values, &summary);
    }

    fn emit(
        &mut self,
        violation: Violation,
        (severity, reaction): (Severity, Reaction),
        values: BTreeMap<String, f64>,
        summary: &str,
    ) {
        self.judgement.events.push(QualityEvent {
            id: self.id(&violation.rule),
            finding: Finding::Violation(violation),
            severity,
            reaction,
            machine: self.reading.machine.clone(),
            line: self.reading.line.clone(),
            time: self.reading.time,
            arrived: self.arrived,
            values,
            summary: truncated(summary, MAX_SUMMARY_CHARS).into_owned(),
            plan: self.plan.hash().to_owned(),
            late: false,
            source: self.source.clone(),
        });
    }

    fn values(&self, rule: Rule<'_>, evidence: &Evidence) -> BTreeMap<String, f64> {
        rule.values(self.reading, evidence)
            .into_iter()
            .map(|(name, value)| (name.into_owned(), value))
            .collect()
    }

    fn id(&self, rule: &str) -> EventId {
        EventId::derive(self.source, "violation", rule)
    }
}
