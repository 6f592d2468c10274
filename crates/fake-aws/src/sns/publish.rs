//! Publish.

use super::message::Published;
use super::{invalid_parameter, reply};
use crate::call::Part;
use crate::connector::Operation;
use crate::protocol::form::Form;
use crate::protocol::{Context, Refusal, Reply, xml};
use crate::world::Services;

#[derive(Debug)]
pub(super) struct Publish {
    topic_arn: String,
    message: Published,
}

impl Publish {
    pub(super) fn read(mut form: Form) -> Result<Self, Refusal> {
        let topic_arn = form.take("TopicArn").ok_or_else(|| {
            invalid_parameter("TopicArn or TargetArn Reason: no value for required parameter")
        })?;
        let message = Published::read(&mut form, None)?;
        form.finish()?;
        Ok(Self { topic_arn, message })
    }
}

impl Operation for Publish {
    fn resource(&self) -> String {
        self.topic_arn.clone()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        vec![Part {
            key: String::new(),
            text: self.message.message.clone().into(),
        }]
    }

    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        services.topics.check(&self.topic_arn)?;
        self.message.check()?;
        let id = services
            .topics
            .publish(&self.topic_arn, self.message.clone(), context.now_ms);
        Ok(reply(
            "Publish",
            &xml::text("MessageId", id),
            &context.request_id,
        ))
    }
}
