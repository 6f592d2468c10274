//! Rules: what must not happen, how serious it is, and what is done about it.

mod describe;
pub(crate) mod parse;
mod specification;
pub(crate) mod state_bound;
mod summary;
mod sustain;
pub(crate) mod when;

use quality_event::{Reaction, Severity};

use crate::ControlPlan;
use crate::expression::{Tendency, is_true};
use crate::reading::Reading;

pub use specification::Specification;
pub use state_bound::MAX_STATE_BYTES;
pub use sustain::Sustain;
pub use when::When;

/// What a rule watches.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RuleKind {
    /// A condition that must not hold.
    When(When),
    /// A characteristic that stays within its specification limits.
    Specification(Specification),
}

impl RuleKind {
    /// The key that makes the rule one of this kind.
    pub fn as_str(&self) -> &'static str {
        match self {
            RuleKind::When(_) => "when",
            RuleKind::Specification(_) => "specification",
        }
    }
}

/// What a rule says of one reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The reading violates the rule.
    Fires,
    /// It does not.
    Passes,
    /// The reading lacks what the rule needs.
    NotApplicable,
}

impl From<bool> for Verdict {
    fn from(fires: bool) -> Self {
        if fires {
            Verdict::Fires
        } else {
            Verdict::Passes
        }
    }
}

/// A rule as the plan holds it.
#[derive(Clone, Debug)]
pub(crate) struct RuleBody {
    pub(crate) id: String,
    pub(crate) kind: RuleKind,
    pub(crate) sustain: Option<Sustain>,
    pub(crate) severity: Severity,
    pub(crate) reaction: Reaction,
    pub(crate) summary: Option<summary::Template>,
    pub(crate) definition: u64,
    /// The characteristics it names, with the direction in which each offends.
    pub(crate) characteristics: Vec<(u16, Tendency)>,
}

/// A rule of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Rule<'p> {
    pub(crate) plan: &'p ControlPlan,
    pub(crate) body: &'p RuleBody,
}

impl<'p> Rule<'p> {
    /// The rule's id: kebab-case, unique in the plan.
    pub fn id(&self) -> &'p str {
        &self.body.id
    }

    /// What it watches.
    pub fn kind(&self) -> &'p RuleKind {
        &self.body.kind
    }

    /// A label for routing.
    pub fn severity(&self) -> Severity {
        self.body.severity
    }

    /// What is done when it fires.
    pub fn reaction(&self) -> Reaction {
        self.body.reaction
    }

    /// How long it must fire before an episode opens; none: at once.
    pub fn sustain(&self) -> Option<Sustain> {
        self.body.sustain
    }

    /// A digest of what decides when the rule fires: its kind, `for`, and the definitions of every name that it
    /// reaches. Id, severity, reaction and summary are no part of it.
    pub fn definition(&self) -> u64 {
        self.body.definition
    }

    /// The characteristics that the rule names, in the order of their first use.
    pub fn characteristics(&self) -> impl Iterator<Item = &'p str> {
        let plan = self.plan;
        self.body
            .characteristics
            .iter()
            .map(|(slot, _)| plan.characteristics[usize::from(*slot)].name.as_str())
    }

    /// What the rule says of this reading alone, `for` aside.
    pub fn verdict(&self, reading: &Reading) -> Verdict {
        let fires = match &self.body.kind {
            RuleKind::When(when) => is_true(when.compiled.program.run(&self.plan.frame(reading))),
            RuleKind::Specification(limits) => {
                let value = reading.characteristics[usize::from(limits.characteristic)];
                (!value.is_nan()).then(|| limits.is_violated(value))
            }
        };
        fires.map_or(Verdict::NotApplicable, Verdict::from)
    }

    /// The characteristics that the rule names, with their values at this reading; missing ones are left out.
    pub fn values<'r>(
        &self,
        reading: &'r Reading,
    ) -> impl Iterator<Item = (&'p str, f64)> + use<'p, 'r> {
        let plan = self.plan;
        self.body
            .characteristics
            .iter()
            .filter_map(move |(slot, _)| {
                let value = reading.characteristics[usize::from(*slot)];
                (!value.is_nan()).then(|| {
                    (
                        plan.characteristics[usize::from(*slot)].name.as_str(),
                        value,
                    )
                })
            })
    }

    /// Whether `value` lies farther from what the rule asks of the characteristic than `other` does.
    ///
    /// Upwards where the rule fires on large values, downwards where on small ones, beyond the nearer limit where
    /// on both; by magnitude where the rule gives no direction.
    pub fn is_farther(&self, characteristic: &str, value: f64, other: f64) -> bool {
        let tendency = self
            .body
            .characteristics
            .iter()
            .find(|(slot, _)| self.plan.characteristics[usize::from(*slot)].name == characteristic)
            .map_or(Tendency::default(), |(_, tendency)| *tendency);
        tendency.distance(value) > tendency.distance(other)
    }

    /// One sentence about this reading: the plan's `summary`, or a default with rule, values and limits.
    pub fn summary(&self, reading: &Reading) -> String {
        match &self.body.summary {
            Some(template) => template.render(reading, &self.plan.frame(reading)),
            None => describe::describe(*self, reading),
        }
    }
}
