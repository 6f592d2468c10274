//! InvokeEndpoint, as SageMaker's runtime answers it in front of a container (API reference, "InvokeEndpoint").

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::json;

/// The variant that answers.
const VARIANT: HeaderValue = HeaderValue::from_static("AllTraffic");

/// Whether this is InvokeEndpoint's path, whatever the endpoint's name.
pub(crate) fn is_path(path: &str) -> bool {
    let name = path
        .strip_prefix("/endpoints/")
        .and_then(|rest| rest.strip_suffix("/invocations"));
    name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

/// What becomes of a container's answer: one that is not 2xx is a `ModelError`.
pub(crate) async fn relay(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    let original = response.status();
    if !original.is_success() {
        // A body in memory does not fail.
        let body = response.into_body().collect().await;
        let said = body.map(|body| body.to_bytes()).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let error = json!({
            "ErrorCode": if original.is_client_error() { "CLIENT_ERROR_FROM_MODEL" } else { "SERVER_ERROR_FROM_MODEL" },
            "LogStreamArn": "",
            "Message": format!("Received {} error ({}) from primary with message \"{said}\"",
                if original.is_client_error() { "client" } else { "server" }, original.as_u16()),
            "OriginalMessage": said,
            "OriginalStatusCode": original.as_u16(),
        });
        response = crate::refusal::answer(
            StatusCode::FAILED_DEPENDENCY,
            "application/json",
            error.to_string(),
        );
        response
            .headers_mut()
            .insert("x-amzn-errortype", HeaderValue::from_static("ModelError"));
    }
    let headers = response.headers_mut();
    headers.insert("x-amzn-invoked-production-variant", VARIANT);
    response
}

#[cfg(test)]
mod tests {
    use super::is_path;

    #[test]
    fn paths_name_one_endpoint() {
        for (path, expected) in [
            ("/endpoints/bearing-wear/invocations", true),
            ("/endpoints//invocations", false),
            ("/endpoints/a/b/invocations", false),
            ("/endpoints/a/async-invocations", false),
            ("/invocations", false),
        ] {
            assert_eq!(is_path(path), expected, "{path}");
        }
    }
}
