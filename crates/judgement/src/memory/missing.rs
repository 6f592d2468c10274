//! `missing`: readings in a row in which a characteristic has no value.

use control_plan::{Evidence, Missing, Reading};
use serde::{Deserialize, Serialize};

use super::Finding;

/// How many readings in a row had no value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Missed(u32);

impl Missed {
    pub(super) fn find(&mut self, missing: &Missing, reading: &Reading) -> Finding {
        self.0 = match reading.value(missing.characteristic) {
            Some(_) => 0,
            None => self.0.saturating_add(1),
        };
        Finding::new(self.0 >= missing.readings, Evidence::Readings(self.0))
    }

    pub(super) fn is_blank(&self) -> bool {
        self.0 == 0
    }

    pub(super) fn is_plausible(&self) -> bool {
        true
    }
}
