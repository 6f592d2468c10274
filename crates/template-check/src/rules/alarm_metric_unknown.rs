use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "alarm-metric-unknown",
    happens: "no such metric comes: the alarm stays without data and never fires",
    cure: "a metric and dimensions as the service's page lists them",
    source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for watched in alarm::watched(deployment) {
        let Some(service) = metrics::service(watched.namespace) else {
            continue;
        };
        let alone = |(name, _): &(&str, &Located)| !service.dimensions.contains(name);
        let what = if !service.emits(watched.metric) {
            format!("{} has no metric {}", watched.namespace, watched.metric)
        } else if let Some((name, _)) = watched.pairs().into_iter().find(alone) {
            format!("metrics of {} have no dimension {name}", watched.namespace)
        } else if is_without_get_records(deployment, &watched) {
            "the stream is read by fan-out alone, which emits SubscribeToShardEvent.MillisBehindLatest".to_owned()
        } else {
            continue;
        };
        report.add(watched.place, watched.alarm, &what);
    }
}

/// Whether the stream's only known readers are fan-out consumers, so that nobody calls `GetRecords`.
fn is_without_get_records(deployment: &Deployment, watched: &Watched<'_>) -> bool {
    let stream = watched
        .dimension("StreamName")
        .and_then(|name| deployment.target_of(name, "AWS::Kinesis::Stream"));
    let Some(stream) = stream else {
        return false;
    };
    let readers = deployment.mappings();
    let mut readers = readers
        .iter()
        .filter(|it| it.origin.map(|it| &it.id) == Some(&stream.id))
        .peekable();
    watched.metric.starts_with("GetRecords.")
        && readers.peek().is_some()
        && readers.all(|it| it.by_consumer)
        && deployment
            .of("AWS::KinesisFirehose::DeliveryStream")
            .count()
            == 0
}
