//! What the events about a model's answers should say, by the plan and past the function. Pure.
//!
//! Made once more is the whole event. Three things in it cannot be known here and are taken from what was published:
//!
//! - the score, so that both sides flag the same number: that it is the model's is checked by itself;
//! - why a whole reading has no score: it depends on the moment and on the endpoint, so any reason that the caller knows will
//!   do; that of a reading without one of the features is always the same;
//! - the summary of what is not flagged: the caller's own words, of which nobody is told.

use std::collections::BTreeMap;

use control_plan::{ControlPlan, Model, Reading};
use quality_event::{Finding, Prediction, QualityEvent, Reaction, Severity, Source, Timestamp};

use super::super::expected::as_published;
use super::{Asked, STALE, agree};

/// A reading that the model is asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What names its events, and the model's answer.
    pub asked: Asked,
    /// What it says.
    pub reading: Reading,
    /// Where it lies.
    pub source: Source,
    /// When its record arrived.
    pub arrived: Timestamp,
    /// Whether it has every feature.
    pub is_whole: bool,
}

/// The reason of a reading without one of the features.
const MISSING_FEATURE: &str = "missing-feature";
/// The reasons that a whole reading may have.
const REASONS: [&str; 4] = [STALE, "not-a-number", "refused-by-model", "breaker-open"];
/// What stands for them where there is another.
const ANY_REASON: &str = "a reason for a reading with every feature";

/// Of every published event of these readings what it should say, by id.
pub fn expected_events(
    plan: &ControlPlan,
    questions: &[Question],
    published: &BTreeMap<String, QualityEvent>,
) -> BTreeMap<String, QualityEvent> {
    let mut expected = BTreeMap::new();
    let Some(model) = plan.model() else {
        return expected;
    };
    for question in questions {
        for id in [&question.asked.scored, &question.asked.unscored] {
            if let Some(published) = published.get(id) {
                expected.insert(id.clone(), question.event(plan, model, published));
            }
        }
    }
    expected
}

impl Question {
    fn event(&self, plan: &ControlPlan, model: &Model, published: &QualityEvent) -> QualityEvent {
        let Self { asked, reading, .. } = self;
        let said = match &published.finding {
            Finding::Prediction(said) => Some(said),
            Finding::Violation(_) => None,
        };
        let is_scored = published.id.as_str() == asked.scored;
        let score = said
            .and_then(|said| said.score)
            .or(asked.score)
            .filter(|_| is_scored);
        let reached = score.and_then(|score| model.reached(score));
        let reason = said.and_then(|said| said.unscored.as_deref());
        let summary = match (score, reached) {
            (Some(score), Some(_)) => plan.prediction_summary(model, reading, score),
            _ => published.summary.clone(),
        };
        as_published(QualityEvent {
            id: published.id.clone(),
            finding: Finding::Prediction(Prediction {
                model: model.id().to_owned(),
                score,
                flagged: reached.is_some(),
                unscored: (!is_scored).then(|| self.reason(reason).to_owned()),
            }),
            severity: reached.map_or(Severity::Info, |threshold| threshold.severity),
            reaction: reached.map_or(Reaction::Record, |threshold| threshold.reaction),
            machine: reading.machine.clone(),
            line: reading.line.clone(),
            time: reading.time,
            arrived: self.arrived,
            values: plan
                .feature_values(model, reading)
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            summary,
            plan: plan.hash().to_owned(),
            late: false,
            source: self.source.clone(),
        })
    }

    fn reason<'p>(&self, published: Option<&'p str>) -> &'p str {
        match published {
            _ if !self.is_whole => MISSING_FEATURE,
            Some(reason) if REASONS.contains(&reason) => reason,
            _ => ANY_REASON,
        }
    }
}

/// What `first` may say where it is published once more, as `again`: a reading that is asked about again has its score
/// again, written alike; one that has none may have none for another reason, but only where calls were made to fail.
pub fn repeated(first: &QualityEvent, again: &QualityEvent, damaged: bool) -> QualityEvent {
    let mut repeated = first.clone();
    if let (Finding::Prediction(first), Finding::Prediction(again_said)) =
        (&mut repeated.finding, &again.finding)
    {
        let may_differ = match (first.score, again_said.score) {
            (None, None) => damaged,
            (first, again) => agree(first, again),
        };
        if may_differ {
            first.score = again_said.score;
            first.unscored.clone_from(&again_said.unscored);
            repeated.summary.clone_from(&again.summary);
        }
    }
    repeated
}
