//! Hosts function binaries over the Lambda Runtime API, on this machine.
//!
//! One process is one execution environment with an API of its own on 127.0.0.1. Environments start when an
//! invocation needs one, are reused while they are well, and are gone after a crash or a time-out.
//! Promises: a function sees what it would see in Lambda (environment, headers, limits, one invocation at
//! a time); every invocation ends in exactly one [`Outcome`]; nothing of a host outlives it, neither a process
//! nor what that started.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use runtime_api::{FunctionHost, FunctionSpec, LogLine, Outcome};
//!
//! let spec = FunctionSpec {
//!     name: "quality-evaluator".into(),
//!     binary: "target/debug/quality-evaluator".into(),
//!     environment: [("STATE_TABLE".into(), "andon-state".into())].into(),
//!     time_out: std::time::Duration::from_secs(60),
//!     memory_mb: 256,
//!     function_arn: "arn:aws:lambda:eu-central-1:123456789012:function:quality-evaluator".into(),
//!     max_environments: 4,
//! };
//! let host = FunctionHost::start(spec, Arc::new(|line: LogLine<'_>| println!("{}", line.text)))?;
//! match host.invoke(r#"{"Records":[]}"#.into()).await?.outcome {
//!     Outcome::Answer(body) => println!("{}", String::from_utf8_lossy(&body)),
//!     failed => eprintln!("{failed}"),
//! }
//! host.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! # How processes start
//!
//! As in Lambda, a process has ten seconds until it asks for its first event. If it does not, it is killed and
//! another one starts, whose start is a part of the invocation and counts towards the function's time-out (AWS
//! Lambda developer guide, "Understanding the Lambda execution environment lifecycle", "Init phase": Lambda
//! retries it at the first invocation with the configured function time-out).
//!
//! # How processes end
//!
//! [`FunctionHost::stop`] and dropping the host kill every process, and so does a time-out. Each is in a process
//! group of its own, which ends with it: a program that `bootstrap` starts without `exec` does not stay behind,
//! unless it leaves the group. An interrupt at the terminal reaches the host alone, which then ends its functions.
//! If the host itself is killed, the groups end too: each is led by a shell (`/bin/sh`) that reads a pipe which
//! the host alone holds, and that kills its group when the pipe ends.
//!
//! # What is not as in Lambda
//!
//! A process without an event is not frozen: what it left running between two invocations runs on here, while in
//! Lambda it stands still until the next one. Memory is not limited.

mod api;
mod environment;
mod group;
mod host;
mod identity;
mod invocation;
mod log;
mod spec;

pub use host::{FunctionHost, InvokeError, StartError};
pub use invocation::{Invocation, MAX_ANSWER_BYTES, MAX_PAYLOAD_BYTES, Outcome};
pub use log::{LogLine, LogSink, LogStream};
pub use spec::FunctionSpec;
