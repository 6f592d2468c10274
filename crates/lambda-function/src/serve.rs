//! The loop with Lambda's Runtime API: the raw body reaches the handler, decoded by nobody.
//!
//! The runtime decodes a body before the handler sees it; for a batch of 6 MB that costs as much again as
//! the work, and one malformed record would fail the batch. So an outer layer takes the body off the
//! invocation, leaves `null` for the runtime to decode, and hands the body to the handler
//! through a task-local value that lives just as long as the call that makes the handler's future.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use bytes::Bytes;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use serde::Serialize;
use tower::{Layer, Service};
use tracing::instrument::Instrumented;
use tracing::{Instrument, info_span};

use crate::clock::{Clock, SystemClock};
use crate::deadline::Deadline;
use crate::metrics::Metrics;
use crate::{Causes, Error, Settings};

/// One invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The event, as it came.
    pub body: Bytes,
    /// Lambda's id of the invocation.
    pub request_id: String,
    /// Until when to work.
    pub deadline: Deadline,
    /// The function's ARN as invoked.
    pub function_arn: String,
    /// The X-Ray trace, if the invocation is part of one.
    pub trace_id: Option<String>,
}

/// Serves invocations until the Runtime API goes away.
///
/// An error from `handler` fails its invocation as a whole and is logged here, with its causes; so does
/// a panic. What was counted is flushed after every invocation, failed ones included.
///
/// # Errors
/// If the Runtime API cannot be reached. Outside of Lambda (no `AWS_LAMBDA_RUNTIME_API`) the
/// runtime panics.
pub async fn serve<H, Fut, R, E>(
    settings: &Settings,
    metrics: &Arc<Metrics>,
    handler: H,
) -> Result<(), Error>
where
    H: Fn(Invocation) -> Fut,
    Fut: Future<Output = Result<R, E>>,
    R: Serialize,
    E: Into<Error>,
{
    let margin = settings.deadline_margin;
    Runtime::new(service_fn(|event| answer(event, margin, metrics, &handler)))
        .layer(RawBodyLayer)
        .run()
        .await
}

/// Makes the handler's future at once, while the body is at hand.
fn answer<H, Fut, R, E>(
    event: LambdaEvent<()>,
    margin: Duration,
    metrics: &Arc<Metrics>,
    handler: &H,
) -> impl Future<Output = Result<R, Failure>>
where
    H: Fn(Invocation) -> Fut,
    Fut: Future<Output = Result<R, E>>,
    E: Into<Error>,
{
    let flush = FlushOnDrop(Arc::clone(metrics));
    // Boxed: nested in the runtime's own futures, a handler's would be too deep for the compiler.
    let answer = Box::pin(handler(Invocation::take(event.context, margin)));
    async move {
        let _flush = flush;
        answer.await.map_err(Failure::of)
    }
}

impl Invocation {
    fn take(context: Context, margin: Duration) -> Self {
        Self {
            body: BODY.try_with(RefCell::take).unwrap_or_default(),
            deadline: Deadline::of_invocation(context.deadline, SystemClock.now_ms(), margin),
            request_id: context.request_id,
            function_arn: context.invoked_function_arn,
            trace_id: context.xray_trace_id,
        }
    }
}

/// Flushes however the invocation ends: answered, failed, panicked.
struct FlushOnDrop(Arc<Metrics>);

impl Drop for FlushOnDrop {
    fn drop(&mut self) {
        self.0.flush();
    }
}

/// A failed invocation. `Debug` is what the runtime logs, once: the message with all its causes.
struct Failure {
    error_type: &'static str,
    message: String,
}

impl Failure {
    fn of<E: Into<Error>>(error: E) -> Self {
        let error = error.into();
        let message = Causes(error.as_ref()).to_string();
        Self {
            error_type: std::any::type_name::<E>(),
            message,
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invocation failed: {}", self.message)
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self {
            error_type: failure.error_type.to_owned(),
            error_message: failure.message,
        }
    }
}

tokio::task_local! {
    static BODY: RefCell<Bytes>;
}

/// Takes the body off each invocation and runs the rest in a span with the request's id.
struct RawBodyLayer;

/// The service of [`RawBodyLayer`].
struct RawBody<S>(S);

impl<S> Layer<S> for RawBodyLayer {
    type Service = RawBody<S>;

    fn layer(&self, inner: S) -> RawBody<S> {
        RawBody(inner)
    }
}

impl<S> Service<LambdaInvocation> for RawBody<S>
where
    S: Service<LambdaInvocation, Response = (), Error = Error>,
{
    type Response = ();
    type Error = Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> Self::Future {
        let body = std::mem::replace(&mut invocation.body, Bytes::from_static(b"null"));
        let span = info_span!(
            "invocation",
            requestId = invocation.context.request_id,
            xrayTraceId = invocation.context.xray_trace_id,
        );
        let answered =
            span.in_scope(|| BODY.sync_scope(RefCell::new(body), || self.0.call(invocation)));
        answered.instrument(span)
    }
}

#[cfg(test)]
mod tests {
    use lambda_runtime::tower::ServiceExt;
    use tracing::info;

    use super::*;
    use crate::metrics::{Captured, Metric};
    use crate::telemetry::tests::capture;

    const INVOCATIONS: Metric = Metric::count("Invocations", &[], "invocations begun");
    const MARGIN: Duration = Duration::from_secs(2);

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the plan")]
    struct Unreadable(#[source] std::num::ParseIntError);

    /// One invocation with `body` through the layer and, behind it, what the runtime does: decode
    /// the body it is given and call the handler's service.
    async fn invoke<Fut, R, E>(
        body: &'static [u8],
        handler: impl Fn(Invocation) -> Fut,
    ) -> (Result<R, String>, Arc<Captured>)
    where
        Fut: Future<Output = Result<R, E>>,
        E: Into<Error>,
    {
        let (metrics, captured) = Metrics::captured();
        let (sender, receiver) = std::sync::mpsc::channel();
        let runtime = tower::service_fn(|invocation: LambdaInvocation| {
            let payload: () = serde_json::from_slice(&invocation.body).unwrap();
            let event = LambdaEvent::new(payload, invocation.context);
            let answer = answer(event, MARGIN, &metrics, &handler);
            async {
                let answered = answer.await.map_err(|failure| format!("{failure:?}"));
                sender.send(answered).unwrap();
                Ok(())
            }
        });
        let mut context = Context::default();
        context.request_id = "request-1".to_owned();
        context.deadline = u64::try_from(SystemClock.now_ms()).unwrap() + 60_000;
        context.invoked_function_arn =
            "arn:aws:lambda:eu-central-1:123456789012:function:f".to_owned();
        let (parts, ()) = http::Response::new(()).into_parts();
        let invocation = LambdaInvocation {
            parts,
            body: Bytes::from_static(body),
            context,
        };
        RawBodyLayer
            .layer(runtime)
            .oneshot(invocation)
            .await
            .unwrap();
        (receiver.recv().unwrap(), captured)
    }

    #[tokio::test]
    async fn the_body_arrives_as_it_came() {
        for body in [&b"{\"Records\":[]}"[..], b"no JSON", b"", b"\xff\xfe"] {
            let (answer, _) =
                invoke(body, async |invocation| Ok::<_, Error>(invocation.body)).await;
            assert_eq!(answer.unwrap(), body);
        }
    }

    #[tokio::test]
    async fn the_invocation_carries_its_context() {
        let (answer, _) = invoke(b"{}", async |invocation| Ok::<_, Error>(invocation)).await;
        let invocation = answer.unwrap();
        assert_eq!(invocation.request_id, "request-1");
        assert!(invocation.function_arn.ends_with(":function:f"));
        assert!(!invocation.deadline.leaves(Duration::from_secs(58)));
        assert!(invocation.deadline.leaves(Duration::from_secs(50)));
    }

    #[tokio::test]
    async fn lines_logged_within_carry_the_request_id() {
        let (log, _guard) = capture(&[]);
        let (answer, _) = invoke(b"{}", async |_| {
            tokio::task::yield_now().await;
            info!("batch done");
            Ok::<_, Error>(())
        })
        .await;
        answer.unwrap();
        assert_eq!(log.lines()[0]["span"]["requestId"], "request-1");
    }

    #[tokio::test]
    async fn a_failed_invocation_still_writes_its_metrics() {
        let (metrics, captured) = Metrics::captured();
        let handler = async |_: Invocation| {
            metrics.add(&INVOCATIONS, &[], 1);
            Err::<(), _>("no use")
        };
        let event = LambdaEvent::new((), Context::default());
        let failure = answer(event, MARGIN, &metrics, &handler).await.unwrap_err();
        assert_eq!(failure.message, "no use");
        assert_eq!(captured.total("Invocations", &[]), 1.0);
    }

    #[tokio::test]
    async fn a_panic_still_writes_its_metrics() {
        let (metrics, captured) = Metrics::captured();
        let counting = Arc::clone(&metrics);
        let handled = tokio::spawn(async move {
            let handler = async |_: Invocation| {
                counting.add(&INVOCATIONS, &[], 1);
                panic!("on purpose");
                #[expect(unreachable_code, reason = "gives the answer its type")]
                Ok::<(), Error>(())
            };
            let _ = answer(
                LambdaEvent::new((), Context::default()),
                MARGIN,
                &metrics,
                &handler,
            )
            .await;
        });
        assert!(handled.await.unwrap_err().is_panic());
        assert_eq!(captured.total("Invocations", &[]), 1.0);
    }

    #[test]
    fn a_failure_tells_its_type_and_all_causes() {
        let cause = "x".parse::<i32>().unwrap_err();
        let failure = Failure::of(Unreadable(cause));
        assert_eq!(
            format!("{failure:?}"),
            "invocation failed: cannot read the plan: invalid digit found in string"
        );
        let diagnostic = Diagnostic::from(failure);
        assert_eq!(
            diagnostic.error_type,
            "lambda_function::serve::tests::Unreadable"
        );
        assert_eq!(
            diagnostic.error_message,
            "cannot read the plan: invalid digit found in string"
        );
    }
}
