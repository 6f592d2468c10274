//! `previous(x)` in a condition: the value that x had when it last had one.

use control_plan::{Reading, Rule, When};
use serde::{Deserialize, Serialize};

use super::Finding;

/// The last value of each characteristic that the condition asks for; NaN where there was none yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Previous(Vec<f64>);

/// A missing value equals a missing value.
impl PartialEq for Previous {
    fn eq(&self, other: &Self) -> bool {
        let bits = |values: &Self| -> Vec<u64> { values.0.iter().map(|v| v.to_bits()).collect() };
        bits(self) == bits(other)
    }
}

impl Previous {
    pub(super) fn find(&mut self, rule: Rule<'_>, when: &When, reading: &Reading) -> Finding {
        let wanted = when.previous();
        self.0.resize(wanted.len(), f64::NAN);
        let verdict = rule.verdict(reading, &self.0);
        for (last, characteristic) in self.0.iter_mut().zip(wanted) {
            if let Some(value) = reading.value(*characteristic) {
                *last = value;
            }
        }
        Finding::of_reading(verdict)
    }

    pub(super) fn is_blank(&self) -> bool {
        self.0.iter().all(|value| value.is_nan())
    }

    pub(super) fn is_plausible(&self) -> bool {
        self.0.iter().all(|value| !value.is_infinite())
    }
}
