use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "code-partial-failures",
    happens: "an answer that is no list of failures counts as success: what failed is never sent again",
    cure: "FunctionResponseTypes as the handler answers",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html",
    check: Check::Code(look),
};

fn look(deployment: &Deployment, manifest: &Manifest, report: &mut Report<'_>) {
    let functions = code::functions(deployment, manifest);
    for mapping in deployment.mappings() {
        let code = functions
            .iter()
            .find(|(resource, _)| Some(&resource.id) == mapping.function.map(|it| &it.id));
        if let Some((_, code)) = code
            && let Some(types) = mapping.field("FunctionResponseTypes").found()
            && types.items().is_some_and(|items| !items.is_empty())
            && !code.partial_failures
        {
            let what = format!("{} does not answer with failed records", code.name);
            report.add(types.place, mapping.resource, &what);
        }
    }
}
