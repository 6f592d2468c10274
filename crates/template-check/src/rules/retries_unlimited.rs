use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "retries-unlimited",
    happens: "a record that fails for ever holds its shard until it leaves the stream, and everything behind it waits or leaves unread",
    cure: "MaximumRecordAgeInSeconds below the stream's retention, or MaximumRetryAttempts",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        let limits = ["MaximumRetryAttempts", "MaximumRecordAgeInSeconds"];
        let without = |limit: &&str| mapping.field(limit).number_or(-1.0) == Some(-1.0);
        if mapping.is_stream() && limits.iter().all(without) {
            let what = "neither attempts nor a record's age are limited";
            report.add(mapping.resource.place, mapping.resource, what);
        }
    }
}
