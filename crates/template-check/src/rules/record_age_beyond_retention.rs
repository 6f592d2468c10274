use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "record-age-beyond-retention",
    happens: "a failing record leaves the stream before it is given up, so that the failure destination never hears of it",
    cure: "MaximumRecordAgeInSeconds well below the stream's RetentionPeriodHours",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        let kept_s = match (mapping.source, mapping.origin) {
            (Source::Kinesis, Some(stream)) => retention_s(stream),
            (Source::DynamoDb, _) => Some(86_400.0),
            _ => None,
        };
        let age = mapping.field("MaximumRecordAgeInSeconds").found();
        if let (Some(kept_s), Some(age_s), Some(age)) = (kept_s, mapping.record_age_s(), age)
            && age_s >= kept_s
            // Otherwise the attempts end it.
            && mapping.field("MaximumRetryAttempts").number_or(-1.0) == Some(-1.0)
        {
            let what = format!(
                "records are given up at {age_s} s, and the stream keeps them for {kept_s} s"
            );
            report.add(age.place, mapping.resource, &what);
        }
    }
}
