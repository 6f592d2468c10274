//! The end of a machine's hold: tried once more for a while, then its readings are set aside and the gap is noted.
//!
//! Promise: a machine is parked only after it had its turn and failed, and its records are done only once its readings
//! and the note on them are safe; of several machines each for itself.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use lambda_function::Causes;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::Metrics;
use set_aside::{Fate, Shelf};

use crate::hold::Parking;
use crate::machine::MachineReadings;
use crate::restarts::{Place, Restarts};
use crate::watermark::Mark;
use crate::{PortError, metric};

/// How long a machine that has waited long enough is tried again in one invocation, from its first failure there: a
/// backlog is all old, and one throttled call must not park it; a machine that fails for good must not slow its shard
/// down for long.
const PATIENCE: Duration = Duration::from_secs(3);
/// For removing notes: what is left is found again, and then says nothing new.
const SETTLING_TIME: Duration = Duration::from_secs(2);
const CONCURRENT_NOTES: usize = 16;

/// A machine whose first reading has waited long enough.
pub struct Held<'r, 'b> {
    parking: Parking<'r, 'b>,
    /// Why it could not be judged; none before its first turn.
    reason: Option<&'static str>,
    patience: Option<Deadline>,
}

impl<'r, 'b> Held<'r, 'b> {
    /// The machine of these readings, before its turn.
    pub fn of(readings: &MachineReadings<'r, 'b>) -> Self {
        Self {
            parking: Parking::of(readings),
            reason: None,
            patience: None,
        }
    }

    /// A turn begins; if nothing else ends it, the deadline does.
    pub fn begin(&mut self) {
        self.fail("deadline");
    }

    /// Whether it had a turn.
    pub fn has_begun(&self) -> bool {
        self.reason.is_some()
    }

    /// It failed.
    pub fn fail(&mut self, reason: &'static str) {
        self.reason = Some(reason);
    }

    /// It failed for a reason that may pass; whether it is to be tried again.
    pub fn is_worth_another(&mut self, reason: &'static str) -> bool {
        self.fail(reason);
        let patience = self
            .patience
            .get_or_insert_with(|| Deadline::after(PATIENCE));
        !patience.is_past()
    }

    fn reason(&self) -> &'static str {
        self.reason.unwrap_or("deadline")
    }
}

/// Sets aside the readings of machines and notes that their rules begin anew; gives the indices of the records of
/// those of which both are safe by the deadline.
pub async fn park(
    shelf: &impl Shelf,
    restarts: &impl Restarts,
    metrics: &Metrics,
    mut held: Vec<Held<'_, '_>>,
    deadline: Deadline,
) -> Vec<usize> {
    if held.is_empty() {
        return Vec::new();
    }
    held.sort_by_key(|held| held.parking.parents().min());
    let records: Vec<_> = held
        .iter()
        .flat_map(|held| held.parking.set_aside(held.reason()))
        .collect();
    match deadline.run(shelf.put(Fate::Parked, &records)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(error = %Causes(&error), "readings not parked");
            return Vec::new();
        }
        Err(_) => {
            tracing::error!(readings = records.len(), "no time left for parking");
            return Vec::new();
        }
    }
    let notes = held.iter().map(|held| async move {
        for (place, mark) in held.parking.gaps() {
            restarts.leave(&place, &mark).await?;
        }
        Ok::<_, PortError>(held)
    });
    let mut notes = stream::iter(notes).buffer_unordered(CONCURRENT_NOTES);
    let mut done = Vec::new();
    loop {
        match deadline.run(notes.next()).await {
            Ok(None) => return done,
            Ok(Some(Ok(held))) => {
                let (parking, reason) = (&held.parking, held.reason());
                let readings = parking.parents().count();
                metrics.add(&metric::PARKED, &[reason], readings);
                tracing::warn!(
                    machine = parking.machine(),
                    reason,
                    readings,
                    "readings parked: the machine was held for too long"
                );
                done.extend(parking.parents());
            }
            Ok(Some(Err(error))) => {
                tracing::error!(error = %Causes(&error), "a parked machine not noted");
            }
            Err(_) => {
                tracing::error!("no time left for noting every parked machine");
                return done;
            }
        }
    }
}

/// Removes notes that the machines' states have taken account of, as far as that goes quickly.
pub async fn settle(restarts: &impl Restarts, notes: &[(Place, Mark)], deadline: Deadline) {
    if notes.is_empty() {
        return;
    }
    let removed = stream::iter(notes)
        .map(|(place, mark)| restarts.settle(place, mark))
        .buffer_unordered(CONCURRENT_NOTES)
        .filter_map(async |removed| removed.err())
        .collect::<Vec<_>>();
    match deadline.within(SETTLING_TIME).run(removed).await {
        Ok(failed) => {
            if let Some(error) = failed.first() {
                tracing::warn!(
                    error = %Causes(error),
                    notes = failed.len(),
                    "notes on parked readings not removed"
                );
            }
        }
        Err(_) => {
            tracing::warn!(
                notes = notes.len(),
                "notes on parked readings not removed in time"
            );
        }
    }
}
