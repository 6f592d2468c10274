//! Requests that get no answer, and why.

use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body_util::Full;
use serde_json::json;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{message}")]
    Row {
        /// From 1.
        row: usize,
        /// From 1, where the fault has one.
        column: Option<usize>,
        message: String,
    },
    #[error("{0}")]
    Body(String),
    #[error("no such path; there are /ping, /invocations, /execution-parameters and /metrics")]
    Path,
    #[error("this path takes {0}")]
    Method(&'static str),
    #[error("answers are text/csv, application/jsonlines or application/json, not `{0}`")]
    Accept(String),
    #[error("requests are text/csv, application/jsonlines or application/json, not `{0}`")]
    ContentType(String),
    #[error("the body did not come within {0} seconds")]
    TooSlow(u64),
    #[error("the body has more than {0} bytes")]
    TooLarge(usize),
    #[error("{0} invocations are under way already")]
    Busy(usize),
    #[error("the model failed: {0}")]
    Model(String),
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Row { .. } | Self::Body(_) => StatusCode::BAD_REQUEST,
            Self::Path => StatusCode::NOT_FOUND,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Accept(_) => StatusCode::NOT_ACCEPTABLE,
            Self::ContentType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Model(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Row { .. } | Self::Body(_) => "bad-request",
            Self::Path => "no-such-path",
            Self::Method(_) => "no-such-method",
            Self::Accept(_) => "not-acceptable",
            Self::ContentType(_) => "unsupported-media-type",
            Self::TooSlow(_) => "too-slow",
            Self::TooLarge(_) => "too-large",
            Self::Busy(_) => "busy",
            Self::Model(_) => "model-failed",
        }
    }

    pub(crate) fn response(&self) -> Response<Full<Bytes>> {
        let mut error = json!({"code": self.code(), "message": self.to_string()});
        if let Self::Row { row, column, .. } = self {
            error["row"] = (*row).into();
            if let Some(column) = column {
                error["column"] = (*column).into();
            }
        }
        let mut response = answer(
            self.status(),
            "application/json",
            json!({ "error": error }).to_string(),
        );
        if matches!(self, Self::Busy(_)) {
            let soon = http::HeaderValue::from_static("1");
            response.headers_mut().insert(header::RETRY_AFTER, soon);
        }
        response
    }
}

/// An answer of this type.
pub(crate) fn answer(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let value = http::HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, value);
    response
}
