use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "log-retention-missing",
    happens: "logs are kept, and paid for, for ever",
    cure: "RetentionInDays",
    source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/../logs/Working-with-log-groups-and-streams.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for group in deployment.of("AWS::Logs::LogGroup") {
        if let Field::Missing(place) = group.properties.field("RetentionInDays") {
            report.add(place, group, "no retention is set");
        }
    }
}
