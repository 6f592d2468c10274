use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "partial-failures-off",
    happens: "one failed record sends its whole batch again, and everything that had succeeded is done twice",
    cure: "FunctionResponseTypes: [ReportBatchItemFailures], and a handler that answers with the records that failed",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        if !mapping.is_stream() && mapping.source != Source::Queue {
            continue;
        }
        let place = match mapping.field("FunctionResponseTypes") {
            Field::Missing(place) => place,
            Field::Unknown => continue,
            Field::Found(types) => match types.items() {
                Some(items)
                    if items.iter().all(|item| {
                        item.literal()
                            .is_some_and(|it| it != "ReportBatchItemFailures")
                    }) =>
                {
                    types.place
                }
                _ => continue,
            },
        };
        report.add(place, mapping.resource, "partial failures are not reported");
    }
}
