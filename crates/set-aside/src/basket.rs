//! What a batch sets aside, until its bytes are safe.

use kinesis_batch::Batch;
use lambda_function::Causes;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::{Metric, Metrics};

use crate::{Fate, SetAside, Shelf};

/// Counts records once they are safely in quarantine.
pub const QUARANTINED: Metric = Metric::count(
    "Quarantined",
    &["reason"],
    "records set aside because no retry cures them",
);

/// Records that no retry cures, each with the index of the record of the batch that waits for it.
#[derive(Debug)]
pub struct Basket {
    parents: Vec<usize>,
    records: Vec<SetAside>,
}

impl Basket {
    /// Holds what `batch` could not read.
    pub fn of(batch: &Batch<'_>) -> Self {
        let malformed = batch.malformed();
        Self {
            parents: malformed.iter().map(|record| record.parent).collect(),
            records: malformed.iter().map(SetAside::malformed).collect(),
        }
    }

    /// Adds a record that the batch's record at index `parent` carries.
    pub fn add(&mut self, parent: usize, record: SetAside) {
        self.parents.push(parent);
        self.records.push(record);
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Puts everything into quarantine and gives the indices of the batch's records that need not be waited for any
    /// more: all, or none if `shelf` did not take them by the deadline, so that they stay in front of the checkpoint.
    pub async fn quarantine(
        self,
        shelf: &impl Shelf,
        metrics: &Metrics,
        deadline: Deadline,
    ) -> Vec<usize> {
        if self.is_empty() {
            return Vec::new();
        }
        match deadline
            .run(shelf.put(Fate::Quarantine, &self.records))
            .await
        {
            Ok(Ok(())) => {
                for record in &self.records {
                    metrics.add(&QUARANTINED, &[&record.reason], 1);
                }
                self.parents
            }
            Ok(Err(error)) => {
                tracing::error!(error = %Causes(&error), "quarantine out of reach");
                Vec::new()
            }
            Err(_) => {
                tracing::error!(records = self.len(), "no time left for quarantine");
                Vec::new()
            }
        }
    }
}
