//! Between a function and the local AWS: every call of the function passes here and meets what the plan says.
//!
//! Promise: without a fault, request and answer pass as they are; once calmed, nothing meets a fault any more, and what is
//! late by then is waited for.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use runtime_api::FunctionHost;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};

use super::call::{No, Refusal, is_invocation, named, refusal};
use super::part::Held;
use super::plan::{Fault, LATE, Plan};

/// One function's way to the local AWS. Dropping it closes the way.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    plan: Plan,
    /// Host and port of the local AWS.
    upstream: String,
    /// Host and port of the model, if there is one.
    model: Option<String>,
    started: Instant,
    calm: AtomicBool,
    calls: AtomicU64,
    /// Effects that are still to come.
    late: AtomicU64,
    counts: Mutex<BTreeMap<&'static str, u64>>,
    host: OnceLock<Arc<FunctionHost>>,
}

type Answer = Response<Full<Bytes>>;

impl Proxy {
    /// Listens on this machine; `endpoint` is the local AWS, `model` the host and port of what answers for endpoints.
    pub async fn start(plan: Plan, endpoint: &str, model: Option<&str>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            plan,
            upstream: endpoint.trim_start_matches("http://").to_owned(),
            model: model.map(str::to_owned),
            started: Instant::now(),
            calm: AtomicBool::new(false),
            calls: AtomicU64::new(0),
            late: AtomicU64::new(0),
            counts: Mutex::default(),
            host: OnceLock::new(),
        });
        let task = tokio::spawn(serve(Arc::clone(&shared), listener));
        Ok(Self { port, shared, task })
    }

    /// What the function is to take for AWS.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Whose processes die.
    pub fn attach(&self, host: Arc<FunctionHost>) {
        // Told once.
        let _ = self.shared.host.set(host);
    }

    /// No call meets a fault from here on.
    pub fn calm(&self) {
        self.shared.calm.store(true, Ordering::Relaxed);
    }

    /// How many effects are still to come.
    pub fn late(&self) -> u64 {
        self.shared.late.load(Ordering::Acquire)
    }

    /// How many calls met which fault.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.shared.counts().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((connection, _)) = listener.accept().await else {
            // Out of file descriptors, for one; those of ended connections come back.
            sleep(std::time::Duration::from_millis(10)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(|request| shared.answer(request));
            // Fails where the function hangs up, and where a fault breaks the connection.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(connection), service)
                .await;
        });
    }
}

/// The connection is to break.
#[derive(Debug, thiserror::Error)]
#[error("broken off by a fault plan")]
struct Broken;

impl Shared {
    async fn answer(self: &Arc<Self>, request: Request<Incoming>) -> Result<Answer, Broken> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
        let request = Request::from_parts(head, body);
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let (service, operation) = named(request.method(), request.uri().path(), request.headers());
        let fault = match self.calm.load(Ordering::Relaxed) {
            true => None,
            false => {
                let at_ms = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
                self.plan.fault(number, at_ms, service)
            }
        };
        let Some(fault) = fault else {
            return Ok(self.forward(request).await);
        };
        let operation = operation.to_owned();
        let name = fault.as_str();
        let failed = || made_up(refusal(service, No::Failed));
        let throttled = || made_up(refusal(service, No::Throttled));
        let answer = match fault {
            Fault::ErrorBefore | Fault::Outage => failed(),
            Fault::Throttled => throttled(),
            Fault::ErrorAfter => {
                self.forward(request).await;
                failed()
            }
            Fault::Dropped => {
                self.count(name);
                self.forward(request).await;
                return Err(Broken);
            }
            Fault::SilentBefore => {
                self.count(name);
                return std::future::pending().await;
            }
            Fault::SilentAfter => {
                self.count(name);
                self.forward(request).await;
                return std::future::pending().await;
            }
            Fault::LateEffect => {
                let late = Arc::clone(self);
                self.late.fetch_add(1, Ordering::AcqRel);
                // On a task of its own: the request is on its way, whether or not the caller still waits.
                tokio::spawn(async move {
                    sleep(LATE).await;
                    late.forward(request).await;
                    late.late.fetch_sub(1, Ordering::AcqRel);
                });
                self.count(name);
                return std::future::pending().await;
            }
            Fault::Partial => match self.in_part(number, &operation, request).await {
                Some(answer) => answer,
                None => {
                    self.count(Fault::Throttled.as_str());
                    return Ok(throttled());
                }
            },
            Fault::CrashBefore => {
                self.count(name);
                self.crash();
                return Err(Broken);
            }
            Fault::CrashAfter => {
                self.count(name);
                self.forward(request).await;
                self.crash();
                return Err(Broken);
            }
        };
        self.count(name);
        Ok(answer)
    }

    /// None if the call has no parts, and nothing was done.
    async fn in_part(
        &self,
        number: u64,
        operation: &str,
        request: Request<Bytes>,
    ) -> Option<Answer> {
        let held = Held::new(operation, request.body(), self.plan.goes_on(number))?;
        let (mut head, _) = request.into_parts();
        // It is that of the whole request.
        head.headers.remove(header::CONTENT_LENGTH);
        let request = Request::from_parts(head, held.request.clone());
        let answer = self.forward(request).await;
        let (mut head, body) = answer.into_parts();
        let body = body.collect().await.unwrap_or_default().to_bytes();
        let merged = (head.status == StatusCode::OK)
            .then(|| held.answer(&body))
            .flatten();
        let body = match merged {
            Some(merged) => {
                head.headers.remove(header::CONTENT_LENGTH);
                // The emulator's checksum is that of its own answer.
                head.headers.remove("x-amz-crc32");
                merged
            }
            None => body,
        };
        Some(Response::from_parts(head, Full::new(body)))
    }

    async fn forward(&self, request: Request<Bytes>) -> Answer {
        match self.exchange(request).await {
            Ok(answer) => answer,
            Err(error) => {
                let body = Bytes::from(format!("the local AWS is out of reach: {error}"));
                let mut answer = Response::new(Full::new(body));
                *answer.status_mut() = StatusCode::BAD_GATEWAY;
                answer
            }
        }
    }

    async fn exchange(
        &self,
        request: Request<Bytes>,
    ) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let upstream = match &self.model {
            Some(model) if is_invocation(request.uri().path()) => model,
            _ => &self.upstream,
        };
        let stream = TcpStream::connect(upstream).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let (mut head, body) = request.into_parts();
        // In absolute form it would be a request to a proxy.
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        head.uri = path.parse()?;
        head.headers.remove(header::TRANSFER_ENCODING);
        let answer = sender
            .send_request(Request::from_parts(head, Full::new(body)))
            .await?;
        let (mut head, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        connection.abort();
        head.headers.remove(header::TRANSFER_ENCODING);
        head.headers.remove(header::CONNECTION);
        Ok(Response::from_parts(head, Full::new(body)))
    }

    /// Which of the processes made the call is not known here: all die.
    fn crash(&self) {
        let Some(host) = self.host.get() else {
            return;
        };
        for which in 0..host.environments() {
            host.kill_one(which as u64);
        }
    }

    fn count(&self, fault: &'static str) {
        *self.counts().entry(fault).or_default() += 1;
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn made_up(refusal: Refusal) -> Answer {
    let mut answer = Response::new(Full::new(refusal.body));
    *answer.status_mut() = refusal.status;
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        http::HeaderValue::from_static(refusal.content_type),
    );
    answer
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::super::call::Service;
    use super::*;

    /// A service that answers what it was asked, and counts.
    async fn upstream() -> (String, Arc<AtomicU64>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                let asked = Arc::clone(&counter);
                tokio::spawn(async move {
                    let service = service_fn(|request: Request<Incoming>| {
                        let asked = Arc::clone(&asked);
                        async move {
                            asked.fetch_add(1, Ordering::Relaxed);
                            let path = request.uri().to_string();
                            let body = request.into_body().collect().await.unwrap().to_bytes();
                            let answer = Response::builder().header("x-path", path);
                            Ok::<_, std::io::Error>(answer.body(Full::new(body)).unwrap())
                        }
                    });
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(connection), service)
                        .await;
                });
            }
        });
        (format!("http://{address}"), asked)
    }

    const PLAN: Plan = Plan {
        seed: 1,
        function: 0,
    };

    /// The first call to DynamoDB that meets the fault at the start.
    fn number_of(fault: Option<Fault>) -> u64 {
        (0..1_000_000)
            .find(|number| PLAN.fault(*number, 0, Service::DynamoDb) == fault)
            .unwrap()
    }

    /// What the function is told in a call that meets the fault, and how often the service was asked.
    async fn told(fault: Option<Fault>) -> (Result<(u16, Bytes), &'static str>, u64) {
        let (endpoint, asked) = upstream().await;
        let proxy = Proxy::start(PLAN, &endpoint, None).await.unwrap();
        proxy
            .shared
            .calls
            .store(number_of(fault), Ordering::Relaxed);
        let request = Request::post("/some/path?with=query")
            .header("x-amz-target", "DynamoDB_20120810.PutItem")
            .header("host", "127.0.0.1")
            .body(Full::new(Bytes::from_static(b"{\"a\": \x00}")))
            .unwrap();
        let stream = TcpStream::connect(("127.0.0.1", proxy.port)).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        let call = timeout(Duration::from_millis(300), sender.send_request(request));
        let answer = match call.await {
            Err(_) => Err("silence"),
            Ok(Err(_)) => Err("broken"),
            Ok(Ok(answer)) => {
                let status = answer.status().as_u16();
                if status == 200 {
                    assert_eq!(answer.headers()["x-path"], "/some/path?with=query");
                }
                Ok((
                    status,
                    answer.into_body().collect().await.unwrap().to_bytes(),
                ))
            }
        };
        let met: u64 = proxy.counts().values().sum();
        assert_eq!(met, u64::from(fault.is_some()), "{fault:?}");
        (answer, asked.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn without_a_fault_everything_passes_as_it_is() {
        let body = Bytes::from_static(b"{\"a\": \x00}");
        assert_eq!(told(None).await, (Ok((200, body)), 1));
    }

    #[tokio::test]
    async fn each_fault_comes_before_or_after_the_effect() {
        for (fault, expected) in [
            (Fault::ErrorBefore, (Ok(500), 0)),
            (Fault::ErrorAfter, (Ok(500), 1)),
            (Fault::Throttled, (Ok(400), 0)),
            (Fault::Dropped, (Err("broken"), 1)),
            (Fault::SilentBefore, (Err("silence"), 0)),
            (Fault::SilentAfter, (Err("silence"), 1)),
            (Fault::LateEffect, (Err("silence"), 0)),
            (Fault::CrashBefore, (Err("broken"), 0)),
            (Fault::CrashAfter, (Err("broken"), 1)),
        ] {
            let (answer, asked) = told(Some(fault)).await;
            let answer = answer.map(|(status, _)| status);
            assert_eq!((answer, asked), expected, "{fault:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_effect_is_told_of_until_it_has_come() {
        let (endpoint, asked) = upstream().await;
        let proxy = Proxy::start(PLAN, &endpoint, None).await.unwrap();
        let calls = &proxy.shared.calls;
        calls.store(number_of(Some(Fault::LateEffect)), Ordering::Relaxed);
        let stream = TcpStream::connect(("127.0.0.1", proxy.port)).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        let request = Request::post("/")
            .header("x-amz-target", "DynamoDB_20120810.PutItem")
            .header("host", "127.0.0.1")
            .body(Full::new(Bytes::from_static(b"{}")))
            .unwrap();
        // Never answered.
        let call = tokio::spawn(async move { sender.send_request(request).await.is_ok() });
        while proxy.late() == 0 {
            // No sleep: with nothing else to do, the clock would run ahead of the call.
            tokio::task::yield_now().await;
        }
        assert_eq!(asked.load(Ordering::Relaxed), 0);
        proxy.calm();
        while proxy.late() > 0 {
            sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        assert!(!call.is_finished());
    }
}
