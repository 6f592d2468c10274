//! `ExpressionAttributeNames` and `ExpressionAttributeValues`, with the record of which are used.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use crate::dynamodb::validation;
use crate::dynamodb::value::{Value, item_from_json};
use crate::protocol::Refusal;

/// The substitutes that a request brings for its expressions.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    names: BTreeMap<String, String>,
    values: BTreeMap<String, Value>,
    used: BTreeSet<String>,
}

impl Placeholders {
    /// Reads them; without any expression there must be none.
    pub(crate) fn new(
        names: Option<&BTreeMap<String, String>>,
        values: Option<&Map<String, Json>>,
        any_expression: bool,
    ) -> Result<Self, Refusal> {
        for (parameter, sigil, keys) in [
            (
                "ExpressionAttributeNames",
                '#',
                names.map(|names| names.keys().collect::<Vec<_>>()),
            ),
            (
                "ExpressionAttributeValues",
                ':',
                values.map(|values| values.keys().collect()),
            ),
        ] {
            let Some(keys) = keys else { continue };
            if !any_expression {
                return Err(validation(format!(
                    "{parameter} can only be specified when using expressions"
                )));
            }
            if keys.is_empty() {
                return Err(validation(format!("{parameter} must not be empty")));
            }
            if let Some(key) = keys.iter().find(|key| !is_placeholder(key, sigil)) {
                return Err(validation(format!(
                    "{parameter} contains invalid key: Syntax error; key: \"{key}\""
                )));
            }
        }
        Ok(Self {
            names: names.cloned().unwrap_or_default(),
            values: values.map(item_from_json).transpose()?.unwrap_or_default(),
            used: BTreeSet::new(),
        })
    }

    pub(crate) fn name(&mut self, parameter: &str, placeholder: &str) -> Result<String, Refusal> {
        let name = self.names.get(placeholder).cloned().ok_or_else(|| {
            validation(format!(
                "Invalid {parameter}: An expression attribute name used in the document path is not defined; \
                 attribute name: {placeholder}"
            ))
        })?;
        self.used.insert(placeholder.to_owned());
        Ok(name)
    }

    pub(crate) fn value(&mut self, parameter: &str, placeholder: &str) -> Result<Value, Refusal> {
        let value = self.values.get(placeholder).cloned().ok_or_else(|| {
            validation(format!(
                "Invalid {parameter}: An expression attribute value used in expression is not defined; attribute \
                 value: {placeholder}"
            ))
        })?;
        self.used.insert(placeholder.to_owned());
        Ok(value)
    }

    /// After the last expression: whatever has not been used is refused.
    pub(crate) fn finish(self) -> Result<(), Refusal> {
        let unused = |parameter: &str, keys: Vec<&String>| {
            let keys: Vec<&str> = keys
                .into_iter()
                .filter(|key| !self.used.contains(*key))
                .map(String::as_str)
                .collect();
            if keys.is_empty() {
                return Ok(());
            }
            Err(validation(format!(
                "Value provided in {parameter} unused in expressions: keys: {{{}}}",
                keys.join(", ")
            )))
        };
        unused("ExpressionAttributeNames", self.names.keys().collect())?;
        unused("ExpressionAttributeValues", self.values.keys().collect())
    }
}

fn is_placeholder(key: &str, sigil: char) -> bool {
    key.strip_prefix(sigil).is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    })
}
