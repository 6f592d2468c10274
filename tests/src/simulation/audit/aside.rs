//! What lies in the bucket for what is set aside: quarantined and parked records, and batches that a mapping gave up.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use event_source_mapping::{Discarded, SourceRecord};
use set_aside::SetAside;

use crate::simulation::alerts::{CLOCKS_DIFFER_MS, millis};
use crate::simulation::function::Function;
use crate::simulation::reference::{Entry, Place, Reference};
use crate::simulation::world::{MACHINE_HOLD, Plant, SET_ASIDE_BUCKET};

/// Where a record that is set aside came from: function, stream, shard, sequence number, place within an aggregate.
type Origin = (String, String, String, String, Option<u64>);

/// What has been found in the bucket so far.
#[derive(Default)]
pub(super) struct Aside {
    keys: BTreeSet<String>,
    quarantined: HashMap<Origin, SetAside>,
    parked: HashMap<Origin, SetAside>,
    /// Records that a mapping gave up, by function and place.
    discarded: HashSet<(Function, Place)>,
    /// The first reading of a machine that was not judged in its turn, by its place among the machine's readings.
    gaps: BTreeMap<String, usize>,
}

impl Aside {
    /// Reads what was set aside since, and gives what is wrong with it, by the promise that is broken.
    pub(super) fn look(
        &mut self,
        plant: &Plant,
        reference: &Reference,
    ) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        for (key, object) in plant.world.objects(SET_ASIDE_BUCKET) {
            let mut parts = key.split('/');
            let (Some(fate), Some(function)) = (parts.next(), parts.next()) else {
                continue;
            };
            if !matches!(fate, "quarantine" | "parked") || !self.keys.insert(key.clone()) {
                continue;
            }
            let records = match set_aside::decode(&object.body) {
                Ok(records) => records,
                Err(error) => {
                    wrong.push(("what is set aside is whole", format!("{key}: {error}")));
                    continue;
                }
            };
            let mut oldest_ms = None;
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
                    if let Some(arrived) = aside.arrived {
                        let oldest = oldest_ms.get_or_insert(arrived.as_millis());
                        *oldest = arrived.as_millis().min(*oldest);
                    }
                    let place = (origin.2.clone(), origin.3.clone());
                    self.gap(reference, &place, Some(origin.4));
                    self.parked.insert(origin, aside);
                } else {
                    self.quarantined.insert(origin, aside);
                }
            }
            let waited_ms = oldest_ms.map(|oldest_ms| object.modified_ms - oldest_ms);
            if waited_ms.is_some_and(|ms| ms < millis(MACHINE_HOLD) - CLOCKS_DIFFER_MS) {
                let what = format!("{key} was parked after {waited_ms:?} ms");
                wrong.push(("none is parked before its time", what));
            }
        }
        wrong
    }

    /// Takes a batch that a mapping gave up, as it lies in the bucket, and gives what is wrong with it: what was put on the
    /// stream has to be there, byte by byte.
    pub(super) fn discard(
        &mut self,
        plant: &Plant,
        reference: &Reference,
        function: Function,
        discarded: &Discarded,
        on_stream: &[Arc<SourceRecord>],
    ) -> Option<String> {
        let shard = &*discarded.shard;
        for record in &discarded.records {
            let place = (shard.to_owned(), record.sequence_number.to_string());
            if function == Function::Evaluator {
                self.gap(reference, &place, None);
            }
            self.discarded.insert((function, place));
        }
        let object = plant
            .world
            .objects(SET_ASIDE_BUCKET)
            .remove(&discarded.key());
        let kept = object.as_ref().and_then(|object| payload(&object.body));
        let Some(kept) = kept else {
            return Some(format!("{}: no invocation record", discarded.key()));
        };
        let first = discarded.records.first().map(|one| &one.sequence_number);
        let from = on_stream
            .iter()
            .position(|one| Some(&one.sequence_number) == first);
        let expected: Vec<_> = from
            .and_then(|from| on_stream.get(from..from + discarded.records.len()))
            .unwrap_or_default()
            .iter()
            .map(|one| (one.sequence_number.to_string(), one.data.clone()))
            .collect();
        (kept.is_empty() || kept != expected)
            .then(|| format!("{} holds other records than the stream", discarded.key()))
    }

    /// From this record on, a machine is judged without a reading: of one user record, or of all in the record.
    fn gap(&mut self, reference: &Reference, place: &Place, only: Option<Option<u64>>) {
        let entries = reference
            .records
            .get(place)
            .map_or(&[][..], |entries| entries);
        for entry in entries {
            if only.is_some_and(|only| only != entry.sub_sequence_number) {
                continue;
            }
            if let Some(judged) = &entry.reading {
                let gap = self.gaps.entry(judged.machine.clone());
                let gap = gap.or_insert(judged.order);
                *gap = judged.order.min(*gap);
            }
        }
    }

    /// Whether nothing of the machine was left out before this one of its readings, nor this one.
    pub(super) fn is_before_gap(&self, machine: &str, order: usize) -> bool {
        self.gaps.get(machine).is_none_or(|gap| order < *gap)
    }

    /// Whether the function's mapping gave anything up.
    pub(super) fn gave_up(&self, function: Function) -> bool {
        self.discarded.iter().any(|(one, _)| *one == function)
    }

    /// Whether the function's mapping gave this record up.
    pub(super) fn is_discarded(&self, function: Function, place: &Place) -> bool {
        // Asked of every record: most runs give none up.
        !self.discarded.is_empty() && self.discarded.contains(&(function, place.clone()))
    }

    /// The quarantined record.
    pub(super) fn quarantined(&self, of: &Of) -> Option<&SetAside> {
        self.quarantined.get(&of.origin())
    }

    /// The parked record.
    pub(super) fn parked(&self, of: &Of) -> Option<&SetAside> {
        self.parked.get(&of.origin())
    }

    /// The places, among its readings, of a machine's readings that were parked.
    pub(super) fn parked_orders(
        &self,
        reference: &Reference,
        plant: &Plant,
        machine: &str,
    ) -> BTreeSet<usize> {
        let mut orders = BTreeSet::new();
        for (_, stream, shard, number, sub) in self.parked.keys() {
            let entries = reference.records.get(&(shard.clone(), number.clone()));
            let entry = entries
                .filter(|_| *stream == plant.readings_arn)
                .and_then(|entries| entries.iter().find(|one| one.sub_sequence_number == *sub));
            let judged = entry.and_then(|entry| entry.reading.as_ref());
            orders.extend(
                judged
                    .filter(|judged| judged.machine == machine)
                    .map(|judged| judged.order),
            );
        }
        orders
    }

    /// The readings that were parked, as they were put on the stream.
    pub(super) fn parked_entries<'a>(
        &'a self,
        reference: &'a Reference,
    ) -> impl Iterator<Item = &'a Entry> {
        self.parked.keys().filter_map(|(_, _, shard, number, sub)| {
            let entries = reference.records.get(&(shard.clone(), number.clone()))?;
            entries.iter().find(|one| one.sub_sequence_number == *sub)
        })
    }

    /// How many readings were parked.
    pub(super) fn parked_readings(&self) -> usize {
        self.parked.len()
    }
}

/// A user record as a function gets it.
pub(super) struct Of<'a> {
    pub(super) function: Function,
    pub(super) stream: &'a str,
    pub(super) place: &'a Place,
    pub(super) sub_sequence_number: Option<u64>,
}

impl Of<'_> {
    fn origin(&self) -> Origin {
        (
            self.function.name().to_owned(),
            self.stream.to_owned(),
            self.place.0.clone(),
            self.place.1.clone(),
            self.sub_sequence_number,
        )
    }
}

/// The records in an invocation record's payload.
fn payload(body: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let json: serde_json::Value = serde_json::from_slice(body).ok()?;
    let event: serde_json::Value = serde_json::from_str(json["payload"].as_str()?).ok()?;
    let records = event["Records"].as_array()?.iter().map(|record| {
        let kinesis = &record["kinesis"];
        let data = base64_simd::STANDARD.decode_to_vec(kinesis["data"].as_str()?);
        Some((kinesis["sequenceNumber"].as_str()?.to_owned(), data.ok()?))
    });
    records.collect()
}
