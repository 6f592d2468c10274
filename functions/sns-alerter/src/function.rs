//! The alerter on AWS: what `main.rs`, local invocations and tests run alike.

use std::sync::Arc;

use kinesis_batch::{Batch, BatchError};
use lambda_function::aws::SdkConfig;
use lambda_function::clock::Clock;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::Metrics;
use set_aside::{Answer, Returned, S3Shelf};

use crate::config::{Config, Policy};
use crate::{DynamoClaims, Ports, SnsTopic, handle};

/// The services that the function calls; [`SdkConfig`] gives them as the environment says.
#[derive(Clone, Debug)]
pub struct Clients {
    /// Claims.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Alerts and line stops; made from [`SnsTopic::config`].
    pub sns: aws_sdk_sns::Client,
    /// What is set aside.
    pub s3: aws_sdk_s3::Client,
}

impl From<&SdkConfig> for Clients {
    fn from(sdk: &SdkConfig) -> Self {
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(sdk),
            sns: aws_sdk_sns::Client::from_conf(SnsTopic::config(sdk).build()),
            s3: aws_sdk_s3::Client::new(sdk),
        }
    }
}

/// The function, connected.
pub struct Alerter<K> {
    policy: Policy,
    ports: Ports<DynamoClaims, SnsTopic, S3Shelf, K>,
}

impl<K: Clock> Alerter<K> {
    /// Connects to what `config` names.
    pub fn connect(
        config: Config,
        clients: impl Into<Clients>,
        clock: K,
        metrics: Arc<Metrics>,
    ) -> Self {
        let Clients { dynamodb, sns, s3 } = clients.into();
        let function = config.settings.function_name;
        let ports = Ports {
            claims: DynamoClaims::new(dynamodb, config.claims_table),
            alerts: SnsTopic::new(sns.clone(), config.alert_topic),
            line_stops: SnsTopic::new(sns, config.line_stop_topic),
            shelf: S3Shelf::new(s3, config.set_aside_bucket, function),
            clock,
            metrics,
        };
        Self {
            policy: config.policy,
            ports,
        }
    }

    /// Alerts for one batch, or for events that are brought back. `request_id` names this invocation and no other.
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
        let own = &self.ports;
        if !batch.is_redrive() {
            let outcomes = handle(&self.policy, own, &batch, request_id, deadline).await;
            return Ok(Answer::Batch(outcomes.response()));
        }
        let ports = Ports {
            claims: own.claims.clone(),
            alerts: own.alerts.clone(),
            line_stops: own.line_stops.clone(),
            shelf: Returned::default(),
            clock: &own.clock,
            metrics: own.metrics.clone(),
        };
        let outcomes = handle(&self.policy, &ports, &batch, request_id, deadline).await;
        let report = ports.shelf.report(&batch, &outcomes, &ports.metrics);
        Ok(Answer::Redrive(report))
    }
}
