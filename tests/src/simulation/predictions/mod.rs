//! The caller and its model on a virtual clock, under faults that a seed decides: throttling, failures, silence, answers that
//! are lost, late, cut or no numbers, rows that the model refuses, an endpoint that is down, environments that die.
//!
//! The real function with its real adapters acts on `fake-aws`; Lambda's part is `event-source-mapping`, one invocation at
//! a time. Afterwards every reading has its score or the reason why it has none, by the id of each.

mod audit;
mod model;
mod trouble;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_types::SdkConfig;
use event_source_mapping::{
    Action, Answer, Destination, Invocation, Mapping, Read, Settings, ShardInfo, Source,
    StartingPosition,
};
use fake_aws::{Clock as WorldClock, World, WorldOptions};
use lambda_function::clock::Clock;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::Metrics;
use sagemaker_caller::Caller;
use sagemaker_caller::config::Config;

use super::audit::Violation;
use super::clock::VirtualClock;
use super::function::{QUALITY_STREAM, READINGS_STREAM};
use super::random::Random;
use super::stream::StreamLog;
use super::workload::{PLAN, Step, What, Workload};
use super::world::{FUNCTION_TIMEOUT, SET_ASIDE_BUCKET, sdk_config};
use audit::Audit;
use model::Moods;
use trouble::{Calls, Fate, Met, fate, note};

/// The model's id in the plan.
const MODEL: &str = "bearing";
/// What makes the run's plan ask.
const SECTION: &str = "
model:
  id: bearing
  features: [torque, tool_wear]
  request: text/csv
  thresholds: [{score: 0.8}, {score: 0.95, severity: critical, reaction: stop-line}]
";
const PLAN_BUCKET: &str = "plans";
const PLAN_KEY: &str = "control-plan.yaml";
const ENDPOINT: &str = "plant";
/// The kept margin in which an invocation still answers.
const MARGIN: Duration = Duration::from_secs(2);
/// More turns than any run needs.
const MOST_TURNS: usize = 100_000;

/// What was seen of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// What was wrong; nothing, as it should be.
    pub violations: Vec<Violation>,
    /// Readings with a score.
    pub scored: usize,
    /// Readings that were told of without one, by reason.
    pub unscored: BTreeMap<String, usize>,
    /// What calls, answers and invocations met.
    pub met: BTreeMap<&'static str, u32>,
    /// Calls to AWS.
    pub calls: usize,
}

/// Scores the readings of a seed; `has_trouble` whether anything goes wrong but rows that the model refuses.
pub fn score(seed: u64, has_trouble: bool) -> Scored {
    // Jitter is drawn from the thread's own generator.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async { Bench::new(seed, has_trouble).run().await })
}

struct Bench {
    world: World,
    clock: VirtualClock,
    mapping: Mapping,
    readings: StreamLog,
    quality: StreamLog,
    steps: std::iter::Peekable<std::vec::IntoIter<Step>>,
    arn: String,
    variables: BTreeMap<String, String>,
    sdk: SdkConfig,
    idle: Vec<Caller<VirtualClock>>,
    reads: Vec<Read>,
    random: Random,
    audit: Audit,
    moods: Arc<Mutex<Moods>>,
    met: Met,
    has_trouble: bool,
}

impl Bench {
    fn new(seed: u64, has_trouble: bool) -> Self {
        let workload = Workload::new(seed);
        let clock = VirtualClock::start();
        let world = World::new(WorldOptions {
            clock: WorldClock::new(move || clock.now_ms()),
            ..WorldOptions::default()
        });
        let arn = world.create_stream(READINGS_STREAM, workload.shards[0]);
        world.create_stream(QUALITY_STREAM, workload.shards[1]);
        world.create_bucket(PLAN_BUCKET);
        world.version_bucket(PLAN_BUCKET);
        world.put_object(PLAN_BUCKET, PLAN_KEY, format!("{PLAN}{SECTION}"));
        let moods = Moods::new(seed, if has_trouble { 0.06 } else { 0.0 });
        world.create_endpoint(ENDPOINT, model::container(Arc::clone(&moods)));
        let met = Met::default();
        let share = if has_trouble { 0.12 } else { 0.0 };
        let mut calls = Calls::new(seed, share, workload.ends_ms, Arc::clone(&met));
        world.set_fault_plan(move |call: &fake_aws::Call| calls.decide(call));
        let mut random = Random::new(seed, 6);
        let variables = variables(&mut random);
        let source = Source {
            mapping_id: "mapping-of-the-caller".to_owned(),
            event_source_arn: arn.clone(),
            function_arn: "arn:aws:lambda:eu-central-1:111122223333:function:caller".to_owned(),
            role_arn: "arn:aws:iam::111122223333:role/andon".to_owned(),
            retention_ms: None,
        };
        let mut mapping = Mapping::new(settings(), source).unwrap();
        for shard in world.shards(READINGS_STREAM) {
            let info = ShardInfo {
                id: shard.id,
                parents: Vec::new(),
            };
            mapping.shard_found(info, clock.now_ms());
        }
        Self {
            sdk: sdk_config(&world),
            world,
            clock,
            mapping,
            readings: StreamLog::default(),
            quality: StreamLog::default(),
            steps: workload.steps.into_iter().peekable(),
            arn,
            variables,
            idle: Vec::new(),
            reads: Vec::new(),
            random,
            audit: Audit::default(),
            moods,
            met,
            has_trouble,
        }
    }

    async fn run(mut self) -> Scored {
        for _ in 0..MOST_TURNS {
            let now_ms = self.clock.now_ms();
            self.take_steps(now_ms);
            self.readings.sync(&self.world, READINGS_STREAM);
            let until_ms = match self.mapping.next(now_ms) {
                Action::Invoke(invocation) => {
                    self.invoke(invocation).await;
                    continue;
                }
                Action::Read(read) => {
                    self.reads.push(read);
                    continue;
                }
                Action::SendFailure(discarded) => {
                    let what =
                        format!("{} records of {}", discarded.records.len(), discarded.shard);
                    self.audit.wrong("no record is given up", what);
                    continue;
                }
                Action::Wait { until_ms } => Some(until_ms),
                Action::Idle => None,
            };
            if self.answer_reads(now_ms) {
                continue;
            }
            let next_step = self.steps.peek().map(|step| step.at_ms);
            let Some(next_ms) = until_ms.into_iter().chain(next_step).min() else {
                return self.finish();
            };
            tokio::time::sleep_until(self.clock.instant(next_ms.max(now_ms + 1))).await;
        }
        self.audit
            .wrong("liveness", "the run does not come to an end".to_owned());
        self.finish()
    }

    fn take_steps(&mut self, now_ms: i64) {
        while let Some(step) = self.steps.next_if(|step| step.at_ms <= now_ms) {
            // What else operators do is of no concern to the caller.
            if let What::Put(put) = step.what {
                let record = self.world.put_record(READINGS_STREAM, &put.key, &*put.data);
                self.audit
                    .put(&self.arn, &record, &put.holds, put.is_aggregate);
            }
        }
    }

    /// Answers the reads that find something; whether there were any.
    fn answer_reads(&mut self, now_ms: i64) -> bool {
        let mut any = false;
        for read in std::mem::take(&mut self.reads) {
            let (records, is_end) = self.readings.read(&read);
            if records.is_empty() {
                self.reads.push(read);
                continue;
            }
            let records = records.to_vec();
            self.mapping
                .records(&read.shard, records, is_end, now_ms)
                .unwrap();
            any = true;
        }
        any
    }

    async fn invoke(&mut self, invocation: Invocation) {
        let share = if self.has_trouble { 0.15 } else { 0.0 };
        let fate = fate(&mut self.random, share);
        let answer = match fate {
            Fate::Throttled => {
                note(&self.met, "function-throttled");
                Answer::Throttled
            }
            _ => self.answer(fate, &invocation.event).await,
        };
        // What was published up to now counts.
        for record in self.quality.sync(&self.world, QUALITY_STREAM) {
            self.audit.event(&record);
        }
        let now_ms = self.clock.now_ms();
        let done = self
            .mapping
            .answered(invocation.id, &answer, now_ms)
            .unwrap();
        for record in &invocation.records[..done] {
            self.audit
                .passed(&invocation.shard, &record.sequence_number.to_string());
        }
    }

    async fn answer(&mut self, fate: Fate, event: &[u8]) -> Answer {
        let caller = match (fate, self.idle.pop()) {
            (Fate::Fresh, idle) => {
                self.idle.extend(idle);
                note(&self.met, "fresh-environment");
                self.start().await
            }
            (_, Some(caller)) => Ok(caller),
            (_, None) => self.start().await,
        };
        let caller = match caller {
            Ok(caller) => caller,
            Err(error) => return Answer::FunctionError(error),
        };
        let deadline = Deadline::after(FUNCTION_TIMEOUT - MARGIN);
        let crash_ms = match fate {
            Fate::Crash(after_ms) => after_ms.unsigned_abs(),
            _ => u64::from(u32::MAX),
        };
        let answered = tokio::select! {
            biased;
            () = tokio::time::sleep(Duration::from_millis(crash_ms)) => {
                note(&self.met, "crash");
                return Answer::Crashed;
            }
            () = tokio::time::sleep(FUNCTION_TIMEOUT) => return Answer::TimedOut,
            answered = caller.invoke(event, deadline) => answered,
        };
        self.idle.push(caller);
        match (fate, answered) {
            (Fate::AnswerLost, _) => {
                note(&self.met, "answer-lost");
                Answer::Crashed
            }
            (_, Ok(answer)) => Answer::Returned(serde_json::to_vec(&answer).unwrap()),
            (_, Err(error)) => Answer::FunctionError(error.to_string()),
        }
    }

    async fn start(&self) -> Result<Caller<VirtualClock>, String> {
        let config = Config::read(&self.variables).unwrap();
        let (metrics, _) = Metrics::captured();
        let caller = Caller::connect(config, &self.sdk, self.clock, metrics).await;
        caller.map_err(|error| error.to_string())
    }

    fn finish(mut self) -> Scored {
        for (shard, records) in self.readings.shards() {
            let last = records.last().map(|record| record.sequence_number.clone());
            let reached = self.mapping.checkpoint(shard);
            if reached != last {
                let what = format!("stopped on {shard} at {reached:?}, before {last:?}");
                self.audit.wrong("liveness", what);
            }
        }
        let (scored, unscored) = self.audit.finish(self.has_trouble);
        let wrong = self
            .moods
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .wrong;
        let mut met = self
            .met
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if wrong > 0 {
            met.insert("wrong-answer", wrong);
        }
        Scored {
            violations: self.audit.violations,
            scored,
            unscored,
            met,
            calls: self.world.calls().len(),
        }
    }
}

/// As the template has them, but for what a run varies.
fn variables(random: &mut Random) -> BTreeMap<String, String> {
    let variables = [
        ("AWS_LAMBDA_FUNCTION_NAME", "sagemaker-caller"),
        ("PLAN_URI", "s3://plans/control-plan.yaml"),
        ("QUALITY_STREAM", QUALITY_STREAM),
        ("ENDPOINT_NAME", ENDPOINT),
        ("CALL_ROWS", *random.pick(&["8", "50", "500"])),
        ("CONCURRENT_CALLS", *random.pick(&["1", "4"])),
        ("CALL_ATTEMPTS", *random.pick(&["1", "3"])),
        ("BREAKER_FAILURES", *random.pick(&["2", "5"])),
        ("BREAKER_PAUSE", *random.pick(&["5", "30"])),
        ("WHEN_OPEN", *random.pick(&["pass", "hold"])),
        ("MAX_PREDICTION_AGE", *random.pick(&["60", "900"])),
    ];
    variables
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// As `infra/inference.yaml` has them.
fn settings() -> Settings {
    Settings {
        batch_size: 500,
        batching_window_s: 1,
        parallelization_factor: 2,
        starting_position: StartingPosition::TrimHorizon,
        maximum_retry_attempts: None,
        maximum_record_age_s: Some(21_600),
        bisect_batch_on_function_error: true,
        report_batch_item_failures: true,
        on_failure: Some(Destination::Bucket(SET_ASIDE_BUCKET.to_owned())),
        ..Settings::default()
    }
}
