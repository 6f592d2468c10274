//! The caller on AWS: what `main.rs`, local invocations and tests run alike.

use std::sync::{Arc, Mutex};

use function_ports::{AnyPlanSource, KinesisOutbox, PlanKeeper, PlanUnusable};
use kinesis_batch::{Batch, BatchError};
use lambda_function::aws::SdkConfig;
use lambda_function::clock::Clock;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::Metrics;
use set_aside::{Answer, Returned};

use crate::breaker::Breaker;
use crate::config::{Config, Policy};
use crate::endpoint::client;
use crate::{Ports, SageMakerEndpoint, handle};

/// The services that the function calls; [`SdkConfig`] gives them as the environment says.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The control plan.
    pub s3: aws_sdk_s3::Client,
    /// Quality events.
    pub kinesis: aws_sdk_kinesis::Client,
    /// The model; it must not retry by itself.
    pub sagemaker: aws_sdk_sagemakerruntime::Client,
}

impl From<&SdkConfig> for Clients {
    fn from(sdk: &SdkConfig) -> Self {
        Self {
            s3: aws_sdk_s3::Client::new(sdk),
            kinesis: aws_sdk_kinesis::Client::new(sdk),
            sagemaker: client(sdk),
        }
    }
}

/// The function, connected.
pub struct Caller<C> {
    plans: PlanKeeper<AnyPlanSource, C>,
    policy: Policy,
    ports: Ports<SageMakerEndpoint, KinesisOutbox, C>,
}

impl<C: Clock + Clone> Caller<C> {
    /// Connects to what `config` names and fetches the first plan.
    ///
    /// # Errors
    /// If there is no plan that passes its check.
    pub async fn connect(
        config: Config,
        clients: impl Into<Clients>,
        clock: C,
        metrics: Arc<Metrics>,
    ) -> Result<Self, PlanUnusable> {
        let Clients {
            s3,
            kinesis,
            sagemaker,
        } = clients.into();
        let plans = PlanKeeper::start(
            AnyPlanSource::of(&config.plan_uri, s3),
            config.plan_uri.to_string(),
            config.plan_refresh,
            clock.clone(),
            metrics.clone(),
        )
        .await?;
        let policy = config.policy;
        let breaker = Breaker::new(policy.breaker_failures, policy.breaker_pause);
        Ok(Self {
            plans,
            policy,
            ports: Ports {
                endpoint: SageMakerEndpoint::new(sagemaker, config.target),
                outbox: KinesisOutbox::new(kinesis, config.quality_stream),
                clock,
                breaker: Mutex::new(breaker),
                metrics,
            },
        })
    }

    /// Scores one batch, or readings that are brought back.
    ///
    /// # Errors
    /// If `body` is no Kinesis event.
    pub async fn invoke(&self, body: &[u8], deadline: Deadline) -> Result<Answer, BatchError> {
        let mut buffer = Vec::new();
        let batch = Batch::decode(body, &mut buffer)?;
        let plan = self.plans.plan().await;
        let outcomes = handle(&plan, &self.policy, &self.ports, &batch, deadline).await;
        Ok(match batch.is_redrive() {
            false => Answer::Batch(outcomes.response()),
            true => {
                let report = Returned::default().report(&batch, &outcomes, &self.ports.metrics);
                Answer::Redrive(report)
            }
        })
    }
}
