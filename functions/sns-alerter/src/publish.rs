//! Publishing until the topic has everything, refuses for good, or time runs out.

use std::collections::HashSet;
use std::time::Duration;

use lambda_function::Causes;
use lambda_function::backoff::Backoff;
use lambda_function::deadline::Deadline;

use crate::topic::{Effect, Message, Topic, calls};

const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// The topic has it.
    Yes,
    /// The topic does not have it, and may take it later.
    NotYet,
    /// The topic will never take it.
    Never(String),
    /// It may or may not have it.
    Unknown,
}

/// Publishes `messages` and tells what became of each.
pub async fn publish<T: Topic>(
    topic: &T,
    messages: &[&Message],
    deadline: Deadline,
) -> Vec<Published> {
    let mut published = vec![Published::NotYet; messages.len()];
    let mut open: Vec<usize> = (0..messages.len()).collect();
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    while !open.is_empty() {
        let chosen: Vec<_> = open.iter().map(|index| messages[*index]).collect();
        let mut indices = open.iter().copied();
        let mut again = Vec::new();
        for call in calls(&chosen) {
            let call_indices: Vec<_> = indices.by_ref().take(call.len()).collect();
            if deadline.is_past() {
                continue;
            }
            match deadline.run(topic.publish(call)).await {
                Ok(Ok(refused)) => {
                    let places: HashSet<_> = refused.iter().map(|refused| refused.index).collect();
                    let taken = call_indices
                        .iter()
                        .enumerate()
                        .filter(|(place, _)| !places.contains(place));
                    taken.for_each(|(_, index)| published[*index] = Published::Yes);
                    for refused in refused {
                        let Some(index) = call_indices.get(refused.index) else {
                            continue;
                        };
                        match refused.passing {
                            true => again.push(*index),
                            false => published[*index] = Published::Never(refused.reason),
                        }
                    }
                }
                Ok(Err(error)) => {
                    tracing::warn!(error = %Causes(&error), messages = call.len(), effect = ?error.effect, "not published");
                    match error.effect {
                        Effect::NoneYet => again.extend(call_indices),
                        Effect::None => {}
                        Effect::Unknown => call_indices
                            .iter()
                            .for_each(|index| published[*index] = Published::Unknown),
                    }
                }
                // The call was under way.
                Err(_) => call_indices
                    .iter()
                    .for_each(|index| published[*index] = Published::Unknown),
            }
        }
        open = again;
        if open.is_empty() || backoff.wait(deadline).await.is_err() {
            break;
        }
    }
    published
}
