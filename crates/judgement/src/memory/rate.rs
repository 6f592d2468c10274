//! `rate`: a characteristic must not change faster than so much per second of reading time.

use control_plan::{Evidence, Rate, Reading, Verdict};
use serde::{Deserialize, Serialize};

use super::{Finding, is_time};

/// The latest value in reading time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Latest(Option<(i64, f64)>);

impl Latest {
    /// The change since the latest value. A reading that is no later than that one is not applicable and leaves it
    /// in place: a reading out of order would make a rate that never was.
    pub(super) fn find(&mut self, rate: &Rate, reading: &Reading) -> Finding {
        let Some(value) = reading.value(rate.characteristic) else {
            return Finding::of_reading(Verdict::NotApplicable);
        };
        let now_ms = reading.time.as_millis();
        let Some((then_ms, before)) = self.0 else {
            self.0 = Some((now_ms, value));
            return Finding::of_reading(Verdict::Undecided);
        };
        if now_ms <= then_ms {
            return Finding::of_reading(Verdict::NotApplicable);
        }
        self.0 = Some((now_ms, value));
        let per_second = (value - before) / ((now_ms - then_ms) as f64 / 1_000.0);
        if per_second.is_nan() {
            return Finding::of_reading(Verdict::NotApplicable);
        }
        // Two ends of a double's range may lie further apart than it reaches.
        let per_second = per_second.clamp(f64::MIN, f64::MAX);
        Finding::new(
            per_second.abs() > rate.max_per_second,
            Evidence::PerSecond(per_second),
        )
    }

    pub(super) fn is_blank(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn is_plausible(&self) -> bool {
        self.0
            .is_none_or(|(ms, value)| is_time(ms) && value.is_finite())
    }
}
