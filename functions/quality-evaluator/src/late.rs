//! Readings that were set aside or failed, brought back after their turn.
//!
//! The machine's later readings have been judged: state and watermarks stay as they are, rules that need no other
//! reading judge, and their events are marked `late`. Bringing the same readings back again gives the same events
//! under the same ids.

use control_plan::ControlPlan;
use function_ports::{Entry, Outbox, publish, source};
use judgement::judge_late;
use kinesis_batch::{Batch, UserRecord};
use lambda_function::deadline::Deadline;
use lambda_function::metrics::Metrics;
use quality_event::Timestamp;
use set_aside::{Outcome, Redriven, Report};

use crate::metric;

/// Judges readings out of their turn; changes nothing but the quality-events stream.
pub async fn handle_late(
    plan: &ControlPlan,
    outbox: &impl Outbox,
    metrics: &Metrics,
    batch: &Batch<'_>,
    deadline: Deadline,
) -> Report {
    let mut outcomes = batch.outcomes();
    let mut redriven = Vec::new();
    let mut entries = Vec::new();
    for record in batch.malformed() {
        redriven.push(Redriven {
            record: record.parent,
            sequence_number: record.sequence_number.map(str::to_owned),
            sub_sequence_number: None,
            outcome: Outcome::Unreadable,
            reason: Some(record.reason.as_str().to_owned()),
            events: 0,
        });
    }
    for record in batch.user_records() {
        let place = redriven.len();
        let (events, reason) = match judged(plan, record) {
            Ok(events) => (events, None),
            Err(reason) => (Vec::new(), Some(reason.to_owned())),
        };
        redriven.push(Redriven {
            record: record.parent,
            sequence_number: Some(record.sequence_number.to_string()),
            sub_sequence_number: record.sub_sequence_number,
            outcome: match reason {
                None => Outcome::Judged,
                Some(_) => Outcome::Unreadable,
            },
            reason,
            events: events.len(),
        });
        entries.extend(events.into_iter().map(|entry| (place, entry)));
    }
    for place in publish(outbox, entries, deadline).await {
        redriven[place].outcome = Outcome::Failed;
    }
    for reading in &redriven {
        metrics.add(&metric::LATE_READINGS, &[reading.outcome.as_str()], 1);
        if reading.outcome != Outcome::Failed {
            outcomes.done(reading.record);
        }
    }
    tracing::info!(
        readings = redriven.len(),
        unfinished = outcomes.unfinished(),
        plan = plan.hash(),
        "readings judged out of their turn"
    );
    redriven.sort_by_key(|reading| reading.record);
    Report {
        response: outcomes.response(),
        redriven,
    }
}

fn judged(plan: &ControlPlan, record: &UserRecord<'_>) -> Result<Vec<Entry>, &'static str> {
    let reading = plan.read(record.data).map_err(|error| error.reason())?;
    let arrived = Timestamp::from_millis(record.arrived_ms).unwrap_or(reading.time);
    let judgement = judge_late(plan, &reading, &source(record), arrived);
    Ok(judgement.events.iter().map(Entry::of).collect())
}
