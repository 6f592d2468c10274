//! Alerts and line stops, held against the events on the stream and the claims in the table.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use fake_aws::{Call, Effect, Item, Parts, Published, Value};
use quality_event::{QualityEvent, Reaction, Transition};

use super::audit::Audit;
use super::claims::ClaimLog;
use super::claims_left;
use super::function::Function;
use super::messages::{Messages, by_event};
use super::world::{CLAIMS_TABLE, FUNCTION_TIMEOUT, LINE_STOP_EXPIRY, MAX_ALERT_AGE, Plant};

/// How far the clocks of two environments may differ, in milliseconds; runs skew them by half of it at most.
pub const CLOCKS_DIFFER_MS: i64 = 8_000;

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
    let (alerts, mut unlike) = by_event(&plant.world.published(&plant.alert_topic), "sqs");
    let (stops, others) = by_event(&plant.world.published(&plant.line_stop_topic), "default");
    unlike.extend(others);
    for what in unlike {
        audit.violation("messages say what the event says", what);
    }
    audit.refused_for_good(refused_for_good(&calls));
    super::expiry::check(audit, plant, &calls);
    let mut check = Check {
        audit,
        plant,
        alerts: &alerts,
        log: ClaimLog::of(&calls),
        wrong: Vec::new(),
    };
    check.alerts();
    check.cool_downs();
    check.clearings();
    check.stops(&stops);
    check.repeats();
    let mut wrong = check.wrong;
    wrong.extend(claims_left::check(
        check.audit,
        plant,
        &calls,
        &alerts,
        &check.log,
    ));
    for (promise, what) in wrong {
        audit.violation(promise, what);
    }
    audit.tally.alerts = alerts.len();
    audit.tally.line_stops = stops.len();
}

struct Check<'a> {
    audit: &'a mut Audit,
    plant: &'a Plant,
    alerts: &'a Messages,
    log: ClaimLog<'a>,
    wrong: Vec<(&'static str, String)>,
}

impl Check<'_> {
    fn alerts(&mut self) {
        for id in &self.audit.order {
            let events = &self.audit.events[id];
            let told = self.alerts.get(id).map_or(&[][..], Vec::as_slice);
            for (at_ms, event) in told {
                if !is_among(events, event) || !calls_for_alert(event) {
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
            if told.is_empty()
                && let Some(lack) = self.silence(event)
                && !self.audit.is_given_up(Function::Alerter, event)
                && !self.audit.is_refused(self.plant, event)
            {
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
    /// too old for it or given up, or not yet refused when this one was decided.
    fn was_cooling(&self, event: &QualityEvent) -> bool {
        let cool_down_ms = self.audit.reference.cool_down_ms;
        let decided = self.log.noted(&alert(event.id.as_str()));
        let told = |id: &str, other: &QualityEvent| {
            self.alerts.contains_key(id)
                || self.passed_too_late(id, other, MAX_ALERT_AGE)
                || self.audit.is_given_up(Function::Alerter, other)
                || (decided.is_some_and(|at| self.log.was_held(&alert(id), at))
                    && self.audit.is_refused(self.plant, other))
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

    /// No two openings of a machine and rule are told that lie within its cool-down, unless a later cool-down had begun
    /// before both were claimed: the table remembers the last one alone. Shards are not read side by side, so that an
    /// opening may come as late as that, and nothing in the table tells then whether another late one was told before it.
    fn cool_downs(&mut self) {
        let cool_down_ms = self.audit.reference.cool_down_ms;
        let mut claimed: BTreeMap<(&str, &str), Vec<(u64, &QualityEvent)>> = BTreeMap::new();
        for id in &self.audit.order {
            // Judged again, a reading may open in one version what goes on in another.
            let mut contents = self.audit.events[id].iter();
            let opening = contents.find(|one| one.transition() == Some(Transition::Opened));
            if let (Some(event), Some(first)) = (opening, self.log.first_granted(&alert(id))) {
                let of_same = claimed.entry((&event.machine, event.subject()));
                of_same.or_default().push((first, event));
            }
        }
        for of_same in claimed.values() {
            // Of what opens in one version, the clearing of another may have been told.
            let is_told = |event: &&QualityEvent| {
                let told = self.alerts.get(event.id.as_str());
                let mut told = told.into_iter().flatten().map(|(_, event)| event);
                told.any(|event| event.transition() == Some(Transition::Opened))
            };
            let told = of_same.iter().map(|(_, event)| *event).filter(is_told);
            let mut told: Vec<_> = told.collect();
            told.sort_by_key(|event| event.time);
            for pair in told.windows(2) {
                let apart_ms = pair[1].time.millis_since(pair[0].time);
                let last = |event: &QualityEvent| self.log.last_granted(&alert(event.id.as_str()));
                let both_claimed = last(pair[0]).max(last(pair[1]));
                let had_later = of_same.iter().any(|(first, event)| {
                    event.time.millis_since(pair[0].time) >= cool_down_ms
                        && Some(*first) < both_claimed
                });
                if apart_ms < cool_down_ms && !had_later {
                    let what = format!(
                        "{} and {} of {} lie {apart_ms} ms apart",
                        pair[0].id, pair[1].id, pair[0].machine
                    );
                    self.wrong.push(("one alert in a cool-down", what));
                }
            }
        }
    }

    /// No clearing is told whose opening had been held back when it was claimed.
    fn clearings(&mut self) {
        for (_, event) in self.alerts.values().filter_map(|told| told.first()) {
            let Some(episode) = cleared_episode(event) else {
                continue;
            };
            let held_back = self.log.noted(&alert(episode));
            let claimed = self.log.first_granted(&alert(event.id.as_str()));
            if let (Some(held_back), Some(claimed)) = (held_back, claimed)
                && held_back < claimed
            {
                let what = format!("{} of {}: {episode} was not", event.id, event.machine);
                self.wrong.push(("no clearing of what was not told", what));
            }
        }
    }

    /// When the alerter had seen each episode's clearing, by its own note or by what it decided about the alert.
    fn seen_cleared(&self) -> HashMap<&str, u64> {
        let mut seen = HashMap::new();
        for contents in self.audit.order.iter().map(|id| &self.audit.events[id]) {
            for event in contents {
                let Some(episode) = cleared_episode(event) else {
                    continue;
                };
                // Judged again, one reading may open in one version what it clears in another.
                let is_one = contents.len() == 1;
                let own = self.log.decided(&alert(event.id.as_str()));
                let own = own.filter(|_| is_one);
                let noted = self.log.noted(&format!("cleared#{episode}"));
                if let Some(place) = own.into_iter().chain(noted).min() {
                    let first = seen.entry(episode).or_insert(place);
                    *first = place.min(*first);
                }
            }
        }
        seen
    }

    fn stops(&mut self, stops: &Messages) {
        let seen_cleared = self.seen_cleared();
        let mut wrong = Vec::new();
        for (id, told) in stops {
            let first = &told[0].1;
            let is_asked_for = self
                .audit
                .events
                .get(id)
                .is_some_and(|events| is_among(events, first) && calls_for_stop(first));
            if !is_asked_for {
                wrong.push(("no line stop without a finding", format!("{first:?}")));
            }
            for (at_ms, event) in told {
                let age_ms = at_ms - event.arrived.as_millis();
                if age_ms > millis(LINE_STOP_EXPIRY) + CLAIM_TO_MESSAGE_MS + CLOCKS_DIFFER_MS {
                    let what = format!("{id} was told after {age_ms} ms");
                    wrong.push(("no line stop after its expiry", what));
                }
            }
            let granted = self.log.last_holder(&format!("line-stop#{id}"));
            let cleared = seen_cleared.get(id.as_str()).copied();
            if let (Some(granted), Some(cleared)) = (granted, cleared)
                && granted > cleared
            {
                let what = format!("{id} was claimed after its clearing was seen");
                wrong.push(("no line stop after its clearing", what));
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
            let is_excused = self.audit.is_given_up(Function::Alerter, event)
                || self.audit.is_refused(self.plant, event);
            if !is_right && !is_excused {
                let what = format!("{id} stopped no line: {:?}", status(self.plant, &key));
                wrong.push(("every line stop is told", what));
            }
        }
        self.wrong.extend(wrong);
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

/// The messages that a topic refused for a reason that does not pass.
fn refused_for_good(calls: &[Call]) -> Vec<String> {
    let refused = calls.iter().filter_map(|call| match &call.fault {
        Some(Effect::PartialAs(Parts::First(first), "InvalidParameter", _)) => {
            Some(call.parts.iter().take(*first))
        }
        _ => None,
    });
    refused
        .flatten()
        .map(|part| part.text.to_string())
        .collect()
}

/// Whether a message, as it was published, is about this event.
pub fn is_about(message: &str, id: &str) -> bool {
    // A clearing names its opening, too, but not as its own id.
    message.contains(&format!(r#"\"id\":\"{id}"#)) || message.contains(&format!(r#""id":"{id}"#))
}

/// The key of an alert's claim.
pub fn alert(id: &str) -> String {
    format!("alert#{id}")
}

/// The episode that an event clears.
fn cleared_episode(event: &QualityEvent) -> Option<&str> {
    let violation = event
        .violation()
        .filter(|_| event.transition() == Some(Transition::Cleared))?;
    violation.episode.as_ref().map(|episode| episode.as_str())
}

fn is_among(events: &[Rc<QualityEvent>], event: &QualityEvent) -> bool {
    events.iter().any(|one| **one == *event)
}

/// Whether people are to be told of an event.
pub fn calls_for_alert(event: &QualityEvent) -> bool {
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

fn claim(plant: &Plant, key: &str) -> Option<Item> {
    plant.world.item(CLAIMS_TABLE, key, None)
}

fn status(plant: &Plant, key: &str) -> Option<String> {
    let item = claim(plant, key)?;
    item.get("status").and_then(Value::as_s).map(str::to_owned)
}

fn is_published(published: &[Published], event: &QualityEvent) -> bool {
    published
        .iter()
        .any(|message| message.message.contains(event.id.as_str()))
}

/// In milliseconds.
pub fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
