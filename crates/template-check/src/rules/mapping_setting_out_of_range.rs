use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "mapping-setting-out-of-range",
    happens: "Lambda refuses the mapping, and the deployment is rolled back",
    cure: "a value within the range",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/../api/API_CreateEventSourceMapping.html",
    check: Check::Deployed(look),
};

/// Setting, least, most. -1 (no limit) is told apart.
const RANGES: [(&str, f64, f64, bool); 6] = [
    ("BatchSize", 1.0, 10_000.0, false),
    ("MaximumBatchingWindowInSeconds", 0.0, 300.0, false),
    ("ParallelizationFactor", 1.0, 10.0, false),
    ("MaximumRetryAttempts", 0.0, 10_000.0, true),
    ("MaximumRecordAgeInSeconds", 60.0, 604_800.0, true),
    ("TumblingWindowInSeconds", 0.0, 900.0, false),
];

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        for (setting, least, most, unlimited) in RANGES {
            let Some(value) = mapping.field(setting).found() else {
                continue;
            };
            let Some(number) = value.number() else {
                continue;
            };
            let fits = (least..=most).contains(&number) || (unlimited && number == -1.0);
            if !fits {
                let what = format!("{setting} is {number}, not between {least} and {most}");
                report.add(value.place, mapping.resource, &what);
            }
        }
    }
}
