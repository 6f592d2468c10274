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
#[derive(Debug, Default)]
pub struct Basket(Vec<(usize, SetAside)>);

impl Basket {
    /// Holds what `batch` could not read.
    pub fn of(batch: &Batch<'_>) -> Self {
        let malformed = batch.malformed().iter();
        Self(
            malformed
                .map(|record| (record.parent, SetAside::malformed(record)))
                .collect(),
        )
    }

    /// Adds a record that the batch's record at index `parent` carries.
    pub fn add(&mut self, parent: usize, record: SetAside) {
        self.0.push((parent, record));
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts everything into quarantine, counts it if `shelf` is one that counts, and gives the indices of the batch's records that need not be waited for any
    /// more: all, or none if `shelf` did not take them by the deadline, so that they stay in front of the checkpoint.
    pub async fn quarantine<S: Shelf>(
        mut self,
        shelf: &S,
        metrics: &Metrics,
        deadline: Deadline,
    ) -> Vec<usize> {
        if self.is_empty() {
            return Vec::new();
        }
        // In stream order, which the sort keeps within a record.
        self.0.sort_by_key(|(parent, _)| *parent);
        let (parents, records): (Vec<_>, Vec<_>) = self.0.into_iter().unzip();
        match deadline.run(shelf.put(Fate::Quarantine, &records)).await {
            Ok(Ok(())) => {
                for record in records.iter().filter(|_| S::COUNTED) {
                    metrics.add(&QUARANTINED, &[&record.reason], 1);
                }
                parents
            }
            Ok(Err(error)) => {
                tracing::error!(error = %Causes(&error), "quarantine out of reach");
                Vec::new()
            }
            Err(_) => {
                tracing::error!(records = records.len(), "no time left for quarantine");
                Vec::new()
            }
        }
    }
}
