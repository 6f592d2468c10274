//! What a model said of the readings, and, where it is known when machines failed, what that was worth. Pure.
//!
//! Alarms and failures are counted as in the model card: an alarm is a flagged reading of a machine that raised none for
//! the cool-down; it is false where the machine does not fail within the horizon; the lead is the time from the first alarm
//! within the horizon to the failure.

mod published;

use std::collections::{BTreeMap, BTreeSet};

use quality_event::{Finding, QualityEvent, Severity, Timestamp};
use serde::Serialize;

use super::figures::{Figure, Figures};
use super::worn::Truth;

pub use published::{Question, expected_events, repeated};

/// A reading that the model is asked about, in the order of the stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The machine.
    pub machine: String,
    /// When it was taken.
    pub time: Timestamp,
    /// The id of the event with its score.
    pub scored: String,
    /// The id of the event that says why it has none.
    pub unscored: String,
    /// What the model says of it when it is asked once more, past the function; none where a feature is missing.
    pub score: Option<f64>,
}

/// The model of the plan and what is known of its readings.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Its id.
    pub id: String,
    /// What its scores call for, the lowest first.
    pub thresholds: Vec<(String, f64)>,
    /// Every reading.
    pub asked: Vec<Asked>,
    /// When machines failed, if that is known.
    pub truth: Option<Truth>,
    /// What the example's card says, and how it counts.
    pub figures: Figures,
}

impl Model {
    /// Whether the card tells of this model, these thresholds and these readings.
    pub fn is_of_card(&self) -> bool {
        let of_card = self.figures.thresholds.iter();
        let of_card = of_card.map(|it| (&it.reaction, it.score));
        let of_plan = self.thresholds.iter();
        let of_plan = of_plan.map(|(reaction, score)| (reaction, *score));
        self.truth.as_ref().is_some_and(|truth| truth.of_card)
            && self.figures.model == self.id
            && of_card.eq(of_plan)
    }
}

/// What was said. Part of the summary's JSON.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Predictions {
    /// The model.
    pub model: String,
    /// Readings with a score.
    pub scored: u64,
    /// Readings without one, by reason.
    pub unscored: BTreeMap<String, u64>,
    /// Readings that reached a threshold, by severity.
    pub flagged: BTreeMap<Severity, u64>,
    /// What it was worth, where it is known when machines failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worth: Option<Worth>,
}

/// What scores were worth on machines of which is known when they failed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Worth {
    /// These machines.
    pub machines: u64,
    /// Their readings with a score.
    pub readings: u64,
    /// A machine should be told of within so many of its parts before it fails.
    pub horizon: u64,
    /// Of each threshold.
    pub thresholds: Vec<OfThreshold>,
}

/// What a threshold was worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OfThreshold {
    /// What a score from it on calls for.
    pub reaction: String,
    /// The threshold.
    pub score: f64,
    /// Readings by what was said and what came.
    pub confusion: Confusion,
    /// Failures that could be told: the machine ran for the whole horizon before.
    pub failures: u64,
    /// Those that were told within the horizon.
    pub failures_told: u64,
    /// The median of their leads, in minutes.
    pub median_lead_min: Option<f64>,
    /// The same in parts.
    pub median_lead_parts: Option<f64>,
    /// Alarms.
    pub alarms: u64,
    /// Those of machines that did not fail within the horizon.
    pub false_alarms: u64,
    /// The same for eight hours of eight machines.
    pub false_alarms_per_shift: f64,
}

/// Readings by what was said and what came within the horizon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// Flagged, and the machine failed.
    pub true_positive: u64,
    /// Flagged, and it did not.
    pub false_positive: u64,
    /// Not flagged, and it failed.
    pub false_negative: u64,
    /// Not flagged, and it did not.
    pub true_negative: u64,
}

/// What the events say, and what it was worth.
pub fn predictions(model: &Model, events: &BTreeMap<String, QualityEvent>) -> Predictions {
    let mut found = Predictions {
        model: model.id.clone(),
        ..Predictions::default()
    };
    for asked in &model.asked {
        let event = events
            .get(&asked.scored)
            .or_else(|| events.get(&asked.unscored));
        let Some((event, Finding::Prediction(prediction))) =
            event.map(|event| (event, &event.finding))
        else {
            continue;
        };
        match &prediction.unscored {
            Some(reason) => *found.unscored.entry(reason.clone()).or_default() += 1,
            None => found.scored += 1,
        }
        if prediction.flagged {
            *found.flagged.entry(event.severity).or_default() += 1;
        }
    }
    found.worth = model
        .truth
        .as_ref()
        .map(|truth| worth(model, truth, events));
    found
}

/// A machine's parts with their scores, and what befell it.
struct Machine<'a> {
    /// Time and score of each part, in their order.
    parts: Vec<(Timestamp, Option<f64>)>,
    /// The parts after which it failed.
    failures: &'a [u64],
}

fn worth(model: &Model, truth: &Truth, events: &BTreeMap<String, QualityEvent>) -> Worth {
    let figures = &model.figures;
    let mut parts: BTreeMap<&str, BTreeMap<Timestamp, Option<f64>>> = BTreeMap::new();
    for asked in &model.asked {
        if !asked.machine.starts_with(&truth.machines) {
            continue;
        }
        let score = events.get(&asked.scored).and_then(score_of);
        // A reading that was put twice is one part.
        let known = parts.entry(&asked.machine).or_default();
        let known = known.entry(asked.time).or_default();
        *known = known.or(score);
    }
    let machines: Vec<_> = parts
        .into_iter()
        .map(|(name, parts)| Machine {
            parts: parts.into_iter().collect(),
            failures: truth.failures.get(name).map_or(&[], Vec::as_slice),
        })
        .collect();
    let scored = machines.iter().flat_map(|machine| &machine.parts);
    let readings = scored.filter(|(_, score)| score.is_some()).count() as u64;
    let thresholds = model.thresholds.iter().map(|(reaction, score)| {
        let mut found = OfThreshold {
            reaction: reaction.clone(),
            score: *score,
            confusion: Confusion::default(),
            failures: 0,
            failures_told: 0,
            median_lead_min: None,
            median_lead_parts: None,
            alarms: 0,
            false_alarms: 0,
            false_alarms_per_shift: 0.0,
        };
        let mut leads = Vec::new();
        for machine in &machines {
            machine.count(&mut found, &mut leads, figures);
        }
        let median = |of: fn(&(u64, i64)) -> f64| median(leads.iter().map(of).collect());
        found.median_lead_parts = median(|(parts, _)| *parts as f64);
        found.median_lead_min = median(|(_, ms)| *ms as f64 / 60_000.0).map(tenth);
        let shifts = readings as f64 / figures.readings_per_shift as f64;
        found.false_alarms_per_shift = tenth(found.false_alarms as f64 / shifts.max(f64::EPSILON));
        found
    });
    Worth {
        machines: machines.len() as u64,
        readings,
        horizon: figures.horizon,
        thresholds: thresholds.collect(),
    }
}

impl Machine<'_> {
    /// Adds what this machine came to; leads in parts and in ms.
    fn count(&self, found: &mut OfThreshold, leads: &mut Vec<(u64, i64)>, figures: &Figures) {
        let horizon = figures.horizon;
        // How many more parts it makes after this one until it fails.
        let left = |part: u64| {
            let next = self.failures.iter().find(|failure| **failure >= part);
            next.map(|failure| failure - part)
        };
        let mut told: Vec<u64> = Vec::new();
        for (part, (_, score)) in (1..).zip(&self.parts) {
            let Some(score) = score else { continue };
            let fails = left(part).is_some_and(|left| left < horizon);
            let flagged = *score >= found.score;
            let confusion = &mut found.confusion;
            *match (flagged, fails) {
                (true, true) => &mut confusion.true_positive,
                (true, false) => &mut confusion.false_positive,
                (false, true) => &mut confusion.false_negative,
                (false, false) => &mut confusion.true_negative,
            } += 1;
            let cooled = told
                .last()
                .is_none_or(|last| part - last >= figures.cool_down);
            if flagged && cooled {
                told.push(part);
                found.false_alarms += u64::from(!fails);
            }
        }
        found.alarms += told.len() as u64;
        let last = self.parts.len() as u64;
        // What came too early for a whole horizon before it could not be told.
        for failure in self
            .failures
            .iter()
            .filter(|at| **at > horizon && **at <= last)
        {
            found.failures += 1;
            let first = told
                .iter()
                .find(|part| **part <= *failure && failure - **part < horizon);
            if let Some(first) = first {
                found.failures_told += 1;
                let ms = |part: u64| {
                    let place = usize::try_from(part - 1).unwrap_or(usize::MAX);
                    self.parts
                        .get(place)
                        .map_or(0, |(time, _)| time.as_millis())
                };
                leads.push((failure - first, ms(*failure) - ms(*first)));
            }
        }
    }
}

fn score_of(event: &QualityEvent) -> Option<f64> {
    match &event.finding {
        Finding::Prediction(prediction) => prediction.score,
        Finding::Violation(_) => None,
    }
}

fn reason_of(event: &QualityEvent) -> Option<&str> {
    match &event.finding {
        Finding::Prediction(prediction) => prediction.unscored.as_deref(),
        Finding::Violation(_) => None,
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        1 => values.get(middle).copied(),
        _ => Some((values.get(middle.checked_sub(1)?)? + values.get(middle)?) / 2.0),
    }
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Every reading has the event with its score, or the one that says why there is none; and nothing else was said.
pub fn said(model: &Model, events: &BTreeMap<String, QualityEvent>) -> Vec<String> {
    let silent = model.asked.iter().filter(|asked| {
        !events.contains_key(&asked.scored) && !events.contains_key(&asked.unscored)
    });
    let silent = silent.map(|asked| {
        format!(
            "the reading of {} at {} is neither scored nor unscored",
            asked.machine, asked.time
        )
    });
    let known: BTreeSet<&str> = model
        .asked
        .iter()
        .flat_map(|asked| [asked.scored.as_str(), &asked.unscored])
        .collect();
    let surplus = events
        .values()
        .filter(|event| event.violation().is_none() && !known.contains(event.id.as_str()))
        .map(|event| format!("prediction {} is not expected", event.id));
    silent.chain(surplus).collect()
}

/// The reason of readings that waited longer than `MAX_PREDICTION_AGE`: more was put than the pipeline takes.
const STALE: &str = "stale";

/// Readings that passed unscored although the model has a score for them, and they came in time.
pub fn passed(model: &Model, events: &BTreeMap<String, QualityEvent>) -> Vec<String> {
    let passed = model.asked.iter().filter_map(|asked| {
        let score = asked.score?;
        let reason = reason_of(events.get(&asked.unscored)?)?;
        (reason != STALE).then(|| {
            format!(
                "the reading of {} at {} passed unscored ({reason}), the model says {score}",
                asked.machine, asked.time
            )
        })
    });
    passed.collect()
}

/// A score is written with 17 digits, and the model's runtime computes a row alike in any batch.
const SAME: f64 = 1e-9;

/// What was published is what the model says of the very reading: rows and scores were not mixed up.
pub fn scores(model: &Model, events: &BTreeMap<String, QualityEvent>) -> Vec<String> {
    let differing = model.asked.iter().filter_map(|asked| {
        let published = score_of(events.get(&asked.scored)?);
        (!agree(published, asked.score)).then(|| {
            format!(
                "{} at {}: {published:?} was published, the model says {:?}",
                asked.machine, asked.time, asked.score
            )
        })
    });
    differing.collect()
}

/// Whether both are one score, or neither is any.
fn agree(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() <= SAME,
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// Alarms that may be more or fewer than the card says, and parts by which the median lead may differ: scores agree to
/// 1e-5 with those of the training, and one so close to a threshold moves an alarm by a part, or adds one.
const ALARMS_APART: u64 = 1;
const PARTS_APART: f64 = 1.0;

/// On the card's shift the scores are worth what the card says.
pub fn as_the_card_says(model: &Model, events: &BTreeMap<String, QualityEvent>) -> Vec<String> {
    match predictions(model, events).worth {
        Some(worth) => compared(&worth, &model.figures),
        None => vec!["nothing is known of failures".to_owned()],
    }
}

fn compared(worth: &Worth, figures: &Figures) -> Vec<String> {
    let readings = figures.shift.machines * figures.shift.parts;
    let unscored = (worth.readings != readings)
        .then(|| format!("{} of {readings} readings have a score", worth.readings));
    let differing = figures.thresholds.iter().flat_map(|figure| {
        let found = worth
            .thresholds
            .iter()
            .find(|found| found.reaction == figure.reaction);
        match found {
            Some(found) => apart(found, figure),
            None => vec![format!("{} has no threshold", figure.reaction)],
        }
    });
    unscored.into_iter().chain(differing).collect()
}

fn apart(found: &OfThreshold, figure: &Figure) -> Vec<String> {
    let card = &figure.shift;
    let mut differences = Vec::new();
    let mut differ = |what: &str, found: String, card: String| {
        let reaction = &figure.reaction;
        differences.push(format!("{reaction}: {what} {found}, the card says {card}"));
    };
    let told = (found.failures_told, found.failures);
    if told != (card.told, card.failures) {
        let of = |(told, failures): (u64, u64)| format!("{told} of {failures}");
        differ("failures told", of(told), of((card.told, card.failures)));
    }
    let near = match (found.median_lead_parts, card.median_lead_parts) {
        (Some(found), Some(card)) => (found - card).abs() <= PARTS_APART,
        (found, card) => found == card,
    };
    if !near {
        let of = |lead: Option<f64>| format!("{lead:?} parts");
        differ(
            "median lead",
            of(found.median_lead_parts),
            of(card.median_lead_parts),
        );
    }
    if found.false_alarms.abs_diff(card.false_alarms) > ALARMS_APART {
        differ(
            "false alarms",
            found.false_alarms.to_string(),
            card.false_alarms.to_string(),
        );
    }
    differences
}

#[cfg(test)]
mod tests;
