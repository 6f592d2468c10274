use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "queue-under-managed-key",
    happens: "SNS may not use alias/aws/sqs: no message of the topic arrives",
    cure: "SqsManagedSseEnabled: true, or a key of your own that lets sns.amazonaws.com use it",
    source: "https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for (_, queue) in keys::queue_subscriptions(deployment) {
        let Some(id) = queue.properties.get("KmsMasterKeyId") else {
            continue;
        };
        let managed = id
            .text()
            .is_some_and(|key| key.spelling().ends_with("alias/aws/sqs"));
        let shut = keys::key(deployment, id)
            .is_some_and(|key| keys::lets_in(key, "sns.amazonaws.com") == Some(false));
        if managed || shut {
            report.add(
                id.place,
                queue,
                "a topic sends to a queue under a key that SNS may not use",
            );
        }
    }
}
