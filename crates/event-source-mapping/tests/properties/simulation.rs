//! A stream, a function and a clock, all virtual: runs a mapping to its end and watches its promises at every step.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use event_source_mapping::{
    Action, Answer, Invocation, InvocationId, Mapping, Position, Read, Settings, ShardInfo, Source,
    SourceRecord,
};
use kinesis_batch::Batch;
use kinesis_batch::envelope::MAX_EVENT_BYTES;

pub const START: i64 = 1_545_084_650_987;

/// A shard, and what is put on it.
#[derive(Clone, Debug)]
pub struct Planned {
    pub id: &'static str,
    pub parents: Vec<&'static str>,
    /// When the mapping is told of it, in ms from the start.
    pub found_ms: i64,
    /// Partition key, and when it arrives in ms after the one before.
    pub records: Vec<(u8, i64)>,
}

/// What the function does, invocation by invocation; afterwards it succeeds.
#[derive(Clone, Copy, Debug)]
pub enum Behaviour {
    Succeeds,
    Fails,
    TimesOut,
    Crashes,
    IsThrottled,
    /// Names the record at this place, modulo the batch's length.
    FailsAt(usize),
    Rambles,
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub settings: Settings,
    pub shards: Vec<Planned>,
    /// With how long each takes, in ms.
    pub behaviours: Vec<(Behaviour, i64)>,
    /// Whether a read fails, one after the other; afterwards none.
    pub failed_reads: Vec<bool>,
}

/// What came of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Every action, in words.
    pub trace: Vec<String>,
    pub acknowledged: BTreeSet<u64>,
    pub discarded: BTreeSet<u64>,
}

struct Shard {
    parents: Vec<&'static str>,
    records: Vec<Arc<SourceRecord>>,
    closes_ms: i64,
}

enum Pending {
    Found(ShardInfo),
    Answer(InvocationId, Arc<str>, Vec<Arc<SourceRecord>>, Answer),
}

pub struct Simulation {
    mapping: Mapping,
    settings: Settings,
    shards: BTreeMap<String, Shard>,
    pending: BTreeMap<(i64, usize), Pending>,
    behaviours: std::vec::IntoIter<(Behaviour, i64)>,
    failed_reads: std::vec::IntoIter<bool>,
    serial: usize,
    now_ms: i64,
    under_way: BTreeSet<u64>,
    outcome: Outcome,
}

fn number(record: &SourceRecord) -> u64 {
    record.sequence_number.as_str().parse().unwrap()
}

impl Simulation {
    pub fn new(plan: Plan) -> Self {
        let source = Source {
            mapping_id: "f89f8514".into(),
            event_source_arn: "arn:aws:kinesis:us-east-2:123456789012:stream/readings".into(),
            function_arn: "arn:aws:lambda:us-east-2:123456789012:function:evaluator".into(),
            role_arn: "arn:aws:iam::123456789012:role/evaluator".into(),
            retention_ms: None,
        };
        let mut simulation = Self {
            mapping: Mapping::new(plan.settings.clone(), source).unwrap(),
            settings: plan.settings,
            shards: BTreeMap::new(),
            pending: BTreeMap::new(),
            behaviours: plan.behaviours.into_iter(),
            failed_reads: plan.failed_reads.into_iter(),
            serial: 0,
            now_ms: START,
            under_way: BTreeSet::new(),
            outcome: Outcome::default(),
        };
        let mut next_number = 7;
        for planned in plan.shards {
            let mut arrived_ms = START + planned.found_ms;
            let records: Vec<_> = planned
                .records
                .iter()
                .map(|(key, later_ms)| {
                    arrived_ms += later_ms;
                    next_number += 3;
                    Arc::new(SourceRecord {
                        sequence_number: next_number.to_string().parse().unwrap(),
                        partition_key: format!("press-{key}"),
                        data: vec![*key; usize::from(*key) * 40],
                        arrived_ms,
                    })
                })
                .collect();
            let parents = planned
                .parents
                .iter()
                .map(|parent| (*parent).to_owned())
                .collect();
            let found = Pending::Found(ShardInfo {
                id: planned.id.into(),
                parents,
            });
            simulation.later(planned.found_ms, found);
            let shard = Shard {
                parents: planned.parents,
                records,
                closes_ms: arrived_ms + 1,
            };
            simulation.shards.insert(planned.id.into(), shard);
        }
        simulation
    }

    /// Every record that is put.
    pub fn records(&self) -> BTreeSet<u64> {
        self.shards
            .values()
            .flat_map(|shard| &shard.records)
            .map(|record| number(record))
            .collect()
    }

    /// Runs until every shard is drained.
    pub fn run(mut self) -> Outcome {
        for _ in 0..200_000 {
            let until_ms = match self.mapping.next(self.now_ms) {
                Action::Invoke(invocation) => {
                    self.invoke(&invocation);
                    continue;
                }
                Action::Read(read) => {
                    self.read(&read);
                    continue;
                }
                Action::SendFailure(discarded) => {
                    self.note(format!(
                        "discard {:?} {}",
                        discarded.condition,
                        discarded.to_full_json()
                    ));
                    for record in &discarded.records {
                        assert!(
                            self.outcome.discarded.insert(number(record)),
                            "discarded twice"
                        );
                    }
                    self.watch();
                    continue;
                }
                Action::Wait { until_ms } => {
                    assert!(until_ms > self.now_ms, "a wait ends ahead");
                    Some(until_ms)
                }
                Action::Idle => None,
            };
            let due_ms = self
                .pending
                .first_key_value()
                .map(|((due_ms, _), _)| *due_ms);
            match [until_ms, due_ms].into_iter().flatten().min() {
                Some(ms) => self.now_ms = ms,
                None => {
                    assert!(
                        self.mapping.is_drained(),
                        "nothing is to come, and the stream is not drained"
                    );
                    return self.outcome;
                }
            }
            while let Some(entry) = self
                .pending
                .first_entry()
                .filter(|entry| entry.key().0 <= self.now_ms)
            {
                match entry.remove() {
                    Pending::Found(info) => self.mapping.shard_found(info, self.now_ms),
                    Pending::Answer(id, shard, records, answer) => {
                        self.answer(id, &shard, &records, &answer)
                    }
                }
            }
        }
        panic!("no end after 200,000 steps");
    }

    fn later(&mut self, ms: i64, pending: Pending) {
        self.serial += 1;
        self.pending
            .insert((self.now_ms + ms, self.serial), pending);
    }

    fn note(&mut self, action: String) {
        self.outcome
            .trace
            .push(format!("{} {action}", self.now_ms - START));
    }

    fn is_finished(&self, number: u64) -> bool {
        self.outcome.acknowledged.contains(&number) || self.outcome.discarded.contains(&number)
    }

    fn read(&mut self, read: &Read) {
        self.note(format!("read {read:?}"));
        assert!(read.limit > 0);
        if self.failed_reads.next() == Some(true) {
            self.mapping.read_failed(&read.shard, self.now_ms).unwrap();
            return;
        }
        let shard = &self.shards[&*read.shard];
        for parent in &shard.parents {
            let unfinished = self.shards[*parent]
                .records
                .iter()
                .find(|record| !self.is_finished(number(record)));
            assert_eq!(
                unfinished, None,
                "{} is read before its parent {parent} is finished",
                read.shard
            );
        }
        let is_ahead = |record: &SourceRecord| match &read.after {
            Position::TrimHorizon => true,
            Position::After(number) => record.sequence_number > *number,
            other => panic!("not a place in this stream: {other:?}"),
        };
        let here =
            |record: &&Arc<SourceRecord>| is_ahead(record) && record.arrived_ms <= self.now_ms;
        let records: Vec<_> = shard
            .records
            .iter()
            .filter(here)
            .take(read.limit as usize)
            .cloned()
            .collect();
        let last = records
            .last()
            .or(shard.records.iter().rev().find(|record| !is_ahead(record)));
        let end = shard.closes_ms <= self.now_ms && last == shard.records.last();
        self.mapping
            .records(&read.shard, records, end, self.now_ms)
            .unwrap();
        self.watch();
    }

    fn invoke(&mut self, invocation: &Invocation) {
        self.note(format!("invoke {invocation:?}"));
        let numbers: Vec<u64> = invocation
            .records
            .iter()
            .map(|record| number(record))
            .collect();
        assert!(!numbers.is_empty() && numbers.len() <= self.settings.batch_size as usize);
        assert!(numbers.is_sorted() && invocation.event.len() <= MAX_EVENT_BYTES);
        let mut buffer = Vec::new();
        let batch = Batch::decode(&invocation.event, &mut buffer).unwrap();
        let decoded: Vec<u64> = batch
            .user_records()
            .map(|record| record.sequence_number.parse().unwrap())
            .collect();
        assert_eq!((decoded, batch.malformed().len()), (numbers.clone(), 0));
        for record in &invocation.records {
            assert!(
                !self.is_finished(number(record)),
                "a finished record is invoked again"
            );
            assert!(
                self.under_way.insert(number(record)),
                "a record is under way twice"
            );
            if let Some(age_s) = self.settings.maximum_record_age_s {
                assert!(
                    self.now_ms - record.arrived_ms <= i64::from(age_s) * 1_000,
                    "too old to be sent"
                );
            }
            // Whatever came before it under its key is finished, or before it in this very batch.
            let before = self.shards[&*invocation.shard]
                .records
                .iter()
                .take_while(|other| *other != record);
            for other in before.filter(|other| other.partition_key == record.partition_key) {
                let number = number(other);
                assert!(
                    self.is_finished(number) || numbers.contains(&number),
                    "{number} is overtaken"
                );
            }
        }
        let (behaviour, takes_ms) = self.behaviours.next().unwrap_or((Behaviour::Succeeds, 5));
        let failed_at = |place: usize| {
            let identifier = numbers[place % numbers.len()].to_string();
            serde_json::json!({"batchItemFailures": [{"itemIdentifier": identifier}]})
                .to_string()
                .into_bytes()
        };
        let answer = match behaviour {
            Behaviour::Succeeds => Answer::Returned(b"null".to_vec()),
            Behaviour::Fails => Answer::FunctionError("Runtime.Unhandled".into()),
            Behaviour::TimesOut => Answer::TimedOut,
            Behaviour::Crashes => Answer::Crashed,
            Behaviour::IsThrottled => Answer::Throttled,
            Behaviour::FailsAt(place) => Answer::Returned(failed_at(place)),
            Behaviour::Rambles => {
                Answer::Returned(br#"{"batchItemFailures":[{"itemIdentifier":"?"}]}"#.to_vec())
            }
        };
        let (shard, records) = (Arc::clone(&invocation.shard), invocation.records.clone());
        self.later(
            takes_ms,
            Pending::Answer(invocation.id, shard, records, answer),
        );
    }

    fn answer(
        &mut self,
        id: InvocationId,
        shard: &str,
        records: &[Arc<SourceRecord>],
        answer: &Answer,
    ) {
        self.note(format!("answer {id} of {shard}: {answer:?}"));
        let report = self.settings.report_batch_item_failures;
        let done = match answer {
            Answer::Returned(response) if report && response != b"null" => {
                let response = std::str::from_utf8(response).unwrap();
                records
                    .iter()
                    .position(|record| response.contains(&format!("\"{}\"", number(record))))
                    .unwrap_or(0)
            }
            Answer::Returned(_) => records.len(),
            _ => 0,
        };
        for record in &records[..done] {
            assert!(self.outcome.acknowledged.insert(number(record)));
        }
        records.iter().for_each(|record| {
            self.under_way.remove(&number(record));
        });
        self.mapping.answered(id, answer, self.now_ms).unwrap();
        self.watch();
    }

    /// The promises that hold at every step.
    fn watch(&self) {
        let batches = self.settings.parallelization_factor as usize + 1;
        for (id, status) in self.mapping.shards() {
            assert!(
                status.pending <= self.settings.batch_size as usize * batches,
                "too much is held"
            );
            assert!(status.pending_bytes <= MAX_EVENT_BYTES * (batches + 1));
            let Some(checkpoint) = status.checkpoint else {
                continue;
            };
            for record in self.shards[id]
                .records
                .iter()
                .take_while(|record| record.sequence_number <= checkpoint)
            {
                assert!(
                    self.is_finished(number(record)),
                    "the checkpoint {checkpoint} has passed {record:?}"
                );
            }
        }
    }
}
