use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "code-variable-unread",
    happens: "whoever sets it believes that it does something",
    cure: "the name that the function reads, or nothing",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html",
    check: Check::Code(look),
};

fn look(deployment: &Deployment, manifest: &Manifest, report: &mut Report<'_>) {
    for (resource, code) in code::functions(deployment, manifest) {
        for entry in code::variables(resource).map_or(&[][..], |(_, set)| set) {
            // What the SDK, the runtime and the logger read is theirs.
            let platform = entry.key.starts_with("AWS_") || entry.key.starts_with("RUST_");
            if !platform && code.variables.iter().all(|it| it.name != entry.key) {
                let what = format!("{} does not read {}", code.name, entry.key);
                report.add(entry.place, resource, &what);
            }
        }
    }
}
