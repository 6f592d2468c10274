//! Claims as they were taken and as they are left: in the order of the stream, taken over when their holder is gone, marked
//! when their message is sent.

use std::collections::BTreeMap;

use fake_aws::{Answer, Call, Effect, Item, Part, Service, Value};
use quality_event::QualityEvent;

use super::alerts::{CLOCKS_DIFFER_MS, alert, calls_for_alert, is_about, millis};
use super::audit::Audit;
use super::claims::ClaimLog;
use super::function::Function;
use super::messages::Messages;
use super::world::{CLAIMS_TABLE, FUNCTION_TIMEOUT, MAX_ALERT_AGE, Plant};

/// So often an alerter that nothing befell may find a claim whose lease is over and leave it: calls may be slow.
const LEFT_AT_MOST: usize = 2;

/// What is wrong with the claims.
pub fn check(
    audit: &Audit,
    plant: &Plant,
    calls: &[Call],
    alerts: &Messages,
    log: &ClaimLog<'_>,
) -> Vec<(&'static str, String)> {
    let mut wrong = out_of_order(audit, log);
    wrong.extend(repeated_for_nothing(audit, plant, calls, alerts, log));
    for item in plant.world.items(CLAIMS_TABLE) {
        let text = |name: &str| item.get(name).and_then(Value::as_s).unwrap_or_default();
        if text("status") != "claimed" {
            continue;
        }
        let (key, owner) = (text("claim"), text("owner"));
        let Some((_, id)) = key.split_once('#') else {
            continue;
        };
        if !audit.deeds.has_died(request_of(owner)) && is_sent_unmarked(calls, log, key, owner, id)
        {
            wrong.push(("what is sent is marked", format!("{key} of {owner}")));
        }
        if let Some(event) = audit.events.get(id).and_then(|events| events.first())
            && key == alert(id)
            && is_left(audit, &item, event)
            && !audit.is_refused(plant, event)
        {
            wrong.push(("who is gone is followed", format!("{key} of {owner}")));
        }
    }
    wrong
}

/// Whether nobody took the claim over though its lease was over, there was time left, and nothing stood against it.
fn is_left(audit: &Audit, item: &Item, event: &QualityEvent) -> bool {
    let lease_ms = item.get("lease_until").and_then(Value::as_i64);
    // A lease that was ended was one until then.
    let owner = item.get("owner").and_then(Value::as_s).unwrap_or_default();
    let taken_ms = owner
        .rsplit('/')
        .next()
        .and_then(|ms| ms.parse::<i64>().ok());
    let ended_ms = taken_ms.unwrap_or(0) + millis(FUNCTION_TIMEOUT);
    let free_ms = lease_ms
        .unwrap_or(i64::MAX)
        .max(ended_ms)
        .saturating_add(CLOCKS_DIFFER_MS);
    let stale_ms = event.arrived.as_millis() + millis(MAX_ALERT_AGE) - CLOCKS_DIFFER_MS;
    audit.deeds.times_left(event.id.as_str(), free_ms..stale_ms) > LEFT_AT_MOST
}

/// Whether the holder was told that the message is published, and never said so, nor was kept from it.
fn is_sent_unmarked(calls: &[Call], log: &ClaimLog<'_>, key: &str, owner: &str, id: &str) -> bool {
    let Some(granted) = log.granted_to(key, owner) else {
        return false;
    };
    let topic = match key.starts_with("line-stop#") {
        true => "line-stop",
        false => "alerts",
    };
    let published = calls.iter().find(|call| {
        call.service == Service::Sns
            && call.resource.ends_with(topic)
            && call.happened > Some(granted)
            && is_answered(call)
            && tells_of(call, id)
    });
    let Some(published) = published else {
        return false;
    };
    !calls.iter().any(|call| {
        call.number > published.number
            && call.operation == "UpdateItem"
            && call.parts.first().is_some_and(|part| part.key == key)
            && (call.happened.is_some() || is_befallen(call))
    })
}

/// Alerts that were sent again though the topic's answer to the first one was heard, and the claim marked.
fn repeated_for_nothing(
    audit: &Audit,
    plant: &Plant,
    calls: &[Call],
    alerts: &Messages,
    log: &ClaimLog<'_>,
) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    let on_topic: Vec<_> = calls
        .iter()
        .filter(|call| call.resource == plant.alert_topic && call.happened.is_some())
        .collect();
    let repeated = alerts.iter().filter(|(_, told)| told.len() > 1);
    for (id, _) in repeated {
        let mut its: Vec<_> = on_topic.iter().filter(|call| tells_of(call, id)).collect();
        its.sort_by_key(|call| call.happened);
        for pair in its.windows(2) {
            let key = alert(id);
            let Some(holder) = log.holder_at(&key, pair[0].happened.unwrap_or(0)) else {
                continue;
            };
            // Whoever takes over and cannot publish updates the claim, too.
            let is_its = |part: &Part| part.key == key && part.text.contains(&holder);
            let marks: Vec<_> = calls
                .iter()
                .filter(|call| {
                    (pair[0].number..pair[1].number).contains(&call.number)
                        && call.operation == "UpdateItem"
                        && call.parts.first().is_some_and(is_its)
                })
                .collect();
            let is_marked = marks.iter().any(|call| is_answered(call));
            let is_kept_from_it = marks.iter().any(|call| is_befallen(call))
                || audit.deeds.has_died(request_of(&holder));
            if is_answered(pair[0]) && (is_marked || !is_kept_from_it) {
                let what = format!("{id} was told twice, and nothing befell who told it first");
                wrong.push(("alerts once", what));
            }
        }
    }
    wrong
}

/// Whether the caller was told that all went well.
fn is_answered(call: &Call) -> bool {
    !is_befallen(call) && call.answer == Answer::Status(200, None)
}

/// Whether a fault hit the call.
fn is_befallen(call: &Call) -> bool {
    !matches!(call.fault, None | Some(Effect::Slow(_)))
}

/// Whether a publication holds the message about this event.
fn tells_of(call: &Call, id: &str) -> bool {
    call.parts.iter().any(|part| is_about(&part.text, id))
}

/// The invocation that an owner's name begins with.
fn request_of(owner: &str) -> &str {
    owner.split('/').next().unwrap_or_default()
}

/// Alerts of one machine and rule are decided in the order of their shard: none is granted while one before it is open.
fn out_of_order(audit: &Audit, log: &ClaimLog<'_>) -> Vec<(&'static str, String)> {
    let mut turns: BTreeMap<_, Vec<&QualityEvent>> = BTreeMap::new();
    for id in &audit.order {
        let contents = &audit.events[id];
        if contents.iter().all(|event| calls_for_alert(event)) {
            let event = &contents[0];
            let turn = (
                &event.machine,
                event.subject(),
                audit.arrivals.get(id).map(|one| &one.0),
            );
            turns.entry(turn).or_default().push(event);
        }
    }
    let mut wrong = Vec::new();
    for turn in turns.values() {
        // The last one that nothing was decided about, and since when that is so.
        let mut open: Vec<(&QualityEvent, Option<u64>)> = Vec::new();
        for event in turn {
            let key = alert(event.id.as_str());
            if let Some((granted, at_ms)) = log.first_grant(&key) {
                let before = open.iter().find(|(before, decided)| {
                    let age_ms = at_ms - before.arrived.as_millis();
                    decided.is_none_or(|decided| decided > granted)
                        && age_ms < millis(MAX_ALERT_AGE) - CLOCKS_DIFFER_MS
                        && !audit.is_given_up(Function::Alerter, before)
                });
                if let Some((before, _)) = before {
                    let what = format!("{} was granted before {}", event.id, before.id);
                    wrong.push(("alerts in their order", what));
                }
            }
            open.push((event, log.decided(&key)));
        }
    }
    wrong
}
