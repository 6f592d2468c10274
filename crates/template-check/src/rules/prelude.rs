//! What rules are written with.

pub(super) use crate::alarm::{self, Watched};
pub(super) use crate::deployment::{Deployment, Resource};
pub(super) use crate::evaluate::{attribute, substituted};
pub(super) use crate::finding::Report;
pub(super) use crate::manifest::Manifest;
pub(super) use crate::mapping::{Mapping, Source};
pub(super) use crate::node::Node;
pub(super) use crate::place::Place;
pub(super) use crate::rule::{Check, Rule};
pub(super) use crate::stack::{Stack, Stacks};
pub(super) use crate::value::{Entry, Field, Located, Part};
pub(super) use crate::{code, firehose, iam, keys, metrics};

/// Where a setting is, or the resource that lacks it.
pub(super) fn place_of(field: Field<'_>, resource: &Resource) -> Place {
    match field {
        Field::Found(value) => value.place,
        Field::Missing(place) => place,
        Field::Unknown => resource.place,
    }
}

/// For how long a stream keeps its records, in seconds.
pub(super) fn retention_s(stream: &Resource) -> Option<f64> {
    let hours = stream.properties.field("RetentionPeriodHours");
    hours.number_or(24.0).map(|hours| hours * 3600.0)
}

/// Whether a log group is the function's: named by it, or by the name that it has.
pub(super) fn is_for(group: &Resource, function: &Resource) -> bool {
    let Some(name) = group.properties.get("LogGroupName").and_then(Located::text) else {
        return false;
    };
    if name.resource() == Some(&function.id) {
        return true;
    }
    // A part of the name that only the deployment tells may be this function's name.
    let spelling = name.spelling();
    match function.name() {
        Some(own) => spelling == format!("/aws/lambda/{}", own.spelling()),
        None => spelling.starts_with("/aws/lambda/${") && name.literal().is_none(),
    }
}
