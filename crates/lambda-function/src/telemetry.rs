//! Logs: one JSON object per line on standard output, levelled by Lambda's own variables.
//!
//! `AWS_LAMBDA_LOG_LEVEL` (what the function's logging settings say) comes first, then `RUST_LOG` (which
//! may name targets), then `INFO`. Every line within an invocation carries its `requestId`.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing::{Subscriber, error};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::Environment;

/// Starts logging, panics included. Once it has started, a further call changes nothing.
pub fn init(environment: &dyn Environment) {
    let subscriber = subscriber(filter(environment), io::stdout);
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            let location = panic.location().map(ToString::to_string);
            error!(
                location,
                "panicked: {}",
                panic.payload_as_str().unwrap_or("no message")
            );
        }));
    }
}

fn subscriber<W>(filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_ansi(false)
        .with_env_filter(filter)
        .with_writer(writer)
        .finish()
}

/// Unusable text counts as not set: no log setting is worth a function that does not start.
fn filter(environment: &dyn Environment) -> EnvFilter {
    if let Some(level) = environment
        .get("AWS_LAMBDA_LOG_LEVEL")
        .and_then(|text| level(&text))
    {
        return QUIET.iter().filter_map(|quiet| quiet.parse().ok()).fold(
            EnvFilter::default().add_directive(level.into()),
            |filter, quiet: Directive| match level > LevelFilter::INFO {
                true => filter.add_directive(quiet),
                false => filter,
            },
        );
    }
    environment
        .get("RUST_LOG")
        .filter(|directives| !directives.trim().is_empty())
        .and_then(|directives| EnvFilter::try_new(directives).ok())
        .unwrap_or_else(|| EnvFilter::default().add_directive(LevelFilter::INFO.into()))
}

/// Libraries that would write requests, and so payloads, into the log at finer levels. By prefix of the target.
const QUIET: [&str; 5] = [
    "aws=info",
    "h2=info",
    "hyper=info",
    "lambda_runtime=info",
    "rustls=info",
];

/// Lambda's levels; it has one above ERROR.
fn level(text: &str) -> Option<LevelFilter> {
    match text.trim().to_ascii_uppercase().as_str() {
        "TRACE" => Some(LevelFilter::TRACE),
        "DEBUG" => Some(LevelFilter::DEBUG),
        "INFO" => Some(LevelFilter::INFO),
        "WARN" => Some(LevelFilter::WARN),
        "ERROR" | "FATAL" => Some(LevelFilter::ERROR),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing::{debug, info, info_span};

    use super::*;

    /// What was logged, line by line.
    #[derive(Clone, Default)]
    pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

    impl Log {
        pub(crate) fn lines(&self) -> Vec<Value> {
            let bytes = self.0.lock().unwrap();
            let text = std::str::from_utf8(&bytes).unwrap();
            text.lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect()
        }
    }

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'w> MakeWriter<'w> for Log {
        type Writer = Self;
        fn make_writer(&'w self) -> Self {
            self.clone()
        }
    }

    /// Logs of this thread go to the returned log until the guard is dropped.
    pub(crate) fn capture(variables: &[(&str, &str)]) -> (Log, tracing::subscriber::DefaultGuard) {
        let environment: BTreeMap<&str, &str> = variables.iter().copied().collect();
        let log = Log::default();
        let subscriber = subscriber(filter(&environment), log.clone());
        (log, tracing::subscriber::set_default(subscriber))
    }

    #[track_caller]
    fn check(variables: &[(&str, &str)], expected: &[&str]) {
        let (log, guard) = capture(variables);
        debug!("debug");
        info!("info");
        error!("error");
        drop(guard);
        let levels: Vec<_> = log
            .lines()
            .iter()
            .map(|line| line["message"].clone())
            .collect();
        assert_eq!(levels, expected, "{variables:?}");
    }

    #[test]
    fn the_level_is_lambdas_then_rusts_then_info() {
        check(&[], &["info", "error"]);
        check(
            &[("AWS_LAMBDA_LOG_LEVEL", "DEBUG"), ("RUST_LOG", "error")],
            &["debug", "info", "error"],
        );
        check(&[("AWS_LAMBDA_LOG_LEVEL", "FATAL")], &["error"]);
        check(&[("AWS_LAMBDA_LOG_LEVEL", "warn")], &["error"]);
        check(
            &[("RUST_LOG", "lambda_function=debug")],
            &["debug", "info", "error"],
        );
        check(&[("AWS_LAMBDA_LOG_LEVEL", "loud")], &["info", "error"]);
        check(&[("RUST_LOG", "")], &["info", "error"]);
    }

    #[test]
    fn libraries_never_log_requests() {
        let (log, guard) = capture(&[("AWS_LAMBDA_LOG_LEVEL", "TRACE")]);
        tracing::trace!(target: "aws_smithy_runtime::client", "request with its payload");
        tracing::debug!(target: "hyper::proto", "bytes");
        tracing::warn!(target: "aws_config", "worth knowing");
        debug!("ours");
        drop(guard);
        let messages: Vec<_> = log
            .lines()
            .iter()
            .map(|line| line["message"].clone())
            .collect();
        assert_eq!(messages, ["worth knowing", "ours"]);
    }

    #[test]
    fn a_line_is_flat_json_with_the_span() {
        let (log, guard) = capture(&[]);
        info_span!("invocation", requestId = "r-1").in_scope(|| info!(records = 3, "batch done"));
        drop(guard);
        let line = &log.lines()[0];
        assert_eq!(
            (&line["level"], &line["message"], &line["records"]),
            (&json!("INFO"), &json!("batch done"), &json!(3))
        );
        assert_eq!(line["span"]["requestId"], "r-1");
        assert!(line["timestamp"].is_string());
    }
}
