use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "mapping-cannot-read",
    happens: "Lambda refuses the mapping, or it stands still with an access error",
    cure: "allow the function's role the actions on the source",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        if let Some((action, place)) = refused(deployment, mapping) {
            let what = format!("the function's role does not allow {action} on the source");
            report.add(place, mapping.resource, &what);
        }
    }
}

fn refused(deployment: &Deployment, mapping: Mapping<'_>) -> Option<(&'static str, Place)> {
    let function = mapping.function.filter(|function| !function.by_sam)?;
    let source = mapping.field("EventSourceArn").found()?;
    let grants = iam::grants(deployment, iam::role(deployment, function, "Role")?)?;
    let target = match mapping.by_consumer {
        true => deployment.target(source),
        false => mapping.origin,
    };
    let refused = |action: &&&str| iam::is_refused(deployment, &grants, action, target);
    actions(&mapping)
        .iter()
        .find(refused)
        .map(|action| (*action, source.place))
}

/// What Lambda does with a mapping's source on behalf of the function's role.
pub(super) fn actions(mapping: &Mapping<'_>) -> &'static [&'static str] {
    match mapping.source {
        Source::Kinesis if mapping.by_consumer => &["kinesis:SubscribeToShard"],
        Source::Kinesis => &["kinesis:GetRecords", "kinesis:GetShardIterator"],
        Source::DynamoDb => &["dynamodb:GetRecords", "dynamodb:GetShardIterator"],
        Source::Queue => &[
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
        ],
        Source::Stream | Source::Other => &[],
    }
}
