//! One shard: what is read of it, its lanes, and its checkpoint.
//!
//! Promise: what is held of a shard is bounded, by records and by bytes; reading pauses at the bound.

use std::hash::Hasher;
use std::sync::Arc;

use kinesis_batch::SequenceNumber;
use kinesis_batch::envelope::{self, MAX_EVENT_BYTES, Record};
use siphasher::sip::SipHasher13;

use crate::action::{Position, SourceRecord};
use crate::lane::{Lane, Rules};
use crate::ledger::Ledger;
use crate::piece::{Held, Piece};
use crate::reader::Reader;
use crate::settings::Settings;
use crate::source::Source;

/// The most records that Kinesis gives in one read.
const MAX_READ: u32 = 10_000;

#[derive(Clone, Debug)]
pub(crate) struct Shard {
    pub id: Arc<str>,
    pub parents: Vec<String>,
    pub reader: Reader,
    pub lanes: Vec<Lane>,
    ledger: Ledger,
    iterator_age_ms: Option<i64>,
}

/// How a shard stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardStatus {
    /// The last record before which every record is finished; `None` before the first.
    pub checkpoint: Option<SequenceNumber>,
    /// How old the last record of the batch was that was answered last, in milliseconds: Lambda's `IteratorAge`.
    pub iterator_age_ms: Option<i64>,
    /// Records that are read and not finished.
    pub pending: usize,
    /// Their bytes, as they stand in events.
    pub pending_bytes: usize,
    /// Whether the shard has ended and every record of it is finished.
    pub is_drained: bool,
}

impl Shard {
    pub(crate) fn new(
        id: &str,
        parents: Vec<String>,
        start: Position,
        settings: &Settings,
        now_ms: i64,
    ) -> Self {
        Self {
            id: id.into(),
            parents,
            reader: Reader::new(start, now_ms),
            lanes: vec![Lane::default(); settings.parallelization_factor as usize],
            ledger: Ledger::default(),
            iterator_age_ms: None,
        }
    }

    /// How many records may be read now; none while as much is held as one batch for each lane and one more.
    pub(crate) fn room(&self, settings: &Settings) -> u32 {
        if self.ledger.unfinished_bytes() >= self.max_bytes() {
            return 0;
        }
        let most = settings.batch_size as usize * (self.lanes.len() + 1);
        u32::try_from(most.saturating_sub(self.ledger.len()))
            .unwrap_or(MAX_READ)
            .min(MAX_READ)
    }

    fn max_bytes(&self) -> usize {
        MAX_EVENT_BYTES * (self.lanes.len() + 1)
    }

    /// Takes what a read gave, as far as there is room; whether that was all. Records that were taken before, or that
    /// lie before the position, are passed over.
    pub(crate) fn take(
        &mut self,
        mut records: Vec<Arc<SourceRecord>>,
        source: &Source,
        rules: Rules<'_>,
        now_ms: i64,
    ) -> bool {
        records.sort_by(|left, right| left.sequence_number.cmp(&right.sequence_number));
        let mut room = self.reader.limit().unwrap_or_default();
        for record in records {
            let is_ahead = match self.reader.position() {
                Position::TrimHorizon | Position::Latest => true,
                Position::At(ms) => record.arrived_ms >= *ms,
                Position::After(number) => record.sequence_number > *number,
            };
            if !is_ahead {
                continue;
            }
            if room == 0 || self.ledger.unfinished_bytes() >= self.max_bytes() {
                return false;
            }
            room -= 1;
            self.reader
                .move_to(Position::After(record.sequence_number.clone()));
            let encoded_len = envelope::encoded_len(&written(&record, &self.id, source));
            let ordinal = self
                .ledger
                .push(record.sequence_number.clone(), encoded_len);
            let lane = lane_of(&record.partition_key, self.lanes.len());
            self.lanes[lane].take(
                Held {
                    record,
                    ordinal,
                    encoded_len,
                },
                rules,
                now_ms,
            );
        }
        true
    }

    /// The piece's records are finished.
    pub(crate) fn finish(&mut self, piece: &Piece) {
        piece
            .records
            .iter()
            .for_each(|held| self.ledger.finish(held.ordinal));
    }

    /// An invocation has been answered whose last record arrived then.
    pub(crate) fn observe_age(&mut self, arrived_ms: i64, now_ms: i64) {
        self.iterator_age_ms = Some(now_ms.saturating_sub(arrived_ms).max(0));
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.reader.has_ended() && self.ledger.unfinished() == 0
    }

    pub(crate) fn status(&self) -> ShardStatus {
        ShardStatus {
            checkpoint: self.ledger.checkpoint().cloned(),
            iterator_age_ms: self.iterator_age_ms,
            pending: self.ledger.unfinished(),
            pending_bytes: self.ledger.unfinished_bytes(),
            is_drained: self.is_drained(),
        }
    }
}

/// A record as it stands in an event.
pub(crate) fn written<'a>(
    record: &'a SourceRecord,
    shard: &'a str,
    source: &'a Source,
) -> Record<'a> {
    Record {
        source_arn: &source.event_source_arn,
        region: source.region(),
        role_arn: &source.role_arn,
        shard,
        sequence_number: record.sequence_number.as_str(),
        partition_key: &record.partition_key,
        data: &record.data,
        arrived_ms: record.arrived_ms,
    }
}

/// All records of a partition key go the same way. The hash is fixed, so that a run can be repeated.
fn lane_of(partition_key: &str, lanes: usize) -> usize {
    let mut hasher = SipHasher13::new();
    hasher.write(partition_key.as_bytes());
    // The remainder is below the number of lanes, at most ten.
    (hasher.finish() % lanes as u64) as usize
}
