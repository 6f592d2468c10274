//! The machine: asks to read, to invoke and to put away, and is told what came of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use kinesis_batch::SequenceNumber;
use kinesis_batch::envelope::Event;

use crate::InvalidSettings;
use crate::action::{
    Action, Answer, Invocation, InvocationId, Position, Read, ShardInfo, SourceRecord, Unexpected,
};
use crate::discarded::{Condition, Discarded, uuid};
use crate::lane::{Rules, Step};
use crate::piece::{Held, Piece};
use crate::settings::{Settings, StartingPosition};
use crate::shard::{Shard, ShardStatus, written};
use crate::source::{Pace, Source};

/// One event source mapping. See the crate's documentation.
#[derive(Clone, Debug)]
pub struct Mapping {
    settings: Settings,
    source: Source,
    pace: Pace,
    enabled: bool,
    shards: BTreeMap<Arc<str>, Shard>,
    under_way: BTreeMap<InvocationId, (Arc<str>, usize)>,
    next_id: u64,
    has_read: bool,
}

impl Mapping {
    /// Refuses settings that are out of range or not reproduced, and sources that are not of Kinesis.
    pub fn new(settings: Settings, source: Source) -> Result<Self, InvalidSettings> {
        settings.check()?;
        source.check()?;
        Ok(Self {
            pace: Pace::of(&source),
            enabled: settings.enabled,
            settings,
            source,
            shards: BTreeMap::new(),
            under_way: BTreeMap::new(),
            next_id: 0,
            has_read: false,
        })
    }

    /// With other times than [`Pace::of`] the source.
    #[must_use]
    pub fn with_pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// Stops reading and invoking, or goes on where it stopped. What is under way may still be answered.
    pub fn set_enabled(&mut self, enabled: bool) {
        self.enabled = enabled;
    }

    /// Tells of a shard; again, it changes nothing. Tell of all shards of a listing before the next action is asked for:
    /// a shard waits for those of its parents that are known.
    pub fn shard_found(&mut self, info: ShardInfo, now_ms: i64) {
        if self.shards.contains_key(info.id.as_str()) {
            return;
        }
        let start = match self.settings.starting_position {
            StartingPosition::AtTimestamp(ms) => Position::At(ms),
            // A shard that comes up while the mapping works has new records only.
            StartingPosition::Latest if !self.has_read => Position::Latest,
            StartingPosition::Latest | StartingPosition::TrimHorizon => Position::TrimHorizon,
        };
        let shard = Shard::new(&info.id, info.parents, start, &self.settings, now_ms);
        self.shards.insert(Arc::clone(&shard.id), shard);
    }

    /// Answers a read: the records behind its position in the shard's order, and whether the shard ends with them.
    pub fn records<R: Into<Arc<SourceRecord>>>(
        &mut self,
        shard: &str,
        records: impl IntoIterator<Item = R>,
        end_of_shard: bool,
        now_ms: i64,
    ) -> Result<(), Unexpected> {
        let rules = rules(&self.settings, &self.source, self.pace, false);
        let shard = being_read(&mut self.shards, shard)?;
        let records: Vec<_> = records.into_iter().map(Into::into).collect();
        let is_empty = records.is_empty();
        let took_all = shard.take(records, &self.source, rules, now_ms);
        if end_of_shard && took_all {
            shard.reader.end();
        } else {
            let wait_ms = if is_empty {
                self.pace.poll_ms
            } else {
                self.pace.read_ms
            };
            shard.reader.finish(now_ms.saturating_add(wait_ms));
        }
        Ok(())
    }

    /// A read failed: the same place is read again at the polling pace.
    pub fn read_failed(&mut self, shard: &str, now_ms: i64) -> Result<(), Unexpected> {
        let shard = being_read(&mut self.shards, shard)?;
        shard
            .reader
            .finish(now_ms.saturating_add(self.pace.poll_ms));
        Ok(())
    }

    /// What is to be done now. Ask again until it is [`Action::Wait`] or [`Action::Idle`].
    pub fn next(&mut self, now_ms: i64) -> Action {
        let mut until_ms = i64::MAX;
        match self.next_of_lanes(now_ms, &mut until_ms) {
            Some(action) => action,
            None => match self.next_read(now_ms, &mut until_ms) {
                Some(read) => Action::Read(read),
                None if until_ms < i64::MAX => Action::Wait { until_ms },
                None => Action::Idle,
            },
        }
    }

    /// Answers an invocation; its request id is derived from the mapping and the invocation's number.
    ///
    /// Gives how many of the invocation's records, from the first one on, the function is done with.
    pub fn answered(
        &mut self,
        id: InvocationId,
        answer: &Answer,
        now_ms: i64,
    ) -> Result<usize, Unexpected> {
        let request_id = uuid(&[self.source.mapping_id.as_bytes(), &id.0.to_be_bytes()]);
        self.answered_as(id, request_id, answer, now_ms)
    }

    /// Answers an invocation that had this request id. Gives what [`answered`](Self::answered) gives.
    pub fn answered_as(
        &mut self,
        id: InvocationId,
        request_id: String,
        answer: &Answer,
        now_ms: i64,
    ) -> Result<usize, Unexpected> {
        let (shard, lane) = self
            .under_way
            .remove(&id)
            .ok_or(Unexpected::Invocation(id))?;
        let Some(shard) = self.shards.get_mut(&shard) else {
            return Err(Unexpected::Invocation(id));
        };
        let rules = rules(
            &self.settings,
            &self.source,
            self.pace,
            shard.reader.has_ended(),
        );
        // Lambda measures a batch that reached the function.
        let last = shard.lanes[lane]
            .in_flight()
            .and_then(|piece| piece.records.last());
        let arrived_ms = last
            .map(|held| held.record.arrived_ms)
            .filter(|_| *answer != Answer::Throttled);
        if let Some(arrived_ms) = arrived_ms {
            shard.observe_age(arrived_ms, now_ms);
        }
        let done = shard.lanes[lane].answered(answer, request_id, rules, now_ms);
        if let Some(done) = &done {
            shard.finish(done);
        }
        Ok(done.map_or(0, |done| done.records.len()))
    }

    /// The last record of a shard before which every record is finished: done by the function, or put away.
    pub fn checkpoint(&self, shard: &str) -> Option<SequenceNumber> {
        self.shard(shard)?.checkpoint
    }

    /// How a shard stands.
    pub fn shard(&self, shard: &str) -> Option<ShardStatus> {
        self.shards.get(shard).map(Shard::status)
    }

    /// The shards that are known, in the order of their ids.
    pub fn shards(&self) -> impl Iterator<Item = (&str, ShardStatus)> {
        self.shards
            .values()
            .map(|shard| (&*shard.id, shard.status()))
    }

    /// Whether every known shard has ended and is finished.
    pub fn is_drained(&self) -> bool {
        self.shards.values().all(Shard::is_drained)
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The source.
    pub fn source(&self) -> &Source {
        &self.source
    }

    fn next_of_lanes(&mut self, now_ms: i64, until_ms: &mut i64) -> Option<Action> {
        if !self.enabled {
            return None;
        }
        for shard in self.shards.values_mut() {
            let rules = rules(
                &self.settings,
                &self.source,
                self.pace,
                shard.reader.has_ended(),
            );
            for lane in 0..shard.lanes.len() {
                match shard.lanes[lane].step(rules, now_ms) {
                    Step::Nothing => {}
                    Step::Wait(ms) => *until_ms = ms.min(*until_ms),
                    Step::Invoke(piece) => {
                        let id = InvocationId(self.next_id);
                        self.next_id += 1;
                        self.under_way.insert(id, (Arc::clone(&shard.id), lane));
                        return Some(Action::Invoke(Invocation {
                            id,
                            shard: Arc::clone(&shard.id),
                            // At most ten lanes.
                            lane: lane as u32,
                            event: event(&piece.records, &shard.id, &self.source),
                            records: records(piece),
                            attempt: piece.invocations.saturating_add(1),
                        }));
                    }
                    Step::Discard(piece, condition) => {
                        shard.finish(&piece);
                        let discarded = discarded(
                            &piece,
                            condition,
                            shard,
                            &self.settings,
                            &self.source,
                            now_ms,
                        );
                        return Some(Action::SendFailure(Box::new(discarded)));
                    }
                }
            }
        }
        None
    }

    fn next_read(&mut self, now_ms: i64, until_ms: &mut i64) -> Option<Read> {
        if !self.enabled {
            return None;
        }
        let mut due = None;
        for shard in self.shards.values() {
            let room = shard.room(&self.settings);
            let Some(due_ms) = shard
                .reader
                .due_ms()
                .filter(|_| room > 0 && self.parents_are_drained(shard))
            else {
                continue;
            };
            if due_ms <= now_ms {
                due = Some((Arc::clone(&shard.id), room));
                break;
            }
            *until_ms = due_ms.min(*until_ms);
        }
        let (id, limit) = due?;
        let shard = self.shards.get_mut(&id)?;
        self.has_read = true;
        Some(Read {
            after: shard.reader.begin(limit, now_ms),
            shard: id,
            limit,
        })
    }

    /// A parent that was never told of has left the stream with its records.
    fn parents_are_drained(&self, shard: &Shard) -> bool {
        shard.parents.iter().all(|parent| {
            self.shards
                .get(parent.as_str())
                .is_none_or(Shard::is_drained)
        })
    }
}

fn being_read<'a>(
    shards: &'a mut BTreeMap<Arc<str>, Shard>,
    id: &str,
) -> Result<&'a mut Shard, Unexpected> {
    shards
        .get_mut(id)
        .filter(|shard| shard.reader.limit().is_some())
        .ok_or_else(|| Unexpected::Read(id.to_owned()))
}

fn rules<'a>(settings: &'a Settings, source: &Source, pace: Pace, ended: bool) -> Rules<'a> {
    let ages = [settings.maximum_record_age_ms(), source.retention_ms];
    Rules {
        settings,
        pace,
        longest_age_ms: ages.into_iter().flatten().min(),
        ended,
    }
}

fn records(piece: &Piece) -> Vec<Arc<SourceRecord>> {
    piece
        .records
        .iter()
        .map(|held| Arc::clone(&held.record))
        .collect()
}

fn event(records: &[Held], shard: &str, source: &Source) -> Vec<u8> {
    let mut event = Event::new();
    records
        .iter()
        .for_each(|held| event.push(&written(&held.record, shard, source)));
    event.finish()
}

fn discarded(
    piece: &Piece,
    condition: Condition,
    shard: &Shard,
    settings: &Settings,
    source: &Source,
    now_ms: i64,
) -> Discarded {
    let first = piece
        .records
        .first()
        .map_or("", |held| held.record.sequence_number.as_str());
    Discarded {
        destination: settings.on_failure.clone(),
        mapping_id: source.mapping_id.clone(),
        function_arn: source.function_arn.clone(),
        executed_version: source.executed_version().to_owned(),
        stream_arn: source.stream_arn().to_owned(),
        shard: Arc::clone(&shard.id),
        records: records(piece),
        condition,
        invocations: piece.invocations,
        request_id: piece.last.as_ref().map_or_else(
            || {
                uuid(&[
                    source.mapping_id.as_bytes(),
                    shard.id.as_bytes(),
                    first.as_bytes(),
                ])
            },
            |last| last.request_id.clone(),
        ),
        function_error: piece
            .last
            .as_ref()
            .filter(|last| last.failed)
            .map(|_| "Unhandled"),
        now_ms,
        event: event(&piece.records, &shard.id, source),
    }
}
