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
use super::pulse::Pulse;
use crate::aws::words;
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
    pulse: Arc<Pulse>,
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
            pulse: Arc::default(),
        }
    }

    /// How it gets on, to be looked at while it is at work.
    pub fn pulse(&self) -> Arc<Pulse> {
        Arc::clone(&self.pulse)
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
        self.pulse.hold(self.machine.counts());
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
                    let why = format!("cannot put {}: {}", object.key, words(&error));
                    Ended::NotStored(object.id, why)
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
                self.pulse.beat();
                self.machine.answered(id, &answer, now_ms)
            }
            Ended::Stored(id) => {
                self.pulse.beat();
                self.machine.stored(id)
            }
            // It is tried again for a day: no reason to wait any longer.
            Ended::NotStored(id, why) => {
                self.trouble(&why);
                self.machine.store_failed(id, now_ms)
            }
        };
        taken.map_err(|error| self.out_of_step(error))?;
        self.pulse.hold(self.machine.counts());
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

#[cfg(test)]
mod tests {
    use firehose_delivery::{Settings, Source};
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    const TRANSFORMED: &str = r#"{"ProcessingConfiguration": {"Enabled": true, "Processors": [
        {"Type": "Lambda", "Parameters": [{"ParameterName": "LambdaArn",
            "ParameterValue": "arn:aws:lambda:us-east-1:000000000000:function:andon-lake-readings"}]}]}}"#;

    /// One that has taken a record and waits for no buffer.
    fn draining(settings: &str, now_ms: i64) -> Driver {
        let settings = Settings::from_json(settings).unwrap();
        let arn = "arn:aws:firehose:us-east-1:000000000000:deliverystream/andon-readings";
        let source_arn = "arn:aws:kinesis:us-east-1:000000000000:stream/andon-readings";
        let mut machine = Delivery::new(
            settings.clone(),
            Source {
                stream_arn: arn.to_owned(),
                version: "1".to_owned(),
                region: "us-east-1".to_owned(),
                kinesis_stream_arn: Some(source_arn.to_owned()),
            },
        );
        let record = Record {
            data: b"{}".to_vec(),
            arrived_ms: now_ms,
            place: None,
        };
        machine.put(record, now_ms);
        machine.drain();
        let delivery = DeployedDelivery {
            name: "andon-readings".to_owned(),
            label: "readings".to_owned(),
            arn: arn.to_owned(),
            version: "1".to_owned(),
            source_arn: source_arn.to_owned(),
            bucket: "lake".to_owned(),
            settings,
        };
        let nowhere = crate::local::sdk("http://127.0.0.1:9");
        let quiet: Arc<dyn Progress + Send> = Arc::new(|_: &str| {});
        Driver::new(
            &delivery,
            machine,
            None,
            crate::aws::s3(&nowhere),
            quiet,
            unbounded_channel().1,
            unbounded_channel().1,
        )
    }

    #[tokio::test]
    async fn a_transformer_that_hangs_is_waited_for_as_often_as_it_is_tried() {
        let now_ms = SystemClock.now_ms();
        let mut driver = draining(TRANSFORMED, now_ms);
        let pulse = driver.pulse();
        let Action::Invoke(invocation) = driver.machine.next(now_ms) else {
            panic!("nothing is invoked");
        };
        let hung = Ended::Answered(invocation.id, Answer::TimedOut);
        assert!(driver.take(hung).unwrap());
        assert_eq!((pulse.moves(), pulse.held()), (1, 1));
    }

    #[tokio::test]
    async fn an_object_moves_a_delivery_on_once_it_is_stored() {
        let now_ms = SystemClock.now_ms();
        for (is_stored, expected) in [(true, (1, 0)), (false, (0, 1))] {
            let mut driver = draining("{}", now_ms);
            let pulse = driver.pulse();
            let Action::Put(object) = driver.machine.next(now_ms) else {
                panic!("nothing is put");
            };
            let ended = match is_stored {
                true => Ended::Stored(object.id),
                false => Ended::NotStored(object.id, "refused".to_owned()),
            };
            assert!(driver.take(ended).unwrap());
            assert_eq!((pulse.moves(), pulse.held()), expected);
        }
    }
}
