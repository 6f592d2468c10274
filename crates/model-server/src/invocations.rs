//! `POST /invocations`: read the rows, ask the model, write its answers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::Model;
use crate::body::ContentType;
use crate::metrics::Metrics;
use crate::refusal::{Refusal, answer};

/// Longer than this a body may not take to come.
const BODY_TIME: Duration = Duration::from_secs(60);

/// Invocations under way for each processor, unless it is said otherwise.
pub(crate) const IN_FLIGHT: usize = 32;

/// Answers invocations, so many at once as there are processors.
pub(crate) struct Invocations {
    model: Arc<Model>,
    metrics: Arc<Metrics>,
    processors: Arc<Semaphore>,
    admitted: Semaphore,
    max_in_flight: usize,
    max_body: usize,
}

impl Invocations {
    pub(crate) fn new(
        model: Model,
        metrics: Arc<Metrics>,
        processors: usize,
        max_in_flight: usize,
        max_body: usize,
    ) -> Self {
        Self {
            model: Arc::new(model),
            metrics,
            processors: Arc::new(Semaphore::new(processors)),
            admitted: Semaphore::new(max_in_flight),
            max_in_flight,
            max_body,
        }
    }

    pub(crate) async fn answer(&self, head: &Parts, body: Incoming) -> Response<Full<Bytes>> {
        let admission = self.admitted.try_acquire();
        let _in_flight = self.metrics.begin();
        let body = match &admission {
            Ok(_) => self.whole(head, body).await,
            Err(_) => {
                discard(body).await;
                Err(Refusal::Busy(self.max_in_flight))
            }
        };
        let start = Instant::now();
        let answered = match body {
            Ok(body) => self.invoke(&head.headers, body).await,
            Err(refusal) => Err(refusal),
        };
        let response = answered.unwrap_or_else(|refusal| {
            tracing::warn!(
                status = refusal.status().as_u16(),
                reason = refusal.to_string(),
                "invocation refused"
            );
            refusal.response()
        });
        self.metrics
            .answered(response.status().as_u16(), start.elapsed());
        response
    }

    async fn whole(&self, head: &Parts, body: Incoming) -> Result<Bytes, Refusal> {
        // Refused by its announced length, it need not come first.
        let announced = text(&head.headers, header::CONTENT_LENGTH).parse::<usize>();
        if announced.is_ok_and(|bytes| bytes > self.max_body) {
            return Err(Refusal::TooLarge(self.max_body));
        }
        let collected = timeout(BODY_TIME, Limited::new(body, self.max_body).collect()).await;
        match collected {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => {
                Err(Refusal::TooLarge(self.max_body))
            }
            Ok(Err(error)) => Err(Refusal::Body(format!("the body broke off: {error}"))),
            Err(_) => Err(Refusal::TooSlow(BODY_TIME.as_secs())),
        }
    }

    async fn invoke(
        &self,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Response<Full<Bytes>>, Refusal> {
        let sent = text(headers, header::CONTENT_TYPE);
        let request = ContentType::of(sent).ok_or_else(|| Refusal::ContentType(sent.to_owned()))?;
        let accept = headers.get_all(header::ACCEPT).iter();
        let accept: Vec<_> = accept.filter_map(|line| line.to_str().ok()).collect();
        let accept = accept.join(",");
        let wanted = ContentType::accepted(&accept, request).ok_or(Refusal::Accept(accept))?;
        // Work for a processor stands apart from the threads that answer pings.
        let permit = Arc::clone(&self.processors).acquire_owned().await;
        let (model, metrics) = (Arc::clone(&self.model), Arc::clone(&self.metrics));
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let rows = request.read(&body, model.features())?;
            let count = rows.len();
            let start = Instant::now();
            let answers = model.answer(rows).map_err(Refusal::Model)?;
            metrics.scored(count, start.elapsed());
            Ok(wanted.write(&answers, model.name()))
        });
        let written = work
            .await
            .unwrap_or_else(|error| Err(Refusal::Model(error.to_string())))?;
        Ok(answer(StatusCode::OK, wanted.as_str(), written))
    }
}

/// Takes what still comes: to a caller in the middle of its body a closed connection would be all there is.
async fn discard(mut body: Incoming) {
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    let _ = timeout(BODY_TIME, rest).await;
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}
