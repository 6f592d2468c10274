//! Alerts and line stops, held against the events on the stream and the claims in the table.

use std::collections::{BTreeMap, HashMap};

use fake_aws::{Call, Item, Published, Service, Value};
use quality_event::{QualityEvent, Reaction, Transition};
use serde_json::Value as Json;

use super::audit::Audit;
use super::world::{CLAIMS_TABLE, FUNCTION_TIMEOUT, LINE_STOP_EXPIRY, MAX_ALERT_AGE, Plant};

/// How far the clocks of two environments may differ, in milliseconds; runs skew them by half of it at most.
const CLOCKS_DIFFER_MS: i64 = 8_000;

/// How long after its claim a message may still be published: claiming, publishing, and a request that is late.
const CLAIM_TO_MESSAGE_MS: i64 = 36_000;

/// How much longer than an invocation a claim holds.
const LEASE_MARGIN_MS: i64 = 10_000;

/// What an event that is finished for the alerter still lacks.
pub fn untold(plant: &Plant, event: &QualityEvent) -> Option<String> {
    if !calls_for_alert(event) || is_stale(plant.world.now_ms(), event) {
        return None;
    }
    let key = format!("alert#{}", event.id);
    match status(plant, &key).as_deref() {
        Some("sent" | "suppressed") => None,
        Some("claimed") if is_published(&plant.world.published(&plant.alert_topic), event) => None,
        other => Some(format!("the alert of {} is {other:?}", event.id)),
    }
}

/// Who is to be told is told, once; nobody else is.
pub fn check(audit: &mut Audit, plant: &Plant) {
    let calls = plant.world.calls();
    audit.tally.calls = calls.len();
    let alerts = by_event(&plant.world.published(&plant.alert_topic), "sqs");
    let stops = by_event(&plant.world.published(&plant.line_stop_topic), "default");
    let mut check = Check {
        audit,
        plant,
        alerts: &alerts,
        wrong: Vec::new(),
    };
    check.alerts();
    check.cool_downs();
    check.stops(&stops, &calls);
    check.repeats();
    let wrong = check.wrong;
    for (promise, what) in wrong {
        audit.violation(promise, what);
    }
    audit.tally.alerts = alerts.len();
    audit.tally.line_stops = stops.len();
}

/// Messages about an event, each with its time and the event in it.
type Messages = BTreeMap<String, Vec<(i64, QualityEvent)>>;

struct Check<'a> {
    audit: &'a mut Audit,
    plant: &'a Plant,
    alerts: &'a Messages,
    wrong: Vec<(&'static str, String)>,
}

impl Check<'_> {
    fn alerts(&mut self) {
        for id in &self.audit.order {
            let events = &self.audit.events[id];
            let told = self.alerts.get(id).map_or(&[][..], Vec::as_slice);
            for (at_ms, event) in told {
                if !events.contains(event) || !calls_for_alert(event) {
                    self.wrong
                        .push(("no alert without a finding", format!("{event:?}")));
                }
                let age_ms = at_ms - event.arrived.as_millis();
                if age_ms > millis(MAX_ALERT_AGE) + CLAIM_TO_MESSAGE_MS + CLOCKS_DIFFER_MS {
                    let what = format!("{id} was told after {age_ms} ms");
                    self.wrong.push(("no stale alert", what));
                }
            }
            let Some(event) = events.iter().find(|event| calls_for_alert(event)) else {
                continue;
            };
            if let (true, Some(lack)) = (told.is_empty(), self.silence(event)) {
                self.wrong.push(("every finding is told", lack));
            }
        }
        for id in self
            .alerts
            .keys()
            .filter(|id| !self.audit.events.contains_key(*id))
        {
            let what = format!("{id} is on no stream");
            self.wrong.push(("no alert without a finding", what));
        }
    }

    /// Why nobody was told of an event, unless that is right.
    fn silence(&self, event: &QualityEvent) -> Option<String> {
        let id = event.id.as_str();
        let key = format!("alert#{id}");
        let claim = claim(self.plant, &key);
        let reason = claim.as_ref().and_then(|item| item.get("reason")?.as_s());
        match (status(self.plant, &key).as_deref(), reason) {
            (Some("suppressed"), Some("cool-down")) if self.was_cooling(event) => None,
            (Some("suppressed"), Some("opening-suppressed")) if self.opening_is_silent(event) => {
                None
            }
            (None | Some("claimed"), _) if self.passed_too_late(id, event, MAX_ALERT_AGE) => None,
            (status, reason) => Some(format!(
                "{id} ({} {:?} of {}) was not told: {status:?} {reason:?}",
                event.subject(),
                event.transition(),
                event.machine
            )),
        }
    }

    /// Whether another opening of the machine and rule was told within the cool-down, or claimed for being told and then
    /// too old for it.
    fn was_cooling(&self, event: &QualityEvent) -> bool {
        let cool_down_ms = self.audit.reference.cool_down_ms;
        let told = |id: &str, other: &QualityEvent| {
            self.alerts.contains_key(id) || self.passed_too_late(id, other, MAX_ALERT_AGE)
        };
        self.audit.events.iter().any(|(id, contents)| {
            contents.iter().any(|other| {
                is_opening_of_same(other, event)
                    && other.id != event.id
                    && other.time.millis_since(event.time).abs() < cool_down_ms
                    && told(id, other)
            })
        })
    }

    fn opening_is_silent(&self, event: &QualityEvent) -> bool {
        let episode = event
            .violation()
            .and_then(|violation| violation.episode.as_ref());
        episode.is_some_and(|episode| {
            status(self.plant, &format!("alert#{episode}")).as_deref() == Some("suppressed")
        })
    }

    fn passed_too_late(&self, id: &str, event: &QualityEvent, limit: std::time::Duration) -> bool {
        let passed_ms = self.audit.alerter_passed_ms.get(id);
        passed_ms.is_some_and(|passed_ms| {
            passed_ms + CLOCKS_DIFFER_MS / 2 - event.arrived.as_millis() > millis(limit)
        })
    }

    /// No two openings of a machine and rule are told that lie within its cool-down, unless one of them came so late that
    /// an alert had begun a later cool-down: that one is all that is remembered.
    fn cool_downs(&mut self) {
        let mut openings: HashMap<(&str, &str), Vec<&QualityEvent>> = HashMap::new();
        for (_, event) in self.alerts.values().filter_map(|told| told.first()) {
            if event.transition() == Some(Transition::Opened) {
                let of_same = openings.entry((&event.machine, event.subject()));
                of_same.or_default().push(event);
            }
        }
        let mut openings: Vec<_> = openings.into_values().collect();
        openings.sort_by(|one, other| one[0].id.as_str().cmp(other[0].id.as_str()));
        for mut of_same in openings {
            of_same.sort_by_key(|event| event.time);
            for pair in of_same.windows(2) {
                let apart_ms = pair[1].time.millis_since(pair[0].time);
                let cool_down_ms = self.audit.reference.cool_down_ms;
                let has_later = of_same
                    .iter()
                    .any(|event| event.time.millis_since(pair[0].time) >= cool_down_ms);
                if apart_ms < cool_down_ms && !has_later {
                    let what = format!(
                        "{} and {} of {} lie {apart_ms} ms apart",
                        pair[0].id, pair[1].id, pair[0].machine
                    );
                    self.wrong.push(("one alert in a cool-down", what));
                }
            }
        }
    }

    fn stops(&mut self, stops: &Messages, calls: &[Call]) {
        for (id, told) in stops {
            let first = &told[0].1;
            let is_asked_for = self
                .audit
                .events
                .get(id)
                .is_some_and(|events| events.contains(first) && calls_for_stop(first));
            if !is_asked_for {
                self.wrong
                    .push(("no line stop without a finding", format!("{first:?}")));
            }
            for (at_ms, event) in told {
                let age_ms = at_ms - event.arrived.as_millis();
                if age_ms > millis(LINE_STOP_EXPIRY) + CLAIM_TO_MESSAGE_MS + CLOCKS_DIFFER_MS {
                    let what = format!("{id} was told after {age_ms} ms");
                    self.wrong.push(("no line stop after its expiry", what));
                }
            }
            let key = format!("line-stop#{id}");
            let granted = claims_of(calls, "TransactWriteItems", &key);
            // A holder that asks again is told what it was told before.
            let mut first = BTreeMap::new();
            for (place, text) in granted {
                let earliest = first.entry(owner(text)).or_insert(place);
                *earliest = place.min(*earliest);
            }
            let granted = first.into_values().max();
            let cleared = claims_of(calls, "PutItem", &format!("cleared#{id}"))
                .map(|(place, _)| place)
                .min();
            if let (Some(granted), Some(cleared)) = (granted, cleared)
                && granted > cleared
            {
                let what = format!("{id} was claimed after its clearing was seen");
                self.wrong.push(("no line stop after its clearing", what));
            }
        }
        for id in &self.audit.order {
            let event = &self.audit.events[id][0];
            if !calls_for_stop(event) || stops.contains_key(id) {
                continue;
            }
            let key = format!("line-stop#{id}");
            let is_cleared = claim(self.plant, &format!("cleared#{id}")).is_some();
            let is_right = match status(self.plant, &key).as_deref() {
                Some("suppressed") => is_cleared,
                None => self.passed_too_late(id, event, LINE_STOP_EXPIRY),
                Some("claimed") => self.passed_too_late(id, event, LINE_STOP_EXPIRY),
                _ => false,
            };
            if !is_right {
                let what = format!("{id} stopped no line: {:?}", status(self.plant, &key));
                self.wrong.push(("every line stop is told", what));
            }
        }
    }

    /// Alerts that were told twice fell into the window that the alerter states, and are counted.
    fn repeats(&mut self) {
        let mut repeated = 0;
        for (id, told) in self.alerts {
            repeated += told.len() - 1;
            let least_ms =
                millis(FUNCTION_TIMEOUT) + LEASE_MARGIN_MS - CLAIM_TO_MESSAGE_MS - CLOCKS_DIFFER_MS;
            for pair in told.windows(2) {
                let apart_ms = pair[1].0 - pair[0].0;
                if apart_ms < least_ms {
                    let what = format!("{id} was told twice within {apart_ms} ms");
                    self.wrong.push(("alerts once", what));
                }
            }
        }
        self.audit.tally.repeated = repeated;
        self.plant.metrics.flush();
        let counted = self.plant.captured.total("ClaimsTakenOver", &[]);
        if (repeated as f64) > counted {
            let what = format!("{repeated} alerts were repeated, {counted} claims taken over");
            self.wrong.push(("alerts once", what));
        }
    }
}

fn calls_for_alert(event: &QualityEvent) -> bool {
    !event.late
        && event.reaction != Reaction::Record
        && matches!(
            event.transition(),
            Some(Transition::Opened | Transition::Cleared)
        )
}

fn calls_for_stop(event: &QualityEvent) -> bool {
    !event.late
        && event.reaction == Reaction::StopLine
        && event.transition() == Some(Transition::Opened)
}

fn is_opening_of_same(other: &QualityEvent, event: &QualityEvent) -> bool {
    other.transition() == Some(Transition::Opened)
        && other.machine == event.machine
        && other.subject() == event.subject()
}

fn is_stale(now_ms: i64, event: &QualityEvent) -> bool {
    now_ms + CLOCKS_DIFFER_MS / 2 - event.arrived.as_millis() > millis(MAX_ALERT_AGE)
}

/// The places among all effects of the calls that wrote this claim, with what they wrote.
fn claims_of<'a>(
    calls: &'a [Call],
    operation: &'a str,
    key: &'a str,
) -> impl Iterator<Item = (u64, &'a str)> + 'a {
    let of_claim = move |call: &&Call| {
        call.service == Service::DynamoDb
            && call.operation == operation
            && call.parts.first().is_some_and(|part| part.key == key)
    };
    calls
        .iter()
        .filter(of_claim)
        .filter_map(|call| Some((call.happened?, call.parts.first()?.text.as_str())))
}

fn owner(item: &str) -> String {
    let item: Json = serde_json::from_str(item).unwrap_or_default();
    item["owner"].to_string()
}

fn claim(plant: &Plant, key: &str) -> Option<Item> {
    plant.world.item(CLAIMS_TABLE, key, None)
}

fn status(plant: &Plant, key: &str) -> Option<String> {
    let item = claim(plant, key)?;
    item.get("status").and_then(Value::as_s).map(str::to_owned)
}

fn by_event(published: &[Published], protocol: &str) -> Messages {
    let mut messages = Messages::new();
    for message in published {
        let text: Json = serde_json::from_str(&message.text_for(protocol)).unwrap();
        let event = QualityEvent::from_json(text["event"].to_string().as_bytes()).unwrap();
        messages
            .entry(event.id.to_string())
            .or_default()
            .push((message.at_ms, event));
    }
    messages
}

fn is_published(published: &[Published], event: &QualityEvent) -> bool {
    published
        .iter()
        .any(|message| message.message.contains(event.id.as_str()))
}

fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
