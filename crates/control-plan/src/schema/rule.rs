//! A rule, and the kinds that are no chart.
#![expect(dead_code, reason = "the types are there for their schema")]

use quality_event::{MAX_SUMMARY_CHARS, Reaction, Severity};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::chart::Chart;
use super::scalar::{Expression, Name, Positive, Text};
use crate::rule::parse::{KINDS, NO_IDS, WITHOUT_FOR};
use crate::rule::sustain::{MAX_READINGS, MAX_SECONDS};

/// One rule, of exactly one kind.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = of_one_kind)]
pub(super) struct Rule {
    /// Lower-case words and digits joined by `-`, unique in the plan.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), length(max = 64), extend("not" = {"enum": NO_IDS}))]
    id: String,
    /// A condition that must not hold.
    when: Option<Expression>,
    specification: Option<Specification>,
    chart: Option<Chart>,
    rate: Option<Rate>,
    stuck: Option<Stuck>,
    missing: Option<Missing>,
    gap: Option<Gap>,
    r#for: Option<For>,
    /// How serious it is: a label for routing. Default: warning.
    severity: Option<Severity>,
    /// What is done about it. Default: notify.
    reaction: Option<Reaction>,
    /// One sentence for people, with `{machine}`, `{line}` and any `{name}` of the plan; in a chart rule `{tests}` as
    /// well. `{{` is a brace.
    #[schemars(extend("maxLength" = MAX_SUMMARY_CHARS))]
    summary: Option<Text>,
}

/// How long the rule must fire before an episode opens. Default: it opens at once.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("minProperties" = 1, "maxProperties" = 1))]
struct For {
    /// So many readings in a row.
    #[schemars(range(min = 1, max = MAX_READINGS))]
    readings: Option<u32>,
    /// So many seconds of reading time.
    #[schemars(range(min = 0.001, max = MAX_SECONDS))]
    seconds: Option<f64>,
}

/// A characteristic stays within its specification limits; a value on a limit conforms.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = with_a_limit)]
struct Specification {
    /// What is specified.
    characteristic: Name,
    /// The lower limit (LSL).
    lower: Option<f64>,
    /// The upper limit (USL).
    upper: Option<f64>,
    /// Readings in a row that make a subgroup, for the capability within subgroups (Cp, Cpk).
    #[schemars(range(min = 2, max = 25))]
    subgroup: Option<u8>,
}

/// A characteristic does not change too fast, up or down.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Rate {
    /// What changes.
    characteristic: Name,
    /// By so much per second of reading time, in the characteristic's unit.
    max_per_second: Positive,
}

/// A sensor does not say the same for too long.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Stuck {
    /// What may be stuck.
    characteristic: Name,
    /// From so many readings in a row on, it is.
    #[schemars(range(min = 2, max = MAX_READINGS))]
    readings: u32,
    /// Values within this distance of the first in the row are the same. Default: 0.
    #[schemars(range(min = 0))]
    tolerance: Option<f64>,
}

/// A characteristic does not lack its value for too long.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Missing {
    /// What may be missing.
    characteristic: Name,
    /// From so many readings in a row on, it is told.
    #[schemars(range(min = 1, max = MAX_READINGS))]
    readings: u32,
}

/// A machine is not silent for too long; seen at the reading that ends the silence.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Gap {
    /// The longest silence that is allowed.
    #[schemars(range(min = 0.001, max = MAX_SECONDS))]
    seconds: f64,
}

fn of_one_kind(schema: &mut Schema) {
    let required = |kinds: &[&str]| -> Vec<Value> {
        kinds
            .iter()
            .map(|kind| json!({"required": [kind]}))
            .collect()
    };
    schema.insert("oneOf".into(), required(&KINDS).into());
    schema.insert(
        "if".into(),
        json!({"anyOf": required(&WITHOUT_FOR.map(|(kind, _)| kind))}),
    );
    schema.insert("then".into(), json!({"properties": {"for": false}}));
}

fn with_a_limit(schema: &mut Schema) {
    schema.insert(
        "anyOf".into(),
        json!([{"required": ["lower"]}, {"required": ["upper"]}]),
    );
}
