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

/// The function, connected.
pub struct Alerter<K> {
    policy: Policy,
    ports: Ports<DynamoClaims, SnsTopic, S3Shelf, K>,
}

impl<K: Clock> Alerter<K> {
    /// Connects to what `config` names.
    pub fn connect(config: Config, sdk: &SdkConfig, clock: K, metrics: Arc<Metrics>) -> Self {
        let function = config.settings.function_name;
        let ports = Ports {
            claims: DynamoClaims::new(aws_sdk_dynamodb::Client::new(sdk), config.claims_table),
            alerts: SnsTopic::new(sdk, config.alert_topic),
            line_stops: SnsTopic::new(sdk, config.line_stop_topic),
            shelf: S3Shelf::new(
                aws_sdk_s3::Client::new(sdk),
                config.set_aside_bucket,
                function,
            ),
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
