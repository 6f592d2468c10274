//! What invocations did that no table tells of: which of them died, and which came back with records unfinished.

use std::collections::{HashMap, HashSet};

use super::Audit;
use crate::simulation::alerts::{CLOCKS_DIFFER_MS, millis};
use crate::simulation::fault::FaultClass;
use crate::simulation::function::Function;
use crate::simulation::line::UnderWay;
use crate::simulation::world::MACHINE_HOLD;

/// What invocations did.
#[derive(Debug, Default)]
pub struct Deeds {
    died: HashSet<String>,
    /// When invocations of the alerter began that met no fault and left an event unfinished, by the event's id.
    held: HashMap<String, Vec<i64>>,
    evaluator_hit_last_ms: Option<i64>,
}

impl Deeds {
    /// An invocation ended without an answer.
    pub fn died(&mut self, request_id: String) {
        self.died.insert(request_id);
    }

    /// Whether this invocation ended without an answer.
    pub fn has_died(&self, request_id: &str) -> bool {
        self.died.contains(request_id)
    }

    /// An alerter that nothing befell left an event unfinished.
    pub fn left_unfinished(&mut self, event: &str, started_ms: i64) {
        self.held
            .entry(event.to_owned())
            .or_default()
            .push(started_ms);
    }

    /// How often the event was left unfinished, without a reason, by alerters that began in this time.
    pub fn times_left(&self, event: &str, between_ms: std::ops::Range<i64>) -> usize {
        let starts = self.held.get(event).map_or(&[][..], Vec::as_slice);
        let within = starts.iter().filter(|start| between_ms.contains(start));
        within.count()
    }

    /// When something else than a machine's outage hit the evaluator last.
    pub fn evaluator_hit_last(&mut self, at_ms: Option<i64>) {
        self.evaluator_hit_last_ms = at_ms;
    }

    /// Whether nothing but the outage of a machine hit the evaluator after this time.
    pub fn evaluator_is_well_after(&self, at_ms: i64) -> bool {
        self.evaluator_hit_last_ms.is_none_or(|last| last < at_ms)
    }
}

impl Audit {
    /// An invocation that met these faults has come back and finished so many of its records.
    pub fn held(&mut self, function: Function, batch: &UnderWay, done: usize, met: &[FaultClass]) {
        let held = &batch.records[done..];
        match function {
            Function::Evaluator => {
                let Some(first) = held.first().filter(|_| done == 0) else {
                    return;
                };
                let age_ms = batch.started_ms - first.arrived_ms;
                let is_over = age_ms > millis(MACHINE_HOLD) + CLOCKS_DIFFER_MS;
                if is_over && met.iter().all(|met| *met == FaultClass::MachineOutage) {
                    let what = format!(
                        "{} held {} for {age_ms} ms",
                        batch.shard, first.sequence_number
                    );
                    self.violation("bounded waiting", what);
                }
            }
            Function::Alerter if met.is_empty() => {
                for record in held {
                    let place = (batch.shard.to_string(), record.sequence_number.to_string());
                    if let Some(event) = self.said(&place) {
                        self.deeds
                            .left_unfinished(event.id.as_str(), batch.started_ms);
                    }
                }
            }
            Function::Alerter | Function::Writer => {}
        }
    }
}
