//! Wires the transformer: configuration, program, run.

use firehose_transformer::Transformer;
use firehose_transformer::config::Config;
use lambda_function::config::ProcessEnvironment;
use lambda_function::metrics::Metrics;
use lambda_function::{Error, Invocation, serve, telemetry};

/// A record's values are many small pieces of memory, made and dropped one record after the other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(&ProcessEnvironment);
    let config = Config::read(&ProcessEnvironment)?;
    let metrics = Metrics::to_stdout(&config.settings);
    let transformer = Transformer::new(config.program.compile()?, metrics.clone());
    serve(
        &config.settings,
        &metrics,
        async |invocation: Invocation| transformer.invoke(&invocation.body),
    )
    .await
}
