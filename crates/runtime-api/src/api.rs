//! The Runtime API of one execution environment (AWS Lambda developer guide, "Using the Lambda runtime API").

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::identity::Identity;
use crate::invocation::{MAX_ANSWER_BYTES, Outcome};

const VERSION: &str = "2018-06-01";

/// The API of one process: hands out one event at a time and takes what comes back.
pub(crate) struct Api {
    events: tokio::sync::Mutex<mpsc::Receiver<Event>>,
    state: Mutex<State>,
}

/// An event to be delivered.
pub(crate) struct Event {
    pub(crate) identity: Identity,
    pub(crate) payload: Bytes,
    pub(crate) time_out: Duration,
    /// When its time began to run; none where that is at its delivery.
    pub(crate) began: Option<Instant>,
    pub(crate) function_arn: String,
    /// Told when the process takes the event.
    pub(crate) delivered: oneshot::Sender<Instant>,
    /// Told how it ended.
    pub(crate) ended: oneshot::Sender<(Instant, Outcome)>,
}

struct State {
    /// The invocation that runs.
    current: Option<(String, oneshot::Sender<(Instant, Outcome)>)>,
    last_request_id: Option<Arc<str>>,
    init_error: Option<oneshot::Sender<Outcome>>,
}

/// What a process posts to one of the error paths.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Reported {
    error_type: String,
    error_message: String,
}

type Answer = Response<Full<Bytes>>;

impl Api {
    /// The API, where its events are put in, and where an error of the process's start comes out.
    pub(crate) fn new() -> (Arc<Self>, mpsc::Sender<Event>, oneshot::Receiver<Outcome>) {
        let (put, events) = mpsc::channel(1);
        let (init_error, init_failed) = oneshot::channel();
        let state = State {
            current: None,
            last_request_id: None,
            init_error: Some(init_error),
        };
        let api = Self {
            events: tokio::sync::Mutex::new(events),
            state: Mutex::new(state),
        };
        (Arc::new(api), put, init_failed)
    }

    /// The invocation that was delivered last.
    pub(crate) fn last_request_id(&self) -> Option<Arc<str>> {
        self.state().last_request_id.clone()
    }

    /// Serves connections until it is dropped.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let Ok((connection, _)) = listener.accept().await else {
                // Out of file descriptors, for one; those of ended connections come back.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            while connections.try_join_next().is_some() {}
            let api = Arc::clone(&self);
            connections.spawn(async move {
                let service = service_fn(|request| api.answer(request));
                // A process that hangs up has ended; its supervisor tells.
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(connection), service)
                    .await;
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Infallible> {
        let path = request.uri().path().trim_matches('/').to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        Ok(match (request.method(), &parts[..]) {
            (&Method::GET, [VERSION, "runtime", "invocation", "next"]) => self.next().await,
            (&Method::POST, [VERSION, "runtime", "invocation", id, "response"]) => {
                self.response(id, request).await
            }
            (&Method::POST, [VERSION, "runtime", "invocation", id, "error"]) => {
                self.error(id, request).await
            }
            (&Method::POST, [VERSION, "runtime", "init", "error"]) => {
                self.init_error(request).await
            }
            _ => refuse(
                StatusCode::NOT_FOUND,
                "UnknownPath",
                "not a path of the Runtime API",
            ),
        })
    }

    async fn next(&self) -> Answer {
        let Some(event) = self.events.lock().await.recv().await else {
            return refuse(StatusCode::GONE, "Shutdown", "the environment has ended");
        };
        let spent = event.began.map_or(Duration::ZERO, |began| began.elapsed());
        let left = event.time_out.saturating_sub(spent);
        let deadline_ms = now_ms() + left.as_millis();
        let answer = Response::builder()
            .header("Content-Type", "application/json")
            .header("Lambda-Runtime-Aws-Request-Id", &event.identity.request_id)
            .header("Lambda-Runtime-Deadline-Ms", deadline_ms.to_string())
            .header("Lambda-Runtime-Invoked-Function-Arn", &event.function_arn)
            .header("Lambda-Runtime-Trace-Id", &event.identity.trace_id)
            .body(Full::new(event.payload))
            .unwrap_or_else(|fault| {
                refuse(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "BadHeader",
                    &fault.to_string(),
                )
            });
        let mut state = self.state();
        state.last_request_id = Some(event.identity.request_id.as_str().into());
        state.current = Some((event.identity.request_id, event.ended));
        // The process is up: an error of its start can come no more.
        state.init_error = None;
        drop(state);
        // Whoever invoked may have gone; the event is delivered all the same.
        let _ = event.delivered.send(Instant::now());
        answer
    }

    async fn response(&self, id: &str, request: Request<Incoming>) -> Answer {
        match Limited::new(request.into_body(), MAX_ANSWER_BYTES)
            .collect()
            .await
        {
            Ok(body) => self.end(id, Outcome::Answer(body.to_bytes())),
            Err(fault) if fault.is::<LengthLimitError>() => {
                let limit = format!("maximum allowed payload size ({MAX_ANSWER_BYTES} bytes)");
                self.end(
                    id,
                    Outcome::FunctionError {
                        error_type: "Function.ResponseSizeTooLarge".to_owned(),
                        message: format!("Response payload size exceeded {limit}."),
                    },
                );
                refuse(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "RequestEntityTooLarge",
                    &format!("Exceeded {limit}"),
                )
            }
            Err(fault) => refuse(StatusCode::BAD_REQUEST, "BadBody", &fault.to_string()),
        }
    }

    async fn error(&self, id: &str, request: Request<Incoming>) -> Answer {
        match reported(request).await {
            Ok(error) => self.end(id, error),
            Err(refusal) => refusal,
        }
    }

    async fn init_error(&self, request: Request<Incoming>) -> Answer {
        let error = match reported(request).await {
            Ok(error) => error,
            Err(refusal) => return refusal,
        };
        let waiting = self.state().init_error.take();
        match waiting {
            Some(waiting) => {
                let _ = waiting.send(error);
                accepted()
            }
            None => refuse(
                StatusCode::FORBIDDEN,
                "InvalidStateTransition",
                "the start is over",
            ),
        }
    }

    fn end(&self, id: &str, outcome: Outcome) -> Answer {
        let ended = self.state().current.take_if(|(current, _)| current == id);
        match ended {
            Some((_, waiting)) => {
                // Whoever invoked may have given up; to the process it is all the same.
                let _ = waiting.send((Instant::now(), outcome));
                accepted()
            }
            None => refuse(
                StatusCode::BAD_REQUEST,
                "InvalidRequestID",
                "no such invocation is running",
            ),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first free port of the loopback interface.
pub(crate) async fn listen() -> std::io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await
}

async fn reported(request: Request<Incoming>) -> Result<Outcome, Answer> {
    let header = request
        .headers()
        .get("Lambda-Runtime-Function-Error-Type")
        .cloned();
    let body = Limited::new(request.into_body(), MAX_ANSWER_BYTES)
        .collect()
        .await
        .map_err(|fault| refuse(StatusCode::BAD_REQUEST, "BadBody", &fault.to_string()))?
        .to_bytes();
    // A runtime may report in a shape of its own; then its text is the message.
    let reported = serde_json::from_slice(&body).unwrap_or_else(|_| Reported {
        error_type: String::new(),
        error_message: String::from_utf8_lossy(&body).into_owned(),
    });
    let error_type = match reported.error_type.is_empty() {
        false => reported.error_type,
        true => match header.as_ref().and_then(|header| header.to_str().ok()) {
            Some(header) => header.to_owned(),
            None => "Unknown".to_owned(),
        },
    };
    Ok(Outcome::FunctionError {
        error_type,
        message: reported.error_message,
    })
}

fn accepted() -> Answer {
    json(StatusCode::ACCEPTED, r#"{"status":"OK"}"#.to_owned())
}

fn refuse(status: StatusCode, error_type: &str, message: &str) -> Answer {
    let body = serde_json::json!({"errorType": error_type, "errorMessage": message});
    json(status, body.to_string())
}

fn json(status: StatusCode, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer
}

#[expect(
    clippy::disallowed_methods,
    reason = "a function's deadline is told in the time of day"
)]
fn now_ms() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis()
}
