//! A rule's entry in the plan.

use std::collections::BTreeMap;

use quality_event::{Reaction, Severity};

use super::{RuleBody, RuleKind, Sustain, specification, summary, sustain, when};
use crate::check::Check;
use crate::check::yaml::Node;
use crate::digest::Definition;
use crate::expression::{Meaning, Names, Tendency};

/// Longest rule id: it names metrics and keys.
const MAX_ID_CHARS: usize = 64;

const KEYS: [&str; 7] = [
    "id",
    "when",
    "specification",
    "for",
    "severity",
    "reaction",
    "summary",
];

const KINDS: &str = "; rule kinds are `when` and `specification`";

/// What rules refer to.
pub(crate) struct Scope<'s> {
    pub(crate) names: &'s Names,
    /// The digest of each name's definition.
    pub(crate) definitions: &'s BTreeMap<String, u64>,
}

pub(crate) fn parse(check: &mut Check<'_>, node: &Node, scope: &Scope<'_>) -> Option<RuleBody> {
    let entries = check.mapping(node, "a rule", &KEYS, KINDS)?;
    let id = entries
        .require(check, "id")
        .and_then(|node| id(check, node));
    let kind = match (entries.get("when"), entries.get("specification")) {
        (Some(node), None) => when::parse(check, node, scope.names).map(Kind::When),
        (None, Some(node)) => {
            specification::parse(check, node, scope.names).map(Kind::Specification)
        }
        (None, None) => {
            if !entries.has_unknown() {
                check.fault(entries.span(), format!("this rule watches nothing{KINDS}"));
            }
            None
        }
        (Some(_), Some(_)) => {
            let second = entries
                .entry("specification")
                .map_or(entries.span().clone(), |entry| entry.key.span.clone());
            check.fault(
                &second,
                "a rule is of one kind: either `when` or `specification`",
            );
            None
        }
    };
    let sustain = entries.get("for").map(|node| sustain::parse(check, node));
    let severity = match entries.get("severity") {
        None => Some(Severity::default()),
        Some(node) => check.choice(
            node,
            "severity",
            &[Severity::Info, Severity::Warning, Severity::Critical]
                .map(|severity| (severity.as_str(), severity)),
        ),
    };
    let reaction = match entries.get("reaction") {
        None => Some(Reaction::default()),
        Some(node) => check.choice(
            node,
            "reaction",
            &[Reaction::Record, Reaction::Notify, Reaction::StopLine]
                .map(|reaction| (reaction.as_str(), reaction)),
        ),
    };
    let summary = entries
        .get("summary")
        .map(|node| summary::parse(check, node, scope.names));

    let sustain = match sustain {
        None => None,
        Some(found) => Some(found?),
    };
    let summary = match summary {
        None => None,
        Some(found) => Some(found?),
    };
    let kind = kind?;
    let definition = kind.definition(scope, sustain);
    let (kind, characteristics) = kind.finish();
    Some(RuleBody {
        id: id?,
        kind,
        sustain,
        severity: severity?,
        reaction: reaction?,
        summary,
        definition,
        characteristics,
    })
}

/// A kind with what it refers to.
enum Kind {
    When(when::When),
    Specification((String, super::Specification)),
}

impl Kind {
    fn definition(&self, scope: &Scope<'_>, sustain: Option<Sustain>) -> u64 {
        let known = |name: &str| scope.definitions.get(name).copied().unwrap_or_default();
        let definition = match self {
            Kind::When(when) => when.compiled.uses.iter().fold(
                Definition::new("when").text(&when.text),
                |definition, (name, _)| definition.text(name).definition(known(name)),
            ),
            Kind::Specification((name, limits)) => Definition::new("specification")
                .definition(known(name))
                .text(name)
                .number(limits.lower.unwrap_or(f64::NAN))
                .number(limits.upper.unwrap_or(f64::NAN)),
        };
        match sustain {
            None => definition,
            Some(Sustain::Readings(readings)) => {
                definition.text("readings").number(f64::from(readings))
            }
            Some(Sustain::Millis(ms)) => definition.text("ms").number(ms as f64),
        }
        .finish()
    }

    fn finish(self) -> (RuleKind, Vec<(u16, Tendency)>) {
        match self {
            Kind::Specification((_, limits)) => {
                let tendency = Tendency::outside(limits.lower, limits.upper);
                (
                    RuleKind::Specification(limits),
                    vec![(limits.characteristic, tendency)],
                )
            }
            Kind::When(when) => {
                let tendency = |slot: u16| {
                    let found = when
                        .compiled
                        .tendencies
                        .iter()
                        .find(|(known, _)| *known == slot);
                    found.map_or(Tendency::default(), |(_, tendency)| *tendency)
                };
                let used = when
                    .compiled
                    .uses
                    .iter()
                    .filter_map(|(_, meaning)| match meaning {
                        Meaning::Characteristic(slot) => Some((*slot, tendency(*slot))),
                        _ => None,
                    });
                let used = used.collect();
                (RuleKind::When(when), used)
            }
        }
    }
}

fn id(check: &mut Check<'_>, node: &Node) -> Option<String> {
    let text = check.text(node, "id")?;
    let kebab = text.split('-').all(|word| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    }) && text.starts_with(|c: char| c.is_ascii_lowercase());
    if !kebab {
        check.fault(&node.span, format!("`{text}` is no rule id: use lower-case words and digits joined by `-`, as in `torque-drift`"));
        return None;
    }
    if text.len() > MAX_ID_CHARS {
        check.fault(
            &node.span,
            format!("a rule id has at most {MAX_ID_CHARS} characters"),
        );
        return None;
    }
    Some(text.to_owned())
}
