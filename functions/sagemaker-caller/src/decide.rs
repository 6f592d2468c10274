//! What each record of a batch calls for. Pure.

use std::time::Duration;

use control_plan::{ControlPlan, Model};
use function_ports::source;
use kinesis_batch::UserRecord;
use quality_event::Timestamp;

use crate::event::Asked;
use crate::request::encode;

/// What one record calls for.
pub enum Action {
    /// The model is asked with this row.
    Ask(Asked, String),
    /// It passes without a score.
    Pass(Asked, &'static str),
    /// It is no reading.
    Skip(&'static str),
}

/// Pure. `late`: whether the record is brought back; its age says nothing then.
pub fn decide(
    plan: &ControlPlan,
    model: &Model,
    record: &UserRecord<'_>,
    late: bool,
    max_age: Duration,
    now_ms: i64,
) -> Action {
    let reading = match plan.read(record.data) {
        Ok(reading) => reading,
        Err(unreadable) => return Action::Skip(unreadable.reason()),
    };
    let mut row = Vec::new();
    let features = plan.features(model, &reading, &mut row);
    let asked = Asked {
        arrived: Timestamp::from_millis(record.arrived_ms).unwrap_or(reading.time),
        source: source(record),
        reading,
        late,
    };
    let age_ms = now_ms.saturating_sub(record.arrived_ms);
    if features.is_err() {
        Action::Pass(asked, "missing-feature")
    } else if !late && age_ms > i64::try_from(max_age.as_millis()).unwrap_or(i64::MAX) {
        Action::Pass(asked, "stale")
    } else {
        Action::Ask(asked, encode(model.request(), &row))
    }
}
