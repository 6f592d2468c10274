use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "code-parallelization",
    happens: "batches of one shard are worked on at once, and what depends on their order goes wrong",
    cure: "ParallelizationFactor as the function bears it; scale with shards",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html",
    check: Check::Code(look),
};

fn look(deployment: &Deployment, manifest: &Manifest, report: &mut Report<'_>) {
    let functions = code::functions(deployment, manifest);
    for mapping in deployment.mappings() {
        let limit = functions
            .iter()
            .find(|(resource, _)| Some(&resource.id) == mapping.function.map(|it| &it.id))
            .and_then(|(_, code)| code.parallelization_limit);
        let field = mapping.field("ParallelizationFactor");
        if let (Some(limit), Some(factor)) = (limit, field.number_or(1.0))
            && factor > f64::from(limit)
        {
            let what =
                format!("{factor} batches of a shard at once, and the function bears {limit}");
            report.add(place_of(field, mapping.resource), mapping.resource, &what);
        }
    }
}
