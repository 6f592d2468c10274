use super::prelude::*;
use crate::node::Key;

pub(crate) static RULE: Rule = Rule {
    id: "unresolved-reference",
    happens: "CloudFormation refuses the template",
    cure: "the name of a parameter or resource of this template",
    source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-ref.html",
    check: Check::Written(look),
};

fn look(stacks: &Stacks, report: &mut Report<'_>) {
    for stack in &stacks.all {
        // A macro may declare what is not seen here.
        let open =
            stack.has_macros() || stack.resources().count() < stack.section("Resources").len();
        if open {
            continue;
        }
        let mut tell = |name: &Key, place: Place, missing: &str| {
            let id = format!("{}{}", stack.path, name.text);
            let what = format!("{missing} is declared nowhere in this template");
            report.add_for(place, &id, &id, &what);
        };
        for section in ["Resources", "Outputs", "Conditions"] {
            for (name, entry) in stack.section(section) {
                entry.walk(&mut |node| {
                    for missing in missing(stack, node) {
                        tell(name, node.place, &missing);
                    }
                });
                let condition = entry.get("Condition").filter(|_| section != "Conditions");
                if let Some((node, lost)) = condition
                    .and_then(|node| Some((node, node.text()?)))
                    .filter(|(_, condition)| !is_condition(stack, condition))
                {
                    tell(name, node.place, lost);
                }
            }
        }
        for (name, resource) in stack.resources() {
            let before = resource.get("DependsOn");
            for node in before
                .iter()
                .flat_map(|it| [*it].into_iter().chain(it.items()))
            {
                let is_lost = |name: &&str| {
                    !name.is_empty() && stack.resource(name).is_none() && !is_of_sam(stack, name)
                };
                if let Some(lost) = node.text().filter(is_lost) {
                    tell(name, node.place, lost);
                }
            }
        }
    }
}

fn is_condition(stack: &Stack, name: &str) -> bool {
    let declared = stack.root.get("Conditions");
    declared.is_some_and(|all| all.get(name).is_some())
}

/// The names that a call refers to and that nothing has.
fn missing(stack: &Stack, node: &Node) -> Vec<String> {
    let is_known = |name: &str| {
        name.starts_with("AWS::")
            || stack.parameter(name).is_some()
            || stack.resource(name).is_some()
            || is_of_sam(stack, name)
    };
    let mut names = match node.call() {
        Some(("Ref", argument)) => argument.text().map(str::to_owned).into_iter().collect(),
        Some(("Fn::GetAtt", argument)) => attribute(argument)
            .map(|(name, _)| name)
            .into_iter()
            .collect(),
        Some(("Fn::If", argument)) => {
            let name = argument
                .items()
                .first()
                .and_then(Node::text)
                .unwrap_or_default();
            return match is_condition(stack, name) || name.is_empty() {
                true => Vec::new(),
                false => vec![name.to_owned()],
            };
        }
        Some(("Fn::Sub", argument)) => substituted(argument)
            .into_iter()
            .map(|name| name.split('.').next().unwrap_or_default().to_owned())
            .collect(),
        _ => Vec::new(),
    };
    names.retain(|name| !is_known(name));
    names
}

/// SAM makes resources whose names begin with those that are written, such as a function's role.
fn is_of_sam(stack: &Stack, name: &str) -> bool {
    stack.root.get("Transform").is_some()
        && (name.starts_with("Serverless")
            || stack
                .resources()
                .any(|(own, _)| name.starts_with(own.text.as_str())))
}
