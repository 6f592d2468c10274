//! The plan but for its rules.
#![expect(dead_code, reason = "the types are there for their schema")]

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};
use serde_json::json;

use super::model::Model;
use super::rule::Rule;
use super::scalar::{Expression, Name, Pointer, Text};

/// A control plan: what is measured on the machines, its limits, and what is done when one is left.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "Andon control plan")]
pub(super) struct Plan {
    /// The version of the plan's language.
    #[schemars(extend("const" = 1))]
    version: u8,
    reading: Reading,
    /// What is measured (`at`) or derived (`formula`), each under a name of its own.
    #[schemars(transform = named, extend("maxProperties" = 1_000))]
    characteristics: BTreeMap<String, Characteristic>,
    /// Numbers that rules and formulas name, or tables of numbers that an attribute selects from.
    #[schemars(transform = named)]
    constants: Option<BTreeMap<String, Constant>>,
    /// What must not happen, how serious it is, and what is done about it.
    #[schemars(length(min = 1, max = 1_000))]
    rules: Vec<Rule>,
    /// A model that is asked about every reading, and what its scores call for.
    model: Option<Model>,
}

/// Where things stand in a reading.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Reading {
    /// The machine: a text of 1 to 256 characters, or a whole number. Rules remember for each machine apart.
    machine: Pointer,
    /// When the reading was taken: RFC 3339, or a number: below 1e11 seconds since 1970, otherwise milliseconds.
    time: Pointer,
    /// The machine's line.
    line: Option<Pointer>,
    /// The producer's own id of the reading: of readings of one machine with the same id, the first counts.
    id: Option<Pointer>,
    /// Texts that conditions, tables and charts may ask for; numbers and booleans count as their text.
    #[schemars(transform = named, extend("maxProperties" = 100))]
    attributes: Option<BTreeMap<String, Pointer>>,
}

/// What is measured, or derived from what is.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = measured_or_derived)]
struct Characteristic {
    /// Where it is measured.
    at: Option<Pointer>,
    /// What it is derived by.
    formula: Option<Expression>,
    /// The unit, for people.
    #[schemars(extend("maxLength" = 32))]
    unit: Option<Text>,
}

/// A number, or a table of numbers.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Constant {
    Number(f64),
    Table(Table),
}

/// Numbers that an attribute selects from; where it is absent or not listed, the constant has no value.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Table {
    /// The attribute that selects.
    by: Name,
    /// The number for each of its texts.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 1_000))]
    values: BTreeMap<String, f64>,
}

fn named(schema: &mut Schema) {
    schema.insert(
        "propertyNames".into(),
        json!({"$ref": "#/definitions/Name"}),
    );
}

fn measured_or_derived(schema: &mut Schema) {
    schema.insert(
        "oneOf".into(),
        json!([{"required": ["at"]}, {"required": ["formula"]}]),
    );
}
