//! Who may use a key, and which topics and queues need others to.

use crate::deployment::{Deployment, Resource};
use crate::iam::is_like;
use crate::value::{Field, Located};

/// The topics that alarms publish to.
pub(crate) fn alarm_topics(deployment: &Deployment) -> Vec<&Resource> {
    let mut topics: Vec<&Resource> = Vec::new();
    for kind in ["AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"] {
        for alarm in deployment.of(kind) {
            for actions in ["AlarmActions", "OKActions", "InsufficientDataActions"] {
                let actions = alarm.properties.get(actions).and_then(Located::items);
                for action in actions.into_iter().flatten() {
                    topics.extend(deployment.target_of(action, "AWS::SNS::Topic"));
                }
            }
        }
    }
    topics.sort_by(|a, b| a.id.cmp(&b.id));
    topics.dedup_by(|a, b| a.id == b.id);
    topics
}

/// The subscriptions of queues of the template to topics, each with its queue.
pub(crate) fn queue_subscriptions<'a>(
    deployment: &'a Deployment,
) -> Vec<(&'a Resource, &'a Resource)> {
    let subscribed = |subscription: &'a Resource| {
        let is_queue = subscription.properties.get("Protocol")?.literal()? == "sqs";
        let endpoint = subscription.properties.get("Endpoint")?;
        let queue = deployment.target_of(endpoint, "AWS::SQS::Queue")?;
        is_queue.then_some((subscription, queue))
    };
    deployment
        .of("AWS::SNS::Subscription")
        .filter_map(subscribed)
        .collect()
}

/// The key that an id, ARN or alias means, if the template has it.
pub(crate) fn key<'a>(deployment: &'a Deployment, id: &Located) -> Option<&'a Resource> {
    let target = deployment.target(id)?;
    match target.kind.as_str() {
        "AWS::KMS::Key" => Some(target),
        "AWS::KMS::Alias" => {
            deployment.target_of(target.properties.get("TargetKeyId")?, "AWS::KMS::Key")
        }
        _ => None,
    }
}

/// Whether a key's policy lets a service make data keys. `None` where it cannot be told.
pub(crate) fn lets_in(key: &Resource, service: &str) -> Option<bool> {
    let Field::Found(policy) = key.properties.field("KeyPolicy") else {
        return None;
    };
    let mut lets_in = false;
    for statement in policy.get("Statement")?.items()? {
        if statement.is_open() {
            return None;
        }
        if statement.get("Effect")?.literal()? != "Allow" {
            continue;
        }
        let mut named = false;
        let principal = statement.get("Principal")?;
        if principal.literal() == Some("*") {
            named = true;
        }
        if let Some(services) = principal.get("Service") {
            for item in services.items()? {
                named |= is_service(item, service)?;
            }
        }
        for action in statement.get("Action")?.items()? {
            lets_in |= named && is_like(action.literal()?, "kms:GenerateDataKey");
        }
    }
    Some(lets_in)
}

/// Whether a principal is the service. `logs.${AWS::Region}.amazonaws.com` is told by its first part.
fn is_service(principal: &Located, service: &str) -> Option<bool> {
    let spelling = principal.text()?.spelling();
    let first = |name: &str| name.split('.').next().map(str::to_owned);
    match principal.literal() {
        Some(name) => Some(name == service || name == "*"),
        None if spelling.starts_with('$') => None,
        None => Some(first(&spelling) == first(service)),
    }
}
