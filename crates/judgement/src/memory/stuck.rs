//! `stuck`: a sensor that says the same for so many readings in a row measures nothing any more.

use control_plan::{Evidence, Reading, Stuck, Verdict};
use serde::{Deserialize, Serialize};

use super::Finding;

/// The row of readings that stay at the value of the first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Run {
    value: f64,
    /// Zero before the first reading.
    readings: u32,
}

impl Run {
    pub(super) fn find(&mut self, stuck: &Stuck, reading: &Reading) -> Finding {
        let Some(value) = reading.value(stuck.characteristic) else {
            return Finding::of_reading(Verdict::NotApplicable);
        };
        if self.readings > 0 && (value - self.value).abs() <= stuck.tolerance {
            self.readings = self.readings.saturating_add(1);
        } else {
            *self = Self { value, readings: 1 };
        }
        Finding::new(
            self.readings >= stuck.readings,
            Evidence::Readings(self.readings),
        )
    }

    pub(super) fn is_blank(&self) -> bool {
        self.readings == 0
    }

    pub(super) fn is_plausible(&self) -> bool {
        self.value.is_finite()
    }
}
