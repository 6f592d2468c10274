//! What a failed call means for the caller: wait longer, try again, or stop trying.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// What a failed call means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The service asks for fewer calls.
    Throttled,
    /// Another attempt may succeed; the call may have had its effect.
    Transient,
    /// No attempt will succeed until someone changes something.
    Permanent,
}

impl Fault {
    /// The word for it in logs and metric dimensions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Transient => "transient",
            Self::Permanent => "permanent",
        }
    }

    /// Whether another attempt makes sense.
    pub const fn is_worth_retrying(self) -> bool {
        !matches!(self, Self::Permanent)
    }

    /// By the service's error code: that of a call or of one entry of a batch that failed.
    /// A code that is not known here is permanent.
    pub fn of_code(code: &str) -> Self {
        // Services of the query protocol put a namespace before the code.
        let code = code.rsplit(['#', '.']).next().unwrap_or(code);
        match code {
            "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "Throttled"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "BandwidthLimitExceeded"
            | "LimitExceededException"
            | "KMSThrottlingException"
            | "KMSThrottling"
            | "SlowDown" => Self::Throttled,
            "InternalFailure"
            | "InternalError"
            | "InternalServerError"
            | "InternalServerException"
            | "ServiceUnavailable"
            | "ServiceUnavailableException"
            | "RequestTimeout"
            | "RequestTimeoutException"
            | "TransactionConflictException"
            | "TransactionInProgressException"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired" => Self::Transient,
            _ => Self::Permanent,
        }
    }

    fn of_response(code: Option<&str>, status: u16) -> Self {
        match code.map_or(Self::Permanent, Self::of_code) {
            Self::Permanent if status == 429 => Self::Throttled,
            Self::Permanent if status >= 500 => Self::Transient,
            fault => fault,
        }
    }
}

/// What the failure of a call means, by the service's code, the status or the lack of an answer.
pub fn classify<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Fault {
    match error {
        SdkError::ServiceError(service) => {
            Fault::of_response(service.err().code(), service.raw().status().as_u16())
        }
        // An answer that breaks off or cannot be read says nothing about the next attempt.
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            Fault::Transient
        }
        _ => Fault::Permanent,
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    #[track_caller]
    fn check(code: Option<&str>, status: u16, expected: Fault) {
        let mut metadata = ErrorMetadata::builder();
        if let Some(code) = code {
            metadata = metadata.code(code);
        }
        let status = status.try_into().unwrap();
        let error = SdkError::service_error(
            metadata.build(),
            HttpResponse::new(status, SdkBody::empty()),
        );
        assert_eq!(classify(&error), expected, "{code:?} {status}");
    }

    #[test]
    fn answers_are_classified_by_code_and_then_by_status() {
        check(
            Some("ProvisionedThroughputExceededException"),
            400,
            Fault::Throttled,
        );
        check(
            Some("com.amazonaws.dynamodb.v20120810#ThrottlingException"),
            400,
            Fault::Throttled,
        );
        check(Some("SlowDown"), 503, Fault::Throttled);
        check(Some("InternalFailure"), 500, Fault::Transient);
        check(Some("Unheard"), 502, Fault::Transient);
        check(None, 503, Fault::Transient);
        check(None, 429, Fault::Throttled);
        check(
            Some("ConditionalCheckFailedException"),
            400,
            Fault::Permanent,
        );
        check(Some("AccessDeniedException"), 400, Fault::Permanent);
        check(Some("ResourceNotFoundException"), 400, Fault::Permanent);
        check(None, 403, Fault::Permanent);
    }

    #[test]
    fn no_answer_is_worth_another_attempt() {
        let errors: [SdkError<ErrorMetadata, HttpResponse>; 3] = [
            SdkError::timeout_error("late"),
            SdkError::dispatch_failure(ConnectorError::io("reset".into())),
            SdkError::response_error(
                "cut off",
                HttpResponse::new(200.try_into().unwrap(), SdkBody::empty()),
            ),
        ];
        assert!(
            errors
                .iter()
                .all(|error| classify(error) == Fault::Transient)
        );
        let unsent: SdkError<ErrorMetadata, HttpResponse> =
            SdkError::construction_failure("no key");
        assert_eq!(classify(&unsent), Fault::Permanent);
    }
}
