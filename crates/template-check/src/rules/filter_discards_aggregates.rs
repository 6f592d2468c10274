use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "filter-discards-aggregates",
    happens: "the filter sees the aggregate, which is no JSON: every record is discarded, and no error tells",
    cure: "filter in the function, after taking aggregates apart",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        let filters = mapping.field("FilterCriteria.Filters").found();
        let (Source::Kinesis, Some(stream), Some(filters)) =
            (mapping.source, mapping.origin, filters)
        else {
            continue;
        };
        let by_data = filters.items().into_iter().flatten().find(|filter| {
            let pattern = filter.get("Pattern").and_then(Located::literal);
            pattern.is_some_and(|pattern| pattern.contains("\"data\""))
        });
        if let (Some(filter), Some(producer)) = (by_data, producer(deployment, stream)) {
            let what = format!(
                "records are filtered by their data, and {producer} does not put JSON on the stream"
            );
            report.add(filter.place, mapping.resource, &what);
        }
    }
}

/// What puts aggregates, or compressed records, on the stream.
fn producer(deployment: &Deployment, stream: &Resource) -> Option<String> {
    let compressed = deployment.of("AWS::Logs::SubscriptionFilter").find(|it| {
        it.properties
            .get("DestinationArn")
            .is_some_and(|arn| deployment.is(arn, stream))
    });
    if let Some(subscription) = compressed {
        return Some(format!("{} (gzip)", subscription.id));
    }
    let aggregating = deployment.of("AWS::Lambda::Function").find(|function| {
        let variables = function.properties.get("Environment.Variables");
        let variables = variables.map_or(&[][..], Located::entries);
        let aggregates = variables.iter().any(|variable| {
            variable.key.to_lowercase().contains("aggregat")
                && variable.value.boolean() == Some(true)
        });
        let names = |it: &Entry| {
            let named = deployment.target(&it.value);
            named.is_some_and(|it| it.id == stream.id)
        };
        aggregates && variables.iter().any(names)
    });
    aggregating.map(|function| format!("{} (aggregation)", function.id))
}
