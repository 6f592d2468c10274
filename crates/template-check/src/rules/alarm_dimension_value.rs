use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "alarm-dimension-value",
    happens: "no metric has that value: the alarm stays without data and never fires",
    cure: "the resource's name: GetAtt QueueName or TopicName, Ref of a stream, delivery stream or function",
    source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for watched in alarm::watched(deployment) {
        for (name, value) in watched.pairs() {
            let Some(
                [
                    Part::Attribute {
                        resource,
                        attribute,
                    },
                ],
            ) = value.text().map(|text| text.parts.as_slice())
            else {
                continue;
            };
            let Some(kind) = deployment.get(resource).map(|it| it.kind.as_str()) else {
                continue;
            };
            let is = match (kind, name, attribute.as_str()) {
                ("AWS::SQS::Queue", "QueueName", "") => "the queue's URL",
                ("AWS::SNS::Topic", "TopicName", "") => "the topic's ARN",
                (
                    _,
                    "QueueName" | "TopicName" | "StreamName" | "DeliveryStreamName"
                    | "FunctionName",
                    "Arn",
                ) => "an ARN",
                _ => continue,
            };
            let what = format!("the dimension {name} is {is}, not a name");
            report.add(value.place, watched.alarm, &what);
        }
    }
}
