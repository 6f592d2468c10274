use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "record-age-within-timeout",
    happens: "a batch that times out once is too old for a second attempt",
    cure: "MaximumRecordAgeInSeconds of several times the function's Timeout",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        let timeout_s = mapping
            .function
            .and_then(|it| it.properties.field("Timeout").number_or(3.0));
        let window_s = mapping
            .field("MaximumBatchingWindowInSeconds")
            .number_or(0.0);
        let age = mapping.field("MaximumRecordAgeInSeconds").found();
        if let (Some(timeout_s), Some(window_s), Some(age_s), Some(age)) =
            (timeout_s, window_s, mapping.record_age_s(), age)
            && mapping.is_stream()
            && age_s <= timeout_s + window_s
        {
            let what = format!(
                "records are given up at {age_s} s, and an attempt may take {timeout_s} s after {window_s} s of gathering"
            );
            report.add(age.place, mapping.resource, &what);
        }
    }
}
