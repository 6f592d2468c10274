use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "condition-as-value",
    happens: "a condition function is no property's value: CloudFormation refuses the template",
    cure: "a condition under Conditions, and Fn::If where the value is wanted",
    source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html",
    check: Check::Written(look),
};

fn look(stacks: &Stacks, report: &mut Report<'_>) {
    for stack in &stacks.all {
        for (name, resource) in stack.resources() {
            let id = format!("{}{}", stack.path, name.text);
            resource.walk(&mut |node| {
                if let Some((function @ ("Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not"), _)) =
                    node.call()
                {
                    report.add_for(
                        node.place,
                        &id,
                        &id,
                        &format!("{function} stands in a property"),
                    );
                }
            });
        }
    }
}
