//! Holds a run against the reference: whenever a checkpoint moves, and once more at the end.

mod aside;
mod deeds;
mod outcome;

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use event_source_mapping::{Discarded, SourceRecord};
use fake_aws::{Record, Value};
use quality_event::QualityEvent;

use super::alerts::is_about;
use super::function::Function;
use super::limits::Limits;
use super::plans::Pushed;
use super::reference::{Entry, Judged, Place, Reference, digest};
use super::stream::StreamLog;
use super::workload::{PLAN, Payload, Workload};
use super::world::{Plant, STATE_TABLE};
use aside::{Aside, Of};

pub use deeds::Deeds;
pub use outcome::{Tally, Violation};

/// What was seen of a run, and what was wrong.
pub struct Audit {
    /// What should be.
    pub reference: Reference,
    /// The events on the quality-events stream, by id, each with its different contents.
    pub events: HashMap<String, Vec<Rc<QualityEvent>>>,
    /// The ids of these events in the order of their arrival.
    pub order: Vec<String>,
    /// When the alerter's checkpoint passed an event, by id; the last time.
    pub alerter_passed_ms: HashMap<String, i64>,
    /// What was wrong.
    pub violations: Vec<Violation>,
    /// What was counted on the way.
    pub tally: Tally,
    /// What the records of the quality-events stream say, by their place; none where a record is no event.
    records: HashMap<Place, Option<Rc<QualityEvent>>>,
    /// On which shard the events arrived first, and when, by id.
    pub arrivals: HashMap<String, (String, i64)>,
    /// What invocations did.
    pub deeds: Deeds,
    /// The control plans that were pushed.
    pub pushed: Pushed,
    aside: Aside,
    /// Messages that a topic refused for good.
    refused: Vec<String>,
    limits: Limits,
    tells: bool,
    story: Vec<(i64, String)>,
}

impl Audit {
    /// Before the run; `tells` whether the story is kept.
    pub fn new(workload: &Workload, limits: Limits, tells: bool) -> Self {
        Self {
            reference: Reference::new(workload),
            events: HashMap::new(),
            order: Vec::new(),
            alerter_passed_ms: HashMap::new(),
            violations: Vec::new(),
            tally: Tally::default(),
            records: HashMap::new(),
            arrivals: HashMap::new(),
            deeds: Deeds::default(),
            pushed: Pushed::first(digest(PLAN)),
            aside: Aside::default(),
            refused: Vec::new(),
            limits,
            tells,
            story: Vec::new(),
        }
    }

    /// A record is put on the readings stream.
    pub fn put(
        &mut self,
        stream_arn: &str,
        record: &Record,
        holds: &[Payload],
        is_aggregate: bool,
    ) {
        self.tally.readings += holds.iter().filter(|one| one.machine.is_some()).count();
        self.reference.put(stream_arn, record, holds, is_aggregate);
    }

    /// A record has arrived on the quality-events stream.
    pub fn event(&mut self, record: &Record) {
        let event = QualityEvent::from_json(&record.data).ok().map(Rc::new);
        if let Some(event) = &event {
            let id = event.id.to_string();
            let contents = self.events.entry(id.clone()).or_default();
            if contents.is_empty() {
                let arrival = (record.shard.clone(), record.arrived_ms);
                self.arrivals.insert(id.clone(), arrival);
                self.order.push(id);
            }
            if !contents.contains(event) {
                contents.push(Rc::clone(event));
            }
        }
        let place = (record.shard.clone(), record.sequence_number.clone());
        self.records.insert(place, event);
    }

    /// A mapping gives a batch up, which has to lie in the bucket as it lay on the stream.
    pub fn discarded(
        &mut self,
        plant: &Plant,
        function: Function,
        discarded: &Discarded,
        on_stream: &[Arc<SourceRecord>],
    ) {
        self.tally.discarded += discarded.records.len();
        if !self.limits.concern(function) {
            let what = format!(
                "{function} gives up {} records of {}",
                discarded.records.len(),
                discarded.shard
            );
            self.violation("no record is lost", what);
        }
        let reference = &self.reference;
        let wrong = self
            .aside
            .discard(plant, reference, function, discarded, on_stream);
        if let Some(wrong) = wrong {
            self.violation("what is given up is kept", wrong);
        }
    }

    /// A mapping's checkpoint passes these records: everything that they call for has happened.
    pub fn passed(
        &mut self,
        plant: &Plant,
        function: Function,
        shard: &str,
        records: &[Arc<SourceRecord>],
    ) {
        for record in records {
            let place = (shard.to_owned(), record.sequence_number.to_string());
            let missing = match function {
                Function::Evaluator => self.unfinished_reading(plant, &place),
                Function::Writer => self.unstored(plant, &place, &record.data),
                Function::Alerter => self.untold(plant, &place, &record.data),
            };
            if let Some(missing) = missing {
                let what = format!(
                    "{function} passed {} of {shard}: {missing}",
                    record.sequence_number
                );
                self.violation("checkpoints pass finished work only", what);
            }
        }
    }

    /// What a record of the readings stream still lacks.
    fn unfinished_reading(&mut self, plant: &Plant, place: &Place) -> Option<String> {
        if self.aside.is_discarded(Function::Evaluator, place) {
            return None;
        }
        let entries = Rc::clone(self.reference.records.get(place)?);
        entries.iter().find_map(|entry| match &entry.reading {
            None => self.unquarantined(
                plant,
                Function::Evaluator,
                place,
                entry.sub_sequence_number,
                &entry.bytes,
            ),
            Some(judged) => self.unjudged(plant, place, entry, judged),
        })
    }

    fn unjudged(
        &mut self,
        plant: &Plant,
        place: &Place,
        entry: &Entry,
        judged: &Judged,
    ) -> Option<String> {
        let is_exact = self.is_exact(&judged.machine, judged.order);
        // In whatever order, a state that lacks nothing holds every reading.
        let is_whole = is_exact || self.is_whole(&judged.machine);
        let wanted = match is_exact {
            true => &judged.events,
            // What it repeats may lie on either side of the gap.
            false if judged.repeats => &[][..],
            false => judged.fires(),
        };
        let missing = wanted.iter().find(|id| !self.events.contains_key(*id));
        let missing = match missing {
            Some(id) => Some(format!("the event {id} of {} is missing", judged.machine)),
            None if is_whole
                && !self.reference.changes_plan
                && (judged.changes || !judged.events.is_empty()) =>
            {
                let mark = watermark(plant, &judged.machine, &place.0);
                let own = (number(&place.1), entry.sub_sequence_number.unwrap_or(0));
                (mark.as_ref() < Some(&own)).then(|| {
                    format!(
                        "the state of {} does not hold {own:?}, but {mark:?}",
                        judged.machine
                    )
                })
            }
            None => None,
        };
        missing.filter(|_| !self.is_parked(plant, place, entry, judged))
    }

    /// Whether the model is exact for this reading of a machine.
    pub fn is_exact(&self, machine: &str, order: usize) -> bool {
        !self.reference.wanderers.contains(machine) && self.aside.is_before_gap(machine, order)
    }

    /// Whether no reading of the machine was left out.
    pub fn is_whole(&self, machine: &str) -> bool {
        self.aside.is_before_gap(machine, usize::MAX)
    }

    /// Whether a record of this event was given up by the function's mapping.
    pub fn is_given_up(&self, function: Function, event: &QualityEvent) -> bool {
        self.aside.gave_up(function)
            && self.records.iter().any(|(place, one)| {
                one.as_ref().is_some_and(|one| one.id == event.id)
                    && self.aside.is_discarded(function, place)
            })
    }

    /// The messages that a topic refused for good.
    pub fn refused_for_good(&mut self, messages: Vec<String>) {
        self.refused = messages;
    }

    /// Whether a topic refused for good what this event calls for: it did, and a record of it lies in quarantine.
    pub fn is_refused(&self, plant: &Plant, event: &QualityEvent) -> bool {
        let id = event.id.as_str();
        if !self.refused.iter().any(|message| is_about(message, id)) {
            return false;
        }
        let is_quarantined = |place: &Place| {
            let function = Function::Alerter;
            let of = Of {
                function,
                stream: plant.source_arn(function),
                place,
                sub_sequence_number: None,
            };
            self.aside.quarantined(&of).is_some()
        };
        self.records.iter().any(|(place, one)| {
            one.as_ref().is_some_and(|one| one.id == event.id) && is_quarantined(place)
        })
    }

    /// Readings of a machine that were parked, by their place among the machine's readings.
    pub fn parked_orders(&self, plant: &Plant, machine: &str) -> BTreeSet<usize> {
        self.aside.parked_orders(&self.reference, plant, machine)
    }

    /// Whether the evaluator's mapping gave anything up.
    pub fn has_holes(&self) -> bool {
        self.aside.gave_up(Function::Evaluator)
    }

    fn is_parked(&mut self, plant: &Plant, place: &Place, entry: &Entry, judged: &Judged) -> bool {
        self.look_aside(plant);
        let of = Of {
            function: Function::Evaluator,
            stream: &plant.readings_arn,
            place,
            sub_sequence_number: entry.sub_sequence_number,
        };
        self.aside
            .parked(&of)
            .is_some_and(|aside| *aside.data == *entry.bytes)
            // A gap further ahead has been found meanwhile.
            || (!self.is_whole(&judged.machine)
                && !self.is_exact(&judged.machine, judged.order)
                && judged.fires().iter().all(|id| self.events.contains_key(id)))
    }

    fn unquarantined(
        &mut self,
        plant: &Plant,
        function: Function,
        place: &Place,
        sub_sequence_number: Option<u64>,
        bytes: &[u8],
    ) -> Option<String> {
        let of = Of {
            function,
            stream: plant.source_arn(function),
            place,
            sub_sequence_number,
        };
        if self.aside.quarantined(&of).is_none() {
            self.look_aside(plant);
        }
        match self.aside.quarantined(&of) {
            Some(aside) if aside.data == bytes && !aside.reason.is_empty() => None,
            Some(_) => Some("quarantined without its bytes".to_owned()),
            None => Some("not in quarantine".to_owned()),
        }
    }

    fn look_aside(&mut self, plant: &Plant) {
        for (promise, what) in self.aside.look(plant, &self.reference) {
            self.violation(promise, what);
        }
    }

    fn unstored(&mut self, plant: &Plant, place: &Place, bytes: &[u8]) -> Option<String> {
        match self.said(place) {
            None => self.unquarantined(plant, Function::Writer, place, None, bytes),
            Some(event) => super::table::unstored(plant, &event),
        }
    }

    fn untold(&mut self, plant: &Plant, place: &Place, bytes: &[u8]) -> Option<String> {
        match self.said(place) {
            None => self.unquarantined(plant, Function::Alerter, place, None, bytes),
            Some(event) => {
                self.alerter_passed_ms
                    .insert(event.id.to_string(), plant.world.now_ms());
                let untold = super::alerts::untold(plant, &event)?;
                let refused = self.unquarantined(plant, Function::Alerter, place, None, bytes);
                refused.map(|_| untold)
            }
        }
    }

    fn said(&self, place: &Place) -> Option<Rc<QualityEvent>> {
        self.records.get(place)?.clone()
    }

    /// Everything is finished: looks at the whole world.
    pub fn finish(&mut self, plant: &Plant, streams: &[StreamLog; 2]) {
        self.look_aside(plant);
        let places: Vec<_> = streams[0]
            .shards()
            .flat_map(|(shard, records)| {
                records
                    .iter()
                    .map(move |record| (shard.to_owned(), record.sequence_number.to_string()))
            })
            .collect();
        for place in places {
            if let Some(missing) = self.unfinished_reading(plant, &place) {
                let what = format!("{} of {}: {missing}", place.1, place.0);
                self.violation("no record is lost", what);
            }
        }
        for what in self.unjudged_after_return() {
            self.violation("what was parked comes back", what);
        }
        super::judged::check(self, plant);
        super::plans::check(self, plant);
        super::table::check(self, plant);
        super::alerts::check(self, plant);
        super::restarts::check(self, plant);
        self.tally.events = self.order.len();
        self.tally.parked = self.aside.parked_readings();
    }

    /// Parked readings on which a rule without memory fires, and nothing on the stream says so though they were brought back.
    fn unjudged_after_return(&self) -> Vec<String> {
        let parked = self.aside.parked_entries(&self.reference);
        let judged = parked.filter_map(|entry| entry.reading.as_ref());
        let missing = judged.flat_map(|judged| {
            let fires = judged.fires().iter();
            let missing = fires.filter(|id| !self.events.contains_key(*id));
            missing.map(|id| format!("the event {id} of {}", judged.machine))
        });
        missing.collect()
    }

    /// Notes that a promise was not kept.
    pub fn violation(&mut self, promise: &'static str, what: String) {
        self.violations.push(Violation { promise, what });
    }

    /// Adds to the story, if it is kept.
    pub fn tell(&mut self, at_ms: i64, what: impl FnOnce() -> String) {
        if self.tells {
            self.story.push((at_ms, what()));
        }
    }

    /// What happened, if it was kept.
    pub fn story(&self) -> &[(i64, String)] {
        &self.story
    }
}

/// Decimal digits, to be compared as a number.
type Number = (usize, String);

fn number(digits: &str) -> Number {
    (digits.len(), digits.to_owned())
}

/// How far a machine's state holds the readings of a shard.
fn watermark(plant: &Plant, machine: &str, shard: &str) -> Option<(Number, u64)> {
    plant.world.look_at(STATE_TABLE, machine, None, |item| {
        let Value::M(marks) = item?.get("watermarks")? else {
            return None;
        };
        let mark = marks.get(&format!("{}/{shard}", plant.readings_arn))?;
        let (number, sub) = mark.as_s()?.split_once(':')?;
        Some((self::number(number), sub.split(':').next()?.parse().ok()?))
    })
}
