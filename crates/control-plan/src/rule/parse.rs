//! A rule's entry in the plan.

use std::collections::BTreeMap;

use quality_event::{Reaction, Severity};

use super::{RuleBody, RuleKind};
use super::{chart, gap, missing, rate, specification, stuck, summary, sustain, when};
use crate::check::yaml::Node;
use crate::check::{Check, Entries};
use crate::expression::{Meaning, Names, Tendency};
use crate::plan::Characteristic;
use crate::reading::{AttributeId, CharacteristicId};

/// Longest rule id: it names metrics and keys.
const MAX_ID_CHARS: usize = 64;

/// What other readers of YAML take for a truth value.
pub(crate) const NO_IDS: [&str; 2] = ["true", "false"];

/// The keys of which a rule has exactly one.
pub(crate) const KINDS: [&str; 7] = [
    "when",
    "specification",
    "chart",
    "rate",
    "stuck",
    "missing",
    "gap",
];

/// Kinds that say themselves for how long: they take no `for`.
pub(crate) const WITHOUT_FOR: [(&str, &str); 3] = [
    ("stuck", "its `readings` say for how long"),
    ("missing", "its `readings` say for how long"),
    ("gap", "its `seconds` say for how long"),
];

/// The keys that any rule may have.
pub(super) const KEYS: [&str; 5] = ["id", "for", "severity", "reaction", "summary"];

const KINDS_NOTE: &str =
    "; rule kinds are `when`, `specification`, `chart`, `rate`, `stuck`, `missing` and `gap`";

/// What rules refer to.
pub(crate) struct Scope<'s> {
    pub(crate) names: &'s Names,
    /// The digest of each name's definition.
    pub(crate) definitions: &'s BTreeMap<String, u64>,
    pub(crate) characteristics: &'s [Characteristic],
    pub(crate) attributes: &'s [String],
}

impl Scope<'_> {
    pub(super) fn name_of(&self, characteristic: CharacteristicId) -> &str {
        &self.characteristics[usize::from(characteristic.0)].name
    }

    pub(super) fn attribute_name(&self, attribute: AttributeId) -> &str {
        &self.attributes[usize::from(attribute.0)]
    }

    pub(super) fn definition(&self, name: &str) -> u64 {
        self.definitions.get(name).copied().unwrap_or_default()
    }

    pub(super) fn definition_of(&self, characteristic: CharacteristicId) -> u64 {
        self.definition(self.name_of(characteristic))
    }
}

/// The mappings of a rule, by the names of the schema's types, with the keys that the parser knows in each.
#[cfg(all(test, feature = "schema"))]
pub(crate) fn known_keys() -> [(&'static str, Vec<&'static str>); 9] {
    [
        ("Rule", KEYS.into_iter().chain(KINDS).collect()),
        ("For", sustain::KEYS.to_vec()),
        ("Specification", specification::KEYS.to_vec()),
        ("Rate", rate::KEYS.to_vec()),
        ("Stuck", stuck::KEYS.to_vec()),
        ("Missing", missing::KEYS.to_vec()),
        ("Gap", gap::KEYS.to_vec()),
        ("Chart", chart::all_keys()),
        ("By", chart::SUBGROUP_KEYS.to_vec()),
    ]
}

pub(crate) fn parse(check: &mut Check<'_>, node: &Node, scope: &Scope<'_>) -> Option<RuleBody> {
    let keys: Vec<&str> = KEYS.into_iter().chain(KINDS).collect();
    let entries = check.mapping(node, "a rule", &keys, KINDS_NOTE)?;
    let id = entries
        .require(check, "id")
        .and_then(|node| id(check, node));
    let kinds: Vec<_> = KINDS
        .into_iter()
        .filter_map(|kind| entries.entry(kind))
        .collect();
    let kind = match kinds.as_slice() {
        [] => {
            if !entries.has_unknown() {
                check.fault(
                    entries.span(),
                    format!("this rule watches nothing{KINDS_NOTE}"),
                );
            }
            None
        }
        [one] => {
            let node = one.value;
            match one.name {
                "when" => when::parse(check, node, scope.names).map(RuleKind::When),
                "specification" => {
                    specification::parse(check, node, scope).map(RuleKind::Specification)
                }
                "chart" => chart::parse(check, node, scope).map(RuleKind::Chart),
                "rate" => rate::parse(check, node, scope).map(RuleKind::Rate),
                "stuck" => stuck::parse(check, node, scope).map(RuleKind::Stuck),
                "missing" => missing::parse(check, node, scope).map(RuleKind::Missing),
                _ => gap::parse(check, node).map(RuleKind::Gap),
            }
        }
        [first, second, ..] => {
            check.fault(
                &second.key.span,
                format!(
                    "a rule is of one kind: either `{}` or `{}`",
                    first.name, second.name
                ),
            );
            None
        }
    };
    let named = kinds.first().map_or("", |entry| entry.name);
    if let Some(entry) = entries.entry("for") {
        let own = WITHOUT_FOR.iter().find(|(kind, _)| *kind == named);
        if let Some((_, own)) = own {
            check.fault(
                &entry.key.span,
                format!("a `{named}` rule takes no `for`: {own}"),
            );
        }
    }
    let sustain = entries.get("for").map(|node| sustain::parse(check, node));
    let severity = severity(check, &entries);
    let reaction = reaction(check, &entries);
    let summary = entries.get("summary").map(|node| {
        summary::parse(
            check,
            node,
            scope.names,
            (named == "chart").then_some("tests"),
        )
    });

    let sustain = match sustain {
        None => None,
        Some(found) => Some(found?),
    };
    let summary = match summary {
        None => None,
        Some(found) => Some(found?),
    };
    let kind = kind?;
    let definition = match &kind {
        RuleKind::When(when) => when.definition(scope),
        RuleKind::Specification(limits) => limits.definition(scope),
        RuleKind::Chart(chart) => chart.definition(scope),
        RuleKind::Rate(rate) => rate.definition(scope),
        RuleKind::Stuck(stuck) => stuck.definition(scope),
        RuleKind::Missing(missing) => missing.definition(scope),
        RuleKind::Gap(gap) => gap.definition(),
    };
    let definition = match sustain {
        None => definition,
        Some(sustain) => sustain.define(definition),
    };
    Some(RuleBody {
        id: id?,
        characteristics: characteristics(&kind),
        kind,
        sustain,
        severity: severity?,
        reaction: reaction?,
        summary,
        definition: definition.finish(),
    })
}

/// The characteristics that a rule names, with the direction in which each offends.
fn characteristics(kind: &RuleKind) -> Vec<(u16, Tendency)> {
    let one = |id: CharacteristicId| (id.0, Tendency::default());
    match kind {
        RuleKind::Specification(limits) => vec![(
            limits.characteristic.0,
            Tendency::outside(limits.lower, limits.upper),
        )],
        RuleKind::Chart(chart) => {
            let size = match chart.size {
                Some(super::SampleSize::Characteristic(size)) => Some(size),
                _ => None,
            };
            let size = size.filter(|size| *size != chart.characteristic);
            [chart.characteristic]
                .into_iter()
                .chain(size)
                .map(one)
                .collect()
        }
        RuleKind::Rate(rate) => vec![one(rate.characteristic)],
        RuleKind::Stuck(stuck) => vec![one(stuck.characteristic)],
        RuleKind::Missing(missing) => vec![one(missing.characteristic)],
        RuleKind::Gap(_) => Vec::new(),
        RuleKind::When(when) => {
            let tendency = |slot: u16| {
                let found = when
                    .compiled
                    .tendencies
                    .iter()
                    .find(|(known, _)| *known == slot);
                found.map_or(Tendency::default(), |(_, tendency)| *tendency)
            };
            let uses = when.compiled.uses.iter();
            uses.filter_map(|(_, meaning)| match meaning {
                Meaning::Characteristic(slot) => Some((*slot, tendency(*slot))),
                _ => None,
            })
            .collect()
        }
    }
}

/// How grave a finding is, of a rule or by a threshold of the model.
pub(crate) fn severity(check: &mut Check<'_>, entries: &Entries<'_>) -> Option<Severity> {
    match entries.get("severity") {
        None => Some(Severity::default()),
        Some(node) => check.choice(
            node,
            "severity",
            &[Severity::Info, Severity::Warning, Severity::Critical]
                .map(|severity| (severity.as_str(), severity)),
        ),
    }
}

/// What a finding calls for, of a rule or by a threshold of the model.
pub(crate) fn reaction(check: &mut Check<'_>, entries: &Entries<'_>) -> Option<Reaction> {
    match entries.get("reaction") {
        None => Some(Reaction::default()),
        Some(node) => check.choice(
            node,
            "reaction",
            &[Reaction::Record, Reaction::Notify, Reaction::StopLine]
                .map(|reaction| (reaction.as_str(), reaction)),
        ),
    }
}

/// A rule's id, or the model's.
pub(crate) fn id(check: &mut Check<'_>, node: &Node) -> Option<String> {
    let text = check.text(node, "id")?;
    let kebab = text.split('-').all(|word| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    }) && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !NO_IDS.contains(&text);
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
