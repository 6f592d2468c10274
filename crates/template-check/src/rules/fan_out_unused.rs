use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "fan-out-unused",
    happens: "the consumer is paid for by the hour and the gigabyte, while the mapping shares the shard's 2 MB a second with every other reader",
    cure: "EventSourceArn: the consumer's ARN (Ref)",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for consumer in deployment.of("AWS::Kinesis::StreamConsumer") {
        let stream = consumer
            .properties
            .get("StreamARN")
            .and_then(|arn| deployment.target_of(arn, "AWS::Kinesis::Stream"));
        if stream.is_none() || deployment.is_mentioned(consumer, "AWS::IAM::Role") {
            continue;
        }
        for mapping in deployment.mappings() {
            if mapping.origin.map(|it| &it.id) == stream.map(|it| &it.id)
                && let Some(arn) = mapping.field("EventSourceArn").found()
            {
                let what = "a fan-out consumer exists, and the mapping reads the stream itself";
                report.add(arn.place, mapping.resource, what);
            }
        }
    }
}
