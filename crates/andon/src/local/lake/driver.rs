//! One delivery stream at work: the state machine of `firehose-delivery`, with the real function, clock and bucket.
//!
//! Promises: a record counts as passed once the delivery stream has taken it; a function that cannot be invoked at all ends
//! the run; whoever asks for the end is answered when nothing is held any more.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use event_source_mapping::{Position, Read};
use firehose_delivery::{
    Action, Answer, Counts, Delivery, Invocation, InvocationId, Object, ObjectId, Place, Record,
    Unexpected,
};
use lambda_function::clock::{Clock, SystemClock};
use runtime_api::{FunctionHost, InvokeError, Outcome};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::super::mapping::Found;
use super::super::python::Progress;
use super::super::stack::DeployedDelivery;
use crate::aws::failed;
use crate::failure::Failure;

/// Between two looks at the shards.
const LOOK: Duration = Duration::from_millis(100);
/// The most records that are taken from a shard at once.
const LIMIT: u32 = 10_000;
/// So many troubles are told, the rest is in the function's log.
const TOLD: u32 = 5;

/// A delivery stream with the shards that it was told of.
pub struct Driver {
    name: String,
    bucket: String,
    machine: Delivery,
    host: Option<Arc<FunctionHost>>,
    s3: Client,
    progress: Arc<dyn Progress + Send>,
    found: UnboundedReceiver<Vec<Found>>,
    shards: Vec<(Found, Position)>,
    drains: UnboundedReceiver<oneshot::Sender<Counts>>,
    waiting: Vec<oneshot::Sender<Counts>>,
    under_way: JoinSet<Result<Ended, Failure>>,
    told: u32,
}

/// Work that has ended.
enum Ended {
    Answered(InvocationId, Answer),
    Stored(ObjectId),
    NotStored(ObjectId, String),
    /// The host is stopped: the run ends.
    Stopped,
}

impl Driver {
    /// At work on nothing yet; `found` brings the shards, `drains` those who wait for the end.
    pub fn new(
        delivery: &DeployedDelivery,
        machine: Delivery,
        host: Option<Arc<FunctionHost>>,
        s3: Client,
        progress: Arc<dyn Progress + Send>,
        found: UnboundedReceiver<Vec<Found>>,
        drains: UnboundedReceiver<oneshot::Sender<Counts>>,
    ) -> Self {
        Self {
            name: delivery.name.clone(),
            bucket: delivery.bucket.clone(),
            machine,
            host,
            s3,
            progress,
            found,
            shards: Vec::new(),
            drains,
            waiting: Vec::new(),
            under_way: JoinSet::new(),
            told: 0,
        }
    }

    /// Ends with a failure, or once the function's host is stopped.
    pub async fn run(mut self) -> Result<(), Failure> {
        loop {
            self.read();
            let now_ms = SystemClock.now_ms();
            let wait = match self.machine.next(now_ms) {
                Action::Invoke(invocation) => {
                    self.invoke(invocation)?;
                    continue;
                }
                Action::Put(object) => {
                    self.put(object);
                    continue;
                }
                Action::Wait { until_ms } => {
                    Duration::from_millis((until_ms - now_ms).try_into().unwrap_or_default())
                        .min(LOOK)
                }
                Action::Idle => LOOK,
            };
            if self.machine.is_drained() {
                for waiting in self.waiting.drain(..) {
                    // Who no longer waits need not know.
                    let _ = waiting.send(self.machine.counts());
                }
            }
            tokio::select! {
                Some(ended) = self.under_way.join_next() => {
                    let ended = ended.map_err(|error| {
                        Failure::check(format_args!("the delivery of {} broke off", self.name))
                            .caused_by(error)
                    })??;
                    if !self.take(ended)? {
                        return Ok(());
                    }
                }
                Some(found) = self.found.recv() => {
                    let begin = |found| (found, Position::TrimHorizon);
                    self.shards.extend(found.into_iter().map(begin));
                }
                Some(waiting) = self.drains.recv() => self.waiting.push(waiting),
                () = sleep(wait) => {}
            }
            if !self.waiting.is_empty() {
                self.machine.drain();
            }
        }
    }

    /// Takes what there is on the shards.
    fn read(&mut self) {
        let now_ms = SystemClock.now_ms();
        for (found, position) in &mut self.shards {
            let read = Read {
                shard: found.info.id.as_str().into(),
                after: position.clone(),
                limit: LIMIT,
            };
            let (records, _) = found.tail.read(found.number, &read);
            for record in &records {
                let place = Place {
                    shard: found.info.id.clone(),
                    sequence_number: record.sequence_number.as_str().to_owned(),
                    sub_sequence_number: 0,
                    partition_key: record.partition_key.clone(),
                };
                for record in Record::of_stream(&record.data, record.arrived_ms, place) {
                    self.machine.put(record, now_ms);
                }
            }
            if let Some(last) = records.last() {
                *position = Position::After(last.sequence_number.clone());
            }
            found.lag.pass(&records, false, now_ms);
        }
    }

    fn invoke(&mut self, invocation: Invocation) -> Result<(), Failure> {
        let Some(host) = self.host.clone() else {
            return Err(Failure::check(format_args!(
                "{} has no function",
                self.name
            )));
        };
        let name = self.name.clone();
        self.under_way.spawn(async move {
            match host.invoke(invocation.event.into()).await {
                Ok(ended) => Ok(Ended::Answered(invocation.id, answer(ended.outcome))),
                Err(InvokeError::Stopped { .. }) => Ok(Ended::Stopped),
                Err(error) => Err(Failure::check(format_args!(
                    "cannot invoke the transformer of {name}"
                ))
                .caused_by(error)
                .cure("run again: the functions are built and started anew")),
            }
        });
        Ok(())
    }

    fn put(&mut self, object: Object) {
        let put = self
            .s3
            .put_object()
            .bucket(&self.bucket)
            .key(&object.key)
            .body(ByteStream::from(object.body));
        self.under_way.spawn(async move {
            Ok(match put.send().await {
                Ok(_) => Ended::Stored(object.id),
                Err(error) => {
                    let failure = failed(format_args!("cannot put {}", object.key), &error);
                    Ended::NotStored(object.id, failure.to_string())
                }
            })
        });
    }

    /// False once the run ends.
    fn take(&mut self, ended: Ended) -> Result<bool, Failure> {
        let now_ms = SystemClock.now_ms();
        let taken = match ended {
            Ended::Stopped => return Ok(false),
            Ended::Answered(id, answer) => {
                if !matches!(answer, Answer::Returned(_)) {
                    self.trouble(&format!("the transformer did not answer ({answer:?})"));
                }
                self.machine.answered(id, &answer, now_ms)
            }
            Ended::Stored(id) => self.machine.stored(id),
            Ended::NotStored(id, why) => {
                self.trouble(&why);
                self.machine.store_failed(id, now_ms)
            }
        };
        taken.map_err(|error| self.out_of_step(error))?;
        Ok(true)
    }

    fn trouble(&mut self, what: &str) {
        self.told += 1;
        if self.told <= TOLD {
            self.progress.say(&format!("{}: {what}", self.name));
        }
    }

    fn out_of_step(&self, error: Unexpected) -> Failure {
        Failure::check(format_args!(
            "the delivery stream {} is out of step",
            self.name
        ))
        .caused_by(error)
    }
}

fn answer(outcome: Outcome) -> Answer {
    match outcome {
        Outcome::Answer(body) => Answer::Returned(body.into()),
        Outcome::FunctionError { .. } | Outcome::Crashed { .. } => Answer::FunctionError,
        Outcome::TimedOut => Answer::TimedOut,
    }
}
