//! How each service says that it is throttled, that a permission is missing, that it failed inside.

use super::Refusal;
use crate::call::Service;

pub(crate) fn throttled(service: Service) -> Refusal {
    match service {
        Service::DynamoDb => Refusal::new(
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded. Consider increasing \
             your provisioning level with the UpdateTable API.",
        ),
        Service::Kinesis => Refusal::new(
            "ProvisionedThroughputExceededException",
            "Rate exceeded for shard shardId-000000000000",
        ),
        Service::S3 => {
            Refusal::new("SlowDown", "Please reduce your request rate.").with_status(503)
        }
        Service::SageMaker => Refusal::new("ThrottlingException", "Rate exceeded"),
        Service::Sns => Refusal::new("Throttling", "Rate exceeded"),
        Service::Sqs => Refusal::new("RequestThrottled", "Request is throttled."),
    }
}

pub(crate) fn denied(service: Service, operation: &str, resource: &str) -> Refusal {
    let message = format!("User is not authorized to perform: {operation} on resource: {resource}");
    match service {
        Service::DynamoDb | Service::Kinesis => Refusal::new("AccessDeniedException", message),
        Service::S3 => Refusal::new("AccessDenied", "Access Denied").with_status(403),
        Service::SageMaker => Refusal::new("AccessDeniedException", message).with_status(403),
        Service::Sns => Refusal::new("AuthorizationError", message).with_status(403),
        Service::Sqs => Refusal::new("AccessDeniedException", message).with_status(403),
    }
}

pub(crate) fn failed(service: Service) -> Refusal {
    let code = match service {
        Service::DynamoDb => "InternalServerError",
        Service::Kinesis | Service::SageMaker | Service::Sqs => "InternalFailure",
        Service::S3 | Service::Sns => "InternalError",
    };
    Refusal::new(code, "We encountered an internal error. Please try again.").with_status(500)
}
