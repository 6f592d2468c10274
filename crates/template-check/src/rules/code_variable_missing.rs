use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "code-variable-missing",
    happens: "the function does not start: every invocation fails",
    cure: "set it under Environment: Variables",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
    check: Check::Code(look),
};

fn look(deployment: &Deployment, manifest: &Manifest, report: &mut Report<'_>) {
    for (resource, code) in code::functions(deployment, manifest) {
        let Some((place, set)) = code::variables(resource) else {
            continue;
        };
        for variable in code.variables.iter().filter(|it| it.required) {
            let is_set = |entry: &Entry| entry.key == variable.name && !entry.value.is_absent();
            if !set.iter().any(is_set) {
                let what = format!("{} needs {}", code.name, variable.name);
                report.add(place, resource, &what);
            }
        }
    }
}
