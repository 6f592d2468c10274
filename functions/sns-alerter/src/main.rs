//! Wires the alerter: configuration, clients, run.

use lambda_function::clock::SystemClock;
use lambda_function::config::ProcessEnvironment;
use lambda_function::metrics::Metrics;
use lambda_function::{Error, Invocation, aws, serve, telemetry};
use sns_alerter::Alerter;
use sns_alerter::config::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(&ProcessEnvironment);
    let config = Config::read(&ProcessEnvironment)?;
    let settings = config.settings.clone();
    let metrics = Metrics::to_stdout(&settings);
    let alerter = Alerter::connect(
        config,
        &aws::sdk_config().await,
        SystemClock,
        metrics.clone(),
    );
    serve(&settings, &metrics, async |invocation: Invocation| {
        alerter
            .invoke(
                &invocation.body,
                &invocation.request_id,
                invocation.deadline,
            )
            .await
    })
    .await
}
