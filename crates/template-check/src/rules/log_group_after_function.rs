use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "log-group-after-function",
    happens: "a function that is invoked at once makes the group itself, and the stack fails on a group that exists",
    cure: "name the group by the function's own name (Sub), and let the function wait for it (DependsOn)",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    let read: Vec<String> = deployment
        .mappings()
        .iter()
        .filter_map(|mapping| mapping.function.map(|function| function.id.clone()))
        .collect();
    for group in deployment.of("AWS::Logs::LogGroup") {
        let Some(name) = group.properties.get("LogGroupName") else {
            continue;
        };
        let function = deployment.target_of(name, "AWS::Lambda::Function");
        if let Some(function) = function
            && name
                .text()
                .is_some_and(|name| name.resource() == Some(&function.id))
            && read.contains(&function.id)
        {
            let what = format!(
                "the group is made after {}, which a mapping invokes",
                function.id
            );
            report.add(name.place, group, &what);
        }
    }
}
