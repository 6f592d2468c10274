//! `chart`: a characteristic stays in statistical control, as a control chart judges it.

mod draft;
mod keys;
mod tests_key;

use control_chart::{Baseline, Chart, ChartKind, EwmaLimits, Subgroups};

use super::parse::Scope;
use crate::digest::Definition;
use crate::reading::{AttributeId, CharacteristicId};

pub(super) use draft::parse;
use keys::KEYS;
#[cfg(feature = "schema")]
pub(crate) use {draft::LEARN, keys::TYPES};
#[cfg(all(test, feature = "schema"))]
pub(crate) use {
    keys::{EWMA_LIMITS, SUBGROUP_KEYS, all as all_keys},
    tests_key::GROUPS,
};

/// A control chart of one characteristic.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartRule {
    /// What is charted: a measured value, or the count of p, np, c and u charts.
    pub characteristic: CharacteristicId,
    /// Items or units in each sample of p and u charts.
    pub size: Option<SampleSize>,
    /// The chart.
    pub chart: Chart,
    /// The attribute whose change ends a subgroup.
    pub subgroup_by: Option<AttributeId>,
    /// Attributes whose change makes the chart forget its points.
    pub reset_on: Vec<AttributeId>,
    /// Attributes whose change makes it forget what it has learned as well.
    pub relearn_on: Vec<AttributeId>,
}

/// How large the samples of a chart of counts are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SampleSize {
    /// All alike.
    Constant(f64),
    /// As the reading says.
    Characteristic(CharacteristicId),
}

impl ChartRule {
    pub(in crate::rule) fn definition(&self, scope: &Scope<'_>) -> Definition {
        let definition = Definition::new("chart")
            .text(self.chart.kind().as_str())
            .definition(scope.definition_of(self.characteristic))
            .text(scope.name_of(self.characteristic));
        let definition = match self.chart.kind() {
            ChartKind::XbarR(subgroups) | ChartKind::XbarS(subgroups) => match subgroups {
                Subgroups::Of(n) => definition.number(f64::from(n)),
                Subgroups::ByKey => definition.text("by"),
            },
            ChartKind::Ewma {
                lambda,
                width,
                limits,
            } => definition
                .numbers(&[lambda, width])
                .number(f64::from(limits == EwmaLimits::Steady)),
            ChartKind::Cusum { k, h, head_start } => definition.numbers(&[k, h, head_start]),
            ChartKind::Np { size } => definition.number(size),
            _ => definition,
        };
        let definition = match self.chart.baseline() {
            Baseline::Given { center, sigma } => definition.numbers(&[center, sigma]),
            Baseline::GivenCenter(center) => definition.number(center),
            Baseline::Learned { points } => definition.text("learn").number(f64::from(points)),
        };
        let definition = match self.size {
            None => definition,
            Some(SampleSize::Constant(size)) => definition.text("size").number(size),
            Some(SampleSize::Characteristic(size)) => definition
                .definition(scope.definition_of(size))
                .text(scope.name_of(size)),
        };
        let definition = self
            .chart
            .tests()
            .iter()
            .fold(definition, |definition, test| {
                definition.text(test.as_str())
            });
        [
            ("subgroup_by", self.subgroup_by.as_slice()),
            ("reset_on", self.reset_on.as_slice()),
            ("relearn_on", self.relearn_on.as_slice()),
        ]
        .into_iter()
        .fold(definition, |definition, (what, attributes)| {
            attributes
                .iter()
                .fold(definition.text(what), |definition, attribute| {
                    definition.definition(scope.definition(scope.attribute_name(*attribute)))
                })
        })
    }

    /// What the plotted statistic is called; none: like the characteristic.
    pub(in crate::rule) fn statistic(&self) -> Option<&'static str> {
        match self.chart.kind() {
            ChartKind::XbarR(_) | ChartKind::XbarS(_) => Some("mean"),
            ChartKind::Ewma { .. } => Some("ewma"),
            ChartKind::Cusum { .. } => Some("cusum"),
            ChartKind::P => Some("proportion"),
            ChartKind::U => Some("per_unit"),
            _ => None,
        }
    }

    /// What the second chart's statistic is called.
    pub(in crate::rule) fn second(&self) -> &'static str {
        match self.chart.kind() {
            ChartKind::XbarR(_) => "range",
            ChartKind::XbarS(_) => "standard_deviation",
            _ => "moving_range",
        }
    }
}

#[cfg(test)]
mod tests;
