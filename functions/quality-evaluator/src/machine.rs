//! A batch sorted by machine. Pure.

use std::collections::HashMap;

use control_plan::{ControlPlan, Reading};
use kinesis_batch::{Batch, UserRecord};
use set_aside::{Basket, SetAside};

/// One machine's readings of a batch, in stream order.
#[derive(Debug)]
pub struct MachineReadings<'r, 'b> {
    /// The machine.
    pub machine: String,
    /// Where each reading lies, and what it says.
    pub readings: Vec<(&'r UserRecord<'b>, Reading)>,
}

/// The batch's readings by machine, in the order in which the machines first appear, and what no retry makes
/// readable. Records that are `finished`, by their index in the batch, are left out.
pub fn sort<'r, 'b>(
    plan: &ControlPlan,
    batch: &'r Batch<'b>,
    finished: &[bool],
) -> (Vec<MachineReadings<'r, 'b>>, Basket) {
    let mut machines: Vec<MachineReadings<'r, 'b>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut unreadable = Basket::of(batch);
    for record in batch
        .user_records()
        .filter(|record| !finished[record.parent])
    {
        match plan.read(record.data) {
            Err(error) => {
                unreadable.add(
                    record.parent,
                    SetAside::user_record(record, error.reason(), &error),
                );
            }
            Ok(reading) => {
                let place = *places
                    .entry(reading.machine.clone())
                    .or_insert_with_key(|machine| {
                        machines.push(MachineReadings {
                            machine: machine.clone(),
                            readings: Vec::new(),
                        });
                        machines.len() - 1
                    });
                machines[place].readings.push((record, reading));
            }
        }
    }
    (machines, unreadable)
}
