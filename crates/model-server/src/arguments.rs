//! How the server is started.

use std::net::IpAddr;
use std::num::NonZero;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Serves an ONNX model by SageMaker's container contract
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Load the model and answer until told to end
    Serve(Serve),
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Serve {
    /// Where the model is: `model.onnx`, or the only file of that kind
    #[arg(
        long,
        value_name = "DIR",
        env = "MODEL_DIR",
        default_value = "/opt/ml/model"
    )]
    pub(crate) model_dir: PathBuf,
    /// The address to listen at; a container has to listen at 0.0.0.0 to be reached
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "BIND_ADDRESS",
        default_value = "127.0.0.1"
    )]
    pub(crate) bind: IpAddr,
    /// The port to listen at; 0 takes a free one and logs it
    #[arg(
        long,
        value_name = "PORT",
        env = "SAGEMAKER_BIND_TO_PORT",
        default_value_t = 8080
    )]
    pub(crate) port: u16,
    /// The largest body that is read, in units of 1,048,576 bytes; 0 sets no limit, as in a transform job
    #[arg(long, value_name = "N", env = "SAGEMAKER_MAX_PAYLOAD_IN_MB", default_value_t = 6, value_parser = clap::value_parser!(u32).range(0..=1_024))]
    pub(crate) max_body_mb: u32,
    /// Invocations under way at once, those that wait for a processor among them; each holds its body in memory. Default: 32
    /// for each processor
    #[arg(long, value_name = "N", env = "MAX_IN_FLIGHT")]
    pub(crate) max_in_flight: Option<NonZero<u16>>,
    /// Answer as SageMaker's runtime does too, at /endpoints/{name}/invocations
    #[arg(long)]
    pub(crate) endpoint: bool,
    /// End as at SIGTERM when standard input ends: where that is a pipe, with the process that holds it, however that ends
    #[arg(long)]
    pub(crate) until_stdin_ends: bool,
}
