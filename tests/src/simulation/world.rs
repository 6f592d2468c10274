//! The world of a run and the functions as they are deployed in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_types::SdkConfig;
use aws_types::region::Region;
use dynamodb_writer::Writer;
use event_source_mapping::Answer;
use fake_aws::{Clock as WorldClock, World, WorldOptions};
use lambda_function::aws::timeouts;
use lambda_function::clock::Clock;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::{Captured, Metrics};
use quality_evaluator::Evaluator;
use sns_alerter::Alerter;

use super::clients::Clients;
use super::clock::VirtualClock;
use super::function::{Function, QUALITY_STREAM, READINGS_STREAM};
use super::workload::{PLAN, Workload};

/// The time-out that the functions are deployed with.
pub const FUNCTION_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a machine may hold back its shard.
pub const MACHINE_HOLD: Duration = Duration::from_secs(300);

/// The age from which an event is too old to alert.
pub const MAX_ALERT_AGE: Duration = Duration::from_secs(3_600);

/// How long a line stop is valid.
pub const LINE_STOP_EXPIRY: Duration = Duration::from_secs(60);

/// The table of machine states.
pub const STATE_TABLE: &str = "state";
/// The table of quality events.
pub const EVENTS_TABLE: &str = "events";
/// The table of claims.
pub const CLAIMS_TABLE: &str = "claims";
/// The bucket for what is set aside.
pub const SET_ASIDE_BUCKET: &str = "set-aside";
/// The bucket of the control plan.
pub const PLAN_BUCKET: &str = "plans";
const PLAN_KEY: &str = "control-plan.yaml";

/// The kept margin in which an invocation still answers.
const MARGIN: Duration = Duration::from_secs(2);

/// Everything that the functions act on, and how they are configured.
pub struct Plant {
    /// Tables, streams, topics and buckets.
    pub world: World,
    /// The time, without skew.
    pub clock: VirtualClock,
    /// What the functions count.
    pub metrics: Arc<Metrics>,
    /// What they have counted.
    pub captured: Arc<Captured>,
    /// The topic that people subscribe to.
    pub alert_topic: String,
    /// The topic that the lines' gateways subscribe to.
    pub line_stop_topic: String,
    /// The readings stream.
    pub readings_arn: String,
    /// The quality-events stream.
    pub quality_arn: String,
    clients: Clients,
    cool_down_s: i64,
}

/// A function with its caches: what serves one invocation at a time.
pub enum Environment {
    /// Not started: it starts with its first invocation.
    Cold(Function, VirtualClock),
    /// Judges readings.
    Evaluator(Box<Evaluator<VirtualClock>>),
    /// Stores quality events.
    Writer(Box<Writer>),
    /// Tells people, stops lines.
    Alerter(Box<Alerter<VirtualClock>>),
}

impl Plant {
    /// What the template creates, empty, with the first control plan.
    pub fn new(workload: &Workload) -> Self {
        let clock = VirtualClock::start();
        let world = World::new(WorldOptions {
            clock: WorldClock::new(move || clock.now_ms()),
            ..WorldOptions::default()
        });
        world.create_table(STATE_TABLE, "machine", None);
        world.create_table(EVENTS_TABLE, "machine", Some("time_id"));
        world.create_index(EVENTS_TABLE, "by-line", "line", Some("time_id"));
        world.create_table(CLAIMS_TABLE, "claim", None);
        let [readings, quality] = workload.shards;
        let readings_arn = world.create_stream(READINGS_STREAM, readings);
        let quality_arn = world.create_stream(QUALITY_STREAM, quality);
        world.create_bucket(SET_ASIDE_BUCKET);
        world.create_bucket(PLAN_BUCKET);
        world.version_bucket(PLAN_BUCKET);
        let alert_topic = world.create_topic("alerts");
        let line_stop_topic = world.create_topic("line-stop");
        let (metrics, captured) = Metrics::captured();
        let clients = Clients::new(&sdk_config(&world));
        let plant = Self {
            world,
            clock,
            metrics,
            captured,
            alert_topic,
            line_stop_topic,
            readings_arn,
            quality_arn,
            clients,
            cool_down_s: workload.cool_down_s,
        };
        plant.push_plan(PLAN);
        plant
    }

    /// Puts a control plan where the evaluator looks for it.
    pub fn push_plan(&self, text: &str) {
        self.world.put_object(PLAN_BUCKET, PLAN_KEY, text);
    }

    /// The stream that a function reads.
    pub fn source_arn(&self, function: Function) -> &str {
        match function {
            Function::Evaluator => &self.readings_arn,
            Function::Writer | Function::Alerter => &self.quality_arn,
        }
    }

    fn variables(&self, function: Function) -> BTreeMap<String, String> {
        let seconds = |duration: Duration| duration.as_secs().to_string();
        let variables = [
            ("AWS_LAMBDA_FUNCTION_NAME", function.name().to_owned()),
            ("PLAN_URI", format!("s3://{PLAN_BUCKET}/{PLAN_KEY}")),
            ("STATE_TABLE", STATE_TABLE.to_owned()),
            ("QUALITY_STREAM", QUALITY_STREAM.to_owned()),
            ("SET_ASIDE_BUCKET", SET_ASIDE_BUCKET.to_owned()),
            ("EVENTS_TABLE", EVENTS_TABLE.to_owned()),
            ("CLAIMS_TABLE", CLAIMS_TABLE.to_owned()),
            ("ALERT_TOPIC", self.alert_topic.clone()),
            ("LINE_STOP_TOPIC", self.line_stop_topic.clone()),
            ("FUNCTION_TIMEOUT", seconds(FUNCTION_TIMEOUT)),
            ("MACHINE_HOLD", seconds(MACHINE_HOLD)),
            ("MAX_ALERT_AGE", seconds(MAX_ALERT_AGE)),
            ("LINE_STOP_EXPIRY", seconds(LINE_STOP_EXPIRY)),
            ("COOL_DOWN", self.cool_down_s.to_string()),
        ];
        variables
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }
}

impl Environment {
    /// Runs one invocation and gives what Lambda would see of it.
    pub async fn invoke(&mut self, plant: &Plant, body: &[u8], request_id: &str) -> Answer {
        let deadline = Deadline::after(FUNCTION_TIMEOUT - MARGIN);
        if let Err(error) = self.start(plant).await {
            return Answer::FunctionError(error);
        }
        let answer = match self {
            Self::Evaluator(evaluator) => evaluator.invoke(body, request_id, deadline).await,
            Self::Writer(writer) => writer.invoke(body, deadline).await,
            Self::Alerter(alerter) => alerter.invoke(body, request_id, deadline).await,
            Self::Cold(..) => return Answer::Crashed,
        };
        match answer {
            Ok(answer) => Answer::Returned(serde_json::to_vec(&answer).unwrap()),
            Err(error) => Answer::FunctionError(error.to_string()),
        }
    }

    async fn start(&mut self, plant: &Plant) -> Result<(), String> {
        let Self::Cold(function, clock) = *self else {
            return Ok(());
        };
        let variables = plant.variables(function);
        let metrics = plant.metrics.clone();
        *self = match function {
            Function::Evaluator => {
                let config = quality_evaluator::config::Config::read(&variables).unwrap();
                let evaluator = Evaluator::connect(config, &plant.clients, clock, metrics);
                Self::Evaluator(Box::new(
                    evaluator.await.map_err(|error| error.to_string())?,
                ))
            }
            Function::Writer => {
                let config = dynamodb_writer::config::Config::read(&variables).unwrap();
                Self::Writer(Box::new(Writer::connect(config, &plant.clients, metrics)))
            }
            Function::Alerter => {
                let config = sns_alerter::config::Config::read(&variables).unwrap();
                Self::Alerter(Box::new(Alerter::connect(
                    config,
                    &plant.clients,
                    clock,
                    metrics,
                )))
            }
        };
        Ok(())
    }
}

/// The world as deployed functions reach it, time-outs and retries included.
///
/// Clients of one service and region share their allowance of retries in the whole process. Every run has a region of
/// its own, which nothing but that allowance sees, so that no run is influenced by another one.
pub fn sdk_config(world: &World) -> SdkConfig {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    world
        .sdk_config()
        .into_builder()
        .timeout_config(timeouts())
        .region(Region::new(format!("run-{run}")))
        .build()
}
