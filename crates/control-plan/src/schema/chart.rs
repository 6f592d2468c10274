//! A chart: all keys, and then what each type takes and needs, from the parser's own table.
#![expect(dead_code, reason = "the types are there for their schema")]

use std::borrow::Cow;

use control_chart::Test;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::scalar::{Name, Positive};
use crate::rule::chart::{LEARN, TYPES};

/// A characteristic stays in statistical control.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = by_type)]
pub(super) struct Chart {
    r#type: Type,
    /// What is charted: a measured value, or the count of a p, np, c or u chart.
    characteristic: Name,
    /// The centre of the process in control; with `sigma` where values are measured.
    center: Option<f64>,
    /// The standard deviation of single values in control.
    sigma: Option<Positive>,
    /// Learn centre and sigma from so many points in control (phase I), then keep them.
    #[schemars(range(min = LEARN.0, max = LEARN.1))]
    learn: Option<u32>,
    /// A group of tests or a list of single ones. Default: limits.
    tests: Option<Tests>,
    /// Readings in a subgroup, or the attribute whose change ends one.
    subgroup: Option<Subgroup>,
    /// The weight of the newest value, above 0 and at most 1; 0.05 to 0.3 are usual.
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0))]
    lambda: Option<f64>,
    /// The limits' distance in standard deviations of the average. Default: 3.
    #[schemars(range(max = 100), extend("exclusiveMinimum" = 0))]
    width: Option<f64>,
    /// How the limits open: narrow at first (time-varying, the default), or as wide as in the long run (steady).
    limits: Option<EwmaLimits>,
    /// The allowance, in sigmas: half the shift to be found. Default: 0.5.
    #[schemars(range(min = 0, max = 100))]
    k: Option<f64>,
    /// The decision interval, in sigmas. Default: 5.
    #[schemars(range(max = 1_000), extend("exclusiveMinimum" = 0))]
    h: Option<f64>,
    /// What both sums start from, in sigmas, below `h`. Default: 0; h / 2 finds an early shift faster.
    #[schemars(range(min = 0))]
    head_start: Option<f64>,
    /// Items or units in each sample: a number, or (p and u) the characteristic that counts them.
    size: Option<Size>,
    /// The attributes whose change makes the chart forget its points, as a new tool does.
    reset_on: Option<Attributes>,
    /// The attributes whose change makes it forget what it has learned as well, as a new product does.
    relearn_on: Option<Attributes>,
}

/// What is plotted.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum Type {
    /// Individual values, with their moving range (I-MR).
    Individuals,
    /// Means of subgroups, with their range.
    XbarR,
    /// Means of subgroups, with their standard deviation.
    XbarS,
    /// The exponentially weighted moving average: small shifts, slow drifts.
    Ewma,
    /// The tabular CUSUM: small lasting shifts.
    Cusum,
    /// The proportion of nonconforming items in a sample.
    P,
    /// The number of nonconforming items in samples of one size.
    Np,
    /// The number of nonconformities.
    C,
    /// Nonconformities per unit.
    U,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum EwmaLimits {
    /// Narrow at the first point, where the average has little variance.
    TimeVarying,
    /// As wide from the first point as they become in the long run.
    Steady,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Tests {
    Group(Group),
    List(#[schemars(length(min = 1), extend("uniqueItems" = true))] Vec<Single>),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
enum Group {
    /// The chart's limits, and those of its second chart.
    Limits,
    /// The four Western Electric tests, and the limits of the second chart.
    WesternElectric,
    /// Nelson's eight tests, and the limits of the second chart; some ten times as many false alarms as the limits.
    Nelson,
}

struct Single;

impl JsonSchema for Single {
    fn schema_name() -> Cow<'static, str> {
        "Test".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": Test::ALL.map(Test::as_str)})
    }
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Subgroup {
    /// So many readings in a row.
    Of(#[schemars(range(min = 2, max = 25))] u8),
    By(By),
}

/// A change of an attribute ends the subgroup; so does the 25th reading.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct By {
    /// The attribute.
    by: Name,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Size {
    Constant(Positive),
    Characteristic(Name),
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Attributes {
    One(Name),
    Several(#[schemars(length(min = 1), extend("uniqueItems" = true))] Vec<Name>),
}

/// For each type: no foreign key, no key lacking, and a baseline.
fn by_type(schema: &mut Schema) {
    let conditions: Vec<Value> = TYPES
        .iter()
        .map(|(kind, own)| {
            json!({
                "if": {"properties": {"type": {"const": kind}}, "required": ["type"]},
                "then": of_type(kind, own),
            })
        })
        .collect();
    schema.insert("allOf".into(), conditions.into());
}

fn of_type(kind: &str, own: &[&str]) -> Value {
    let mut properties = serde_json::Map::new();
    for (_, foreign) in TYPES {
        for key in foreign.iter().filter(|key| !own.contains(key)) {
            properties.insert((*key).to_owned(), false.into());
        }
    }
    let second = match kind {
        "individuals" => "moving-range-beyond-limits",
        "xbar-r" => "range-beyond-limits",
        "xbar-s" => "standard-deviation-beyond-limits",
        _ => "",
    };
    if own.contains(&"tests") {
        let possible = Test::ALL.map(Test::as_str);
        let possible = possible.iter().filter(|test| {
            let is_of_second =
                test.len() > "beyond-limits".len() && test.ends_with("beyond-limits");
            !is_of_second || **test == second
        });
        let possible: Vec<_> = possible.collect();
        properties.insert("tests".into(), json!({"items": {"enum": possible}}));
    }
    let is_measured = own.contains(&"sigma");
    match kind {
        "p" => {
            let center = json!({"exclusiveMinimum": 0, "exclusiveMaximum": 1});
            properties.insert("center".into(), center);
        }
        "np" => {
            properties.insert("center".into(), json!({"exclusiveMinimum": 0}));
            properties.insert("size".into(), json!({"type": "number"}));
        }
        _ if !is_measured => {
            properties.insert("center".into(), json!({"exclusiveMinimum": 0}));
        }
        _ => {}
    }
    let needed = ["lambda", "subgroup", "size"];
    let required: Vec<_> = needed.iter().filter(|key| own.contains(key)).collect();
    let given: &[&str] = match is_measured {
        true => &["center", "sigma"],
        false => &["center"],
    };
    let learned = json!({
        "required": ["learn"],
        "not": {"anyOf": given.iter().map(|key| json!({"required": [key]})).collect::<Vec<_>>()},
    });
    let given = json!({"required": given, "not": {"required": ["learn"]}});
    json!({"properties": properties, "required": required, "oneOf": [given, learned]})
}
