//! The distinct messages of a batch, each with the records that ask for it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use quality_event::{QualityEvent, Severity};

use crate::alert::Delivery;

/// A message to deliver.
#[derive(Debug)]
pub struct Job {
    /// The message, and what its claim is asked for.
    pub delivery: Delivery,
    /// The event's severity.
    pub severity: Severity,
    /// What the claims of one machine and rule have in common: they are asked for in turn.
    pub turn: String,
    /// The indices of the user records that ask for it.
    pub records: Vec<usize>,
}

/// Collects messages by the key of their claim.
#[derive(Debug, Default)]
pub struct Jobs {
    jobs: Vec<Job>,
    places: HashMap<String, usize>,
}

impl Jobs {
    /// Adds what the user record at index `record` asks for.
    pub fn add(&mut self, delivery: Delivery, event: &QualityEvent, record: usize) {
        match self.places.entry(delivery.key.clone()) {
            Entry::Occupied(place) => self.jobs[*place.get()].records.push(record),
            Entry::Vacant(place) => {
                place.insert(self.jobs.len());
                let turn = format!("{}#{}", event.subject(), event.machine);
                self.jobs.push(Job {
                    delivery,
                    severity: event.severity,
                    turn,
                    records: vec![record],
                });
            }
        }
    }

    /// In the order of the records that first asked for them.
    pub fn finish(self) -> Vec<Job> {
        self.jobs
    }
}

/// How a message ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It is published, or is not to be.
    Done,
    /// Its topic will never take it.
    Refused(String),
    /// A later delivery must try again; the reason is a metric's dimension.
    Held(&'static str),
}
