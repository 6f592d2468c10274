use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "delivery-errors-unlogged",
    happens: "why a delivery fails is written nowhere, and only the objects that never come tell of it",
    cure: "CloudWatchLoggingOptions: {Enabled: true, LogGroupName: ..., LogStreamName: ...}",
    source: "https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-logs.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for delivery in deployment.of("AWS::KinesisFirehose::DeliveryStream") {
        for entry in delivery.properties.entries() {
            let enabled = entry.value.field("CloudWatchLoggingOptions.Enabled");
            let is_destination =
                entry.key.ends_with("DestinationConfiguration") && !entry.value.is_absent();
            if is_destination && enabled.is_on() == Some(false) {
                let place = match enabled {
                    Field::Found(switch) => switch.place,
                    _ => entry.place,
                };
                report.add(place, delivery, "delivery errors are not logged");
            }
        }
    }
}
