//! Where a template meets the code's manifest.

use crate::deployment::{Deployment, Resource};
use crate::iam;
use crate::manifest::{Function, Manifest};
use crate::place::Place;
use crate::value::{Entry, Field, Located};

/// The template's functions whose code the manifest describes.
pub(crate) fn functions<'a>(
    deployment: &'a Deployment,
    manifest: &'a Manifest,
) -> Vec<(&'a Resource, &'a Function)> {
    let described = |resource: &'a Resource| {
        let code = ["Code", "CodeUri"]
            .iter()
            .find_map(|key| resource.properties.get(key));
        let function = manifest.function(code?.literal()?)?;
        Some((resource, function))
    };
    deployment
        .of("AWS::Lambda::Function")
        .filter_map(described)
        .collect()
}

/// The role of a function, if the template has it and SAM adds nothing to it.
pub(crate) fn role<'a>(deployment: &'a Deployment, function: &Resource) -> Option<&'a Resource> {
    (!function.by_sam)
        .then(|| iam::role(deployment, function, "Role"))
        .flatten()
}

/// The variables that are set, and where they are or would be. `None` where they cannot be seen.
pub(crate) fn variables(function: &Resource) -> Option<(Place, &[Entry])> {
    match function.properties.field("Environment.Variables") {
        Field::Found(set) if !set.is_open() => Some((set.place, set.entries())),
        Field::Missing(place) => Some((place, &[])),
        _ => None,
    }
}

/// What is wrong with a metric's name or dimensions, besides the function's own dimension.
pub(crate) fn unknown_metric(manifest: &Manifest, metric: &str, names: &[&str]) -> Option<String> {
    let all = manifest
        .functions
        .iter()
        .flat_map(|function| &function.metrics);
    let known: Vec<_> = all.filter(|own| own.name == metric).collect();
    if known.is_empty() {
        return Some(format!("the code has no metric {metric}"));
    }
    let own = &manifest.function_dimension;
    let rest: Vec<&str> = names.iter().copied().filter(|name| name != own).collect();
    let fits = names.contains(&own.as_str())
        && known.iter().any(|metric| {
            // Every metric also comes without its own dimensions, summed over them.
            rest.is_empty()
                || (rest.len() == metric.dimensions.len()
                    && metric
                        .dimensions
                        .iter()
                        .all(|name| rest.contains(&name.as_str())))
        });
    (!fits).then(|| {
        format!(
            "the metric {metric} has not the dimensions {}",
            names.join(", ")
        )
    })
}

/// The metrics of a namespace in a dashboard's body, with the names of their dimensions.
pub(crate) fn pictured(body: &Located, namespace: &str) -> Vec<(String, Vec<String>)> {
    let Some(text) = body.text() else {
        return Vec::new();
    };
    let Ok(body) = serde_json::from_str::<serde_json::Value>(&text.spelling()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let widgets = body["widgets"].as_array().into_iter().flatten();
    for metrics in widgets.filter_map(|widget| widget["properties"]["metrics"].as_array()) {
        let mut above: Vec<String> = Vec::new();
        for metric in metrics.iter().filter_map(|it| it.as_array()) {
            let parts = metric.iter().filter_map(|part| part.as_str());
            let parts: Vec<String> = parts
                .enumerate()
                .map(|(n, part)| match part {
                    // Repeats what the line above has there.
                    "." => above.get(n).cloned().unwrap_or_default(),
                    "..." => String::new(),
                    part => part.to_owned(),
                })
                .collect();
            if let [space, name, dimensions @ ..] = parts.as_slice()
                && space == namespace
                && !parts.iter().any(String::is_empty)
            {
                let names = dimensions.iter().step_by(2).cloned().collect();
                found.push((name.clone(), names));
            }
            above = parts;
        }
    }
    found
}
