//! `gap`: no reading for longer than allowed, seen at the one that ends the silence.

use control_plan::{Evidence, Gap, Reading, Verdict};
use serde::{Deserialize, Serialize};

use super::{Finding, is_time};

/// The latest reading time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Latest(Option<i64>);

impl Latest {
    /// A reading from before the latest ends no silence and begins none.
    pub(super) fn find(&mut self, gap: &Gap, reading: &Reading) -> Finding {
        let now_ms = reading.time.as_millis();
        let Some(then_ms) = self.0 else {
            self.0 = Some(now_ms);
            return Finding::of_reading(Verdict::Undecided);
        };
        self.0 = Some(then_ms.max(now_ms));
        let silence_ms = (now_ms - then_ms).max(0);
        Finding::new(silence_ms > gap.longest_ms, Evidence::SilenceMs(silence_ms))
    }

    pub(super) fn is_blank(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn is_plausible(&self) -> bool {
        self.0.is_none_or(is_time)
    }
}
