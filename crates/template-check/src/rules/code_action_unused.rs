use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "code-action-unused",
    happens: "whoever takes the function over may do more than it ever does",
    cure: "remove the action",
    source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html",
    check: Check::Code(look),
};

/// What Lambda does with the role, for logs, traces, keys and reading the source.
const BY_LAMBDA: [&str; 14] = [
    "logs:",
    "xray:",
    "kms:",
    "ec2:",
    "kinesis:describestream",
    "kinesis:describestreamsummary",
    "kinesis:describestreamconsumer",
    "kinesis:getrecords",
    "kinesis:getsharditerator",
    "kinesis:listshards",
    "kinesis:subscribetoshard",
    "sqs:receivemessage",
    "sqs:deletemessage",
    "sqs:getqueueattributes",
];

fn look(deployment: &Deployment, manifest: &Manifest, report: &mut Report<'_>) {
    for (resource, code) in code::functions(deployment, manifest) {
        let role = code::role(deployment, resource);
        let grants = role.and_then(|role| iam::grants(deployment, role));
        let (Some(grants), Some(actions)) = (grants, &code.actions) else {
            continue;
        };
        let destinations: Vec<&str> = deployment
            .mappings()
            .iter()
            .filter(|it| it.function.map(|it| &it.id) == Some(&resource.id))
            .flat_map(|it| it.destination_actions(deployment))
            .copied()
            .collect();
        for grant in grants.into_iter().filter(|grant| !grant.by_aws) {
            let name = grant.action.to_lowercase();
            let by_lambda = BY_LAMBDA.iter().any(|own| match own.ends_with(':') {
                true => name.starts_with(own),
                false => name == *own,
            });
            let done = |action: &str| iam::is_like(&grant.action, action);
            let by_lambda = by_lambda || destinations.iter().any(|it| done(it));
            if !by_lambda && !actions.iter().any(|it| done(it)) {
                let what = format!("{} never does {}", code.name, grant.action);
                report.add(grant.place, role.unwrap_or(resource), &what);
            }
        }
    }
}
