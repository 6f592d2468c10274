//! The control plan: parsed, checked, compiled.

mod build;
mod characteristics;
mod constants;
mod payload;

pub use characteristics::Characteristic;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::check::fault::PlanErrors;
use crate::check::{Check, yaml};
use crate::expression::{Frame, Program, Table};
use crate::reading::{Places, Reading, Unreadable};
use crate::rule::{Rule, RuleBody};

/// Largest plan file, in bytes.
pub const MAX_PLAN_BYTES: usize = 256 * 1_024;

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
    by_id: BTreeMap<String, usize>,
    state_bytes: usize,
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
        self.rules.iter().map(|body| Rule { plan: self, body })
    }

    /// The rule with this id.
    pub fn rule(&self, id: &str) -> Option<Rule<'_>> {
        self.by_id.get(id).map(|at| Rule {
            plan: self,
            body: &self.rules[*at],
        })
    }

    /// What is measured or derived, in the order of the file.
    pub fn characteristics(&self) -> &[Characteristic] {
        &self.characteristics
    }

    /// The attributes' names, in the order of the file.
    pub fn attributes(&self) -> &[String] {
        &self.attributes
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

    pub(crate) fn frame<'r>(&'r self, reading: &'r Reading) -> Frame<'r> {
        Frame {
            characteristics: &reading.characteristics,
            attributes: &reading.attributes,
            tables: &self.tables,
        }
    }
}
