//! Events and states at the end of a run, held against the reference.

use std::collections::{HashMap, HashSet};

use quality_event::QualityEvent;

use super::audit::Audit;
use super::reference::{Entry, Judged, Reference, is_firing};
use super::world::{Plant, STATE_TABLE};

/// Every event is one that a reading calls for, with its contents; states are those of a machine that was judged in
/// order.
pub fn check(audit: &mut Audit, plant: &Plant) {
    let mut wrong = Vec::new();
    for id in &audit.order {
        for event in &audit.events[id] {
            if let Some(fault) = fault_of(audit, event) {
                wrong.push(("the same verdict", fault));
            }
        }
    }
    for (name, machine) in audit.reference.machines() {
        let is_exact = audit.is_exact(name, usize::MAX) && !audit.reference.changes_plan;
        if !is_exact {
            continue;
        }
        let expected = machine.state.encode();
        let is_right = plant.world.look_at(STATE_TABLE, name, None, |item| {
            match item.and_then(|item| item.get("state")?.as_b()) {
                Some(stored) => stored == expected,
                None => machine.state.is_empty(),
            }
        });
        if !is_right {
            wrong.push(("the same state", format!("{name} is in another state")));
        }
    }
    for what in incomplete_episodes(audit) {
        wrong.push(("the same verdict", what));
    }
    for (promise, what) in wrong {
        audit.violation(promise, what);
    }
}

/// Episodes whose clearing counts more readings than there are events of it: what was judged again was not told again.
/// Where a reading was left out, the stream need not have them all.
fn incomplete_episodes(audit: &Audit) -> Vec<String> {
    let mut told: HashMap<&str, HashSet<&str>> = HashMap::new();
    let all = || audit.order.iter().flat_map(|id| &audit.events[id]);
    for event in all().filter(|event| !event.late && is_firing(event)) {
        let episode = event.violation().and_then(|one| one.episode.as_ref());
        if let Some(episode) = episode {
            let readings = told.entry(episode.as_str()).or_default();
            readings.insert(event.id.as_str());
        }
    }
    let mut wrong = Vec::new();
    for id in &audit.order {
        let [event] = &audit.events[id][..] else {
            continue;
        };
        let violation = event.violation();
        let ended = violation.and_then(|one| Some((one.episode.as_ref()?, one.ended.as_ref()?)));
        let Some((episode, ended)) = ended else {
            continue;
        };
        let is_asked = audit.is_whole(&event.machine)
            && Reference::is_without_memory(event.subject())
            && audit.reference.knows_rule(event.subject());
        let known = told.get(episode.as_str()).map_or(0, HashSet::len);
        if is_asked && (known as u64) < ended.readings {
            wrong.push(format!(
                "{} readings in the episode {episode} of {}, and {known} events",
                ended.readings, event.machine
            ));
        }
    }
    wrong
}

fn fault_of(audit: &Audit, event: &QualityEvent) -> Option<String> {
    let reference = &audit.reference;
    let rule = event.subject();
    let told = || String::from_utf8_lossy(&event.to_json()).into_owned();
    if !reference.plans.contains_key(&event.plan) {
        return Some(format!("a plan that never was judged: {}", told()));
    }
    if !reference.knows_rule(rule) {
        return None;
    }
    let id = event.id.to_string();
    let expected = reference.events.get(&id);
    let order = order_of(audit, event);
    let Some(order) = order else {
        return Some(format!("an event of no reading: {}", told()));
    };
    if event.late {
        let fires = reading_of(audit, event).is_some_and(|judged| judged.fires().contains(&id));
        let is_right = fires && !audit.is_exact(&event.machine, order);
        return (!is_right).then(|| format!("no reading of that came back: {}", told()));
    }
    if audit.is_exact(&event.machine, order) {
        return match expected {
            None => Some(format!("an event that nothing calls for: {}", told())),
            Some(expected) if is_same_but_plan(expected, event) => None,
            Some(expected) => Some(format!(
                "{} where {} is right",
                told(),
                String::from_utf8_lossy(&expected.to_json())
            )),
        };
    }
    if Reference::is_without_memory(rule) && is_firing(event) {
        let fires = reading_of(audit, event).is_some_and(|judged| judged.fires().contains(&id));
        return (!fires).then(|| format!("the rule does not fire: {}", told()));
    }
    None
}

/// What was put on the stream where the event's reading was.
pub fn entry_of<'a>(audit: &'a Audit, event: &QualityEvent) -> Option<&'a Entry> {
    let quality_event::Source::Stream {
        shard,
        sequence_number,
        sub_sequence_number,
        ..
    } = &event.source
    else {
        return None;
    };
    let place = (shard.clone(), sequence_number.clone());
    let entries = audit.reference.records.get(&place)?;
    entries
        .iter()
        .find(|entry| entry.sub_sequence_number == *sub_sequence_number)
}

fn reading_of<'a>(audit: &'a Audit, event: &QualityEvent) -> Option<&'a Judged> {
    let judged = entry_of(audit, event)?.reading.as_ref()?;
    (judged.machine == event.machine).then_some(judged)
}

/// The place of the event's reading among its machine's.
pub fn order_of(audit: &Audit, event: &QualityEvent) -> Option<usize> {
    reading_of(audit, event).map(|judged| judged.order)
}

/// The plan that judged may be another one, which changes nothing else.
fn is_same_but_plan(expected: &QualityEvent, event: &QualityEvent) -> bool {
    let plan = expected.plan.clone();
    *expected
        == QualityEvent {
            plan,
            ..event.clone()
        }
}
