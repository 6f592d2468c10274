//! Wires the caller: configuration, clients, the first plan, run.

use lambda_function::clock::SystemClock;
use lambda_function::config::ProcessEnvironment;
use lambda_function::metrics::Metrics;
use lambda_function::{Error, Invocation, aws, serve, telemetry};
use sagemaker_caller::Caller;
use sagemaker_caller::config::Config;

/// Rows, events and the SDK's calls are small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(&ProcessEnvironment);
    let config = Config::read(&ProcessEnvironment)?;
    let settings = config.settings.clone();
    let metrics = Metrics::to_stdout(&settings);
    let sdk = aws::sdk_config().await;
    let caller = Caller::connect(config, &sdk, SystemClock, metrics.clone()).await?;
    serve(&settings, &metrics, async |invocation: Invocation| {
        caller.invoke(&invocation.body, invocation.deadline).await
    })
    .await
}
