//! Holds a run against the reference: whenever a checkpoint moves, and once more at the end.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use event_source_mapping::{Discarded, SourceRecord};
use fake_aws::{Record, Value};
use quality_event::QualityEvent;
use set_aside::SetAside;

use super::function::Function;
use super::reference::{Entry, Judged, Reference};
use super::stream::StreamLog;
use super::workload::{Payload, Workload};
use super::world::{Plant, SET_ASIDE_BUCKET, STATE_TABLE};

/// What was seen of a run, and what was wrong.
pub struct Audit {
    /// What should be.
    pub reference: Reference,
    /// The events on the quality-events stream, by id, each with its different contents.
    pub events: HashMap<String, Vec<QualityEvent>>,
    /// The ids of these events in the order of their arrival.
    pub order: Vec<String>,
    /// Records on the quality-events stream that are no events, by shard and sequence number.
    pub strays: HashMap<(String, String), Vec<u8>>,
    /// When the alerter's checkpoint passed an event, by id; the last time.
    pub alerter_passed_ms: HashMap<String, i64>,
    /// What was wrong.
    pub violations: Vec<Violation>,
    /// What was counted on the way.
    pub tally: Tally,
    set_aside: SetAsideIndex,
    tells: bool,
    story: Vec<(i64, String)>,
}

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub promise: &'static str,
    /// How.
    pub what: String,
}

/// What a run amounts to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Readings put.
    pub readings: usize,
    /// Distinct quality events.
    pub events: usize,
    /// Distinct alerts.
    pub alerts: usize,
    /// Alerts that were sent once more because of the window that the alerter states.
    pub repeated: usize,
    /// Distinct line stops.
    pub line_stops: usize,
    /// Readings that were parked.
    pub parked: usize,
    /// Calls to AWS.
    pub calls: usize,
    /// Records that were given up by a mapping.
    pub discarded: usize,
}

/// Where a record that is set aside came from: function, stream, shard, sequence number, place within an aggregate.
type Origin = (String, String, String, String, Option<u64>);

#[derive(Default)]
struct SetAsideIndex {
    keys: BTreeSet<String>,
    quarantined: HashMap<Origin, SetAside>,
    parked: HashMap<Origin, SetAside>,
    /// The first parked reading of a machine, by its place among the machine's readings.
    gaps: BTreeMap<String, usize>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.what)
    }
}

impl Audit {
    /// Before the run; `tells` whether the story is kept.
    pub fn new(workload: &Workload, _: &Plant, tells: bool) -> Self {
        Self {
            reference: Reference::new(workload),
            events: HashMap::new(),
            order: Vec::new(),
            strays: HashMap::new(),
            alerter_passed_ms: HashMap::new(),
            violations: Vec::new(),
            tally: Tally::default(),
            set_aside: SetAsideIndex::default(),
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
        match QualityEvent::from_json(&record.data) {
            Ok(event) => {
                let id = event.id.to_string();
                let contents = self.events.entry(id.clone()).or_default();
                if contents.is_empty() {
                    self.order.push(id);
                }
                if !contents.contains(&event) {
                    contents.push(event);
                }
            }
            Err(_) => {
                let place = (record.shard.clone(), record.sequence_number.clone());
                self.strays.insert(place, record.data.to_vec());
            }
        }
    }

    /// A mapping gives records up.
    pub fn discarded(&mut self, function: Function, discarded: &Discarded) {
        self.tally.discarded += discarded.records.len();
        let what = format!(
            "{function} gives up {} records of {}",
            discarded.records.len(),
            discarded.shard
        );
        self.violation("no record is lost", what);
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
                Function::Writer => self.unstored(plant, &place, record),
                Function::Alerter => self.untold(plant, &place, record),
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
    fn unfinished_reading(&mut self, plant: &Plant, place: &(String, String)) -> Option<String> {
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
        place: &(String, String),
        entry: &Entry,
        judged: &Judged,
    ) -> Option<String> {
        let is_exact = self.is_exact(&judged.machine, judged.order);
        let wanted = match is_exact {
            true => &judged.events,
            false => &judged.fires,
        };
        let missing = wanted.iter().find(|id| !self.events.contains_key(*id));
        let missing = match missing {
            Some(id) => Some(format!("the event {id} of {} is missing", judged.machine)),
            None if is_exact
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
        !self.reference.wanderers.contains(machine)
            && self
                .set_aside
                .gaps
                .get(machine)
                .is_none_or(|gap| order < *gap)
    }

    fn is_parked(
        &mut self,
        plant: &Plant,
        place: &(String, String),
        entry: &Entry,
        judged: &Judged,
    ) -> bool {
        self.look_aside(plant);
        let origin = origin(
            Function::Evaluator,
            &plant.readings_arn,
            place,
            entry.sub_sequence_number,
        );
        // A gap further ahead has been found meanwhile.
        self.set_aside
            .parked
            .get(&origin)
            .is_some_and(|aside| aside.data == entry.bytes)
            || (!self.is_exact(&judged.machine, judged.order)
                && judged.fires.iter().all(|id| self.events.contains_key(id)))
    }

    fn unquarantined(
        &mut self,
        plant: &Plant,
        function: Function,
        place: &(String, String),
        sub_sequence_number: Option<u64>,
        bytes: &[u8],
    ) -> Option<String> {
        let origin = origin(
            function,
            plant.source_arn(function),
            place,
            sub_sequence_number,
        );
        if !self.set_aside.quarantined.contains_key(&origin) {
            self.look_aside(plant);
        }
        match self.set_aside.quarantined.get(&origin) {
            Some(aside) if aside.data == bytes && !aside.reason.is_empty() => None,
            Some(_) => Some("quarantined without its bytes".to_owned()),
            None => Some("not in quarantine".to_owned()),
        }
    }

    /// Reads what was set aside since.
    pub(super) fn look_aside(&mut self, plant: &Plant) {
        for (key, object) in plant.world.objects(SET_ASIDE_BUCKET) {
            let mut parts = key.split('/');
            let (Some(fate), Some(function)) = (parts.next(), parts.next()) else {
                continue;
            };
            if !matches!(fate, "quarantine" | "parked") || !self.set_aside.keys.insert(key.clone())
            {
                continue;
            }
            let records = match set_aside::decode(&object.body) {
                Ok(records) => records,
                Err(error) => {
                    self.violation("what is set aside is whole", format!("{key}: {error}"));
                    continue;
                }
            };
            for aside in records {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                let origin = (
                    function.to_owned(),
                    text(&aside.stream),
                    text(&aside.shard),
                    text(&aside.sequence_number),
                    aside.sub_sequence_number,
                );
                if fate == "parked" {
                    let place = (origin.2.clone(), origin.3.clone());
                    let entries = self.reference.records.get(&place);
                    let entry = entries.and_then(|entries| {
                        entries
                            .iter()
                            .find(|one| one.sub_sequence_number == origin.4)
                    });
                    if let Some(Entry {
                        reading: Some(judged),
                        ..
                    }) = entry
                    {
                        let gap = self.set_aside.gaps.entry(judged.machine.clone());
                        let gap = gap.or_insert(judged.order);
                        *gap = judged.order.min(*gap);
                    }
                    self.set_aside.parked.insert(origin, aside);
                } else {
                    self.set_aside.quarantined.insert(origin, aside);
                }
            }
        }
    }

    fn unstored(
        &mut self,
        plant: &Plant,
        place: &(String, String),
        record: &SourceRecord,
    ) -> Option<String> {
        match QualityEvent::from_json(&record.data) {
            Err(_) => self.unquarantined(plant, Function::Writer, place, None, &record.data),
            Ok(event) => super::table::unstored(plant, &event),
        }
    }

    fn untold(
        &mut self,
        plant: &Plant,
        place: &(String, String),
        record: &SourceRecord,
    ) -> Option<String> {
        match QualityEvent::from_json(&record.data) {
            Err(_) => self.unquarantined(plant, Function::Alerter, place, None, &record.data),
            Ok(event) => {
                self.alerter_passed_ms
                    .insert(event.id.to_string(), plant.world.now_ms());
                super::alerts::untold(plant, &event)
            }
        }
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
        super::judged::check(self, plant);
        super::table::check(self, plant);
        super::alerts::check(self, plant);
        self.tally.events = self.order.len();
        self.tally.parked = self.set_aside.parked.len();
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

fn origin(
    function: Function,
    stream: &str,
    (shard, sequence_number): &(String, String),
    sub_sequence_number: Option<u64>,
) -> Origin {
    (
        function.name().to_owned(),
        stream.to_owned(),
        shard.clone(),
        sequence_number.clone(),
        sub_sequence_number,
    )
}

/// Decimal digits, to be compared as a number.
pub(super) type Number = (usize, String);

pub(super) fn number(digits: &str) -> Number {
    (digits.len(), digits.to_owned())
}

/// How far a machine's state holds the readings of a shard.
pub(super) fn watermark(plant: &Plant, machine: &str, shard: &str) -> Option<(Number, u64)> {
    let item = plant.world.item(STATE_TABLE, machine, None)?;
    let Value::M(marks) = item.get("watermarks")? else {
        return None;
    };
    let mark = marks.get(&format!("{}/{shard}", plant.readings_arn))?;
    let mut parts = mark.as_s()?.split(':');
    Some((number(parts.next()?), parts.next()?.parse().ok()?))
}

impl std::ops::AddAssign<&Tally> for Tally {
    fn add_assign(&mut self, other: &Tally) {
        self.readings += other.readings;
        self.events += other.events;
        self.alerts += other.alerts;
        self.repeated += other.repeated;
        self.line_stops += other.line_stops;
        self.parked += other.parked;
        self.calls += other.calls;
        self.discarded += other.discarded;
    }
}
