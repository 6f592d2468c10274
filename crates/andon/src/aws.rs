//! AWS as the command line reaches it: every client is built from [`AwsOptions::load`], every failed call becomes a message here.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::timeout::TimeoutConfig;
use clap::Args;

use crate::failure::Failure;

/// Which AWS; what is left out comes from the environment and the profile, as with every AWS tool.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "AWS")]
pub struct AwsOptions {
    /// Another endpoint than AWS's own, such as a local emulator
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// The region
    #[arg(long, value_name = "NAME")]
    pub region: Option<String>,
    /// The profile in the AWS configuration files
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

impl AwsOptions {
    /// Region, credentials and endpoints.
    pub async fn load(&self) -> SdkConfig {
        let https = Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(https)
            .timeout_config(TimeoutConfig::builder().read_timeout(READ_TIMEOUT).build());
        if let Ok(name) = AppName::new("andon") {
            loader = loader.app_name(name);
        }
        if let Some(url) = &self.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        loader.load().await
    }
}

/// How long an attempt's answer is waited for, from the first byte that is sent: 5 MiB on a slow line take their time. A
/// connection whose other end is gone would otherwise be waited for as long as the system does.
const READ_TIMEOUT: Duration = Duration::from_secs(120);
/// The same for a function that is invoked: longer than the 15 minutes that it may take.
const INVOCATION_TIMEOUT: Duration = Duration::from_secs(930);

/// Lambda, whose answer comes when the function has ended.
pub fn lambda(sdk: &SdkConfig) -> aws_sdk_lambda::Client {
    let patient = TimeoutConfig::builder()
        .read_timeout(INVOCATION_TIMEOUT)
        .build();
    let config = aws_sdk_lambda::config::Builder::from(sdk).timeout_config(patient);
    aws_sdk_lambda::Client::from_conf(config.build())
}

/// S3 with buckets in the path where the endpoint is not AWS's: an emulator has no name per bucket.
pub fn s3(sdk: &SdkConfig) -> aws_sdk_s3::Client {
    let config =
        aws_sdk_s3::config::Builder::from(sdk).force_path_style(sdk.endpoint_url().is_some());
    aws_sdk_s3::Client::from_conf(config.build())
}

/// What a stack says of itself, by the outputs' names.
pub async fn stack_outputs(
    sdk: &SdkConfig,
    stack: &str,
) -> Result<BTreeMap<String, String>, Failure> {
    let client = aws_sdk_cloudformation::Client::new(sdk);
    let describe = client.describe_stacks().stack_name(stack).send().await;
    let answer =
        describe.map_err(|error| failed(format_args!("cannot describe stack {stack}"), &error))?;
    let outputs = answer.stacks().iter().flat_map(|stack| stack.outputs());
    Ok(outputs
        .filter_map(|output| {
            Some((
                output.output_key()?.to_owned(),
                output.output_value()?.to_owned(),
            ))
        })
        .collect())
}

/// A call that failed, said in the service's own words where it gave any.
pub fn failed<E>(what: impl std::fmt::Display, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let failure = Failure::check(format_args!("{what}: {}", words(error)));
    match error {
        SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => failure.cure(CURE),
        _ => failure,
    }
}

/// What helps where no service answers.
pub const CURE: &str = "check region, credentials and endpoint (--region, --profile, --endpoint-url, or AWS_* in the environment)";

/// The service's code and message, or whatever the SDK knows.
pub fn words<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => {
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(error);
            while let Some(error) = cause {
                text.push_str(&format!(": {error}"));
                cause = error.source();
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    #[tokio::test]
    async fn flags_win() {
        let options = AwsOptions {
            endpoint_url: Some("http://127.0.0.1:4566".into()),
            region: Some("eu-central-1".into()),
            profile: None,
        };
        let sdk = options.load().await;
        assert_eq!(sdk.endpoint_url(), Some("http://127.0.0.1:4566"));
        assert_eq!(sdk.region().map(Region::as_ref), Some("eu-central-1"));
        assert_eq!(sdk.app_name().map(AsRef::as_ref), Some("andon"));
        let timeouts = sdk.timeout_config().unwrap();
        assert_eq!(timeouts.read_timeout(), Some(READ_TIMEOUT));
        let lambda = lambda(&sdk);
        let timeouts = lambda.config().timeout_config().unwrap();
        assert_eq!(timeouts.read_timeout(), Some(INVOCATION_TIMEOUT));
    }

    #[test]
    fn a_refusal_is_told_in_the_services_words() {
        let metadata = ErrorMetadata::builder()
            .code("ResourceNotFoundException")
            .message("Stream x not found")
            .build();
        let error = SdkError::service_error(
            metadata,
            HttpResponse::new(400.try_into().unwrap(), SdkBody::empty()),
        );
        let failure = failed("cannot read stream x", &error);
        assert_eq!(
            failure.to_string(),
            "cannot read stream x: ResourceNotFoundException: Stream x not found"
        );
        assert_eq!(failure.exit_code(), 1);
    }

    #[test]
    fn an_unreachable_endpoint_comes_with_a_cure() {
        let error: SdkError<ErrorMetadata, HttpResponse> =
            SdkError::dispatch_failure(ConnectorError::io("refused".into()));
        let text = failed("cannot read stream x", &error).to_string();
        assert!(
            text.contains("refused") && text.contains("--endpoint-url"),
            "{text}"
        );
    }
}
