//! One reading judged: what its rules say, and what follows for their episodes.

use std::collections::BTreeMap;

use control_plan::{ControlPlan, Reading, Rule, Sustain, Verdict};
use quality_event::{
    Ended, EventId, Finding, MAX_SUMMARY_CHARS, QualityEvent, Reaction, Severity, Source,
    Timestamp, Transition, Violation, truncated,
};

use crate::episode::Episode;
use crate::state::{MachineState, Memory, Phase};
use crate::summary;

/// What a reading gives rise to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement<'p> {
    /// The events, in the order of the plan's rules; before them the ends of episodes whose rules are gone.
    pub events: Vec<QualityEvent>,
    /// The rules that could not judge this reading, for lack of a value.
    pub not_applicable: Vec<&'p str>,
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
    let mut bench = Bench {
        plan,
        reading,
        source,
        arrived,
        judgement: Judgement::default(),
    };
    if !state.is_empty() {
        bench.drop_gone_rules(state);
    }
    for rule in plan.rules() {
        match rule.verdict(reading) {
            Verdict::NotApplicable => bench.judgement.not_applicable.push(rule.id()),
            Verdict::Fires => bench.fires(state, rule),
            Verdict::Passes if state.is_empty() => {}
            Verdict::Passes => bench.passes(state, rule),
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
    fn drop_gone_rules(&mut self, state: &mut MachineState) {
        let gone = state
            .rules
            .extract_if(.., |id, _| self.plan.rule(id).is_none())
            .collect::<Vec<_>>();
        for (id, memory) in gone {
            if let Phase::Open(episode) = memory.phase {
                self.clear(
                    &id,
                    &episode,
                    (episode.severity(), episode.reaction()),
                    BTreeMap::new(),
                );
            }
        }
    }

    fn fires(&mut self, state: &mut MachineState, rule: Rule<'_>) {
        let definition = rule.definition().to_be_bytes();
        let mut phase = state
            .rules
            .remove(rule.id())
            .and_then(|memory| match memory.phase {
                Phase::Pending { .. } if memory.definition != definition => None,
                phase => Some(phase),
            });
        let phase = match phase.take() {
            Some(Phase::Open(mut episode)) => {
                episode.count(&rule, self.reading);
                self.emit_firing(rule, Transition::Ongoing, episode.id());
                Phase::Open(episode)
            }
            pending => match self.pending(rule, pending) {
                Some(pending) => pending,
                None => {
                    let id = self.id(rule.id());
                    let episode = Episode::open(&id, &rule, self.reading);
                    self.emit_firing(rule, Transition::Opened, id);
                    Phase::Open(episode)
                }
            },
        };
        state
            .rules
            .insert(rule.id().to_owned(), Memory { definition, phase });
    }

    /// The progress of `for` with this reading; none once it is complete.
    fn pending(&self, rule: Rule<'_>, before: Option<Phase>) -> Option<Phase> {
        let now_ms = self.reading.time.as_millis();
        let (readings, since_ms) = match before {
            Some(Phase::Pending { readings, since_ms }) => (readings.saturating_add(1), since_ms),
            _ => (1, now_ms),
        };
        let complete = match rule.sustain() {
            None => true,
            Some(Sustain::Readings(wanted)) => readings >= wanted,
            Some(Sustain::Millis(wanted)) => now_ms - since_ms >= wanted,
        };
        (!complete).then_some(Phase::Pending { readings, since_ms })
    }

    fn passes(&mut self, state: &mut MachineState, rule: Rule<'_>) {
        if let Some(Memory {
            phase: Phase::Open(episode),
            ..
        }) = state.rules.remove(rule.id())
        {
            self.clear(
                rule.id(),
                &episode,
                (rule.severity(), rule.reaction()),
                self.values(rule),
            );
        }
    }

    fn emit_firing(&mut self, rule: Rule<'_>, transition: Transition, episode: EventId) {
        let violation = Violation {
            rule: rule.id().to_owned(),
            transition: Some(transition),
            episode: Some(episode),
            tests: Vec::new(),
            ended: None,
        };
        let summary = rule.summary(self.reading);
        self.emit(
            violation,
            (rule.severity(), rule.reaction()),
            self.values(rule),
            &summary,
        );
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

    fn values(&self, rule: Rule<'_>) -> BTreeMap<String, f64> {
        rule.values(self.reading)
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn id(&self, rule: &str) -> EventId {
        EventId::derive(self.source, "violation", rule)
    }
}
