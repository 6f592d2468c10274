//! The world as the SDK's HTTP client: one HTTP request in, faults applied, one HTTP response out.

use std::io;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use crate::call::{Answer, Part, Service};
use crate::fault::{Effect, Parts};
use crate::protocol::{Context, HeldBack, Refusal, Reply, Request, trouble};
use crate::world::{Arrived, Manner, Services, World};
use crate::{dynamodb, kinesis, s3, sagemaker, sns, sqs};

/// One operation with its input: what a service's module makes of a request.
pub(crate) trait Operation: Send {
    /// Table, stream, bucket, topic or queue.
    fn resource(&self) -> String;

    /// What the call is about, in the request's order.
    fn parts(&self, services: &Services) -> Vec<Part>;

    /// For DynamoDB's reads: whether a consistent read was asked for.
    fn consistent(&self) -> Option<bool> {
        None
    }

    /// Whether the answer can name parts that failed.
    fn answers_in_part(&self) -> bool {
        false
    }

    /// Does it and answers. A refusal must leave the world as it was.
    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal>;
}

/// A request that has found its service and, unless it is malformed, its operation.
pub(crate) struct Received {
    pub(crate) service: Service,
    pub(crate) name: String,
    pub(crate) operation: Result<Box<dyn Operation>, Refusal>,
}

/// By what each protocol puts first: the JSON protocols' target, the form's content type, SageMaker's path; the rest is S3's.
pub(crate) fn receive(request: &Request) -> Received {
    let target = request
        .header("x-amz-target")
        .and_then(|target| target.split_once('.'));
    let is_form = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    match target {
        Some(("DynamoDB_20120810", name)) => Received {
            service: Service::DynamoDb,
            name: name.to_owned(),
            operation: dynamodb::operation(name, &request.body),
        },
        Some(("Kinesis_20131202", name)) => Received {
            service: Service::Kinesis,
            name: name.to_owned(),
            operation: kinesis::operation(name, &request.body),
        },
        Some(("AmazonSQS", name)) => Received {
            service: Service::Sqs,
            name: name.to_owned(),
            operation: sqs::operation(name, &request.body),
        },
        _ if is_form => sns::receive(request),
        _ if sagemaker::is_path(request) => sagemaker::receive(request),
        _ => s3::receive(request),
    }
}

/// A refusal in the form that the service's protocol gives it.
pub(crate) fn refuse(service: Service, refusal: Refusal, request_id: &str) -> Reply {
    match service {
        Service::DynamoDb => dynamodb::reply(Err(refusal)),
        Service::Kinesis => kinesis::reply(Err(refusal)),
        Service::S3 => s3::refuse(&refusal, request_id),
        Service::SageMaker => sagemaker::refuse(refusal),
        Service::Sns => sns::refuse(&refusal, request_id),
        Service::Sqs => sqs::reply(Err(refusal)),
    }
}

impl HttpClient for World {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            world: self.clone(),
            read_timeout: settings.read_timeout(),
        })
    }
}

/// The world with one client's settings.
#[derive(Clone, Debug)]
struct Connector {
    world: World,
    read_timeout: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self {
            world,
            read_timeout,
        } = self.clone();
        HttpConnectorFuture::new(async move {
            let request = Request::read(request).await?;
            let answer = answer(world, request);
            match read_timeout {
                None => answer.await,
                Some(limit) => tokio::time::timeout(limit, answer)
                    .await
                    .unwrap_or_else(|elapsed| Err(ConnectorError::timeout(elapsed.into()))),
            }
        })
    }
}

/// Meets the call's fault, if there is one, and does the operation, if the fault lets it.
async fn answer(world: World, request: Request) -> Result<HttpResponse, ConnectorError> {
    let arrived = world.arrive(&request);
    let number = arrived.number;
    let service = arrived.service;
    let reply = match arrived.effect.clone() {
        None => world.perform(&arrived, Manner::default()),
        Some(Effect::StaleRead) => world.perform(
            &arrived,
            Manner {
                stale_reads: true,
                ..Manner::default()
            },
        ),
        Some(Effect::Throttled) => world.refuse(&arrived, trouble::throttled(service)),
        Some(Effect::AccessDenied) => {
            let refusal = trouble::denied(service, &arrived.name, &arrived.resource);
            world.refuse(&arrived, refusal)
        }
        Some(Effect::Refused(status, code, message)) => {
            world.refuse(&arrived, Refusal::new(code, message).with_status(status))
        }
        Some(Effect::FailBefore) => world.refuse(&arrived, trouble::failed(service)),
        Some(Effect::FailAfter) => {
            world.perform(&arrived, Manner::default());
            world.refuse(&arrived, trouble::failed(service))
        }
        Some(Effect::DropBefore) => return Err(dropped(&world, number)),
        Some(Effect::DropAfter) => {
            world.perform(&arrived, Manner::default());
            return Err(dropped(&world, number));
        }
        Some(Effect::TimeoutBefore) => std::future::pending().await,
        Some(Effect::TimeoutAfter) => {
            world.perform(&arrived, Manner::default());
            std::future::pending().await
        }
        Some(Effect::Slow(delay)) => {
            let reply = world.perform(&arrived, Manner::default());
            tokio::time::sleep(delay).await;
            reply
        }
        Some(Effect::Late(delay)) => late(world.clone(), arrived, delay).await?,
        Some(Effect::Partial(parts)) => in_part(&world, &arrived, &parts, None),
        Some(Effect::PartialAs(parts, code, message)) => {
            in_part(&world, &arrived, &parts, Some((code, message)))
        }
    };
    world.note(number, Answer::Status(reply.status, reply.code.clone()));
    response(reply)
}

/// On a task of its own: the request is on its way, whether or not the caller still waits.
async fn late(world: World, arrived: Arrived, delay: Duration) -> Result<Reply, ConnectorError> {
    let task = tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        world.perform(
            &arrived,
            Manner {
                late: true,
                ..Manner::default()
            },
        )
    });
    task.await
        .map_err(|fault| ConnectorError::other(fault.into(), None))
}

fn in_part(
    world: &World,
    arrived: &Arrived,
    parts: &Parts,
    as_error: Option<(&'static str, &'static str)>,
) -> Reply {
    match &arrived.operation {
        Ok(operation) if !operation.answers_in_part() => {
            world.refuse(arrived, trouble::throttled(arrived.service))
        }
        _ => {
            let held_back = HeldBack {
                flags: parts.choose(&arrived.parts),
                as_error,
            };
            world.perform(
                arrived,
                Manner {
                    held_back,
                    ..Manner::default()
                },
            )
        }
    }
}

fn dropped(world: &World, number: u64) -> ConnectorError {
    world.note(number, Answer::Dropped);
    ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into())
}

fn response(reply: Reply) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(reply.status)
        .map_err(|fault| ConnectorError::other(fault.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(reply.body));
    for (name, value) in reply.headers {
        response
            .headers_mut()
            .try_insert(name, value)
            .map_err(|fault| ConnectorError::other(fault.into(), None))?;
    }
    Ok(response)
}
