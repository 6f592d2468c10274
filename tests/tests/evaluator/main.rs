//! The evaluator: readings in order per machine, judged once, and no machine waits for another.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod machines;
mod plans;
mod readings;
mod state;

use fake_aws::Service;
use pipeline_tests::Rig;
use quality_event::Transition;

/// What the events on the stream say, in the order of the readings.
fn story(rig: &Rig) -> Vec<(String, String, Transition)> {
    let mut events = rig.events();
    events.sort_by_key(|event| event.time);
    events
        .iter()
        .map(|event| {
            (
                event.machine.clone(),
                event.subject().to_owned(),
                event.transition().unwrap(),
            )
        })
        .collect()
}

fn commits(rig: &Rig) -> usize {
    rig.world
        .calls_to(Service::DynamoDb, "PutItem")
        .iter()
        .filter(|call| call.succeeded())
        .count()
}
