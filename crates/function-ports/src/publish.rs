//! Publishing until the stream has everything or time runs out.

use std::collections::HashSet;
use std::time::Duration;

use lambda_function::Causes;
use lambda_function::backoff::Backoff;
use lambda_function::deadline::Deadline;

use crate::outbox::{Entry, LIMITS, Outbox};

const FIRST_WAIT: Duration = Duration::from_millis(25);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Puts the entries until all are taken or the deadline passes; gives the places of what is left.
pub async fn publish(
    outbox: &impl Outbox,
    mut entries: Vec<(usize, Entry)>,
    deadline: Deadline,
) -> HashSet<usize> {
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    while !entries.is_empty() {
        let all: Vec<&Entry> = entries.iter().map(|(_, entry)| entry).collect();
        let mut left = HashSet::new();
        let mut first = 0;
        for call in LIMITS.cut(&all, |entry| entry.bytes()) {
            match deadline.run(outbox.put(call)).await {
                Ok(Ok(refused)) => left.extend(refused.into_iter().map(|index| first + index)),
                Ok(Err(error)) => {
                    tracing::warn!(error = %Causes(&error), events = call.len(), "events not published");
                    left.extend(first..first + call.len());
                }
                Err(_) => left.extend(first..first + call.len()),
            }
            first += call.len();
        }
        let mut index = 0;
        entries.retain(|_| {
            index += 1;
            left.contains(&(index - 1))
        });
        if !entries.is_empty() && backoff.wait(deadline).await.is_err() {
            break;
        }
    }
    entries.into_iter().map(|(place, _)| place).collect()
}
