//! The writer on AWS: what `main.rs`, local invocations and tests run alike.

use std::sync::Arc;

use kinesis_batch::{Batch, BatchError};
use lambda_function::aws::SdkConfig;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::Metrics;
use set_aside::{Answer, Returned, S3Shelf};

use crate::config::{Config, Policy};
use crate::{DynamoEventTable, Ports, handle};

/// The services that the function calls; [`SdkConfig`] gives them as the environment says.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The table of quality events.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// What is set aside.
    pub s3: aws_sdk_s3::Client,
}

impl From<&SdkConfig> for Clients {
    fn from(sdk: &SdkConfig) -> Self {
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(sdk),
            s3: aws_sdk_s3::Client::new(sdk),
        }
    }
}

/// The function, connected.
pub struct Writer {
    policy: Policy,
    ports: Ports<DynamoEventTable, S3Shelf>,
}

impl Writer {
    /// Connects to what `config` names.
    pub fn connect(config: Config, clients: impl Into<Clients>, metrics: Arc<Metrics>) -> Self {
        let Clients { dynamodb, s3 } = clients.into();
        let function = config.settings.function_name;
        let ports = Ports {
            table: DynamoEventTable::new(dynamodb, config.events_table),
            shelf: S3Shelf::new(s3, config.set_aside_bucket, function),
            metrics,
        };
        Self {
            policy: config.policy,
            ports,
        }
    }

    /// Stores one batch, or events that are brought back.
    ///
    /// # Errors
    /// If `body` is no Kinesis event.
    pub async fn invoke(&self, body: &[u8], deadline: Deadline) -> Result<Answer, BatchError> {
        let mut buffer = Vec::new();
        let batch = Batch::decode(body, &mut buffer)?;
        if !batch.is_redrive() {
            let outcomes = handle(&self.policy, &self.ports, &batch, deadline).await;
            return Ok(Answer::Batch(outcomes.response()));
        }
        let ports = Ports {
            table: self.ports.table.clone(),
            shelf: Returned::default(),
            metrics: self.ports.metrics.clone(),
        };
        let outcomes = handle(&self.policy, &ports, &batch, deadline).await;
        let report = ports.shelf.report(&batch, &outcomes, &ports.metrics);
        Ok(Answer::Redrive(report))
    }
}
