//! The machine: takes records in, has them transformed, gathers rows, hands out objects.

use std::collections::BTreeMap;

use crate::action::{Action, Counts, Invocation, InvocationId, Source, Unexpected};
use crate::answer::{self, Answer, Result as Answered};
use crate::failure::Fault;
use crate::intake::{Batch, Intake};
use crate::lake::Lake;
use crate::object::ObjectId;
use crate::record::Record;
use crate::settings::Settings;

/// The first wait before an invocation is tried again; each one is twice as long, up to a minute.
const RETRY_MS: i64 = 1_000;
const MOST_RETRY_MS: i64 = 60_000;

/// One delivery stream.
#[derive(Debug)]
pub struct Delivery {
    settings: Settings,
    source: Source,
    intake: Intake,
    /// One batch at a time is with the function, or waits to be.
    batch: Option<Attempt>,
    lake: Lake,
    counts: Counts,
    invocations: u64,
    draining: bool,
}

#[derive(Debug)]
struct Attempt {
    id: InvocationId,
    batch: Batch,
    number: u32,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waits { until_ms: i64 },
    UnderWay,
}

impl Delivery {
    /// A delivery stream that has taken nothing yet.
    pub fn new(settings: Settings, source: Source) -> Self {
        Self {
            lake: Lake::new(&settings, &source),
            settings,
            source,
            intake: Intake::default(),
            batch: None,
            counts: Counts::default(),
            invocations: 0,
            draining: false,
        }
    }

    /// Takes a record in.
    pub fn put(&mut self, record: Record, now_ms: i64) {
        self.counts.taken += 1;
        self.draining = false;
        match self.settings.transformation {
            Some(_) => self.intake.put(record, now_ms),
            None => self.deliver(&record, record.data.clone(), BTreeMap::new(), 0, now_ms),
        }
    }

    /// What is to be done now. Ask again until it is [`Action::Wait`] or [`Action::Idle`].
    pub fn next(&mut self, now_ms: i64) -> Action {
        let mut until_ms = i64::MAX;
        let invocation = self.next_invocation(now_ms, &mut until_ms);
        if let Some(invocation) = invocation {
            return Action::Invoke(invocation);
        }
        // What the function still holds belongs into the same objects.
        let close_all = self.draining && self.intake.is_empty() && self.batch.is_none();
        match self.lake.next(now_ms, close_all, &mut until_ms) {
            Some(object) => Action::Put(object),
            None if until_ms < i64::MAX => Action::Wait { until_ms },
            None => Action::Idle,
        }
    }

    /// Answers an invocation.
    ///
    /// # Errors
    /// If it is not under way.
    pub fn answered(
        &mut self,
        id: InvocationId,
        answer: &Answer,
        now_ms: i64,
    ) -> Result<(), Unexpected> {
        let under_way = |attempt: &Attempt| attempt.id == id && attempt.state == State::UnderWay;
        let Some(attempt) = self.batch.take_if(|attempt| under_way(attempt)) else {
            return Err(Unexpected::Invocation(id));
        };
        match answer::read(answer, &attempt.batch.ids) {
            Ok(results) => self.transformed(attempt, results, now_ms),
            Err(fault) => self.invocation_failed(attempt, fault, now_ms),
        }
        Ok(())
    }

    /// An object was put.
    ///
    /// # Errors
    /// If it is not under way.
    pub fn stored(&mut self, id: ObjectId) -> Result<(), Unexpected> {
        let (records, failed) = self.lake.stored(id)?;
        match failed {
            false => self.counts.delivered += records,
            true => self.counts.failed += records,
        }
        Ok(())
    }

    /// An object could not be put: it is tried again for 24 hours, then it is lost.
    ///
    /// # Errors
    /// If it is not under way.
    pub fn store_failed(&mut self, id: ObjectId, now_ms: i64) -> Result<(), Unexpected> {
        self.counts.lost += self.lake.store_failed(id, now_ms)?;
        Ok(())
    }

    /// Waits for no buffer any longer, until the next record: what was taken goes through the function and into the bucket at
    /// once. A delivery stream that is deleted does not do so; a run that comes to its end does.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// Whether nothing that was taken is still held.
    pub fn is_drained(&self) -> bool {
        self.intake.is_empty() && self.batch.is_none() && self.lake.is_empty()
    }

    /// What became of the records.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The settings that it runs by.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn next_invocation(&mut self, now_ms: i64, until_ms: &mut i64) -> Option<Invocation> {
        let transformation = self.settings.transformation.as_ref()?;
        if self.batch.is_none() {
            let due = |intake: &Intake| match self.draining {
                true => (!intake.is_empty()).then_some(now_ms),
                false => intake.due_ms(transformation),
            };
            // A record that no invocation can carry fails at once, and the next one is looked at.
            while let Some(due_ms) = due(&self.intake) {
                if due_ms > now_ms {
                    *until_ms = due_ms.min(*until_ms);
                    return None;
                }
                match self.intake.take(transformation, &self.source, now_ms) {
                    Ok(batch) => {
                        self.batch = Some(Attempt {
                            id: InvocationId(self.invocations),
                            batch,
                            number: 1,
                            state: State::Waits { until_ms: now_ms },
                        });
                        break;
                    }
                    Err(record) => {
                        let arn = &transformation.function_arn;
                        let fault = Fault::FunctionError;
                        self.lake.keep(&record, fault, 0, Some(arn), now_ms);
                    }
                }
            }
        }
        let attempt = self.batch.as_mut()?;
        match attempt.state {
            State::UnderWay => None,
            State::Waits { until_ms: due_ms } if due_ms > now_ms => {
                *until_ms = due_ms.min(*until_ms);
                None
            }
            State::Waits { .. } => {
                attempt.state = State::UnderWay;
                attempt.id = InvocationId(self.invocations);
                self.invocations += 1;
                Some(Invocation {
                    id: attempt.id,
                    event: attempt.batch.event(&self.source, attempt.id),
                    records: attempt.batch.records.len(),
                    attempt: attempt.number,
                })
            }
        }
    }

    fn transformed(&mut self, attempt: Attempt, results: Vec<Answered>, now_ms: i64) {
        let attempts = attempt.number;
        for (record, result) in attempt.batch.records.iter().zip(results) {
            match result {
                Answered::Ok { data, partition } => {
                    self.deliver(record, data, partition, attempts, now_ms);
                }
                Answered::Dropped => self.counts.dropped += 1,
                Answered::Failed => {
                    self.keep(record, Fault::ProcessingFailed, attempts, now_ms);
                }
            }
        }
    }

    fn invocation_failed(&mut self, mut attempt: Attempt, fault: Fault, now_ms: i64) {
        let transformation = self.settings.transformation.as_ref();
        let retries = transformation.map_or(0, |transformation| transformation.retries);
        if attempt.number <= retries {
            let wait_ms = RETRY_MS << (attempt.number - 1).min(10);
            attempt.number += 1;
            attempt.state = State::Waits {
                until_ms: now_ms.saturating_add(wait_ms.min(MOST_RETRY_MS)),
            };
            self.batch = Some(attempt);
            return;
        }
        for record in &attempt.batch.records {
            self.keep(record, fault, attempt.number, now_ms);
        }
    }

    fn deliver(
        &mut self,
        record: &Record,
        mut data: Vec<u8>,
        partition: BTreeMap<String, String>,
        attempts: u32,
        now_ms: i64,
    ) {
        if self.settings.append_delimiter {
            data.push(b'\n');
        }
        let partition = match self.settings.dynamic_partitioning {
            false => BTreeMap::new(),
            true => {
                let keys = self.settings.prefix.keys();
                let named: Option<BTreeMap<_, _>> = keys
                    .map(|key| {
                        let value = partition.get(key).filter(|value| !value.is_empty())?;
                        Some((key.to_owned(), value.clone()))
                    })
                    .collect();
                match named {
                    Some(named) => named,
                    None => return self.keep(record, Fault::PartitionKeys, attempts, now_ms),
                }
            }
        };
        let delivered = self
            .lake
            .deliver(&data, partition, record.arrived_ms, now_ms);
        if let Err(fault) = delivered {
            self.keep(record, fault, attempts, now_ms);
        }
    }

    fn keep(&mut self, record: &Record, fault: Fault, attempts: u32, now_ms: i64) {
        let transformation = self.settings.transformation.as_ref();
        let arn = transformation.map(|transformation| transformation.function_arn.as_str());
        self.lake.keep(record, fault, attempts, arn, now_ms);
    }
}
