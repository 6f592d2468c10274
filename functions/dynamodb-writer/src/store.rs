//! Writing until the table has everything, an item proves unstorable, or time runs out.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use lambda_function::Causes;
use lambda_function::backoff::Backoff;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::Metrics;

use crate::event_table::MAX_ITEMS;
use crate::{EventTable, Item, Refusal, WriteError, metric};

const CONCURRENT_CALLS: usize = 4;
const FIRST_WAIT: Duration = Duration::from_millis(25);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// What became of an item.
#[derive(Debug)]
pub enum Stored {
    /// It is in the table.
    Written,
    /// The table will never take it.
    Refused(WriteError),
    /// Nothing is known; the table may take it later.
    Pending,
}

/// Writes `items`, whose keys are distinct, and tells what became of each.
pub async fn store<T: EventTable>(
    table: &T,
    metrics: &Metrics,
    items: &[Item],
    deadline: Deadline,
) -> Vec<Stored> {
    let calls = items
        .chunks(MAX_ITEMS)
        .map(|chunk| store_chunk(table, metrics, chunk, deadline));
    stream::iter(calls)
        .buffered(CONCURRENT_CALLS)
        .concat()
        .await
}

/// Items that a call leaves unprocessed come again after a wait; a call that is refused because of an item is
/// halved until the item stands alone.
async fn store_chunk<T: EventTable>(
    table: &T,
    metrics: &Metrics,
    items: &[Item],
    deadline: Deadline,
) -> Vec<Stored> {
    let mut stored: Vec<_> = items.iter().map(|_| Stored::Pending).collect();
    let mut groups = VecDeque::from([(0..items.len()).collect::<Vec<_>>()]);
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    while let Some(group) = groups.pop_front() {
        let chosen: Vec<_> = group.iter().map(|index| &items[*index]).collect();
        let Ok(answer) = deadline.run(table.write(&chosen)).await else {
            break;
        };
        match answer {
            Ok(unprocessed) => {
                let left: Vec<_> = unprocessed.into_iter().map(|place| group[place]).collect();
                for index in group.into_iter().filter(|index| !left.contains(index)) {
                    stored[index] = Stored::Written;
                }
                if left.is_empty() {
                    continue;
                }
                metrics.add(&metric::TABLE_REFUSALS, &["unprocessed"], 1);
                groups.push_back(left);
            }
            Err(error) if error.refusal == Refusal::Passing => {
                metrics.add(&metric::TABLE_REFUSALS, &["passing"], 1);
                tracing::warn!(error = %Causes(&error), items = group.len(), "table did not answer as it should");
                groups.push_back(group);
            }
            Err(error) if error.refusal == Refusal::Item => {
                metrics.add(&metric::TABLE_REFUSALS, &["item"], 1);
                match group.split_at(group.len() / 2) {
                    ([], [index]) => stored[*index] = Stored::Refused(error),
                    (left, right) => groups.extend([left.to_vec(), right.to_vec()]),
                }
                continue;
            }
            Err(error) => {
                metrics.add(&metric::TABLE_REFUSALS, &["setup"], 1);
                tracing::error!(error = %Causes(&error), items = group.len(), "table out of reach");
                break;
            }
        }
        if backoff.wait(deadline).await.is_err() {
            break;
        }
    }
    stored
}
