//! Amazon SageMaker Runtime: InvokeEndpoint (REST, JSON), with the model that the test gives.
//!
//! The runtime's own errors are told by the header `x-amzn-errortype`, a model's by `ModelError` with its status:
//! `API_runtime_InvokeEndpoint`.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::call::{Part, Service};
use crate::connector::{Operation, Received};
use crate::protocol::{Context, Refusal, Reply, Request, percent};
use crate::world::Services;

/// What a container answers to a body of this content type, or the status and the text that it refuses it with.
pub type Container = Box<dyn FnMut(&str, &[u8]) -> Result<Vec<u8>, (u16, String)> + Send>;

/// Endpoints by name.
pub(crate) type Endpoints = BTreeMap<String, Container>;

/// The production variant that answers.
const VARIANT: &str = "main";
/// A real-time endpoint takes so many bytes: 25 MB since 2025, 6 MB before; the smaller one counts here.
const MAX_BODY: usize = 6 * 1024 * 1024;

/// Whether the path is the runtime's.
pub(crate) fn is_path(request: &Request) -> bool {
    endpoint(request).is_some()
}

fn endpoint(request: &Request) -> Option<&str> {
    let name = request.path.strip_prefix("/endpoints/")?;
    name.strip_suffix("/invocations")
        .filter(|name| request.method == "POST" && !name.is_empty() && !name.contains('/'))
}

pub(crate) fn receive(request: &Request) -> Received {
    let name = endpoint(request).map(percent::decode).unwrap_or_default();
    Received {
        service: Service::SageMaker,
        name: "InvokeEndpoint".to_owned(),
        operation: InvokeEndpoint::read(name, request)
            .map(|operation| Box::new(operation) as Box<dyn Operation>),
    }
}

/// Headers that change what is asked, and that the world does not know.
const UNKNOWN: [&str; 4] = [
    "x-amzn-sagemaker-target-container-hostname",
    "x-amzn-sagemaker-custom-attributes",
    "x-amzn-sagemaker-session-id",
    "x-amzn-sagemaker-enable-explanations",
];

struct InvokeEndpoint {
    endpoint: String,
    content_type: String,
    body: Bytes,
}

impl InvokeEndpoint {
    fn read(endpoint: String, request: &Request) -> Result<Self, Refusal> {
        if let Some(name) = UNKNOWN.iter().find(|name| request.header(name).is_some()) {
            return Err(validation(format!("not supported: header {name}")));
        }
        if request.body.len() > MAX_BODY {
            return Err(validation(format!(
                "the body has more than {MAX_BODY} bytes"
            )));
        }
        let content_type = request
            .header("content-type")
            .unwrap_or("application/octet-stream");
        Ok(Self {
            endpoint,
            content_type: content_type.to_owned(),
            body: request.body.clone(),
        })
    }
}

impl Operation for InvokeEndpoint {
    fn resource(&self) -> String {
        self.endpoint.clone()
    }

    /// The rows, one a line: as CSV and JSON Lines have them.
    fn parts(&self, _: &Services) -> Vec<Part> {
        let text = String::from_utf8_lossy(&self.body);
        let rows = text.lines().map(|row| Part {
            key: String::new(),
            text: row.to_owned().into(),
        });
        rows.collect()
    }

    fn perform(&self, services: &mut Services, _: &Context) -> Result<Reply, Refusal> {
        let Some(container) = services.endpoints.get_mut(&self.endpoint) else {
            let account = &services.account;
            let message = format!("Endpoint {} of account {account} not found.", self.endpoint);
            return Err(validation(message));
        };
        match container(&self.content_type, &self.body) {
            Ok(body) => Ok(Reply {
                status: 200,
                headers: vec![
                    ("content-type".into(), self.content_type.clone()),
                    (
                        "x-amzn-invoked-production-variant".into(),
                        VARIANT.to_owned(),
                    ),
                ],
                body: body.into(),
                code: None,
            }),
            Err((status, said)) => Err(model_error(status, &said)),
        }
    }
}

fn validation(message: String) -> Refusal {
    Refusal::new("ValidationError", message)
}

fn model_error(status: u16, said: &str) -> Refusal {
    let side = if status < 500 { "client" } else { "server" };
    let message =
        format!("Received {side} error ({status}) from {VARIANT} with message \"{said}\".");
    Refusal::new("ModelError", message)
        .with_status(424)
        .with_member("OriginalStatusCode", json!(status))
        .with_member("OriginalMessage", json!(said))
        .with_member("LogStreamArn", json!(""))
}

pub(crate) fn refuse(refusal: Refusal) -> Reply {
    let Refusal {
        status,
        code,
        message,
        members,
    } = refusal;
    let mut body: Map<String, Value> = members;
    body.insert("Message".to_owned(), json!(message));
    Reply {
        status,
        headers: vec![
            ("content-type".into(), "application/json".to_owned()),
            ("x-amzn-errortype".into(), code.to_string()),
        ],
        body: Value::Object(body).to_string().into(),
        code: Some(code.into_owned()),
    }
}
