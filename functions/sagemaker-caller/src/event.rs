//! The events of a reading: scored, or not. Pure.

use std::collections::BTreeMap;

use control_plan::{ControlPlan, Model, Reading, readable};
use quality_event::{
    EventId, Finding, Prediction, QualityEvent, Reaction, Severity, Source, Timestamp,
};

/// What ids of scores hash, and what those of readings without one do: neither overwrites the other.
const SCORED: &str = "prediction";
const UNSCORED: &str = "unscored";

/// A reading that is asked about.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The reading.
    pub reading: Reading,
    /// Where it lies.
    pub source: Source,
    /// When it arrived.
    pub arrived: Timestamp,
    /// Whether it is brought back after its turn.
    pub late: bool,
}

/// What the model said of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// This.
    Score(f64),
    /// Nothing; why.
    None(&'static str),
}

/// The event.
pub fn event(plan: &ControlPlan, model: &Model, asked: Asked, verdict: Verdict) -> QualityEvent {
    let reading = &asked.reading;
    let (kind, score, unscored) = match verdict {
        Verdict::Score(score) => (SCORED, Some(score), None),
        Verdict::None(reason) => (UNSCORED, None, Some(reason)),
    };
    let reached = score.and_then(|score| model.reached(score));
    let summary = match (score, reached, unscored) {
        (Some(score), Some(_), _) => plan.prediction_summary(model, reading, score),
        (Some(score), None, _) => format!(
            "{}: {} is below every threshold (score {})",
            model.id(),
            reading.machine,
            readable(score)
        ),
        (None, ..) => format!(
            "{}: no score for {} ({})",
            model.id(),
            reading.machine,
            unscored.unwrap_or_default()
        ),
    };
    let values: BTreeMap<String, f64> = plan
        .feature_values(model, reading)
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    QualityEvent {
        id: EventId::derive(&asked.source, kind, model.id()),
        finding: Finding::Prediction(Prediction {
            model: model.id().to_owned(),
            score,
            flagged: reached.is_some(),
            unscored: unscored.map(str::to_owned),
        }),
        severity: reached.map_or(Severity::Info, |threshold| threshold.severity),
        reaction: reached.map_or(Reaction::Record, |threshold| threshold.reaction),
        time: reading.time,
        machine: asked.reading.machine,
        line: asked.reading.line,
        arrived: asked.arrived,
        values,
        summary,
        plan: plan.hash().to_owned(),
        late: asked.late,
        source: asked.source,
    }
}
