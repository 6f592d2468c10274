//! The control plan: parsed, checked, compiled.

mod build;
mod characteristics;
mod constants;
mod payload;

pub use characteristics::Characteristic;
pub(crate) use payload::pointer_at;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::check::fault::PlanErrors;
use crate::check::{Check, yaml};
use crate::expression::{Frame, Program, Table};
use crate::model::Model;
use crate::reading::{AttributeId, CharacteristicId, Places, Reading, Unreadable};
use crate::rule::{Rule, RuleBody};

/// Largest plan file, in bytes.
pub const MAX_PLAN_BYTES: usize = 256 * 1_024;

/// The most steps that judging one reading may take: some 60 microseconds where each is a division.
pub const MAX_STEPS: usize = 20_000;

/// What the expression parser's recursion may take at the deepest nesting that is let through to it (5 MB without
/// optimisation), with room to spare; whatever thread the caller is on.
const STACK_BYTES: usize = 16 * 1_024 * 1_024;

/// A control plan, ready to read and judge.
#[derive(Clone, Debug)]
pub struct ControlPlan {
    hash: String,
    places: Places,
    attributes: Vec<String>,
    pub(crate) characteristics: Vec<Characteristic>,
    tables: Vec<Table>,
    formulas: Vec<(u16, Program)>,
    rules: Vec<RuleBody>,
    rule_ids: Arc<[Box<str>]>,
    by_id: BTreeMap<String, usize>,
    fingerprint: u64,
    names_reading_id: bool,
    pub(crate) model: Option<Model>,
    state_bytes: usize,
    steps: usize,
}

/// Every mapping of the language with the keys that the parser knows in it.
#[cfg(all(test, feature = "schema"))]
pub(crate) fn known_keys() -> Vec<(&'static str, Vec<&'static str>)> {
    use crate::model::parse as model;
    let of_plan = [
        ("Plan", build::KEYS.to_vec()),
        ("Reading", payload::KEYS.to_vec()),
        ("Characteristic", characteristics::KEYS.to_vec()),
        ("Table", constants::TABLE_KEYS.to_vec()),
        ("Model", model::KEYS.to_vec()),
        ("Derived", model::FORMULA_KEYS.to_vec()),
        ("OneHot", model::ONE_HOT_KEYS.to_vec()),
        ("Answer", model::ANSWER_KEYS.to_vec()),
        ("Threshold", model::THRESHOLD_KEYS.to_vec()),
    ];
    of_plan
        .into_iter()
        .chain(crate::rule::parse::known_keys())
        .collect()
}

impl ControlPlan {
    /// Parses and checks a plan; on failure every fault of the file is told. `file_name` is for the messages.
    pub fn parse(file_name: &str, source: &str) -> Result<Self, PlanErrors> {
        let outcome = std::thread::scope(|scope| {
            std::thread::Builder::new()
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, || Self::parse_here(source))
                .map(|thread| thread.join())
        });
        let found = match outcome {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(vec![(0..0, "the parser failed on this plan".to_owned())]),
            Err(error) => Err(vec![(
                0..0,
                format!("no thread to check the plan on: {error}"),
            )]),
        };
        found.map_err(|faults| PlanErrors::new(file_name, source, faults))
    }

    fn parse_here(source: &str) -> Result<Self, Vec<(Range<usize>, String)>> {
        if source.len() > MAX_PLAN_BYTES {
            return Err(vec![(
                0..0,
                format!(
                    "a plan has at most {MAX_PLAN_BYTES} bytes, this one {}",
                    source.len()
                ),
            )]);
        }
        let root = yaml::read(source).map_err(|fault| vec![fault])?;
        let mut check = Check::new(source);
        let plan = build::build(&mut check, &root, source);
        let faults = check.into_faults();
        match plan {
            Some(plan) if faults.is_empty() => Ok(plan),
            _ => Err(faults),
        }
    }

    /// `sha256:` and the digest of the file's bytes.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The rules, in the order of the file.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = Rule<'_>> {
        self.rules.iter().enumerate().map(|(index, body)| Rule {
            plan: self,
            body,
            index,
        })
    }

    /// The rule with this id.
    pub fn rule(&self, id: &str) -> Option<Rule<'_>> {
        self.by_id.get(id).map(|at| Rule {
            plan: self,
            body: &self.rules[*at],
            index: *at,
        })
    }

    /// The rules' ids, in the order of the file.
    pub fn rule_ids(&self) -> &Arc<[Box<str>]> {
        &self.rule_ids
    }

    /// A number that tells plans apart, made of the file's digest; never zero.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Whether the plan says where a reading's own id stands, so that duplicates can be told.
    pub fn names_reading_id(&self) -> bool {
        self.names_reading_id
    }

    /// What is measured or derived, in the order of the file.
    pub fn characteristics(&self) -> &[Characteristic] {
        &self.characteristics
    }

    /// The attributes' names, in the order of the file.
    pub fn attributes(&self) -> &[String] {
        &self.attributes
    }

    /// The name of a characteristic of this plan.
    pub fn name(&self, characteristic: CharacteristicId) -> &str {
        &self.characteristics[usize::from(characteristic.0)].name
    }

    /// The name of an attribute of this plan.
    pub fn attribute_name(&self, attribute: AttributeId) -> &str {
        &self.attributes[usize::from(attribute.0)]
    }

    /// A characteristic's unit.
    pub fn unit(&self, characteristic: &str) -> Option<&str> {
        self.characteristics
            .iter()
            .find(|known| known.name == characteristic)?
            .unit
            .as_deref()
    }

    /// The most bytes that one machine's state takes under this plan; at most [`MAX_STATE_BYTES`](crate::MAX_STATE_BYTES).
    pub fn state_bytes(&self) -> usize {
        self.state_bytes
    }

    /// The most steps that judging one reading takes (a step is an operation on a number or a text); at most
    /// [`MAX_STEPS`].
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Reads a payload: takes what the plan's pointers name and derives the rest.
    pub fn read(&self, payload: &[u8]) -> Result<Reading, Unreadable> {
        let mut reading = self.places.read(payload)?;
        for (slot, formula) in &self.formulas {
            let value = formula.run(&self.frame(&reading));
            reading.characteristics[usize::from(*slot)] = value;
        }
        Ok(reading)
    }

    /// A characteristic's value at a reading of this plan; none where it is missing or not numeric.
    pub fn value(&self, reading: &Reading, characteristic: &str) -> Option<f64> {
        let slot = self
            .characteristics
            .iter()
            .position(|known| known.name == characteristic)?;
        reading
            .characteristics
            .get(slot)
            .copied()
            .filter(|value| !value.is_nan())
    }

    /// An attribute's value at a reading of this plan.
    pub fn attribute<'r>(&self, reading: &'r Reading, attribute: &str) -> Option<&'r str> {
        let slot = self
            .attributes
            .iter()
            .position(|known| known == attribute)?;
        reading.attributes.get(slot)?.as_deref()
    }

    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    pub(crate) fn frame<'r>(&'r self, reading: &'r Reading) -> Frame<'r> {
        Frame {
            characteristics: &reading.characteristics,
            previous: &[],
            attributes: &reading.attributes,
            tables: &self.tables,
        }
    }
}
