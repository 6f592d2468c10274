//! An HTTP request as the SDK sent it, its body read to the end.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;

use super::percent;

/// An HTTP request, its body read to the end.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) host: String,
    /// Still percent-encoded, with its leading slash.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Request {
    /// Reads the request, with its body to the end.
    pub(crate) async fn read(mut request: HttpRequest) -> Result<Self, ConnectorError> {
        let body = std::mem::replace(request.body_mut(), SdkBody::taken());
        let body = ByteStream::new(body)
            .collect()
            .await
            .map_err(|fault| ConnectorError::user(fault.into()))?
            .into_bytes();
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Ok(Self::new(request.method(), request.uri(), headers, body))
    }

    fn new(method: &str, uri: &str, headers: Vec<(String, String)>, body: Bytes) -> Self {
        let after_scheme = uri.split_once("://").map_or(uri, |(_, rest)| rest);
        let (host, target) = match after_scheme.find(['/', '?']) {
            Some(at) => after_scheme.split_at(at),
            None => (after_scheme, "/"),
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = if path.is_empty() { "/" } else { path };
        let query = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (percent::decode(name), percent::decode(value)))
            .collect();
        Self {
            method: method.to_owned(),
            host: host.to_owned(),
            path: path.to_owned(),
            query,
            headers,
            body,
        }
    }

    /// A header by its lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// All headers, names in lower case.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The SDK's attempt, from `amz-sdk-request: attempt=2; max=3`.
    pub(crate) fn attempt(&self) -> u32 {
        self.header("amz-sdk-request")
            .and_then(|value| {
                value
                    .split(';')
                    .find_map(|field| field.trim().strip_prefix("attempt="))
            })
            .and_then(|attempt| attempt.parse().ok())
            .unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_come_apart() {
        for (uri, host, path, query) in [
            (
                "https://sns.eu-central-1.amazonaws.com/",
                "sns.eu-central-1.amazonaws.com",
                "/",
                vec![],
            ),
            (
                "https://a.s3.amazonaws.com?list-type=2",
                "a.s3.amazonaws.com",
                "/",
                vec![("list-type", "2")],
            ),
            ("http://127.0.0.1:4566", "127.0.0.1:4566", "/", vec![]),
            (
                "https://a.s3.amazonaws.com/x%20y/z?prefix=a%2Fb&acl",
                "a.s3.amazonaws.com",
                "/x%20y/z",
                vec![("prefix", "a/b"), ("acl", "")],
            ),
        ] {
            let request = Request::new("GET", uri, Vec::new(), Bytes::new());
            let pairs: Vec<_> = request
                .query
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .collect();
            assert_eq!(
                (request.host.as_str(), request.path.as_str(), pairs),
                (host, path, query)
            );
        }
    }

    #[test]
    fn the_attempt_is_read_from_the_sdks_header() {
        let header = |value: &str| vec![("amz-sdk-request".to_owned(), value.to_owned())];
        for (headers, attempt) in [
            (header("attempt=2; max=3"), 2),
            (header("ttl=1; attempt=3"), 3),
            (Vec::new(), 1),
        ] {
            assert_eq!(
                Request::new("POST", "https://x/", headers, Bytes::new()).attempt(),
                attempt
            );
        }
    }
}
