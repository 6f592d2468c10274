//! Holds the events of a run against the readings that were put. Nothing here knows calls, batches or retries.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fake_aws::Record;
use quality_event::{EventId, Source};
use serde_json::Value;

use super::MODEL;
use super::model::{Due, due};
use crate::simulation::audit::Violation;
use crate::simulation::workload::Payload;

/// A reading, and how it may be told of.
struct Expected {
    machine: String,
    scored: String,
    unscored: String,
    due: Due,
}

/// Shard and sequence number.
type Place = (String, String);

/// What was seen, and what was wrong.
#[derive(Default)]
pub struct Audit {
    readings: HashMap<Place, Vec<Expected>>,
    /// The events by id: score, or reason.
    events: BTreeMap<String, BTreeSet<Said>>,
    /// What was wrong.
    pub violations: Vec<Violation>,
}

/// A score as text, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    Score(String),
    None(String),
}

/// Reasons that follow from the run, not from the reading.
const OF_THE_RUN: [&str; 2] = ["breaker-open", "stale"];

impl Audit {
    /// A record is put on the readings stream.
    pub fn put(&mut self, arn: &str, record: &Record, holds: &[Payload], is_aggregate: bool) {
        let readings = (0..).zip(holds).filter_map(|(sub, payload)| {
            let machine = payload.machine.clone()?;
            let source = Source::Stream {
                stream: arn.to_owned(),
                shard: record.shard.clone(),
                sequence_number: record.sequence_number.clone(),
                sub_sequence_number: is_aggregate.then_some(sub),
            };
            let json: Value = serde_json::from_slice(&payload.bytes).unwrap();
            let of = |name: &str| json["measurements"][name].as_f64();
            let id = |kind| EventId::derive(&source, kind, MODEL).to_string();
            Some(Expected {
                machine,
                scored: id("prediction"),
                unscored: id("unscored"),
                due: due(of("torque"), of("tool_wear").unwrap()),
            })
        });
        let readings = readings.collect();
        let place = (record.shard.clone(), record.sequence_number.clone());
        self.readings.insert(place, readings);
    }

    /// A record has arrived on the quality-events stream.
    pub fn event(&mut self, record: &Record) {
        let event: Value = serde_json::from_slice(&record.data).unwrap();
        let text = |name: &str| event[name].as_str().map(str::to_owned);
        let said = match (event["score"].as_f64(), text("unscored")) {
            (Some(score), None) => Said::Score(format!("{score:?}")),
            (None, Some(reason)) => Said::None(reason),
            both => {
                return self.wrong("a score or a reason", format!("{both:?} of {event}"));
            }
        };
        let id = text("id").unwrap_or_default();
        self.events.entry(id).or_default().insert(said);
    }

    /// Nothing is passed that has not been told of.
    pub fn passed(&mut self, shard: &str, number: &str) {
        let place = (shard.to_owned(), number.to_owned());
        let readings = self.readings.get(&place).map_or(&[][..], Vec::as_slice);
        let silent = readings.iter().find(|reading| !self.is_told(reading));
        if let Some(reading) = silent {
            let what = format!("{number} of {shard} ({})", reading.machine);
            self.wrong("checkpoints pass finished work only", what);
        }
    }

    fn is_told(&self, reading: &Expected) -> bool {
        self.events.contains_key(&reading.scored) || self.events.contains_key(&reading.unscored)
    }

    /// Everything is finished. Gives how many readings are scored, and how many are not, by reason.
    pub fn finish(&mut self, has_trouble: bool) -> (usize, BTreeMap<String, usize>) {
        let mut wrong = Vec::new();
        let (mut scored, mut unscored) = (0, BTreeMap::new());
        let mut known = BTreeSet::new();
        for reading in self.readings.values().flatten() {
            known.extend([&reading.scored, &reading.unscored]);
            let (score, reasons) = (
                self.events.get(&reading.scored),
                self.events.get(&reading.unscored),
            );
            scored += usize::from(score.is_some());
            if score.is_none() && reasons.is_none() {
                wrong.push((
                    "no reading is lost",
                    format!("{} is told by nobody", reading.machine),
                ));
            }
            if score.is_some() && reasons.is_some() && !has_trouble {
                wrong.push(("told once", format!("{} {reasons:?}", reading.machine)));
            }
            for said in score.into_iter().flatten() {
                let right = match reading.due {
                    Due::Score(score) => *said == Said::Score(format!("{score:?}")),
                    _ => false,
                };
                if !right {
                    wrong.push((
                        "the model's own score",
                        format!("{said:?} where {:?} is due", reading.due),
                    ));
                }
            }
            for said in reasons.into_iter().flatten() {
                let Said::None(reason) = said else {
                    wrong.push(("a score is told by its own id", format!("{said:?}")));
                    continue;
                };
                *unscored.entry(reason.clone()).or_default() += 1;
                let own = match reading.due {
                    Due::Score(_) => "",
                    Due::Refused => "refused-by-model",
                    Due::NotANumber => "not-a-number",
                    Due::Missing => "missing-feature",
                };
                let excused = has_trouble && OF_THE_RUN.contains(&reason.as_str());
                if reason != own && !excused {
                    wrong.push((
                        "the reason is the reading's",
                        format!("{reason} where {:?} is due", reading.due),
                    ));
                }
            }
        }
        let surplus = self.events.keys().filter(|id| !known.contains(id));
        let surplus: Vec<_> = surplus.cloned().collect();
        for (promise, what) in wrong {
            self.wrong(promise, what);
        }
        for id in surplus {
            self.wrong("an event of no reading", id);
        }
        (scored, unscored)
    }

    /// Notes that a promise was not kept.
    pub fn wrong(&mut self, promise: &'static str, what: String) {
        self.violations.push(Violation { promise, what });
    }
}
