//! The evaluator on AWS: what `main.rs`, local invocations and tests run alike.

use std::sync::Arc;
use std::time::Duration;

use kinesis_batch::{Batch, BatchError, BatchResponse};
use lambda_function::aws::SdkConfig;
use lambda_function::clock::Clock;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::Metrics;
use set_aside::S3Shelf;

use crate::config::Config;
use crate::{
    AnyPlanSource, DynamoStateStore, KinesisOutbox, PlanKeeper, PlanUnusable, Ports, handle,
};

/// The function, connected.
pub struct Evaluator<C> {
    plans: PlanKeeper<AnyPlanSource, C>,
    state_ttl: Duration,
    ports: Ports<DynamoStateStore, KinesisOutbox, S3Shelf>,
}

impl<C: Clock> Evaluator<C> {
    /// Connects to what `config` names and fetches the first plan.
    ///
    /// # Errors
    /// If there is no plan that passes its check: nothing can be judged.
    pub async fn connect(
        config: Config,
        sdk: &SdkConfig,
        clock: C,
        metrics: Arc<Metrics>,
    ) -> Result<Self, PlanUnusable> {
        let s3 = aws_sdk_s3::Client::new(sdk);
        let source = AnyPlanSource::of(&config.plan_uri, s3.clone());
        let name = config.plan_uri.to_string();
        let plans =
            PlanKeeper::start(source, name, config.plan_refresh, clock, metrics.clone()).await?;
        let ports = Ports {
            states: DynamoStateStore::new(aws_sdk_dynamodb::Client::new(sdk), config.state_table),
            outbox: KinesisOutbox::new(aws_sdk_kinesis::Client::new(sdk), config.quality_stream),
            shelf: S3Shelf::new(s3, config.set_aside_bucket, config.settings.function_name),
            metrics,
        };
        Ok(Self {
            plans,
            state_ttl: config.state_ttl,
            ports,
        })
    }

    /// Judges one batch. `request_id` names this invocation and no other.
    ///
    /// # Errors
    /// If `body` is no Kinesis event, or one that brings earlier readings back.
    pub async fn invoke(
        &self,
        body: &[u8],
        request_id: &str,
        deadline: Deadline,
    ) -> Result<BatchResponse, InvokeError> {
        let mut buffer = Vec::new();
        let batch = Batch::decode(body, &mut buffer)?;
        if batch.is_redrive() {
            return Err(InvokeError::Redrive);
        }
        let plan = self.plans.plan().await;
        Ok(handle(
            &plan,
            &self.ports,
            self.state_ttl,
            &batch,
            request_id,
            deadline,
        )
        .await)
    }
}

/// An invocation that fails as a whole.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The body is no Kinesis event.
    #[error(transparent)]
    Event(#[from] BatchError),
    /// Readings from the past must not be judged as if they came now.
    #[error("`redrive` is not supported: readings that were set aside cannot be judged again yet")]
    Redrive,
}
