//! Looking on while readings are judged, as a plot does. What looks on changes nothing.

use control_chart::Observed;
use control_plan::{Reading, Rule};

/// Is shown every step of every chart.
pub trait Observer {
    /// A chart has taken in a reading, or has been ended a subgroup by it.
    fn chart(&mut self, rule: Rule<'_>, reading: &Reading, step: &ChartStep<'_>);
}

/// Nobody looks on.
impl Observer for () {
    fn chart(&mut self, _: Rule<'_>, _: &Reading, _: &ChartStep<'_>) {}
}

/// A step of a chart.
#[derive(Clone, Copy, Debug)]
pub struct ChartStep<'s> {
    /// What came of the reading.
    pub observed: &'s Observed,
    /// What was forgotten before it was taken in.
    pub restart: Option<Restart>,
}

/// What a change of an attribute makes a chart forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Its points (`reset_on`).
    Points,
    /// Its points and what phase I has learned (`relearn_on`).
    Learning,
}
