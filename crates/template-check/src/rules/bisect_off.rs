use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "bisect-off",
    happens: "one record that no attempt survives is sent again with its whole batch, and what is given up in the end is the batch",
    cure: "BisectBatchOnFunctionError: true",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        let field = mapping.field("BisectBatchOnFunctionError");
        if mapping.is_stream() && field.is_on() == Some(false) {
            let place = place_of(field, mapping.resource);
            report.add(place, mapping.resource, "a failing batch is not bisected");
        }
    }
}
