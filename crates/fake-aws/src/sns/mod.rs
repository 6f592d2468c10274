//! SNS: standard topics and what was published to them, over the Query protocol. Errors are SNS's own.

mod batch;
mod message;
mod publish;

use std::collections::BTreeMap;

use crate::call::Service;
use crate::connector::{Operation, Received};
use crate::protocol::form::Form;
use crate::protocol::{Refusal, Reply, Request, xml};

pub use message::{MessageAttribute, Published};

/// All topics by ARN.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    by_arn: BTreeMap<String, Vec<Published>>,
    /// Messages so far, for their ids.
    count: u64,
}

impl Topics {
    pub(crate) fn create(&mut self, arn: &str) {
        self.by_arn.entry(arn.to_owned()).or_default();
    }

    pub(crate) fn published(&self, arn: &str) -> Option<&[Published]> {
        self.by_arn.get(arn).map(Vec::as_slice)
    }

    fn check(&self, arn: &str) -> Result<(), Refusal> {
        match self.by_arn.contains_key(arn) {
            true => Ok(()),
            false => Err(Refusal::new("NotFound", "Topic does not exist").with_status(404)),
        }
    }

    /// Gives the message's id.
    fn publish(&mut self, arn: &str, mut message: Published, now_ms: i64) -> String {
        self.count += 1;
        message.message_id = format!("00000000-0000-5000-8000-{:012x}", self.count);
        message.at_ms = now_ms;
        let id = message.message_id.clone();
        self.by_arn.entry(arn.to_owned()).or_default().push(message);
        id
    }
}

pub(crate) fn receive(request: &Request) -> Received {
    let mut form = Form::decode(&request.body);
    let name = form.take("Action").unwrap_or_default();
    form.take("Version");
    let operation = match name.as_str() {
        "Publish" => {
            publish::Publish::read(form).map(|publish| Box::new(publish) as Box<dyn Operation>)
        }
        "PublishBatch" => {
            batch::PublishBatch::read(form).map(|batch| Box::new(batch) as Box<dyn Operation>)
        }
        _ => Err(Refusal::new(
            "InvalidAction",
            format!("not supported: {name}"),
        )),
    };
    Received {
        service: Service::Sns,
        name,
        operation,
    }
}

fn invalid_parameter(what: &str) -> Refusal {
    Refusal::new("InvalidParameter", format!("Invalid parameter: {what}"))
}

/// A successful answer around an operation's result.
fn reply(operation: &str, result: &str, request_id: &str) -> Reply {
    let result = xml::element(&format!("{operation}Result"), result);
    let metadata = xml::element("ResponseMetadata", &xml::text("RequestId", request_id));
    let body = format!(
        "<{operation}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">{result}{metadata}</{operation}Response>"
    );
    Reply {
        status: 200,
        headers: vec![("content-type".into(), "text/xml".to_owned())],
        body: body.into(),
        code: None,
    }
}

pub(crate) fn refuse(refusal: &Refusal, request_id: &str) -> Reply {
    let kind = if refusal.status < 500 {
        "Sender"
    } else {
        "Receiver"
    };
    let error = [
        xml::text("Type", kind),
        xml::text("Code", &refusal.code),
        xml::text("Message", &refusal.message),
    ];
    let error = xml::element("Error", &error.concat()) + &xml::text("RequestId", request_id);
    let body = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">{error}</ErrorResponse>"
    );
    Reply {
        status: refusal.status,
        headers: vec![("content-type".into(), "text/xml".to_owned())],
        body: body.into(),
        code: Some(refusal.code.to_string()),
    }
}
