//! Schema and parser know the same keys and words, take the same plans and refuse the same structures.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::json_schema;
use crate::ControlPlan;
use crate::check::yaml::{Kind, Node, Style, read};
use crate::rule::chart::{EWMA_LIMITS, GROUPS, TYPES};

/// A plan with every key of the language.
const COMPLETE: &str = include_str!("../../tests/complete-plan.yaml");

fn validator() -> Validator {
    jsonschema::validator_for(&json_schema()).unwrap()
}

fn plans_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../infra/plans")
}

/// The file as an editor sees it: YAML's core schema.
fn as_json(node: &Node) -> Value {
    match &node.kind {
        Kind::Sequence(items) => items.iter().map(as_json).collect(),
        Kind::Mapping(entries) => entries
            .iter()
            .map(|(key, value)| match &key.kind {
                Kind::Scalar(scalar) => (scalar.text.clone(), as_json(value)),
                _ => panic!("a key is a scalar"),
            })
            .collect::<Map<_, _>>()
            .into(),
        Kind::Scalar(scalar) if scalar.style == Style::Plain => match &*scalar.text {
            "null" | "~" | "" => Value::Null,
            "true" => true.into(),
            "false" => false.into(),
            text => match text.parse::<f64>() {
                Ok(number) if text.contains(|c: char| c.is_ascii_digit()) => json!(number),
                _ => text.into(),
            },
        },
        Kind::Scalar(scalar) => scalar.text.as_str().into(),
    }
}

fn json_of(yaml: &str) -> Value {
    as_json(&read(yaml).unwrap())
}

fn parsed(plan: &Value) -> Result<(), Vec<String>> {
    match ControlPlan::parse("plan.json", &plan.to_string()) {
        Ok(_) => Ok(()),
        Err(errors) => {
            let faults = errors.faults().iter();
            Err(faults.map(|fault| fault.message.clone()).collect())
        }
    }
}

/// `UPDATE_SCHEMA=1 cargo test -p control-plan` writes the file anew.
#[test]
fn the_committed_schema_is_the_generated_one() {
    let generated = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    let path = plans_folder().join("control-plan.schema.json");
    #[expect(
        clippy::disallowed_methods,
        reason = "a switch of the test, not of the product"
    )]
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        committed, generated,
        "run: UPDATE_SCHEMA=1 cargo test -p control-plan"
    );
}

#[test]
fn every_example_names_the_schema_and_fits_it() {
    let validator = validator();
    let mut found = 0;
    for entry in fs::read_dir(plans_folder()).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            found += 1;
            let text = fs::read_to_string(&path).unwrap();
            let modeline = "# yaml-language-server: $schema=control-plan.schema.json\n";
            assert!(text.starts_with(modeline), "{}", path.display());
            let errors: Vec<_> = validator
                .iter_errors(&json_of(&text))
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
        }
    }
    assert!(found > 0);
}

/// The properties of the schema's type for a mapping of the language.
fn properties<'s>(schema: &'s Value, of: &str) -> &'s Map<String, Value> {
    let of = match of {
        "Plan" => schema,
        name => &schema["definitions"][name],
    };
    of["properties"].as_object().unwrap()
}

#[test]
fn both_know_the_same_keys() {
    let schema = json_schema();
    let known = crate::plan::known_keys();
    for (mapping, keys) in &known {
        let expected: BTreeSet<&str> = keys.iter().copied().collect();
        let found = properties(&schema, mapping).keys().map(String::as_str);
        assert_eq!(found.collect::<BTreeSet<_>>(), expected, "{mapping}");
    }
    let mappings: BTreeSet<&str> = known.iter().map(|(mapping, _)| *mapping).collect();
    let definitions = schema["definitions"].as_object().unwrap();
    for (name, definition) in definitions {
        if definition.get("properties").is_some() {
            assert!(mappings.contains(name.as_str()), "{name}");
        }
    }
}

#[test]
fn both_know_the_same_words() {
    let schema = json_schema();
    for (of, expected) in [
        ("Type", TYPES.map(|(word, _)| word).to_vec()),
        ("Group", GROUPS.to_vec()),
        ("EwmaLimits", EWMA_LIMITS.map(|(word, _)| word).to_vec()),
    ] {
        let options = schema["definitions"][of]["oneOf"].as_array().unwrap();
        let found: Vec<&str> = options
            .iter()
            .map(|option| option["const"].as_str().unwrap())
            .collect();
        assert_eq!(found, expected, "{of}");
    }
}

/// Every key that the schema offers is described, so that an editor has something to show.
#[test]
fn every_key_is_described() {
    let schema = json_schema();
    for (mapping, _) in crate::plan::known_keys() {
        for (key, property) in properties(&schema, mapping) {
            let target = property["$ref"].as_str().unwrap_or_default();
            let target = target.trim_start_matches("#/definitions/");
            let described = [property, &schema["definitions"][target]];
            let described = described.iter().any(|of| of.get("description").is_some());
            assert!(described, "{mapping}.{key}: {property}");
        }
    }
}

#[test]
fn the_complete_plan_has_every_key() {
    let complete = json_of(COMPLETE);
    assert_eq!(parsed(&complete), Ok(()));
    assert!(validator().is_valid(&complete));
    let mut used = BTreeSet::new();
    fn collect(value: &Value, used: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(key, value)| {
                used.insert(key.clone());
                collect(value, used);
            }),
            Value::Array(items) => items.iter().for_each(|item| collect(item, used)),
            _ => {}
        }
    }
    collect(&complete, &mut used);
    for (mapping, keys) in crate::plan::known_keys() {
        for key in keys {
            assert!(used.contains(key), "{mapping}.{key}");
        }
    }
}

/// What any plan may be changed into, one value or key at a time.
fn changes(value: &Value) -> Vec<Value> {
    let mut changed: Vec<Value> = [
        json!(null),
        json!([]),
        json!({}),
        json!(true),
        json!(-1),
        json!(0),
        json!(1),
        json!(1.5),
        json!(26),
        json!(1e9),
        json!("zzz"),
        json!(""),
    ]
    .into_iter()
    .filter(|instead| instead != value)
    .collect();
    match value {
        Value::Object(members) => {
            let with = |key: &str, value: Option<Value>| {
                let mut members = members.clone();
                match value {
                    Some(value) => members.insert(key.to_owned(), value),
                    None => members.remove(key),
                };
                Value::Object(members)
            };
            changed.push(with("zzz", Some(json!(1))));
            let foreign = [
                "lambda", "size", "subgroup", "sigma", "center", "learn", "for", "when", "gap",
            ];
            for key in foreign
                .into_iter()
                .filter(|key| !members.contains_key(*key))
            {
                changed.push(with(key, Some(json!(12))));
            }
            for (key, value) in members {
                changed.push(with(key, None));
                let inner = changes(value).into_iter();
                changed.extend(inner.map(|inner| with(key, Some(inner))));
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                for inner in changes(item) {
                    let mut items = items.clone();
                    items[n] = inner;
                    changed.push(Value::Array(items));
                }
            }
        }
        _ => {}
    }
    changed
}

/// Faults that need more than the structure: names, expressions, and what compares two numbers.
fn is_beyond_the_schema(message: &str) -> bool {
    [
        "unknown name",
        "unknown characteristic",
        "unknown attribute",
        "is no characteristic",
        "is no attribute",
        "is already defined",
        "a condition must be a boolean",
        "a formula must be a number",
        "is not expected here",
        "the expression is empty",
        "duplicate rule id",
        "upper must be above lower",
        "head_start must be at least 0 and below h",
        "center must be above 0 and below the size",
        "judging one reading may take",
        "the formula needs its own result",
        "thresholds rise",
        "`rows` belongs to answers",
        "is listed twice",
        "a rule has it",
    ]
    .iter()
    .any(|part| message.contains(part))
}

/// The schema is never stricter than the parser, and takes nothing whose structure the parser refuses.
#[test]
fn both_refuse_the_same_structures() {
    let validator = validator();
    let (mut taken, mut refused) = (0, 0);
    let mut odd = Vec::new();
    for changed in changes(&json_of(COMPLETE)) {
        let fits = validator.iter_errors(&changed).next();
        match (parsed(&changed), fits) {
            (Ok(()), None) => taken += 1,
            (Ok(()), Some(error)) => odd.push(format!(
                "the schema alone refuses {}: {error}",
                error.instance_path()
            )),
            (Err(faults), _) if faults.iter().all(|fault| is_beyond_the_schema(fault)) => {}
            (Err(_), Some(_)) => refused += 1,
            (Err(faults), None) => odd.push(format!("the parser alone refuses: {faults:?}")),
        }
    }
    odd.sort();
    odd.dedup();
    assert!(odd.is_empty(), "{odd:#?}");
    assert!(
        taken > 100 && refused > 500,
        "{taken} taken, {refused} refused"
    );
}
