use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "nested-parameters",
    happens: "CloudFormation refuses the nested stack, and rolls the whole deployment back",
    cure: "pass each parameter that the nested template declares without a default, no other, and ask for its outputs by name",
    source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-nested-stacks.html",
    check: Check::Written(look),
};

fn look(stacks: &Stacks, report: &mut Report<'_>) {
    for stack in &stacks.all {
        for (place, name, url) in &stack.lost {
            let id = format!("{}{name}", stack.path);
            report.add_for(*place, &id, &id, &format!("there is no template {url}"));
        }
        for (name, child) in &stack.children {
            if let (Some(resource), Some(child)) = (stack.resource(name), stacks.all.get(*child)) {
                parameters(stack, name, resource, child, report);
                outputs(stack, name, child, report);
            }
        }
    }
}

fn parameters(stack: &Stack, name: &str, resource: &Node, child: &Stack, report: &mut Report<'_>) {
    let id = format!("{}{name}", stack.path);
    let passed = resource
        .get("Properties")
        .and_then(|it| it.get("Parameters"));
    if passed.is_some_and(|passed| passed.call().is_some()) {
        return;
    }
    let passed = passed.map_or(&[][..], Node::entries);
    for (key, _) in passed {
        if child.parameter(&key.text).is_none() {
            let what = format!("the nested template has no parameter {}", key.text);
            report.add_for(key.place, &id, &id, &what);
        }
    }
    for (key, parameter) in child.section("Parameters") {
        let given = passed.iter().any(|(own, _)| own.text == key.text);
        if !given && parameter.get("Default").is_none() {
            let what = format!("{} is not passed and has no default", key.text);
            report.add_for(resource.place, &id, &id, &what);
        }
    }
}

fn outputs(stack: &Stack, name: &str, child: &Stack, report: &mut Report<'_>) {
    if child.has_macros() {
        return;
    }
    let prefix = format!("{name}.Outputs.");
    stack.root.walk(&mut |node| {
        let asked = match node.call() {
            Some(("Fn::GetAtt", argument)) => attribute(argument)
                .map(|(resource, attribute)| format!("{resource}.{attribute}"))
                .into_iter()
                .collect(),
            Some(("Fn::Sub", argument)) => {
                let names = substituted(argument).into_iter();
                names.map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        for output in asked.iter().filter_map(|name| name.strip_prefix(&prefix)) {
            if child
                .section("Outputs")
                .iter()
                .all(|(key, _)| key.text != output)
            {
                let id = format!("{}{name}", stack.path);
                let what = format!("the nested template has no output {output}");
                report.add_for(node.place, &id, &id, &what);
            }
        }
    });
}
