//! The prediction model of a plan.
#![expect(dead_code, reason = "the types are there for their schema")]

use quality_event::{MAX_SUMMARY_CHARS, Reaction, Severity};
use schemars::JsonSchema;

use super::scalar::{Expression, Name, Pointer, Text};
use crate::model::parse::{MAX_COLUMNS, MAX_THRESHOLDS};
use crate::rule::parse::NO_IDS;

/// A model that is asked about every reading.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Model {
    /// Lower-case words and digits joined by `-`, no rule's id. Events carry it; another model has another id.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"), length(max = 64), extend("not" = {"enum": NO_IDS}))]
    id: String,
    /// What the model is told of a reading, in the order that it was trained on.
    #[schemars(length(min = 1, max = MAX_COLUMNS))]
    features: Vec<Feature>,
    /// What requests are written in. Default: text/csv.
    request: Option<ContentType>,
    /// Where the scores stand in an answer. Default: in the content type of the request, a row is a score.
    answer: Option<Answer>,
    /// The scores from which on a reading is flagged, rising.
    #[schemars(length(min = 1, max = MAX_THRESHOLDS))]
    thresholds: Vec<Threshold>,
    /// One sentence for people, with `{machine}`, `{line}`, `{score}` and any `{name}` of the plan. `{{` is a brace.
    #[schemars(extend("maxLength" = MAX_SUMMARY_CHARS))]
    summary: Option<Text>,
}

/// A column, or several.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Feature {
    /// A characteristic.
    Characteristic(Name),
    Derived(Derived),
    OneHot(OneHot),
}

/// A column that is derived for the model alone.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Derived {
    /// Its name, which no other part of the plan has.
    name: Name,
    /// What it is derived by.
    formula: Expression,
}

/// A column of 0 or 1 for each text of an attribute that is listed.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct OneHot {
    /// The attribute.
    one_hot: Name,
    /// Its texts, a column each; another text leaves all of them 0.
    #[schemars(length(min = 1, max = MAX_COLUMNS), extend("uniqueItems" = true))]
    of: Vec<Text>,
}

/// Where the scores stand in an answer.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Answer {
    /// What is asked for. Default: the content type of the request.
    content_type: Option<ContentType>,
    /// In `application/json` the array of rows, as in `/predictions`. Default: the answer is that array.
    rows: Option<Pointer>,
    /// The score in a row: `/1` is the second column or element, `/score` a member. Default: the row is the score.
    score: Option<Pointer>,
}

/// A score from which on a reading is flagged.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Threshold {
    /// At least this.
    score: f64,
    /// How serious it is: a label for routing. Default: warning.
    severity: Option<Severity>,
    /// What is done about it. Default: notify.
    reaction: Option<Reaction>,
}

/// What a request or an answer is written in.
#[derive(JsonSchema)]
enum ContentType {
    /// A row a line, values separated by commas.
    #[schemars(rename = "text/csv")]
    Csv,
    /// A JSON value a line: `{"features": [...]}`.
    #[schemars(rename = "application/jsonlines")]
    JsonLines,
    /// One JSON value: `{"instances": [{"features": [...]}]}`.
    #[schemars(rename = "application/json")]
    Json,
}
