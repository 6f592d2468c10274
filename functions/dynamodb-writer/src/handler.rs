//! Stores one batch: decide for every record, write, checkpoint.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use kinesis_batch::{Batch, Outcomes, UserRecord};
use lambda_function::deadline::Deadline;
use lambda_function::metrics::{Metrics, UNFINISHED};
use quality_event::{Finding, QualityEvent, Transition};
use set_aside::{Basket, SetAside, Shelf};

use crate::config::{Policy, Store};
use crate::store::{Stored, store};
use crate::{EventTable, Item, metric};

/// What the handler acts through.
pub struct Ports<T, S> {
    /// Where events are stored.
    pub table: T,
    /// Where records go that are no events.
    pub shelf: S,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// What one record calls for.
#[derive(Debug)]
pub enum Action {
    /// The event is stored.
    Store(Item),
    /// The table does not keep it; the reason is a metric's dimension.
    Skip(&'static str),
    /// The record is no event: a retry would not cure it.
    Quarantine(SetAside),
}

/// Pure.
pub fn decide(policy: &Policy, record: &UserRecord<'_>) -> Action {
    match QualityEvent::from_json(record.data) {
        Err(malformed) => {
            Action::Quarantine(SetAside::user_record(record, "not-an-event", &malformed))
        }
        Ok(event) => match skipped(policy.store, &event) {
            Some(reason) => Action::Skip(reason),
            None => Action::Store(Item::of(&event, policy.keep)),
        },
    }
}

fn skipped(store: Store, event: &QualityEvent) -> Option<&'static str> {
    let alerting = match &event.finding {
        Finding::Violation(violation) if violation.transition == Some(Transition::Ongoing) => {
            Err("ongoing")
        }
        Finding::Violation(_) => Ok(()),
        Finding::Prediction(prediction) if prediction.flagged => Ok(()),
        Finding::Prediction(_) => Err("unflagged"),
    };
    alerting.err().filter(|_| store == Store::Alerting)
}

/// Never fails as a whole: the stream resumes at the first record that is not done. Events that are brought back are
/// stored like any others, under the keys that they always had.
pub async fn handle<T: EventTable, S: Shelf>(
    policy: &Policy,
    ports: &Ports<T, S>,
    batch: &Batch<'_>,
    deadline: Deadline,
) -> Outcomes {
    let mut outcomes = batch.outcomes();
    let mut writes = Writes::default();
    let mut aside = Basket::of(batch);
    for record in batch.user_records() {
        match decide(policy, record) {
            Action::Store(item) => writes.add(item, record),
            Action::Skip(reason) => {
                ports.metrics.add(&metric::SKIPPED, &[reason], 1);
                outcomes.done(record.parent);
            }
            Action::Quarantine(unreadable) => aside.add(record.parent, unreadable),
        }
    }
    ports
        .metrics
        .add(&metric::DUPLICATES, &[], writes.duplicates);

    // Side by side: neither a slow bucket nor a slow table holds up the other's records.
    let (safe, fates) = tokio::join!(
        aside.quarantine(&ports.shelf, &ports.metrics, deadline),
        store(&ports.table, &ports.metrics, &writes.items, deadline)
    );
    safe.into_iter().for_each(|parent| outcomes.done(parent));
    let mut refused = Basket::default();
    for (stored, records) in fates.into_iter().zip(&writes.records) {
        match stored {
            Stored::Written => {
                ports.metrics.add(&metric::STORED, &[], 1);
                records
                    .iter()
                    .for_each(|record| outcomes.done(record.parent));
            }
            Stored::Given => {
                ports.metrics.add(&metric::SKIPPED, &["given-way"], 1);
                records
                    .iter()
                    .for_each(|record| outcomes.done(record.parent));
            }
            Stored::Refused(cause) => {
                for record in records {
                    refused.add(
                        record.parent,
                        SetAside::user_record(record, "refused-by-table", &cause),
                    );
                }
            }
            Stored::Pending => {}
        }
    }
    let safe = refused
        .quarantine(&ports.shelf, &ports.metrics, deadline)
        .await;
    safe.into_iter().for_each(|parent| outcomes.done(parent));
    ports.metrics.add(&UNFINISHED, &[], outcomes.unfinished());
    tracing::info!(
        records = batch.len(),
        items = writes.items.len(),
        unfinished = outcomes.unfinished(),
        "batch stored"
    );
    outcomes
}

/// The distinct items of a batch, each with the records that ask for it. Of two events with one key the
/// later one counts, as it would if they came in two batches, unless it gives way.
#[derive(Default)]
struct Writes<'r, 'b> {
    items: Vec<Item>,
    records: Vec<Vec<&'r UserRecord<'b>>>,
    places: HashMap<(String, String), usize>,
    duplicates: usize,
}

impl<'r, 'b> Writes<'r, 'b> {
    fn add(&mut self, item: Item, record: &'r UserRecord<'b>) {
        match self
            .places
            .entry((item.machine.clone(), item.time_id.clone()))
        {
            Entry::Occupied(place) => {
                let standing = &mut self.items[*place.get()];
                if !item.gives_way || standing.gives_way {
                    *standing = item;
                }
                self.records[*place.get()].push(record);
                self.duplicates += 1;
            }
            Entry::Vacant(place) => {
                place.insert(self.items.len());
                self.items.push(item);
                self.records.push(vec![record]);
            }
        }
    }
}
