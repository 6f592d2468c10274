use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "key-shuts-out-alarms",
    happens: "CloudWatch may not use the key: the alarm fires and nobody is told",
    cure: "allow cloudwatch.amazonaws.com kms:GenerateDataKey* and kms:Decrypt in the key's policy",
    source: "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for topic in keys::alarm_topics(deployment) {
        let key = topic
            .properties
            .get("KmsMasterKeyId")
            .and_then(|key| keys::key(deployment, key));
        if let Some(key) = key
            && keys::lets_in(key, "cloudwatch.amazonaws.com") == Some(false)
        {
            let what = format!("alarms publish to {}, which is under this key", topic.id);
            report.add(key.place, key, &what);
        }
    }
}
