//! One mapping at work: the state machine of `event-source-mapping`, with the real function, clock and destination.
//!
//! Promises: the machine is asked again after everything that it is told; a batch that was given up counts as passed only
//! once its destination has it; a function that cannot be invoked at all ends the run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use event_source_mapping::{
    Action, Answer, Discarded, Invocation, InvocationId, Read, SourceRecord, Unexpected,
};
use lambda_function::backoff::Backoff;
use runtime_api::{InvokeError, Outcome};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Mapping;
use super::stream::Found;
use crate::failure::Failure;

/// How often a batch is put to its destination before the run is given up.
const PUTS: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A mapping with the shards that it was told of.
pub struct Driver {
    mapping: Arc<Mapping>,
    machine: event_source_mapping::Mapping,
    found: UnboundedReceiver<Vec<Found>>,
    shards: BTreeMap<String, Found>,
    under_way: JoinSet<Result<Ended, Failure>>,
}

/// Work that has ended.
enum Ended {
    Answered {
        id: InvocationId,
        shard: Arc<str>,
        records: Vec<Arc<SourceRecord>>,
        request_id: String,
        answer: Answer,
    },
    GivenUp(Box<Discarded>),
    /// The host is stopped: the run ends.
    Stopped,
}

impl Driver {
    /// At work on nothing yet; `found` brings the shards.
    pub fn new(
        mapping: Arc<Mapping>,
        machine: event_source_mapping::Mapping,
        found: UnboundedReceiver<Vec<Found>>,
    ) -> Self {
        Self {
            mapping,
            machine,
            found,
            shards: BTreeMap::new(),
            under_way: JoinSet::new(),
        }
    }

    /// Ends with a failure, or once the function's host is stopped.
    pub async fn run(mut self) -> Result<(), Failure> {
        loop {
            let now_ms = self.mapping.now_ms();
            let until_ms = match self.machine.next(now_ms) {
                Action::Invoke(invocation) => {
                    self.invoke(invocation);
                    continue;
                }
                Action::Read(read) => {
                    self.read(&read, now_ms)?;
                    continue;
                }
                Action::SendFailure(discarded) => {
                    self.give_up(discarded);
                    continue;
                }
                Action::Wait { until_ms } => Some(until_ms),
                Action::Idle => None,
            };
            tokio::select! {
                Some(ended) = self.under_way.join_next() => {
                    let ended = ended.map_err(|error| {
                        Failure::check(format_args!("an invocation of {} broke off", self.mapping.package)).caused_by(error)
                    })??;
                    if !self.take(ended)? {
                        return Ok(());
                    }
                }
                Some(found) = self.found.recv() => {
                    let now_ms = self.mapping.now_ms();
                    for found in found {
                        self.machine.shard_found(found.info.clone(), now_ms);
                        self.shards.insert(found.info.id.clone(), found);
                    }
                }
                () = wait(until_ms.map(|until_ms| until_ms.saturating_sub(now_ms))) => {}
            }
        }
    }

    fn read(&mut self, read: &Read, now_ms: i64) -> Result<(), Failure> {
        let (records, ends) = match self.shards.get(&*read.shard) {
            Some(found) => found.tail.read(found.number, read),
            None => (Vec::new(), false),
        };
        self.machine
            .records(&read.shard, records, ends, now_ms)
            .map_err(|error| self.out_of_step(error))
    }

    fn invoke(&mut self, invocation: Invocation) {
        let mapping = Arc::clone(&self.mapping);
        self.under_way.spawn(async move {
            let Invocation {
                id,
                shard,
                event,
                records,
                ..
            } = invocation;
            let (request_id, answer) = match mapping.invoke(event.into(), &records).await {
                Ok(invocation) => (invocation.request_id, answer(invocation.outcome)),
                Err(InvokeError::Stopped { .. }) => return Ok(Ended::Stopped),
                Err(error) => {
                    return Err(
                        Failure::check(format_args!("cannot invoke {}", mapping.package))
                            .caused_by(error)
                            .cure("run again: the functions are built and started anew"),
                    );
                }
            };
            Ok(Ended::Answered {
                id,
                shard,
                records,
                request_id,
                answer,
            })
        });
    }

    fn give_up(&mut self, discarded: Box<Discarded>) {
        let mapping = Arc::clone(&self.mapping);
        self.under_way.spawn(async move {
            let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
            for _ in 1..PUTS {
                match mapping.put(&discarded).await {
                    Ok(()) => return Ok(Ended::GivenUp(discarded)),
                    Err(failure) => mapping.trouble(&failure.to_string()),
                }
                sleep(backoff.next_delay()).await;
            }
            mapping.put(&discarded).await?;
            Ok(Ended::GivenUp(discarded))
        });
    }

    /// False once the run ends.
    fn take(&mut self, ended: Ended) -> Result<bool, Failure> {
        let now_ms = self.mapping.now_ms();
        match ended {
            Ended::Stopped => return Ok(false),
            Ended::GivenUp(discarded) => {
                self.mapping.given_up(&discarded);
                if let Some(found) = self.shards.get(&*discarded.shard) {
                    found.lag.pass(&discarded.records, true, now_ms);
                }
            }
            Ended::Answered {
                id,
                shard,
                records,
                request_id,
                answer,
            } => {
                let done = self
                    .machine
                    .answered_as(id, request_id, &answer, now_ms)
                    .map_err(|error| self.out_of_step(error))?;
                self.mapping.answered(&answer, done, records.len());
                let done = records.get(..done).unwrap_or_default();
                if let Some(found) = self.shards.get(&*shard) {
                    found.lag.pass(done, false, now_ms);
                }
                if let Some(watch) = &self.mapping.watch {
                    watch(done, now_ms);
                }
            }
        }
        Ok(true)
    }

    fn out_of_step(&self, error: Unexpected) -> Failure {
        Failure::check(format_args!(
            "the mapping of {} is out of step",
            self.mapping.package
        ))
        .caused_by(error)
    }
}

fn answer(outcome: Outcome) -> Answer {
    match outcome {
        Outcome::Answer(body) => Answer::Returned(body.into()),
        Outcome::FunctionError { error_type, .. } => Answer::FunctionError(error_type),
        Outcome::TimedOut => Answer::TimedOut,
        Outcome::Crashed { .. } => Answer::Crashed,
    }
}

/// For ever, if there is no end.
async fn wait(ms: Option<i64>) {
    match ms {
        Some(ms) => sleep(Duration::from_millis(ms.try_into().unwrap_or_default())).await,
        None => std::future::pending().await,
    }
}
