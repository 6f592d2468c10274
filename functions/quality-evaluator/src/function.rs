//! The evaluator on AWS: what `main.rs`, local invocations and tests run alike.

use std::sync::Arc;
use std::time::Duration;

use kinesis_batch::{Batch, BatchError};
use lambda_function::aws::SdkConfig;
use lambda_function::clock::Clock;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::Metrics;
use set_aside::{Answer, S3Shelf};

use crate::config::Config;
use crate::finished::Finished;
use crate::hold::Hold;
use crate::late::handle_late;
use crate::{
    AnyPlanSource, DynamoStateStore, KinesisOutbox, Limits, PlanKeeper, PlanUnusable, Ports,
    S3Restarts, handle,
};

/// The services that the function calls; [`SdkConfig`] gives them as the environment says.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The control plan, what is set aside and restarts.
    pub s3: aws_sdk_s3::Client,
    /// Machine states.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Quality events.
    pub kinesis: aws_sdk_kinesis::Client,
}

impl From<&SdkConfig> for Clients {
    fn from(sdk: &SdkConfig) -> Self {
        Self {
            s3: aws_sdk_s3::Client::new(sdk),
            dynamodb: aws_sdk_dynamodb::Client::new(sdk),
            kinesis: aws_sdk_kinesis::Client::new(sdk),
        }
    }
}

/// The function, connected.
pub struct Evaluator<C> {
    plans: PlanKeeper<AnyPlanSource, C>,
    clock: C,
    state_ttl: Duration,
    machine_hold: Duration,
    ports: Ports<DynamoStateStore, KinesisOutbox, S3Shelf, S3Restarts>,
}

impl<C: Clock + Clone> Evaluator<C> {
    /// Connects to what `config` names and fetches the first plan.
    ///
    /// # Errors
    /// If there is no plan that passes its check: nothing can be judged.
    pub async fn connect(
        config: Config,
        clients: impl Into<Clients>,
        clock: C,
        metrics: Arc<Metrics>,
    ) -> Result<Self, PlanUnusable> {
        let Clients {
            s3,
            dynamodb,
            kinesis,
        } = clients.into();
        let source = AnyPlanSource::of(&config.plan_uri, s3.clone());
        let name = config.plan_uri.to_string();
        let plans = PlanKeeper::start(
            source,
            name,
            config.plan_refresh,
            clock.clone(),
            metrics.clone(),
        )
        .await?;
        let ports = Ports {
            states: DynamoStateStore::new(dynamodb, config.state_table),
            outbox: KinesisOutbox::new(kinesis, config.quality_stream),
            restarts: S3Restarts::new(
                s3.clone(),
                config.set_aside_bucket.clone(),
                &config.settings.function_name,
            ),
            shelf: S3Shelf::new(s3, config.set_aside_bucket, config.settings.function_name),
            metrics,
            finished: Finished::default(),
        };
        Ok(Self {
            plans,
            clock,
            state_ttl: config.state_ttl,
            machine_hold: config.machine_hold,
            ports,
        })
    }

    /// Judges one batch. `request_id` names this invocation and no other.
    ///
    /// # Errors
    /// If `body` is no Kinesis event.
    pub async fn invoke(
        &self,
        body: &[u8],
        request_id: &str,
        deadline: Deadline,
    ) -> Result<Answer, BatchError> {
        let mut buffer = Vec::new();
        let batch = Batch::decode(body, &mut buffer)?;
        let plan = self.plans.plan().await;
        if batch.is_redrive() {
            let (outbox, metrics) = (&self.ports.outbox, &self.ports.metrics);
            return Ok(Answer::Redrive(
                handle_late(&plan, outbox, metrics, &batch, deadline).await,
            ));
        }
        let limits = Limits {
            state_ttl: self.state_ttl,
            hold: Hold::new(self.machine_hold, self.clock.now_ms()),
        };
        let response = handle(&plan, &self.ports, limits, &batch, request_id, deadline).await;
        Ok(Answer::Batch(response))
    }
}
