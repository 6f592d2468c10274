use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "alarm-without-dimensions",
    happens: "no such metric exists without them: the alarm never fires",
    cure: "Dimensions that name the resource",
    source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html",
    check: Check::Deployed(look),
};

/// Namespaces in which every metric has a dimension.
const NAMESPACES: [&str; 4] = ["AWS/Kinesis", "AWS/Firehose", "AWS/SQS", "AWS/SNS"];

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for watched in alarm::watched(deployment) {
        let place = match watched.dimensions {
            Field::Missing(_) => watched.place,
            Field::Found(list) if list.items().is_some_and(|items| items.is_empty()) => list.place,
            _ => continue,
        };
        let limit = watched.metric.ends_with("Limit") || watched.metric.starts_with("SMS");
        if NAMESPACES.contains(&watched.namespace) && !limit {
            let what = format!("the alarm on {} has no dimensions", watched.metric);
            report.add(place, watched.alarm, &what);
        }
    }
}
