//! Rules: what must not happen, how serious it is, and what is done about it. One file for each kind.

pub(crate) mod chart;
mod describe;
mod evidence;
#[cfg(test)]
mod fixture;
mod gap;
mod missing;
pub(crate) mod parse;
mod rate;
pub(crate) mod reference;
mod specification;
pub(crate) mod state_bound;
mod stuck;
pub(crate) mod summary;
pub(crate) mod sustain;
pub(crate) mod when;

use std::borrow::Cow;

use control_chart::Point;
use quality_event::{Reaction, Severity};

use crate::ControlPlan;
use crate::expression::{Frame, Tendency, is_true};
use crate::reading::Reading;

pub use chart::{ChartRule, SampleSize};
pub use evidence::Evidence;
pub use gap::Gap;
pub use missing::Missing;
pub use rate::Rate;
pub use specification::Specification;
pub use state_bound::MAX_STATE_BYTES;
pub use stuck::Stuck;
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
    /// A characteristic that stays in statistical control.
    Chart(ChartRule),
    /// A characteristic that does not change too fast.
    Rate(Rate),
    /// A sensor that does not say the same for too long.
    Stuck(Stuck),
    /// A characteristic that does not lack its value for too long.
    Missing(Missing),
    /// A machine that is not silent for too long.
    Gap(Gap),
}

impl RuleKind {
    /// The key that makes the rule one of this kind.
    pub fn as_str(&self) -> &'static str {
        match self {
            RuleKind::When(_) => "when",
            RuleKind::Specification(_) => "specification",
            RuleKind::Chart(_) => "chart",
            RuleKind::Rate(_) => "rate",
            RuleKind::Stuck(_) => "stuck",
            RuleKind::Missing(_) => "missing",
            RuleKind::Gap(_) => "gap",
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
    /// Nothing is lacking, and yet there is nothing to say: a chart gathers a subgroup or learns, a value is the first.
    Undecided,
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
    pub(crate) index: usize,
}

impl<'p> Rule<'p> {
    /// The rule's id: kebab-case, unique in the plan.
    pub fn id(&self) -> &'p str {
        &self.body.id
    }

    /// Its place in the plan, from 0.
    pub fn index(&self) -> usize {
        self.index
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

    /// Whether its verdict depends on the machine's readings before this one, `for` aside.
    pub fn has_memory(&self) -> bool {
        match &self.body.kind {
            RuleKind::Specification(_) => false,
            RuleKind::When(when) => !when.previous().is_empty(),
            _ => true,
        }
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

    /// What a `when` or `specification` rule says of this reading, `for` aside; `previous` are the values before it of
    /// [`When::previous`], NaN where there was none. Other kinds need more than the reading: not applicable.
    pub fn verdict(&self, reading: &Reading, previous: &[f64]) -> Verdict {
        let fires = match &self.body.kind {
            RuleKind::When(when) => is_true(when.compiled.program.run(&Frame {
                previous,
                ..self.plan.frame(reading)
            })),
            RuleKind::Specification(limits) => reading
                .value(limits.characteristic)
                .map(|value| limits.is_violated(value)),
            _ => None,
        };
        fires.map_or(Verdict::NotApplicable, Verdict::from)
    }

    /// What an event about this reading carries: the values of the rule's characteristics and what the rule found;
    /// missing ones are left out.
    pub fn values(&self, reading: &Reading, evidence: &Evidence) -> Vec<(Cow<'p, str>, f64)> {
        evidence::values(*self, reading, evidence)
    }

    /// The values whose extreme an episode keeps.
    pub fn tracked(&self, reading: &Reading, evidence: &Evidence) -> Vec<(Cow<'p, str>, f64)> {
        evidence::tracked(*self, reading, evidence)
    }

    /// Whether [`tracked`](Self::tracked) may give this name.
    pub fn tracks(&self, name: &str) -> bool {
        evidence::tracked_names(*self)
            .iter()
            .any(|known| known == name)
    }

    /// Whether `value` lies farther from what the rule asks for than `other` does.
    ///
    /// Of a condition or a specification: upwards where it fires on large values, downwards where on small ones, beyond
    /// the nearer limit where on both, by magnitude where it gives no direction. Of a chart: by the distance from the
    /// centre. Of a change: by magnitude.
    pub fn is_farther(&self, name: &str, value: f64, other: f64, evidence: &Evidence) -> bool {
        let from_center = |center: f64| (value - center).abs() > (other - center).abs();
        match evidence {
            Evidence::Chart(Point { limits, .. }) => from_center(limits.center),
            Evidence::PerSecond(_) | Evidence::SilenceMs(_) => from_center(0.0),
            Evidence::Reading | Evidence::Readings(_) => {
                let tendency = self
                    .body
                    .characteristics
                    .iter()
                    .find(|(slot, _)| self.plan.characteristics[usize::from(*slot)].name == name)
                    .map_or(Tendency::default(), |(_, tendency)| *tendency);
                tendency.distance(value) > tendency.distance(other)
            }
        }
    }

    /// One sentence about this reading: the plan's `summary`, or a default with rule, values and limits.
    pub fn summary(&self, reading: &Reading, evidence: &Evidence) -> String {
        match &self.body.summary {
            Some(template) => {
                let tests: Vec<_> = match evidence {
                    Evidence::Chart(point) => {
                        point.fired.iter().map(|test| test.as_str()).collect()
                    }
                    _ => Vec::new(),
                };
                template.render(reading, &self.plan.frame(reading), &tests.join(", "))
            }
            None => describe::describe(*self, reading, evidence),
        }
    }

    /// The characteristics' values at this reading; missing ones are left out.
    pub(crate) fn named_values<'r>(
        &self,
        reading: &'r Reading,
    ) -> impl Iterator<Item = (&'p str, f64)> + use<'p, 'r> {
        let plan = self.plan;
        self.body
            .characteristics
            .iter()
            .filter_map(move |(slot, _)| {
                let value = reading.characteristics[usize::from(*slot)];
                let name = plan.characteristics[usize::from(*slot)].name.as_str();
                (!value.is_nan()).then_some((name, value))
            })
    }
}
