use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "queue-refuses-topic",
    happens: "the queue refuses what the topic sends: messages are dropped, and only NumberOfNotificationsFailed tells",
    cure: "an AWS::SQS::QueuePolicy that lets sns.amazonaws.com do sqs:SendMessage",
    source: "https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    if deployment.is_open {
        return;
    }
    for (subscription, queue) in keys::queue_subscriptions(deployment) {
        let has_policy = ["AWS::SQS::QueuePolicy", "AWS::SQS::QueueInlinePolicy"]
            .iter()
            .flat_map(|kind| deployment.of(kind))
            .any(|policy| {
                let queues = policy
                    .properties
                    .get("Queues")
                    .or(policy.properties.get("Queue"));
                match queues.map(Located::items) {
                    // Whose it is cannot be told: perhaps this one's.
                    None | Some(None) => true,
                    Some(Some(queues)) => queues
                        .iter()
                        .any(|it| deployment.target(it).is_none_or(|it| it.id == queue.id)),
                }
            });
        if !has_policy {
            let what = format!("{} has no policy that lets the topic in", queue.id);
            report.add(subscription.place, subscription, &what);
        }
    }
}
