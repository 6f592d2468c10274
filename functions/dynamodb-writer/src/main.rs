//! Wires the writer: configuration, clients, run.

use dynamodb_writer::Writer;
use dynamodb_writer::config::Config;
use lambda_function::config::ProcessEnvironment;
use lambda_function::metrics::Metrics;
use lambda_function::{Error, Invocation, aws, serve, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(&ProcessEnvironment);
    let config = Config::read(&ProcessEnvironment)?;
    let settings = config.settings.clone();
    let metrics = Metrics::to_stdout(&settings);
    let writer = Writer::connect(config, &aws::sdk_config().await, metrics.clone());
    serve(&settings, &metrics, async |invocation: Invocation| {
        writer.invoke(&invocation.body, invocation.deadline).await
    })
    .await
}
