//! What the model card says of the example's model, as its training wrote it for machines.

use serde::Deserialize;

use crate::failure::Failure;

/// The card's figures.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Figures {
    /// The model's id in the control plan.
    pub model: String,
    /// The label: the machine fails within so many of its next parts.
    pub horizon: u64,
    /// Seconds from one part to the next.
    pub cycle_s: f64,
    /// A machine alerts again after so many of its parts.
    pub cool_down: u64,
    /// Readings in eight hours on eight machines.
    pub readings_per_shift: u64,
    /// The shift that they are of.
    pub shift: Shift,
    /// Of each reaction.
    pub thresholds: Vec<Figure>,
}

/// A simulated shift.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Shift {
    /// The simulation's seed.
    pub seed: u64,
    /// Its machines.
    pub machines: u64,
    /// The parts that each of them makes.
    pub parts: u64,
}

/// What a threshold is worth.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Figure {
    /// What a score from it on calls for.
    pub reaction: String,
    /// The threshold.
    pub score: f64,
    /// On that shift.
    pub shift: Alarms,
}

/// Alarms of a shift.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Alarms {
    /// Failures that could be told.
    pub failures: u64,
    /// Those that were.
    pub told: u64,
    /// The median from the first alarm to the failure, in parts.
    pub median_lead_parts: Option<f64>,
    /// Alarms of machines that do not fail within the horizon.
    pub false_alarms: u64,
}

const CARD: &str = include_str!("../../../../infra/model/figures.json");

impl Figures {
    /// Of `infra/model`.
    pub fn of_card() -> Result<Self, Failure> {
        serde_json::from_str(CARD).map_err(|error| {
            Failure::check("infra/model/figures.json cannot be read")
                .caused_by(error)
                .cure("let infra/model/train.py write it again, and build again")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::predictions::Model;
    use super::super::worn::Truth;
    use super::*;

    #[test]
    fn the_figures_are_of_the_plans_model() {
        let figures = Figures::of_card().unwrap();
        let plan = include_str!("../../../../infra/plans/press-line.yaml");
        let plan = control_plan::ControlPlan::parse("press-line.yaml", plan).unwrap();
        let model = plan.model().unwrap();
        let thresholds = model.thresholds().iter();
        let mut model = Model {
            id: model.id().to_owned(),
            thresholds: thresholds
                .map(|it| (it.reaction.to_string(), it.score))
                .collect(),
            asked: Vec::new(),
            truth: Some(Truth {
                of_card: true,
                ..Truth::default()
            }),
            figures,
        };
        assert!(model.is_of_card());
        model.thresholds[0].1 = 0.5;
        assert!(!model.is_of_card());
    }
}
