//! `NAME.json`: what stands beside a program.

use serde::Deserialize;

use crate::about::FIELDS;
use crate::schema::{Schema, Written};

/// What a program is given and what it answers for.
#[derive(Clone, Debug)]
pub(crate) struct Declared {
    pub description: String,
    pub partition_keys: Vec<String>,
    pub input: Schema,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    description: String,
    /// The keys that prefixes name by `!{partitionKeyFromLambda:KEY}`.
    partition_keys: Vec<String>,
    input: Written,
}

/// What is wrong with the declaration, and where as far as that is known.
pub(crate) struct Wrong {
    pub line: usize,
    pub column: usize,
    pub problem: String,
}

impl Declared {
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        let file: File = serde_json::from_str(text).map_err(|error| Wrong {
            line: error.line(),
            column: error.column(),
            problem: error.to_string(),
        })?;
        let wrong = |problem: String| Wrong {
            line: 1,
            column: 1,
            problem,
        };
        let input = Schema::of(file.input, "input").map_err(|fault| wrong(fault.to_string()))?;
        if !input.is_object() {
            return Err(wrong("input: a record is an object".into()));
        }
        for (place, key) in file.partition_keys.iter().enumerate() {
            if !is_key(key) {
                return Err(wrong(format!(
                    "partition_keys: `{key}` is not made of 1 to 64 letters, digits and underscores"
                )));
            }
            if FIELDS.contains(&key.as_str()) {
                return Err(wrong(format!(
                    "partition_keys: `{key}` is something else under % already"
                )));
            }
            if file.partition_keys[..place].contains(key) {
                return Err(wrong(format!("partition_keys: `{key}` stands there twice")));
            }
        }
        Ok(Self {
            description: file.description,
            partition_keys: file.partition_keys,
            input,
        })
    }
}

/// A key stands in prefixes and in the names of table columns.
fn is_key(key: &str) -> bool {
    (1..=64).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What a program reads of what is known of a record.
pub(crate) fn read_of(queried: impl Fn(&str) -> bool) -> Vec<&'static str> {
    FIELDS.into_iter().filter(|name| queried(name)).collect()
}
