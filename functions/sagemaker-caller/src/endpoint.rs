//! The endpoint: the port, and Amazon SageMaker behind it.

use std::future::Future;
use std::time::Duration;

use aws_sdk_sagemakerruntime::Client;
use aws_sdk_sagemakerruntime::config::http::HttpResponse;
use aws_sdk_sagemakerruntime::config::retry::RetryConfig;
use aws_sdk_sagemakerruntime::config::timeout::TimeoutConfig;
use aws_sdk_sagemakerruntime::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sagemakerruntime::operation::invoke_endpoint::InvokeEndpointError;
use aws_smithy_types::Blob;
use control_plan::ContentType;
use lambda_function::aws::{Fault, SdkConfig, classify};

use crate::config::Target;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Who is asked.
pub trait Endpoint {
    /// Asks once; nothing is repeated here.
    fn invoke(
        &self,
        body: Vec<u8>,
        request: ContentType,
        answer: ContentType,
    ) -> impl Future<Output = Result<Answered, CallError>> + Send;
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The answer.
    pub body: Vec<u8>,
    /// The production variant that answered, `-` where none is named.
    pub variant: String,
}

/// Why a call brought no answer.
#[derive(Debug, thiserror::Error)]
#[error("the endpoint did not answer: {}", fate.as_str())]
pub struct CallError {
    /// What follows from it.
    pub fate: Fate,
    /// What the service said.
    #[source]
    pub cause: Box<dyn std::error::Error + Send + Sync>,
}

/// What follows from a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The endpoint asks for fewer calls: it is alive.
    Throttled,
    /// The same call may succeed a moment later.
    Passing,
    /// The model refuses what it was asked: no retry cures it.
    Refused,
    /// The endpoint or the permission is missing: somebody has to set it right.
    Setup,
}

impl Fate {
    /// The metric dimension's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Passing => "passing",
            Self::Refused => "refused-by-model",
            Self::Setup => "setup",
        }
    }
}

/// [`Endpoint`] on Amazon SageMaker.
#[derive(Clone, Debug)]
pub struct SageMakerEndpoint {
    client: Client,
    target: Target,
}

impl SageMakerEndpoint {
    /// The target, reached by `client`, which must not retry by itself ([`client`]).
    pub fn new(client: Client, target: Target) -> Self {
        Self { client, target }
    }
}

/// A client that makes each call once: how often and how long is the caller's to say, who knows the deadline and the
/// breaker.
pub fn client(sdk: &SdkConfig) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .disable_read_timeout()
        .disable_operation_attempt_timeout()
        .disable_operation_timeout()
        .build();
    let config = aws_sdk_sagemakerruntime::config::Builder::from(sdk)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    Client::from_conf(config.build())
}

impl Endpoint for SageMakerEndpoint {
    async fn invoke(
        &self,
        body: Vec<u8>,
        request: ContentType,
        answer: ContentType,
    ) -> Result<Answered, CallError> {
        let call = self
            .client
            .invoke_endpoint()
            .endpoint_name(&self.target.endpoint)
            .set_target_model(self.target.model.clone())
            .set_target_variant(self.target.variant.clone())
            .set_inference_component_name(self.target.component.clone())
            .content_type(request.as_str())
            .accept(answer.as_str())
            .body(Blob::new(body));
        match call.send().await {
            Ok(output) => Ok(Answered {
                variant: output.invoked_production_variant.unwrap_or("-".into()),
                body: output.body.map(Blob::into_inner).unwrap_or_default(),
            }),
            Err(error) => Err(CallError {
                fate: fate(&error),
                cause: error.into(),
            }),
        }
    }
}

/// By the model's own status where the model answered, otherwise by SageMaker's code.
fn fate(error: &SdkError<InvokeEndpointError, HttpResponse>) -> Fate {
    let own = error.as_service_error();
    if let Some(InvokeEndpointError::ModelError(model)) = own {
        return match model.original_status_code {
            Some(429) => Fate::Throttled,
            Some(status) if (400..500).contains(&status) => Fate::Refused,
            _ => Fate::Passing,
        };
    }
    let passing = [
        "ModelNotReadyException",
        "InternalDependencyException",
        "ServiceUnavailable",
    ];
    match classify(error) {
        Fault::Throttled if error.code() == Some("ModelNotReadyException") => Fate::Passing,
        Fault::Throttled => Fate::Throttled,
        Fault::Transient => Fate::Passing,
        Fault::Permanent if error.code().is_some_and(|code| passing.contains(&code)) => {
            Fate::Passing
        }
        Fault::Permanent => Fate::Setup,
    }
}
