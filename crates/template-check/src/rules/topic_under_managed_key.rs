use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "topic-under-managed-key",
    happens: "CloudWatch may not use alias/aws/sns: the alarm fires and nobody is told",
    cure: "a key of your own that lets cloudwatch.amazonaws.com use it",
    source: "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for topic in keys::alarm_topics(deployment) {
        if let Some(key) = topic.properties.get("KmsMasterKeyId")
            && key
                .text()
                .is_some_and(|key| key.spelling().ends_with("alias/aws/sns"))
        {
            report.add(
                key.place,
                topic,
                "alarms publish to a topic under the AWS-managed key",
            );
        }
    }
}
