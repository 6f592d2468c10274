//! Writing until the table has everything, an item proves unstorable, or time runs out.

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
    /// It has given way to what is in the table.
    Given,
    /// The table will never take it.
    Refused(WriteError),
    /// Nothing is known; the table may take it later.
    Pending,
}

/// Writes `items`, whose keys are distinct, and tells what became of each.
///
/// In rounds: every item that is left gets its call before any gets a second one, so that one that is never
/// taken holds up no other. A call that is refused because of an item is halved until the item stands alone.
pub async fn store<T: EventTable>(
    table: &T,
    metrics: &Metrics,
    items: &[Item],
    deadline: Deadline,
) -> Vec<Stored> {
    let mut stored: Vec<_> = items.iter().map(|_| Stored::Pending).collect();
    // An item that may have to give way is written alone: no call writes several on a condition each.
    let (alone, all): (Vec<usize>, Vec<usize>) =
        (0..items.len()).partition(|index| items[*index].gives_way);
    let mut groups: Vec<Vec<usize>> = all.chunks(MAX_ITEMS).map(<[_]>::to_vec).collect();
    groups.extend(alone.into_iter().map(|index| vec![index]));
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    while !groups.is_empty() {
        let calls = groups
            .into_iter()
            .map(|group| call(table, items, group, deadline));
        let answers: Vec<_> = stream::iter(calls)
            .buffer_unordered(CONCURRENT_CALLS)
            .collect()
            .await;
        groups = Vec::new();
        let mut must_wait = false;
        for Answer {
            written,
            given,
            left,
            refusal,
        } in answers
        {
            written
                .into_iter()
                .for_each(|index| stored[index] = Stored::Written);
            given
                .into_iter()
                .for_each(|index| stored[index] = Stored::Given);
            let Some(refusal) = refusal else { continue };
            metrics.add(&metric::TABLE_REFUSALS, &[refusal.as_str()], 1);
            match refusal {
                Refused::InPart
                | Refused::Whole(WriteError {
                    refusal: Refusal::Passing,
                    ..
                }) => {
                    must_wait = true;
                    groups.push(left);
                }
                Refused::Whole(error) if error.refusal == Refusal::Item => {
                    match left.split_at(left.len() / 2) {
                        ([], [index]) => stored[*index] = Stored::Refused(error),
                        (one, other) => groups.extend([one.to_vec(), other.to_vec()]),
                    }
                }
                // Nothing of these is known until someone sets the table right.
                Refused::Whole(_) => {}
                Refused::NoTime => {}
            }
        }
        if must_wait && backoff.wait(deadline).await.is_err() {
            break;
        }
    }
    stored
}

/// What one call did: items by index.
#[derive(Default)]
struct Answer {
    written: Vec<usize>,
    given: Vec<usize>,
    left: Vec<usize>,
    refusal: Option<Refused>,
}

/// Why items are left.
enum Refused {
    InPart,
    Whole(WriteError),
    NoTime,
}

impl Refused {
    /// The metric dimension's value.
    fn as_str(&self) -> &'static str {
        match self {
            Self::InPart => "unprocessed",
            Self::Whole(WriteError {
                refusal: Refusal::Passing,
                ..
            }) => "passing",
            Self::Whole(WriteError {
                refusal: Refusal::Item,
                ..
            }) => "item",
            Self::Whole(WriteError {
                refusal: Refusal::Setup,
                ..
            }) => "setup",
            Self::NoTime => "deadline",
        }
    }
}

/// What a call that was answered wrote.
enum Written {
    /// The one item, unless it gave way.
    Alone(bool),
    /// All but those at these places.
    But(Vec<usize>),
}

async fn call<T: EventTable>(
    table: &T,
    items: &[Item],
    group: Vec<usize>,
    deadline: Deadline,
) -> Answer {
    let chosen: Vec<_> = group.iter().map(|index| &items[*index]).collect();
    let answer = deadline.run(async {
        match chosen.as_slice() {
            [item] if item.gives_way => table.write_if_absent(item).await.map(Written::Alone),
            items => table.write(items).await.map(Written::But),
        }
    });
    match answer.await {
        Ok(Ok(Written::Alone(true))) => Answer {
            written: group,
            ..Answer::default()
        },
        Ok(Ok(Written::Alone(false))) => Answer {
            given: group,
            ..Answer::default()
        },
        Ok(Ok(Written::But(places))) => {
            let is_left = |(place, _): &(usize, usize)| places.contains(place);
            let (left, written): (Vec<_>, Vec<_>) =
                group.into_iter().enumerate().partition(is_left);
            let indices = |group: Vec<(usize, usize)>| {
                group
                    .into_iter()
                    .map(|(_, index)| index)
                    .collect::<Vec<_>>()
            };
            let (left, written) = (indices(left), indices(written));
            let refusal = (!left.is_empty()).then_some(Refused::InPart);
            Answer {
                written,
                left,
                refusal,
                ..Answer::default()
            }
        }
        Ok(Err(error)) => {
            match error.refusal {
                Refusal::Passing => {
                    tracing::warn!(error = %Causes(&error), items = group.len(), "table did not answer as it should")
                }
                Refusal::Item => {}
                Refusal::Setup => {
                    tracing::error!(error = %Causes(&error), items = group.len(), "table out of reach")
                }
            }
            Answer {
                left: group,
                refusal: Some(Refused::Whole(error)),
                ..Answer::default()
            }
        }
        Err(_) => Answer {
            left: group,
            refusal: Some(Refused::NoTime),
            ..Answer::default()
        },
    }
}
