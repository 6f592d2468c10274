use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "queue-without-dead-letters",
    happens: "a message that fails for ever comes back until its retention is over, and is then gone",
    cure: "RedrivePolicy: {deadLetterTargetArn: ..., maxReceiveCount: 5}",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        if let (Source::Queue, Some(queue)) = (mapping.source, mapping.origin)
            && let Field::Missing(place) = queue.properties.field("RedrivePolicy")
        {
            report.add(
                place,
                queue,
                "a function reads a queue that has no dead-letter queue",
            );
        }
    }
}
