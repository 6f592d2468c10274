//! What the code says of itself, so that a template can be held against it.

use serde::{Deserialize, Serialize};

/// The functions of a code base.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The namespace of the functions' metrics.
    pub namespace: String,
    /// The dimension that every metric has, whose value is the function's name.
    pub function_dimension: String,
    /// One for each function.
    pub functions: Vec<Function>,
}

/// One function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// The name of the package: a folder or file of this name is part of the path of `Code` or `CodeUri`.
    pub name: String,
    /// Whether its answers name the records that failed.
    pub partial_failures: bool,
    /// The variables that it reads.
    pub variables: Vec<Variable>,
    /// The IAM actions of the calls that it makes, as recorded from its adapters. `None` where nothing was recorded:
    /// then its role is not looked at.
    #[serde(default)]
    pub actions: Option<Vec<String>>,
    /// The metrics that it emits.
    pub metrics: Vec<Metric>,
    /// Batches of a shard that may be under way at once, where its order depends on it.
    #[serde(default)]
    pub parallelization_limit: Option<u32>,
}

/// A variable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Whether the function does not start without it.
    pub required: bool,
}

/// A metric.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// The dimensions that it has besides the function's.
    pub dimensions: Vec<String>,
}

impl Manifest {
    /// The function whose package a path of `Code` or `CodeUri` leads through.
    pub(crate) fn function(&self, code: &str) -> Option<&Function> {
        self.functions.iter().find(|function| {
            code.split(['/', '\\']).any(|part| {
                part == function.name || part.strip_suffix(".zip") == Some(&function.name)
            })
        })
    }
}
