//! The port through which a function is invoked, and Lambda behind it.

use std::future::Future;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::primitives::Blob;
use serde::Deserialize;

use crate::aws::{failed, words};
use crate::failure::Failure;

/// Invokes functions, and waits for their answers.
pub trait Invoker {
    /// The function's answer to `body`.
    fn invoke(
        &self,
        function: &str,
        body: Vec<u8>,
    ) -> impl Future<Output = Result<Vec<u8>, NoAnswer>>;
}

/// The function did not answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// It failed, or there is none that may be invoked: what the call was to bring back has failed.
    Failed(String),
    /// No function can be invoked.
    Unreachable(Failure),
}

/// [`Invoker`] on AWS Lambda.
#[derive(Clone, Debug)]
pub struct Lambda(Client);

impl Lambda {
    /// Invokes through `client`.
    pub fn new(client: Client) -> Self {
        Self(client)
    }
}

impl Invoker for Lambda {
    async fn invoke(&self, function: &str, body: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
        let call = self.0.invoke().function_name(function);
        let answer = match call.payload(Blob::new(body)).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("ResourceNotFoundException") => {
                return Err(NoAnswer::Failed(format!(
                    "there is no function {function} in this account and region"
                )));
            }
            Err(error @ (SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_))) => {
                let what = format!("cannot invoke {function}");
                return Err(NoAnswer::Unreachable(failed(what, &error)));
            }
            Err(error) => return Err(NoAnswer::Failed(words(&error))),
        };
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        match answer.function_error {
            None => Ok(payload),
            Some(_) => Err(NoAnswer::Failed(failure_text(&payload))),
        }
    }
}

/// What a function that failed says of it.
fn failure_text(payload: &[u8]) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Fault {
        error_type: Option<String>,
        error_message: String,
    }
    match serde_json::from_slice(payload) {
        Ok(Fault {
            error_type: Some(kind),
            error_message,
        }) => format!("the function failed: {kind}: {error_message}"),
        Ok(Fault { error_message, .. }) => format!("the function failed: {error_message}"),
        Err(_) => "the function failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_config::{BehaviorVersion, Region, SdkConfig};
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    /// Answers every request alike and remembers where it went.
    #[derive(Clone, Debug)]
    struct Canned {
        status: u16,
        headers: &'static [(&'static str, &'static str)],
        body: &'static str,
        paths: Arc<Mutex<Vec<String>>>,
    }

    impl HttpConnector for Canned {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            self.paths.lock().unwrap().push(request.uri().to_owned());
            if self.status == 0 {
                let refused = ConnectorError::io("connection refused".into());
                return HttpConnectorFuture::ready(Err(refused));
            }
            let body = SdkBody::from(self.body);
            let mut response = HttpResponse::new(self.status.try_into().unwrap(), body);
            for (name, value) in self.headers {
                response.headers_mut().insert(*name, *value);
            }
            HttpConnectorFuture::ready(Ok(response))
        }
    }

    async fn invoke(
        status: u16,
        headers: &'static [(&'static str, &'static str)],
        body: &'static str,
    ) -> (Result<Vec<u8>, NoAnswer>, Vec<String>) {
        let paths = Arc::default();
        let canned = Canned {
            status,
            headers,
            body,
            paths: Arc::clone(&paths),
        };
        let credentials = Credentials::new("x", "x", None, None, "test");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .http_client(http_client_fn(move |_, _| {
                SharedHttpConnector::new(canned.clone())
            }))
            .build();
        let answer = Lambda::new(Client::new(&sdk))
            .invoke("andon-sns-alerter", b"{}".to_vec())
            .await;
        let paths = paths.lock().unwrap().clone();
        (answer, paths)
    }

    #[tokio::test]
    async fn a_function_is_invoked_and_its_answer_given() {
        let (answer, paths) = invoke(200, &[], r#"{"batchItemFailures":[]}"#).await;
        assert_eq!(answer.unwrap(), br#"{"batchItemFailures":[]}"#);
        assert!(
            paths[0].ends_with("/2015-03-31/functions/andon-sns-alerter/invocations"),
            "{paths:?}"
        );
    }

    #[tokio::test]
    async fn a_function_that_fails_says_why() {
        for (status, headers, body, expected) in [
            (
                200,
                &[("x-amz-function-error", "Unhandled")][..],
                r#"{"errorType":"Sandbox.Timedout","errorMessage":"timed out after 60.00 seconds"}"#,
                "the function failed: Sandbox.Timedout: timed out after 60.00 seconds",
            ),
            (
                200,
                &[("x-amz-function-error", "Unhandled")],
                "junk",
                "the function failed",
            ),
            (
                404,
                &[("x-amzn-errortype", "ResourceNotFoundException")],
                r#"{"Message":"Function not found"}"#,
                "there is no function andon-sns-alerter in this account and region",
            ),
            (
                403,
                &[("x-amzn-errortype", "AccessDeniedException")],
                r#"{"Message":"not authorized to perform: lambda:InvokeFunction"}"#,
                "AccessDeniedException: not authorized to perform: lambda:InvokeFunction",
            ),
        ] {
            match invoke(status, headers, body).await.0 {
                Err(NoAnswer::Failed(reason)) => assert_eq!(reason, expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn without_an_endpoint_nothing_can_be_invoked() {
        match invoke(0, &[], "").await.0 {
            Err(NoAnswer::Unreachable(failure)) => {
                assert!(failure.to_string().contains("--region"), "{failure}");
            }
            other => panic!("{other:?}"),
        }
    }
}
