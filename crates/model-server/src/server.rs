//! Listening, routing, and an orderly end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::arguments::{Arguments, Command, Serve};
use crate::endpoint;
use crate::invocations::{IN_FLIGHT, Invocations};
use crate::metrics::Metrics;
use crate::model::{LoadError, Model};
use crate::refusal::{Refusal, answer};

/// SageMaker kills a container 30 seconds after it has asked it to end.
const DRAIN: Duration = Duration::from_secs(25);
/// A connection that sends half a header holds nothing for longer.
const HEADER_TIME: Duration = Duration::from_secs(30);

/// The server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// There is no model to serve.
    #[error(transparent)]
    Model(#[from] LoadError),
    /// It cannot listen there.
    #[error("{address}: {source}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// It has no threads or no signals.
    #[error("no runtime: {0}")]
    Runtime(#[from] std::io::Error),
}

/// What a transform job's payloads may come to, each and at once (API reference, "CreateTransformJob").
const TRANSFORMS_MB: u32 = 100;

struct Server {
    invocations: Invocations,
    metrics: Arc<Metrics>,
    processors: usize,
    max_body_mb: u32,
    endpoint: bool,
}

/// Serves until the process is asked to end, and what is under way is done.
///
/// # Errors
/// If it does not start.
pub fn serve(arguments: &Arguments) -> Result<(), ServeError> {
    let Command::Serve(options) = &arguments.command;
    let model = Model::load(&options.model_dir)?;
    tracing::info!(
        features = model.features(),
        answer = model.name(),
        "model loaded"
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(options, model))
}

async fn run(options: &Serve, model: Model) -> Result<(), ServeError> {
    let mut ends = Ends::new(options)?;
    let wanted = SocketAddr::new(options.bind, options.port);
    let failed = |source| ServeError::Listen {
        address: wanted,
        source,
    };
    let listener = TcpListener::bind(wanted).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let metrics = Arc::new(Metrics::default());
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let max_body = match usize::try_from(options.max_body_mb) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(units) => units << 20,
    };
    let max_in_flight = match options.max_in_flight {
        Some(given) => usize::from(given.get()),
        None => IN_FLIGHT * processors,
    };
    let server = Arc::new(Server {
        invocations: Invocations::new(
            model,
            Arc::clone(&metrics),
            processors,
            max_in_flight,
            max_body,
        ),
        metrics,
        processors,
        max_body_mb: options.max_body_mb,
        endpoint: options.endpoint,
    });
    tracing::info!(address = address.to_string(), "listening");

    let (end, ending) = watch::channel(());
    let mut connections = JoinSet::new();
    loop {
        let connection = tokio::select! {
            () = ends.asked() => break,
            accepted = listener.accept() => accepted,
        };
        while connections.try_join_next().is_some() {}
        match connection {
            Ok((connection, _)) => {
                let _ = connection.set_nodelay(true);
                connections.spawn(keep(Arc::clone(&server), connection, ending.clone()));
            }
            // Out of file descriptors, for one; those of ended connections come back.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    drop((listener, ending));
    tracing::info!(connections = connections.len(), "ending");
    let _ = end.send(());
    let rest = async { while connections.join_next().await.is_some() {} };
    if timeout(DRAIN, rest).await.is_err() {
        tracing::error!("what was under way did not end in time");
    }
    Ok(())
}

/// What asks the server to end.
struct Ends {
    terminate: Signal,
    interrupt: Signal,
    /// None where its end asks for nothing.
    stdin: Option<oneshot::Receiver<()>>,
}

impl Ends {
    fn new(options: &Serve) -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            stdin: options.until_stdin_ends.then(stdin_ended).transpose()?,
        })
    }

    async fn asked(&mut self) {
        let Self {
            terminate,
            interrupt,
            stdin,
        } = self;
        let ended = async {
            match stdin {
                // A thread that is gone has nothing more to tell.
                Some(told) => {
                    let _ = told.await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = ended => {}
        }
    }
}

/// Told once standard input has ended. A thread of its own reads it, which the process does not wait for at its end.
fn stdin_ended() -> std::io::Result<oneshot::Receiver<()>> {
    let (ended, told) = oneshot::channel();
    std::thread::Builder::new().spawn(move || {
        // What cannot be read has ended as well.
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = ended.send(());
    })?;
    Ok(told)
}

/// Serves one connection; once the server ends, to the end of the request that is under way.
async fn keep(
    server: Arc<Server>,
    connection: tokio::net::TcpStream,
    mut ending: watch::Receiver<()>,
) {
    let service = service_fn(|request| server.answer(request));
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .serve_connection(TokioIo::new(connection), service)
    );
    // A caller that hangs up in mid-request has nobody to be told of it.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = ending.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

impl Server {
    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let get = matches!(head.method, Method::GET | Method::HEAD);
        Ok(match head.uri.path() {
            "/invocations" if head.method == Method::POST => {
                self.invocations.answer(&head, body).await
            }
            path if self.endpoint && endpoint::is_path(path) && head.method == Method::POST => {
                endpoint::relay(self.invocations.answer(&head, body).await).await
            }
            "/ping" if get => answer(StatusCode::OK, "application/json", "{}"),
            "/metrics" if get => answer(
                StatusCode::OK,
                "text/plain; version=0.0.4",
                self.metrics.text(),
            ),
            "/execution-parameters" if get => {
                let (transforms, payload) = transforms(self.processors, self.max_body_mb);
                let parameters = json!({
                    "MaxConcurrentTransforms": transforms,
                    "BatchStrategy": "MULTI_RECORD",
                    "MaxPayloadInMB": payload,
                });
                answer(StatusCode::OK, "application/json", parameters.to_string())
            }
            "/invocations" => Refusal::Method("POST").response(),
            "/ping" | "/metrics" | "/execution-parameters" => Refusal::Method("GET").response(),
            _ => Refusal::Path.response(),
        })
    }
}

/// How many requests a transform job sends at once, and how large: no more than it may, of what the server takes.
fn transforms(processors: usize, max_body_mb: u32) -> (usize, u32) {
    let payload = max_body_mb.min(TRANSFORMS_MB);
    let at_once = TRANSFORMS_MB.checked_div(payload).unwrap_or(TRANSFORMS_MB);
    let at_once = usize::try_from(at_once).unwrap_or(usize::MAX);
    (processors.min(at_once).max(1), payload)
}

#[cfg(test)]
mod tests {
    use super::transforms;

    #[test]
    fn transforms_at_once_are_within_what_a_job_may_send() {
        for (processors, max_body_mb, expected) in [
            (4, 6, (4, 6)),
            (64, 6, (16, 6)),
            (4, 60, (1, 60)),
            (4, 1_024, (1, 100)),
            // A stream without limit.
            (4, 0, (4, 0)),
        ] {
            assert_eq!(transforms(processors, max_body_mb), expected);
        }
    }
}
