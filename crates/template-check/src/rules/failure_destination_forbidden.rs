use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "failure-destination-forbidden",
    happens: "Lambda may not write there: what is given up is gone, and only the metric DestinationDeliveryFailures tells",
    cure: "allow the function's role the action on the destination",
    source: "https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for mapping in deployment.mappings() {
        if let Some((place, what)) = refused(deployment, mapping) {
            report.add(place, mapping.resource, &what);
        }
    }
}

fn refused(deployment: &Deployment, mapping: Mapping<'_>) -> Option<(Place, String)> {
    // SAM grants what its events need.
    let function = mapping.function.filter(|function| !function.by_sam)?;
    let destination = mapping.destination().found()?;
    let role = iam::role(deployment, function, "Role")?;
    let grants = iam::grants(deployment, role)?;
    let target = deployment.target(destination);
    let actions = mapping.destination_actions(deployment);
    let refused = |action: &&&str| iam::is_refused(deployment, &grants, action, target);
    let action = actions.iter().find(refused)?;
    let role = role.id.rsplit('/').next().unwrap_or_default();
    Some((
        destination.place,
        format!("{role} does not allow {action} on the failure destination"),
    ))
}
