use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "log-group-missing",
    happens: "Lambda makes one that keeps logs for ever, unencrypted by your key, and that outlives the stack",
    cure: "an AWS::Logs::LogGroup named /aws/lambda/ and the function's name",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    if deployment.is_open {
        return;
    }
    let groups: Vec<&Resource> = deployment.of("AWS::Logs::LogGroup").collect();
    // A group whose name cannot be told may be anybody's.
    let unnamed = |group: &&&Resource| {
        let field = group.properties.field("LogGroupName");
        field.found().is_some_and(|name| name.text().is_none()) || matches!(field, Field::Unknown)
    };
    if groups.iter().any(|group| unnamed(&group)) {
        return;
    }
    for function in deployment.of("AWS::Lambda::Function") {
        let own = function.properties.field("LoggingConfig.LogGroup");
        let inline = function.properties.entry("InlineCode").is_some();
        let has = groups.iter().any(|group| is_for(group, function));
        if own.is_missing() && !has && !inline {
            report.add(
                function.place,
                function,
                "the function has no log group here",
            );
        }
    }
}
