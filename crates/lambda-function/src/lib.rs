//! What every function shares: start, configuration, time, metrics, logs and the raw invocation.
//!
//! A function's `main.rs` wires these and nothing else:
//!
//! ```no_run
//! use lambda_function::config::{ConfigErrors, Environment, ProcessEnvironment, Reader, Variable};
//! use lambda_function::metrics::{Metric, Metrics};
//! use lambda_function::{Error, Invocation, Settings, aws, serve, telemetry};
//!
//! const EVENTS_TABLE: Variable =
//!     Variable::required("EVENTS_TABLE", "andon-events", "the table of quality events");
//! const EVENT_TTL: Variable =
//!     Variable::optional("EVENT_TTL", "7776000", "seconds that an event is kept");
//!
//! /// What the template and the README are held against.
//! pub const VARIABLES: &[Variable] = &[EVENTS_TABLE, EVENT_TTL];
//!
//! struct Config {
//!     settings: Settings,
//!     events_table: String,
//!     event_ttl: std::time::Duration,
//! }
//!
//! impl Config {
//!     fn read(environment: &dyn Environment) -> Result<Self, ConfigErrors> {
//!         let mut vars = Reader::new(environment);
//!         let settings = Settings::read(&mut vars);
//!         let events_table = vars.text(&EVENTS_TABLE);
//!         let event_ttl = vars.seconds(&EVENT_TTL, 60..=31_536_000);
//!         vars.finish(|| {
//!             Some(Self { settings: settings?, events_table: events_table?, event_ttl: event_ttl? })
//!         })
//!     }
//! }
//!
//! const RECORDS: Metric = Metric::count("Records", &[], "records received");
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Error> {
//!     telemetry::init(&ProcessEnvironment);
//!     let config = Config::read(&ProcessEnvironment)?;
//!     let sdk = aws::sdk_config().await;
//!     let metrics = Metrics::to_stdout(&config.settings);
//!     serve(&config.settings, &metrics, async |invocation: Invocation| {
//!         metrics.add(&RECORDS, &[], 1);
//!         let _ = (&sdk, &config.events_table, config.event_ttl, invocation.deadline.remaining());
//!         Ok::<_, Error>(invocation.body.len())
//!     })
//!     .await
//! }
//! ```
//!
//! Promises: a start that fails names every bad variable at once; a body reaches the handler as it came,
//! decoded by nobody; waiting never goes past the deadline; what was counted is written even when
//! the invocation fails; a panic costs one invocation, not the environment.

#[cfg(feature = "aws")]
pub mod aws;
pub mod backoff;
mod calls;
mod causes;
pub mod clock;
pub mod config;
pub mod deadline;
pub mod metrics;
mod serve;
mod settings;
pub mod telemetry;

pub use calls::CallLimits;
pub use causes::Causes;
pub use serve::{Invocation, serve};
pub use settings::Settings;

/// What `main` returns; every error converts into it.
pub type Error = lambda_runtime::Error;
