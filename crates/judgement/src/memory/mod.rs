//! What one rule remembers of one machine, and what it says of the next reading: one file for each kind of rule.

mod chart;
mod gap;
mod missing;
mod previous;
mod rate;
mod stuck;

use control_plan::{Evidence, Reading, Rule, RuleKind, Verdict};
use quality_event::Timestamp;
use serde::{Deserialize, Serialize};

use crate::episode::Episode;
use crate::observer::Observer;

/// A rule's memory. Blank, it needs not be kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// The definition that trace and progress belong to.
    definition: [u8; 8],
    trace: Trace,
    pub(crate) phase: Phase,
}

/// What a kind of rule needs of the readings before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Trace {
    #[default]
    None,
    Previous(previous::Previous),
    Chart(Box<chart::Charted>),
    Rate(rate::Latest),
    Stuck(stuck::Run),
    Missing(missing::Missed),
    Gap(gap::Latest),
}

/// Where a rule stands between passing and an open episode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Phase {
    #[default]
    Quiet,
    /// Fires, but not yet for long enough.
    Pending {
        /// Readings in the row.
        readings: u32,
        /// The time of the first, in milliseconds.
        since_ms: i64,
    },
    Open(Episode),
}

/// What a rule says of a reading, and what it saw.
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    pub(crate) evidence: Evidence,
}

impl Finding {
    fn new(verdict: impl Into<Verdict>, evidence: Evidence) -> Self {
        Self {
            verdict: verdict.into(),
            evidence,
        }
    }

    fn of_reading(verdict: impl Into<Verdict>) -> Self {
        Self::new(verdict, Evidence::Reading)
    }
}

/// What `rule` says of `reading`; takes the reading into its memory, which is there for rules that need one.
pub(crate) fn find(
    rule: Rule<'_>,
    memory: &mut Option<Box<Memory>>,
    reading: &Reading,
    observer: &mut impl Observer,
) -> Finding {
    if !rule.has_memory() {
        return Finding::of_reading(rule.verdict(reading, &[]));
    }
    let trace = &mut memory
        .get_or_insert_with(|| Box::new(Memory::of(rule)))
        .trace;
    match rule.kind() {
        RuleKind::When(when) => part(trace, Trace::Previous, |trace| match trace {
            Trace::Previous(previous) => Some(previous),
            _ => None,
        })
        .map(|previous| previous.find(rule, when, reading)),
        RuleKind::Chart(chart) => part(trace, Trace::Chart, |trace| match trace {
            Trace::Chart(charted) => Some(charted),
            _ => None,
        })
        .map(|charted| charted.find(rule, chart, reading, observer)),
        RuleKind::Rate(rate) => part(trace, Trace::Rate, |trace| match trace {
            Trace::Rate(latest) => Some(latest),
            _ => None,
        })
        .map(|latest| latest.find(rate, reading)),
        RuleKind::Stuck(stuck) => part(trace, Trace::Stuck, |trace| match trace {
            Trace::Stuck(run) => Some(run),
            _ => None,
        })
        .map(|run| run.find(stuck, reading)),
        RuleKind::Missing(missing) => part(trace, Trace::Missing, |trace| match trace {
            Trace::Missing(missed) => Some(missed),
            _ => None,
        })
        .map(|missed| missed.find(missing, reading)),
        RuleKind::Gap(gap) => part(trace, Trace::Gap, |trace| match trace {
            Trace::Gap(latest) => Some(latest),
            _ => None,
        })
        .map(|latest| latest.find(gap, reading)),
        _ => None,
    }
    .unwrap_or_else(|| Finding::of_reading(rule.verdict(reading, &[])))
}

/// The trace of one kind; what another kind left there (a digest that collided, bytes that were tampered with)
/// starts afresh.
fn part<P: Default>(
    trace: &mut Trace,
    fresh: fn(P) -> Trace,
    get: fn(&mut Trace) -> Option<&mut P>,
) -> Option<&mut P> {
    if get(trace).is_none() {
        *trace = fresh(P::default());
    }
    get(trace)
}

impl Memory {
    pub(crate) fn of(rule: Rule<'_>) -> Self {
        Self {
            definition: rule.definition().to_be_bytes(),
            trace: Trace::None,
            phase: Phase::Quiet,
        }
    }

    /// Makes it a memory of `rule` as it now is: what belongs to another definition is forgotten, but for an open
    /// episode.
    pub(crate) fn adapt(&mut self, rule: Rule<'_>) {
        if self.definition == rule.definition().to_be_bytes() {
            return;
        }
        self.definition = rule.definition().to_be_bytes();
        self.restart();
        if let Phase::Open(episode) = &mut self.phase {
            episode.adapt(rule);
        }
    }

    /// Forgets everything but an open episode.
    pub(crate) fn restart(&mut self) {
        self.trace = Trace::None;
        if let Phase::Pending { .. } = self.phase {
            self.phase = Phase::Quiet;
        }
    }

    /// Whether a new memory would judge alike.
    pub(crate) fn is_blank(&self) -> bool {
        self.phase == Phase::Quiet
            && match &self.trace {
                Trace::None => true,
                Trace::Previous(previous) => previous.is_blank(),
                Trace::Missing(missed) => missed.is_blank(),
                Trace::Chart(charted) => charted.is_blank(),
                Trace::Rate(latest) => latest.is_blank(),
                Trace::Stuck(run) => run.is_blank(),
                Trace::Gap(latest) => latest.is_blank(),
            }
    }

    pub(crate) fn into_episode(self) -> Option<Episode> {
        match self.phase {
            Phase::Open(episode) => Some(episode),
            Phase::Quiet | Phase::Pending { .. } => None,
        }
    }

    pub(crate) fn is_plausible(&self) -> bool {
        let phase = match &self.phase {
            Phase::Quiet => true,
            Phase::Pending { since_ms, .. } => is_time(*since_ms),
            Phase::Open(episode) => episode.is_plausible(),
        };
        let trace = match &self.trace {
            Trace::None => true,
            Trace::Previous(previous) => previous.is_plausible(),
            Trace::Missing(missed) => missed.is_plausible(),
            Trace::Chart(charted) => charted.is_plausible(),
            Trace::Rate(latest) => latest.is_plausible(),
            Trace::Stuck(run) => run.is_plausible(),
            Trace::Gap(latest) => latest.is_plausible(),
        };
        phase && trace
    }
}

fn is_time(ms: i64) -> bool {
    Timestamp::from_millis(ms).is_ok()
}
