use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "code-action-missing",
    happens: "the call is refused, and with it whatever it was for",
    cure: "allow the action on the resource",
    source: "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html",
    check: Check::Code(look),
};

fn look(deployment: &Deployment, manifest: &Manifest, report: &mut Report<'_>) {
    for (resource, code) in code::functions(deployment, manifest) {
        let grants =
            code::role(deployment, resource).and_then(|role| iam::grants(deployment, role));
        let (Some(grants), Some(actions)) = (grants, &code.actions) else {
            continue;
        };
        let place = resource
            .properties
            .get("Role")
            .map_or(resource.place, |role| role.place);
        for action in actions {
            if iam::is_refused(deployment, &grants, action, None) {
                let what = format!(
                    "{} calls {action}, which its role does not allow",
                    code.name
                );
                report.add(place, resource, &what);
            }
        }
    }
}
