//! A world in memory with what the template creates, and the functions connected to it as they are deployed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dynamodb_writer::Writer;
use fake_aws::World;
use firehose_transformer::Transformer;
use lake_program::ProgramErrors;
use lambda_function::aws::{self, SdkConfig};
use lambda_function::clock::{Clock, FixedClock};
use lambda_function::config::ConfigErrors;
use lambda_function::metrics::{Captured, Metrics};
use quality_evaluator::{Evaluator, PlanUnusable};
use sagemaker_caller::Caller;
use sns_alerter::Alerter;

/// The time-out that the functions are deployed with.
pub const FUNCTION_TIMEOUT: Duration = Duration::from_secs(60);

/// The functions and their world.
pub struct Bench {
    /// Everything that the functions act on.
    pub world: World,
    /// The time of day, in the world and in the functions; it stands still until it is moved.
    pub clock: Arc<FixedClock>,
    /// What the functions count.
    pub metrics: Arc<Metrics>,
    /// What they have counted.
    pub captured: Arc<Captured>,
    /// The ARN of the topic that people subscribe to.
    pub alert_topic: String,
    /// The ARN of the topic that the lines' gateways subscribe to.
    pub line_stop_topic: String,
    /// The program that the transformer runs.
    pub program: String,
}

impl Bench {
    /// The name of the quality-events stream.
    pub const QUALITY_STREAM: &str = "quality-events";
    /// The name of the table of machine states.
    pub const STATE_TABLE: &str = "state";
    /// The name of the table of quality events.
    pub const EVENTS_TABLE: &str = "events";
    /// The name of the table of claims.
    pub const CLAIMS_TABLE: &str = "claims";
    /// The name of the bucket for what is set aside.
    pub const SET_ASIDE_BUCKET: &str = "set-aside";
    /// The name of the bucket with the control plan.
    pub const PLAN_BUCKET: &str = "plans";
    /// The control plan's key in its bucket.
    pub const PLAN_KEY: &str = "control-plan.yaml";
    /// The name of the model's endpoint, which is not there until a test creates it.
    pub const ENDPOINT: &str = "model";
    /// The program that the transformer runs unless another is given.
    pub const PROGRAM: &str = "press-readings";

    /// A world with empty tables and this control plan, at 2026-11-20T01:00:00Z.
    pub fn new(plan: &str) -> Self {
        let clock = Arc::new(FixedClock::at(fake_aws::Clock::START_MS));
        let world = World::with_clock({
            let clock = clock.clone();
            move || clock.now_ms()
        });
        world.create_table(Self::STATE_TABLE, "machine", None);
        world.create_table(Self::EVENTS_TABLE, "machine", Some("time_id"));
        world.create_index(Self::EVENTS_TABLE, "by-line", "line", Some("time_id"));
        world.create_table(Self::CLAIMS_TABLE, "claim", None);
        world.create_stream(Self::QUALITY_STREAM, 2);
        world.create_bucket(Self::SET_ASIDE_BUCKET);
        world.create_bucket(Self::PLAN_BUCKET);
        world.version_bucket(Self::PLAN_BUCKET);
        world.put_object(Self::PLAN_BUCKET, Self::PLAN_KEY, plan);
        let alert_topic = world.create_topic("alerts");
        let line_stop_topic = world.create_topic("line-stop");
        let (metrics, captured) = Metrics::captured();
        Self {
            world,
            clock,
            metrics,
            captured,
            alert_topic,
            line_stop_topic,
            program: Self::PROGRAM.to_owned(),
        }
    }

    /// The same with another program.
    pub fn with_program(self, program: String) -> Self {
        Self { program, ..self }
    }

    /// The variables of `function` as deployed.
    pub fn environment(&self, function: &str) -> BTreeMap<String, String> {
        let time_out = FUNCTION_TIMEOUT.as_secs().to_string();
        let plan_uri = format!("s3://{}/{}", Self::PLAN_BUCKET, Self::PLAN_KEY);
        let variables = [
            ("AWS_LAMBDA_FUNCTION_NAME", function),
            ("PLAN_URI", &plan_uri),
            ("STATE_TABLE", Self::STATE_TABLE),
            ("QUALITY_STREAM", Self::QUALITY_STREAM),
            ("SET_ASIDE_BUCKET", Self::SET_ASIDE_BUCKET),
            ("EVENTS_TABLE", Self::EVENTS_TABLE),
            ("CLAIMS_TABLE", Self::CLAIMS_TABLE),
            ("ALERT_TOPIC", &self.alert_topic),
            ("LINE_STOP_TOPIC", &self.line_stop_topic),
            ("FUNCTION_TIMEOUT", &time_out),
            ("ENDPOINT_NAME", Self::ENDPOINT),
            ("PROGRAM", &self.program),
        ];
        variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }

    /// A fresh environment of the evaluator.
    ///
    /// # Errors
    /// If the world's plan cannot be used.
    pub async fn evaluator(&self) -> Result<Evaluator<Arc<FixedClock>>, StartError> {
        let config =
            quality_evaluator::config::Config::read(&self.environment("quality-evaluator"))?;
        let (clock, metrics) = (self.clock.clone(), self.metrics.clone());
        Ok(Evaluator::connect(config, &self.sdk_config(), clock, metrics).await?)
    }

    /// A fresh environment of the writer, with further variables.
    ///
    /// # Errors
    /// If one of them is bad.
    pub fn writer(&self, variables: &[(&str, &str)]) -> Result<Writer, StartError> {
        let mut environment = self.environment("dynamodb-writer");
        environment.extend(
            variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let config = dynamodb_writer::config::Config::read(&environment)?;
        Ok(Writer::connect(
            config,
            &self.sdk_config(),
            self.metrics.clone(),
        ))
    }

    /// A fresh environment of the alerter.
    ///
    /// # Errors
    /// If a variable is bad.
    pub fn alerter(&self) -> Result<Alerter<Arc<FixedClock>>, StartError> {
        let config = sns_alerter::config::Config::read(&self.environment("sns-alerter"))?;
        Ok(Alerter::connect(
            config,
            &self.sdk_config(),
            self.clock.clone(),
            self.metrics.clone(),
        ))
    }

    /// A fresh environment of the caller, with further variables.
    ///
    /// # Errors
    /// If one of them is bad, or the world's plan cannot be used.
    pub async fn caller(
        &self,
        variables: &[(&str, &str)],
    ) -> Result<Caller<Arc<FixedClock>>, StartError> {
        let mut environment = self.environment("sagemaker-caller");
        environment.extend(
            variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let config = sagemaker_caller::config::Config::read(&environment)?;
        let (clock, metrics) = (self.clock.clone(), self.metrics.clone());
        Ok(Caller::connect(config, &self.sdk_config(), clock, metrics).await?)
    }

    /// A fresh environment of the transformer.
    ///
    /// # Errors
    /// If its program does not come along.
    pub fn transformer(&self) -> Result<Transformer, StartError> {
        let environment = self.environment("firehose-transformer");
        let config = firehose_transformer::config::Config::read(&environment)?;
        let program = config.program.compile()?;
        Ok(Transformer::new(program, self.metrics.clone()))
    }

    /// The world as the deployed functions reach it, time-outs included.
    fn sdk_config(&self) -> SdkConfig {
        self.world
            .sdk_config()
            .into_builder()
            .timeout_config(aws::timeouts())
            .build()
    }
}

/// A function does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A variable is bad.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The program has faults.
    #[error(transparent)]
    Program(#[from] ProgramErrors),
    /// There is no plan that passes its check.
    #[error(transparent)]
    Plan(#[from] PlanUnusable),
}
