//! A request to AWS as the faults see it: which service and operation, and how that service says no.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::json;

/// A service that the functions use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// DynamoDB.
    DynamoDb,
    /// Kinesis.
    Kinesis,
    /// SNS.
    Sns,
    /// S3.
    S3,
    /// The runtime of SageMaker's endpoints.
    SageMaker,
}

/// A refusal that the SDK knows what to do about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum No {
    /// Too much at once.
    Throttled,
    /// The service has failed.
    Failed,
}

/// An answer made up here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// The `content-type`.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

/// The service of a request, and the operation where a header names it.
pub fn named<'a>(method: &Method, path: &str, headers: &'a HeaderMap) -> (Service, &'a str) {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some((service, operation)) = text("x-amz-target").and_then(|at| at.split_once('.')) {
        return match service.starts_with("Kinesis") {
            true => (Service::Kinesis, operation),
            false => (Service::DynamoDb, operation),
        };
    }
    if is_invocation(path) {
        return (Service::SageMaker, "InvokeEndpoint");
    }
    let is_form = text("content-type").is_some_and(|kind| kind.contains("x-www-form-urlencoded"));
    match is_form && *method == Method::POST {
        true => (Service::Sns, ""),
        false => (Service::S3, ""),
    }
}

/// Whether this is InvokeEndpoint's path: the local AWS has no models.
pub fn is_invocation(path: &str) -> bool {
    path.starts_with("/endpoints/") && path.ends_with("/invocations")
}

/// The service's own words for it.
pub fn refusal(service: Service, no: No) -> Refusal {
    let (status, code) = match (service, no) {
        (Service::DynamoDb | Service::Kinesis, No::Throttled) => {
            (400, "ProvisionedThroughputExceededException")
        }
        (Service::DynamoDb, No::Failed) => (500, "InternalServerError"),
        (Service::Kinesis, No::Failed) => (500, "InternalFailure"),
        (Service::Sns, No::Throttled) => (400, "Throttling"),
        (Service::Sns, No::Failed) => (500, "InternalFailure"),
        (Service::S3, No::Throttled) => (503, "SlowDown"),
        (Service::S3, No::Failed) => (500, "InternalError"),
        (Service::SageMaker, No::Throttled) => (400, "ThrottlingException"),
        (Service::SageMaker, No::Failed) => (503, "ServiceUnavailable"),
    };
    let message = "made up by a fault plan";
    let (content_type, body) = match service {
        Service::DynamoDb | Service::Kinesis => (
            "application/x-amz-json-1.1",
            json!({"__type": code, "message": message}).to_string(),
        ),
        Service::Sns => (
            "text/xml",
            format!(
                "<ErrorResponse><Error><Type>Receiver</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>0</RequestId></ErrorResponse>"
            ),
        ),
        Service::SageMaker => (
            "application/json",
            json!({"code": code, "Message": message}).to_string(),
        ),
        Service::S3 => (
            "application/xml",
            format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"),
        ),
    };
    Refusal {
        // Written above.
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        content_type,
        body: body.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_known_by_its_headers() {
        let check = |method, header: Option<(&'static str, &str)>, expected| {
            let mut headers = HeaderMap::new();
            if let Some((name, value)) = header {
                headers.insert(name, value.parse().unwrap());
            }
            assert_eq!(named(&method, "/", &headers), expected);
        };
        check(
            Method::POST,
            Some(("x-amz-target", "Kinesis_20131202.PutRecords")),
            (Service::Kinesis, "PutRecords"),
        );
        check(
            Method::POST,
            Some(("x-amz-target", "DynamoDB_20120810.PutItem")),
            (Service::DynamoDb, "PutItem"),
        );
        check(
            Method::POST,
            Some(("content-type", "application/x-www-form-urlencoded")),
            (Service::Sns, ""),
        );
        check(Method::PUT, None, (Service::S3, ""));
        check(Method::GET, None, (Service::S3, ""));
        let path = "/endpoints/local/invocations";
        let headers = HeaderMap::new();
        let asked = named(&Method::POST, path, &headers);
        assert_eq!(asked, (Service::SageMaker, "InvokeEndpoint"));
    }
}
