//! The bench that `andon invoke` uses, with what tests ask of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use andon::invoke::{Bench, StartError};
use dynamodb_writer::Writer;
use fake_aws::{Effect, Fault, Service, World};
use lambda_function::clock::FixedClock;
use lambda_function::deadline::Deadline;
use quality_evaluator::Evaluator;
use quality_event::QualityEvent;
use sagemaker_caller::Caller;
use set_aside::{Answer, SetAside};
use sns_alerter::Alerter;

use crate::Batches;

pub use andon::invoke::FUNCTION_TIMEOUT;

/// The readings stream.
pub const STREAM_ARN: &str = "arn:aws:kinesis:eu-central-1:123456789012:stream/readings";

/// Rules of the press line that remember nothing between readings, one of them critical: what is published and
/// committed then follows from the batch alone.
pub const SCENARIO_PLAN: &str = include_str!("scenario-plan.yaml");

/// The functions and their world.
pub struct Rig {
    /// Everything that the functions act on.
    pub world: World,
    /// The time of day, in the world and in the functions.
    pub clock: Arc<FixedClock>,
    bench: Bench,
    invocations: AtomicU64,
}

impl Rig {
    /// A world with empty tables and [`SCENARIO_PLAN`], at 2026-11-20T01:00:00Z.
    pub fn new() -> Self {
        Self::with_plan(SCENARIO_PLAN)
    }

    /// Such a world with another plan.
    pub fn with_plan(plan: &str) -> Self {
        let bench = Bench::new(plan);
        let (world, clock) = (bench.world.clone(), bench.clock.clone());
        Self {
            world,
            clock,
            bench,
            invocations: AtomicU64::new(0),
        }
    }

    /// A fresh environment of the evaluator.
    pub async fn evaluator(&self) -> Result<Evaluator<Arc<FixedClock>>, StartError> {
        self.bench.evaluator().await
    }

    /// A fresh environment of the writer; `STORE` as given.
    pub fn writer(&self, store: &str) -> Writer {
        self.bench.writer(&[("STORE", store)]).unwrap()
    }

    /// A fresh environment of the alerter.
    pub fn alerter(&self) -> Alerter<Arc<FixedClock>> {
        self.bench.alerter().unwrap()
    }

    /// A fresh environment of the caller.
    pub async fn caller(&self) -> Result<Caller<Arc<FixedClock>>, StartError> {
        self.bench.caller(&[]).await
    }

    /// The endpoint, with a model that gives every row this score.
    pub fn create_endpoint(&self, score: f64) {
        let model = move |_: &str, body: &[u8]| {
            let rows = String::from_utf8_lossy(body).lines().count();
            Ok(format!("{},{score}\n", 1.0 - score)
                .repeat(rows)
                .into_bytes())
        };
        self.world.create_endpoint(Bench::ENDPOINT, Box::new(model));
    }

    /// Judges `body` in a fresh environment and gives the checkpoint, none if all is done.
    pub async fn judge(&self, body: &[u8]) -> Option<String> {
        let evaluator = self.evaluator().await.unwrap();
        let answer = evaluator
            .invoke(body, &self.request_id(), Self::deadline())
            .await
            .unwrap();
        checkpoint(&answer)
    }

    /// Stores `body` in a fresh environment and gives the checkpoint, none if all is done.
    pub async fn store(&self, body: &[u8]) -> Option<String> {
        let writer = self.writer("alerting");
        checkpoint(&writer.invoke(body, Self::deadline()).await.unwrap())
    }

    /// Alerts for `body` in a fresh environment and gives the checkpoint, none if all is done.
    pub async fn alert(&self, body: &[u8]) -> Option<String> {
        let request_id = self.request_id();
        let alerter = self.alerter();
        let answer = alerter.invoke(body, &request_id, Self::deadline()).await;
        checkpoint(&answer.unwrap())
    }

    /// Scores `body` in a fresh environment and gives the checkpoint, none if all is done.
    pub async fn score(&self, body: &[u8]) -> Option<String> {
        let caller = self.caller().await.unwrap();
        checkpoint(&caller.invoke(body, Self::deadline()).await.unwrap())
    }

    /// Records of a shard, arriving now.
    pub fn batches(&self) -> Batches {
        Batches::new("shardId-000000000000", self.world.now_ms())
    }

    /// From now on `operation` answers after a moment, so that what else hangs is seen to hang.
    pub fn answer_slowly(&self, service: Service, operation: &str) {
        let slow = Effect::Slow(Duration::from_millis(20));
        self.world.fault(Fault::new(service, operation).then(slow));
    }

    /// An id that no other invocation of this rig has.
    pub fn request_id(&self) -> String {
        let n = self.invocations.fetch_add(1, Ordering::Relaxed);
        format!("request-{n}")
    }

    /// What an invocation has, less the margin.
    pub fn deadline() -> Deadline {
        Deadline::after(FUNCTION_TIMEOUT - Duration::from_secs(2))
    }

    /// The quality events on their stream, in the order of their arrival.
    pub fn events(&self) -> Vec<QualityEvent> {
        let records = self.world.records(Bench::QUALITY_STREAM);
        records
            .iter()
            .map(|record| QualityEvent::from_json(&record.data).unwrap())
            .collect()
    }

    /// What lies in quarantine.
    pub fn quarantine(&self) -> Vec<SetAside> {
        self.set_aside("quarantine/")
    }

    /// What was parked.
    pub fn parked(&self) -> Vec<SetAside> {
        self.set_aside("parked/")
    }

    fn set_aside(&self, prefix: &str) -> Vec<SetAside> {
        let objects = self.world.objects(Bench::SET_ASIDE_BUCKET);
        objects
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
            .flat_map(|(_, object)| set_aside::decode(&object.body).unwrap())
            .collect()
    }

    /// Alerts published.
    pub fn alerts(&self) -> Vec<fake_aws::Published> {
        self.world.published(&self.bench.alert_topic)
    }

    /// Line stops published.
    pub fn line_stops(&self) -> Vec<fake_aws::Published> {
        self.world.published(&self.bench.line_stop_topic)
    }

    /// The sum of a metric over lines with these dimension values.
    pub fn metric(&self, name: &str, dimensions: &[(&str, &str)]) -> f64 {
        self.bench.metrics.flush();
        self.bench.captured.total(name, dimensions)
    }
}

impl Default for Rig {
    fn default() -> Self {
        Self::new()
    }
}

fn checkpoint(answer: &Answer) -> Option<String> {
    answer.response().checkpoint().map(str::to_owned)
}
