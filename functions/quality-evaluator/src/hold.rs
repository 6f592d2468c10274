//! How long a machine may hold its shard back, and what becomes of its readings then. Pure.

use std::time::Duration;

use kinesis_batch::UserRecord;
use set_aside::SetAside;

use crate::machine::MachineReadings;
use crate::restarts::Place;
use crate::verdict::shard_key;
use crate::watermark::{Mark, Position};

/// The hold, as of one invocation's start.
#[derive(Clone, Copy, Debug)]
pub struct Hold {
    /// Records that arrived at or before this have waited long enough, in milliseconds since the epoch.
    oldest_ms: i64,
}

impl Hold {
    /// Records older than `most` at `now_ms` wait no more.
    pub fn new(most: Duration, now_ms: i64) -> Self {
        let most = i64::try_from(most.as_millis()).unwrap_or(i64::MAX);
        Self {
            oldest_ms: now_ms.saturating_sub(most),
        }
    }

    /// Whether the machine's first reading has waited long enough.
    pub fn is_over(self, machine: &MachineReadings<'_, '_>) -> bool {
        machine
            .readings
            .first()
            .is_some_and(|(record, _)| record.arrived_ms <= self.oldest_ms)
    }
}

/// A machine's readings of one batch on their way to be parked.
#[derive(Clone, Debug)]
pub struct Parking<'r, 'b> {
    machine: String,
    records: Vec<&'r UserRecord<'b>>,
}

impl<'r, 'b> Parking<'r, 'b> {
    /// All of the machine's readings: those after the first would be judged as if it had never been.
    pub fn of(machine: &MachineReadings<'r, 'b>) -> Self {
        Self {
            machine: machine.machine.clone(),
            records: machine.readings.iter().map(|(record, _)| *record).collect(),
        }
    }

    /// The machine.
    pub fn machine(&self) -> &str {
        &self.machine
    }

    /// The batch's records that wait for it, once per reading.
    pub fn parents(&self) -> impl Iterator<Item = usize> {
        self.records.iter().map(|record| record.parent)
    }

    /// What is kept of the readings; `reason` is why the machine was held.
    pub fn set_aside(&self, reason: &str) -> impl Iterator<Item = SetAside> {
        self.records.iter().map(move |record| {
            SetAside::user_record(
                record,
                reason,
                &format!("the machine {} was held for too long", self.machine),
            )
        })
    }

    /// The last reading of each shard: up to there the machine's state has a gap.
    pub fn gaps(&self) -> Vec<(Place, Mark)> {
        let mut gaps: Vec<(Place, Mark)> = Vec::new();
        for record in &self.records {
            let place = Place::of(&self.machine, &shard_key(record));
            let mark = Mark::new(Position::of(record), record.arrived_ms);
            match gaps.iter_mut().find(|(known, _)| *known == place) {
                Some((_, last)) => *last = mark,
                None => gaps.push((place, mark)),
            }
        }
        gaps
    }
}
