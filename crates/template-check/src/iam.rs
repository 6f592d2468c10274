//! What a role in the template may do, as far as the template says all of it.

use crate::deployment::{Deployment, Resource};
use crate::place::Place;
use crate::value::{Field, Located};

/// One action that is allowed, and on what.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) action: String,
    pub(crate) place: Place,
    /// Whether a policy of AWS's own says so, which is not this template's to change.
    pub(crate) by_aws: bool,
    resources: Option<Vec<Located>>,
}

/// What AWS's own policies allow that functions commonly carry. Source: the AWS Managed Policy Reference Guide.
const MANAGED: [(&str, &[&str]); 8] = [
    ("AWSLambdaBasicExecutionRole", LOGS),
    ("AWSXRayDaemonWriteAccess", &["xray:Put*", "xray:Get*"]),
    ("AWSXrayWriteOnlyAccess", &["xray:Put*", "xray:Get*"]),
    ("CloudWatchLambdaInsightsExecutionRolePolicy", LOGS),
    (
        "AWSLambdaVPCAccessExecutionRole",
        &["logs:*", "ec2:*NetworkInterface*"],
    ),
    (
        "AWSLambdaKinesisExecutionRole",
        &[
            "logs:*",
            "kinesis:Describe*",
            "kinesis:Get*",
            "kinesis:List*",
            "kinesis:SubscribeToShard",
        ],
    ),
    (
        "AWSLambdaDynamoDBExecutionRole",
        &[
            "logs:*",
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "dynamodb:ListStreams",
        ],
    ),
    (
        "AWSLambdaSQSQueueExecutionRole",
        &[
            "logs:*",
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
        ],
    ),
];
const LOGS: &[&str] = &[
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
];

/// Everything that a role allows. `None` where a policy cannot be seen in full.
pub(crate) fn grants(deployment: &Deployment, role: &Resource) -> Option<Vec<Grant>> {
    if deployment.is_open || role.properties.is_open() {
        return None;
    }
    let mut grants = Vec::new();
    if let Some(policies) = optional(role.properties.field("Policies"))? {
        for policy in policies.items()? {
            statements(policy.get("PolicyDocument")?, &mut grants)?;
        }
    }
    if let Some(policies) = optional(role.properties.field("ManagedPolicyArns"))? {
        for policy in policies.items()? {
            match deployment.target(policy) {
                Some(own) if own.kind == "AWS::IAM::ManagedPolicy" => {
                    statements(own.properties.get("PolicyDocument")?, &mut grants)?;
                }
                _ => managed(policy, &mut grants)?,
            }
        }
    }
    for policy in attached(deployment, role) {
        statements(policy.properties.get("PolicyDocument")?, &mut grants)?;
    }
    Some(grants)
}

/// The policies that are resources of their own and name the role.
pub(crate) fn attached<'a>(
    deployment: &'a Deployment,
    role: &'a Resource,
) -> impl Iterator<Item = &'a Resource> {
    deployment.resources.iter().filter(move |policy| {
        let names = match policy.kind.as_str() {
            "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" => policy.properties.get("Roles"),
            "AWS::IAM::RolePolicy" => policy.properties.get("RoleName"),
            _ => None,
        };
        let names = names.and_then(Located::items).unwrap_or_default();
        names.iter().any(|name| deployment.is(name, role))
    })
}

/// The role of a function or delivery stream, if the template has it.
pub(crate) fn role<'a>(
    deployment: &'a Deployment,
    of: &Resource,
    property: &str,
) -> Option<&'a Resource> {
    deployment.target_of(of.properties.get(property)?, "AWS::IAM::Role")
}

/// Whether a role certainly may not do something to a resource.
pub(crate) fn is_refused(
    deployment: &Deployment,
    grants: &[Grant],
    action: &str,
    target: Option<&Resource>,
) -> bool {
    !grants.iter().any(|grant| {
        is_like(&grant.action, action)
            && match (&grant.resources, target) {
                (Some(resources), Some(target)) => resources
                    .iter()
                    .any(|pattern| may_cover(deployment, pattern, target)),
                _ => true,
            }
    })
}

/// Whether a text fits a pattern in which `*` stands for anything and `?` for one character, as IAM compares actions.
pub(crate) fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

fn may_cover(deployment: &Deployment, pattern: &Located, target: &Resource) -> bool {
    let Some(text) = pattern.text() else {
        return true;
    };
    if let Some(id) = text.resource() {
        return id == target.id
            || deployment.get(id).is_none_or(|other| {
                // A stream's consumers are named after it.
                target
                    .properties
                    .get("StreamARN")
                    .is_some_and(|arn| deployment.is(arn, other))
            });
    }
    let Some(literal) = text.literal() else {
        return match target.name() {
            Some(name) => {
                let spelling = text.spelling();
                spelling.contains('*') || spelling.contains(&name.spelling())
            }
            None => true,
        };
    };
    literal.contains('*')
        || match target.name() {
            Some(name) => name.literal().is_none_or(|name| literal.contains(name)),
            None => false,
        }
}

/// A field that may be left out; `None` where it cannot be seen.
fn optional(field: Field<'_>) -> Option<Option<&Located>> {
    match field {
        Field::Found(value) => Some(Some(value)),
        Field::Missing(_) => Some(None),
        Field::Unknown => None,
    }
}

fn managed(policy: &Located, grants: &mut Vec<Grant>) -> Option<()> {
    let spelling = policy.text()?.spelling();
    let name = spelling.rsplit('/').next()?;
    let (_, actions) = MANAGED.iter().find(|(known, _)| *known == name)?;
    grants.extend(actions.iter().map(|action| Grant {
        action: (*action).to_owned(),
        place: policy.place,
        by_aws: true,
        resources: None,
    }));
    Some(())
}

fn statements(document: &Located, grants: &mut Vec<Grant>) -> Option<()> {
    for statement in document.get("Statement")?.items()? {
        if statement.is_open() {
            return None;
        }
        if statement.get("Effect")?.literal()? != "Allow" {
            continue;
        }
        let actions = statement.get("Action")?.items()?;
        let resources = statement.get("Resource").and_then(Located::items);
        let resources = resources.map(|all| all.into_iter().cloned().collect::<Vec<_>>());
        for action in actions {
            grants.push(Grant {
                action: action.literal()?.to_owned(),
                place: action.place,
                by_aws: false,
                resources: resources.clone(),
            });
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_compared_as_iam_does() {
        for (pattern, text, expected) in [
            ("*", "s3:PutObject", true),
            ("s3:*", "s3:PutObject", true),
            ("s3:Put*", "s3:putobject", true),
            ("s3:*Object", "s3:PutObject", true),
            ("s3:*Object", "s3:PutObjectAcl", false),
            ("s3:PutObject", "s3:PutObjectAcl", false),
            ("s3:P?tObject", "s3:PutObject", true),
            ("", "s3:PutObject", false),
        ] {
            assert_eq!(is_like(pattern, text), expected, "{pattern} {text}");
        }
    }
}
