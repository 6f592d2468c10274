use super::mapping_cannot_read;
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
            let named = deployment.target(value);
            roles.extend(named.filter(|it| it.kind == "AWS::IAM::Role"));
        });
        // What Firehose tries before it makes a delivery stream.
        let tried = |action: &str| {
            ["kinesis:", "glue:"]
                .iter()
                .any(|own| action.starts_with(own))
        };
        late(deployment, delivery, &roles, &tried, report);
    }
    for mapping in deployment.mappings() {
        let role = mapping
            .function
            .and_then(|it| iam::role(deployment, it, "Role"));
        let needed = mapping_cannot_read::actions(&mapping);
        // Alone `*` may be the policy's resource.
        let tried = |action: &str| {
            action.contains(':') && needed.iter().any(|own| iam::is_like(action, own))
        };
        late(
            deployment,
            mapping.resource,
            role.as_slice(),
            &tried,
            report,
        );
    }
}

fn late(
    deployment: &Deployment,
    user: &Resource,
    roles: &[&Resource],
    needed: &dyn Fn(&str) -> bool,
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

/// Whether a policy holds an action that is needed.
fn allows(policy: &Resource, needed: &dyn Fn(&str) -> bool) -> bool {
    let mut allows = false;
    policy.properties.walk(&mut |value| {
        allows |= value.literal().is_some_and(needed);
    });
    allows
}

fn stack_of(id: &str) -> &str {
    id.rsplit_once('/').map_or("", |(stack, _)| stack)
}
