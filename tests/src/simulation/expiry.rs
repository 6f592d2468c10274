//! When items of the tables of states and claims are to go: none before it has done its service.
//!
//! Nothing expires within a run. A wrong time would be seen days later, when a machine's rules forget or an alert comes again.

use std::collections::HashMap;

use fake_aws::{Call, Item, Service, Value};

use super::audit::Audit;
use super::world::{CLAIMS_TABLE, Plant, STATE_TABLE};

/// How long the functions keep a state and a claim, in seconds: their defaults.
const KEPT_S: i64 = 604_800;

/// How much earlier than its last effect a call may have been made up, in seconds: an invocation, and clocks that differ.
const UNDER_WAY_S: i64 = 75;

const PROMISE: &str = "items go in their time";

/// Every state goes so long after one of its machine's readings has arrived, every claim so long after it was written.
pub fn check(audit: &mut Audit, plant: &Plant, calls: &[Call]) {
    let mut wrong = Vec::new();
    for item in plant.world.items(STATE_TABLE) {
        let machine = text(&item, "machine");
        let kept_from_s = expires_at(&item).map(|at| at - KEPT_S);
        let is_right =
            kept_from_s.is_some_and(|from| audit.reference.has_arrived_at(machine, from));
        if !is_right {
            wrong.push(format!("the state of {machine}: {kept_from_s:?}"));
        }
    }
    let written = written(calls);
    for item in plant.world.items(CLAIMS_TABLE) {
        let key = text(&item, "claim");
        let kept_from_s = expires_at(&item).map(|at| at - KEPT_S);
        let written_s = written.get(key).map(|at_ms| at_ms.div_euclid(1_000));
        let is_right = match (kept_from_s, written_s) {
            (Some(from), Some(written)) => (from - written).abs() <= UNDER_WAY_S,
            _ => false,
        };
        if !is_right {
            wrong.push(format!("the claim {key}: {kept_from_s:?}, {written_s:?}"));
        }
    }
    for what in wrong {
        audit.violation(PROMISE, what);
    }
}

/// When each item of the claims was written last, in milliseconds since 1970.
fn written(calls: &[Call]) -> HashMap<&str, i64> {
    let writes = calls.iter().filter(|call| {
        call.service == Service::DynamoDb
            && call.resource.contains(CLAIMS_TABLE)
            && call.happened.is_some()
            && call.operation != "GetItem"
    });
    let mut last = HashMap::new();
    for call in writes {
        for part in call.parts.iter() {
            let at_ms = last.entry(part.key.as_str()).or_insert(call.at_ms);
            *at_ms = call.at_ms.max(*at_ms);
        }
    }
    last
}

fn expires_at(item: &Item) -> Option<i64> {
    item.get("expires_at").and_then(Value::as_i64)
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_s).unwrap_or_default()
}
