//! Exceptions: findings that somebody has looked at and accepts, with the reason beside the resource.
//!
//! ```yaml
//! Metadata:
//!   Andon:
//!     Exceptions:
//!       bisect-off: a batch is one order, which must not be split
//! ```

use crate::finding::Report;
use crate::node::Node;
use crate::place::Place;
use crate::rule::Check;
use crate::rules::{RULES, exception_unused, exception_without_reason};
use crate::stack::Stacks;

struct Exception {
    resource: String,
    rule: String,
    reason: String,
    place: Place,
    used: bool,
}

/// Takes away what is excepted; an exception that takes nothing away is a finding, as is one without a reason.
pub(crate) fn apply(stacks: &Stacks, with_code: bool, report: &mut Report<'_>) {
    let mut exceptions = written(stacks);
    report.findings.retain(|finding| {
        let mut kept = true;
        for exception in &mut exceptions {
            if exception.rule == finding.rule && exception.resource == finding.owner {
                exception.used = true;
                kept = false;
            }
        }
        kept
    });
    let used: Vec<Place> = exceptions
        .iter()
        .filter(|exception| exception.used)
        .map(|exception| exception.place)
        .collect();
    for exception in &exceptions {
        let Exception {
            resource,
            rule,
            reason,
            place,
            ..
        } = exception;
        let known = RULES.iter().find(|it| it.id == rule);
        let looked_at = known.is_none_or(|it| with_code || !matches!(it.check, Check::Code(_)));
        if reason.trim().is_empty() {
            let what = format!("the exception from {rule} has no reason");
            let report = report.by(&exception_without_reason::RULE);
            report.add_for(*place, resource, resource, &what);
        } else if !used.contains(place) && looked_at {
            let what = match known {
                Some(_) => format!("nothing here is excepted from {rule}"),
                None => format!("there is no rule {rule}"),
            };
            let report = report.by(&exception_unused::RULE);
            report.add_for(*place, resource, resource, &what);
        }
    }
}

fn written(stacks: &Stacks) -> Vec<Exception> {
    let mut found = Vec::new();
    for stack in &stacks.all {
        for (name, resource) in stack.resources() {
            let exceptions = resource
                .get("Metadata")
                .and_then(|metadata| metadata.get("Andon")?.get("Exceptions"));
            for (rule, reason) in exceptions.map_or(&[][..], Node::entries) {
                found.push(Exception {
                    resource: format!("{}{}", stack.path, name.text),
                    rule: rule.text.clone(),
                    reason: reason.text().unwrap_or_default().to_owned(),
                    place: rule.place,
                    used: false,
                });
            }
        }
    }
    found
}
