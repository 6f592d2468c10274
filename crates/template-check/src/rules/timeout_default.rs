use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "timeout-default",
    happens: "a batch that takes longer is killed and sent again, as long and as often as the mapping retries",
    cure: "a Timeout that fits a whole batch",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        let batch = mapping.field("BatchSize").number_or(100.0);
        let Some(function) = mapping.function else {
            continue;
        };
        if let Field::Missing(place) = function.properties.field("Timeout")
            && mapping.is_stream()
            && let Some(batch) = batch.filter(|batch| *batch >= 10.0)
        {
            let what = format!("no Timeout is set, and a batch of {batch} records has 3 s");
            report.add(place, function, &what);
        }
    }
}
