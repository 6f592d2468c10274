//! One machine's readings judged from a loaded state. Pure.

use std::collections::BTreeMap;

use control_plan::ControlPlan;
use function_ports::source;
use judgement::MachineState;
use kinesis_batch::UserRecord;
use quality_event::{QualityEvent, Timestamp};

use crate::machine::MachineReadings;
use crate::restarts::{Pending, Place};
use crate::state_store::StoredState;
use crate::watermark::{Mark, Position, Watermarks};

/// What the table holds of a machine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MachineRecord {
    /// The state of its rules.
    pub state: MachineState,
    /// The last readings that the state holds.
    pub watermarks: Watermarks,
}

impl MachineRecord {
    /// Reads a stored record. What cannot be decoded starts afresh, and is told, so that it is counted:
    /// holding the machine back would not bring it back.
    pub fn decode(stored: &StoredState) -> (Self, Vec<&'static str>) {
        let mut lost = Vec::new();
        let state = MachineState::decode(&stored.state).unwrap_or_else(|_| {
            lost.push("rules");
            MachineState::default()
        });
        let texts = stored
            .watermarks
            .iter()
            .map(|(shard, mark)| (shard.as_str(), mark.as_str()));
        let watermarks = Watermarks::from_texts(texts).unwrap_or_else(|| {
            lost.push("watermarks");
            Watermarks::default()
        });
        (Self { state, watermarks }, lost)
    }
}

/// What judging a machine's readings gives.
#[derive(Debug)]
pub struct Verdict<'p> {
    /// In the order of the readings.
    pub events: Vec<QualityEvent>,
    /// The record after the last reading.
    pub next: MachineRecord,
    /// Whether anything but a watermark changed.
    pub changed: bool,
    /// Readings judged.
    pub judged: usize,
    /// Readings that the state held already.
    pub replayed: usize,
    /// Readings that their producer had sent before.
    pub duplicates: usize,
    /// How often each rule was not applicable.
    pub not_applicable: BTreeMap<&'p str, usize>,
    /// When the last reading's record arrived, in milliseconds since the epoch.
    pub arrived_ms: i64,
    /// Notes on parked readings that the next record takes account of; where it is not written, the loaded one does.
    pub settled: Vec<(Place, Mark)>,
    /// Whether the rules began anew because of one.
    pub restarted: bool,
    /// Whether readings of the machine arrived of late on another shard of the stream as well.
    pub is_on_several_shards: bool,
}

/// Within such a time, readings on two shards come in no certain order.
const SEVERAL_SHARDS_MS: i64 = 60_000;

/// Judges the readings, which are in stream order, from `record`; watermarks older than `keep_ms` are forgotten.
///
/// Where `pending` notes that some of the machine's readings were parked that the record does not hold, the rules
/// begin anew before the first reading. Parked readings that are delivered once more are skipped: they are safe.
pub fn judge<'p>(
    plan: &'p ControlPlan,
    record: &MachineRecord,
    machine: &MachineReadings<'_, '_>,
    pending: &Pending,
    keep_ms: i64,
) -> Verdict<'p> {
    let readings = &machine.readings;
    let mut next = record.clone();
    let mut verdict = Verdict {
        events: Vec::new(),
        next: MachineRecord::default(),
        changed: false,
        judged: 0,
        replayed: 0,
        duplicates: 0,
        not_applicable: BTreeMap::new(),
        arrived_ms: readings.last().map_or(0, |(place, _)| place.arrived_ms),
        settled: Vec::new(),
        restarted: false,
        is_on_several_shards: false,
    };
    verdict.take_account(pending.on(&machine.machine), &mut next);
    for (place, reading) in readings {
        let shard = shard_key(place);
        let position = Position::of(place);
        if next.watermarks.cover(&shard, &position) {
            verdict.replayed += 1;
            continue;
        }
        let arrived = Timestamp::from_millis(place.arrived_ms).unwrap_or(reading.time);
        let judgement = judgement::judge(plan, &mut next.state, reading, &source(place), arrived);
        verdict.events.extend(judgement.events);
        for rule in judgement.not_applicable {
            *verdict.not_applicable.entry(rule).or_default() += 1;
        }
        verdict.duplicates += usize::from(judgement.is_duplicate);
        verdict.judged += usize::from(!judgement.is_duplicate);
        verdict.is_on_several_shards |=
            next.watermarks
                .has_other_shard(&shard, place.arrived_ms, SEVERAL_SHARDS_MS);
        next.watermarks.advance(&shard, position, place.arrived_ms);
    }
    next.watermarks.prune(verdict.arrived_ms, keep_ms);
    verdict.changed = next.state != record.state || verdict.restarted;
    verdict.next = next;
    verdict
}

impl Verdict<'_> {
    /// Restarts the rules where a note speaks of readings that the record does not hold.
    fn take_account(&mut self, notes: &[(Place, Mark)], next: &mut MachineRecord) {
        for (place, mark) in notes {
            self.restarted |= next.watermarks.skip(place.shard(), mark);
            self.settled.push((place.clone(), mark.clone()));
        }
        if self.restarted {
            next.state.restart();
        }
    }
}

/// The key of a shard's watermark: two streams have shards of one name.
pub(crate) fn shard_key(place: &UserRecord<'_>) -> String {
    format!("{}/{}", place.stream_arn, place.shard)
}
