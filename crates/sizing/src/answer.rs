//! The answer: what is needed, how that was worked out, what breaks first and what it costs.

use std::collections::BTreeMap;

use serde::Serialize;

/// A pipeline for a load. Its JSON is stable: fields are added, never renamed; `version` counts the exceptions.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sizing {
    /// Of this shape: 1.
    pub version: u32,
    /// Every input, defaults included.
    pub load: BTreeMap<String, f64>,
    /// Which prices.
    pub prices: PriceList,
    /// What is needed, part by part.
    pub parts: Vec<Part>,
    /// What bounds it, the nearest first: the first breaks first as the load grows.
    pub limits: Vec<Limit>,
    /// What it costs in a month.
    pub costs: Vec<Cost>,
    /// All of it, in the currency of the prices.
    pub cost_per_month: f64,
}

/// Where prices come from.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PriceList {
    /// The region.
    pub region: String,
    /// The currency.
    pub currency: String,
    /// The day on which they were noted.
    pub date: String,
    /// What is to be known about them.
    pub note: String,
}

/// A part of the pipeline.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its figures.
    pub figures: Vec<Figure>,
}

/// One number.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: String,
    /// How it was worked out; names with underscores are inputs.
    pub formula: String,
    /// What was taken for granted, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assumption: Option<String>,
}

/// What something may grow to.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Limit {
    /// What is bounded.
    pub name: String,
    /// How much of it the busiest minute uses.
    pub used: f64,
    /// How much there is.
    pub limit: f64,
    /// Of what.
    pub unit: String,
    /// The load may grow so many times; below 1 it is too much already.
    pub growth: f64,
    /// Whether the service moves the limit by itself or on request, or this stack does.
    pub bound: Bound,
    /// What to do before the load gets there.
    pub cure: String,
}

/// Who can move a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// A quota of the account that AWS raises on request.
    Quota,
    /// A setting of this stack.
    Setting,
    /// Nobody: the load has to be shaped.
    Service,
}

/// What something costs in a month.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cost {
    /// What for.
    pub name: String,
    /// How much of it.
    pub quantity: f64,
    /// Of what.
    pub unit: String,
    /// For one.
    pub price: f64,
    /// The price's name in the list.
    pub price_key: String,
    /// The page that it stands on.
    pub page: String,
    /// Both multiplied.
    pub per_month: f64,
    /// How the quantity was worked out.
    pub formula: String,
}

impl Sizing {
    /// A figure of a part.
    pub fn figure(&self, part: &str, name: &str) -> Option<&Figure> {
        let part = self.parts.iter().find(|it| it.name == part)?;
        part.figures.iter().find(|it| it.name == name)
    }
}
