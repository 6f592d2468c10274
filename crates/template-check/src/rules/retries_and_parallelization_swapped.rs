use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "retries-and-parallelization-swapped",
    happens: "the mapping retries as often as it should run in parallel, and runs as many batches of a shard at once as it should retry",
    cure: "each setting takes its own parameter",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        for (setting, other) in [
            ("ParallelizationFactor", "retr"),
            ("MaximumRetryAttempts", "parallel"),
        ] {
            let Some(value) = mapping.field(setting).found() else {
                continue;
            };
            let Some(parameter) = &value.parameter else {
                continue;
            };
            if parameter.to_lowercase().contains(other) {
                let what = format!("{setting} is taken from {parameter}");
                report.add(value.place, mapping.resource, &what);
            }
        }
    }
}
