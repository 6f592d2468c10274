use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "policy-after-use",
    happens: "CloudFormation may make the user before the policy: the deployment fails now and then",
    cure: "DependsOn: the policy",
    source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for delivery in deployment.of("AWS::KinesisFirehose::DeliveryStream") {
        let mut roles = Vec::new();
        delivery.properties.walk(&mut |value| {
            roles.extend(deployment.target_of(value, "AWS::IAM::Role"));
        });
        // What Firehose tries before it makes a delivery stream.
        late(deployment, delivery, &roles, &["kinesis:", "glue:"], report);
    }
    for mapping in deployment.mappings() {
        let role = mapping
            .function
            .and_then(|it| iam::role(deployment, it, "Role"));
        let source = ["kinesis:", "dynamodb:Get", "sqs:ReceiveMessage"];
        late(
            deployment,
            mapping.resource,
            role.as_slice(),
            &source,
            report,
        );
    }
}

fn late(
    deployment: &Deployment,
    user: &Resource,
    roles: &[&Resource],
    needed: &[&str],
    report: &mut Report<'_>,
) {
    let before = deployment.waits_for(user);
    for role in roles {
        let mut policies = iam::attached(deployment, role);
        if let Some(policy) = policies.find(|policy| {
            !before.contains(&policy.id)
                && stack_of(&policy.id) == stack_of(&user.id)
                && allows(policy, needed)
        }) {
            let what = format!("it does not wait for {}", policy.id);
            report.add(user.place, user, &what);
        }
    }
}

/// Whether a policy holds an action that begins like one of these.
fn allows(policy: &Resource, needed: &[&str]) -> bool {
    let mut allows = false;
    policy.properties.walk(&mut |value| {
        allows |= value
            .literal()
            .is_some_and(|action| needed.iter().any(|own| action.starts_with(own)));
    });
    allows
}

fn stack_of(id: &str) -> &str {
    id.rsplit_once('/').map_or("", |(stack, _)| stack)
}
