//! `model`: what a prediction model is asked about a reading, and what its answer means.
//!
//! The order of the features is the order of the file: it is what the model was trained on, and nothing else decides it.

pub(crate) mod parse;

use quality_event::{Reaction, Severity};

use crate::expression::Program;
use crate::plan::ControlPlan;
use crate::reading::Reading;
use crate::rule::summary::Template;

/// A model, as a plan declares it.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) id: String,
    pub(crate) features: Vec<Feature>,
    pub(crate) request: ContentType,
    pub(crate) answer: Answer,
    pub(crate) thresholds: Vec<Threshold>,
    pub(crate) summary: Option<Template>,
}

/// What a request or an answer is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ContentType {
    /// A row a line, values separated by commas.
    #[default]
    Csv,
    /// A JSON value a line.
    JsonLines,
    /// One JSON value with all rows.
    Json,
}

impl ContentType {
    pub(crate) const WORDS: [(&'static str, Self); 3] = [
        ("text/csv", Self::Csv),
        ("application/jsonlines", Self::JsonLines),
        ("application/json", Self::Json),
    ];

    /// The media type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::JsonLines => "application/jsonlines",
            Self::Json => "application/json",
        }
    }
}

/// Where scores stand in an answer. A row of CSV is an array of its columns, or the value itself where it has one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// What is asked for.
    pub content_type: ContentType,
    /// The tokens of the pointer to the array of rows, in `application/json`; none where the answer itself is it.
    pub rows: Vec<String>,
    /// The tokens of the pointer to the score in a row; none where the row itself is it.
    pub score: Vec<String>,
}

/// A score from which on a reading is flagged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// At least this.
    pub score: f64,
    /// How serious that is.
    pub severity: Severity,
    /// What is done about it.
    pub reaction: Reaction,
}

/// One entry of the list of features: a column, or several.
#[derive(Clone, Debug)]
pub(crate) enum Feature {
    /// A characteristic, by its place.
    Characteristic(String, u16),
    /// Derived for the model alone.
    Formula(String, Program),
    /// An attribute's text, a column of 0 or 1 for each text that is listed.
    OneHot(String, u16, Vec<Box<str>>),
}

/// A feature has no value at a reading.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the feature `{0}` has no value")]
pub struct NoFeature(pub String);

impl Model {
    /// The model's id: events carry it, ids of predictions hash it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What requests are written in.
    pub fn request(&self) -> ContentType {
        self.request
    }

    /// Where scores stand in an answer.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// The scores from which on a reading is flagged, the lowest first; at least one.
    pub fn thresholds(&self) -> &[Threshold] {
        &self.thresholds
    }

    /// The highest threshold that a score reaches.
    pub fn reached(&self, score: f64) -> Option<Threshold> {
        let reached = self.thresholds.iter();
        reached
            .rev()
            .find(|threshold| score >= threshold.score)
            .copied()
    }

    /// The columns' names, in the order of the features: `grade=L` for a column of a one-hot attribute.
    pub fn columns(&self) -> Vec<String> {
        let mut columns = Vec::new();
        for feature in &self.features {
            match feature {
                Feature::Characteristic(name, _) | Feature::Formula(name, _) => {
                    columns.push(name.clone());
                }
                Feature::OneHot(name, _, texts) => {
                    columns.extend(texts.iter().map(|text| format!("{name}={text}")));
                }
            }
        }
        columns
    }
}

impl ControlPlan {
    /// The model that is asked about every reading, where the plan has one.
    pub fn model(&self) -> Option<&Model> {
        self.model.as_ref()
    }

    /// A reading's row for the model, in the order of [`Model::columns`], appended to `row`. A text that is not listed leaves
    /// all its columns 0; none is appended where a feature has no value.
    ///
    /// # Errors
    /// If a feature has no value at this reading.
    pub fn features(
        &self,
        model: &Model,
        reading: &Reading,
        row: &mut Vec<f64>,
    ) -> Result<(), NoFeature> {
        let frame = self.frame(reading);
        let start = row.len();
        for feature in &model.features {
            let (name, value) = match feature {
                Feature::Characteristic(name, slot) => {
                    (name, reading.characteristics[usize::from(*slot)])
                }
                Feature::Formula(name, formula) => (name, formula.run(&frame)),
                Feature::OneHot(name, slot, texts) => {
                    match reading.attributes[usize::from(*slot)].as_deref() {
                        Some(text) => {
                            row.extend(
                                texts
                                    .iter()
                                    .map(|listed| f64::from(u8::from(**listed == *text))),
                            );
                            continue;
                        }
                        None => (name, f64::NAN),
                    }
                }
            };
            if !value.is_finite() {
                row.truncate(start);
                return Err(NoFeature(name.clone()));
            }
            row.push(value);
        }
        Ok(())
    }

    /// The values of the characteristics that are features, for an event: missing ones are left out.
    pub fn feature_values<'p>(
        &'p self,
        model: &'p Model,
        reading: &Reading,
    ) -> impl Iterator<Item = (&'p str, f64)> {
        let values = model.features.iter().filter_map(|feature| match feature {
            Feature::Characteristic(name, slot) => {
                Some((name.as_str(), reading.characteristics[usize::from(*slot)]))
            }
            _ => None,
        });
        values.filter(|(_, value)| value.is_finite())
    }

    /// One sentence about a scored reading: the section's `summary`, or a default that says that a model predicts it.
    pub fn prediction_summary(&self, model: &Model, reading: &Reading, score: f64) -> String {
        let told = crate::readable(score).to_string();
        match &model.summary {
            Some(template) => template.render(reading, &self.frame(reading), &told),
            None => format!(
                "{}: the model predicts a failure of {} (score {told})",
                model.id, reading.machine
            ),
        }
    }
}
