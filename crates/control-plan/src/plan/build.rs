//! From the file's tree to the plan: section by section, going on after every fault.

use std::collections::{BTreeMap, BTreeSet};

use super::{ControlPlan, MAX_STEPS, characteristics, constants, payload};
use crate::check::Check;
use crate::check::yaml::Node;
use crate::digest;
use crate::expression::Names;
use crate::model;
use crate::reading::Places;
use crate::rule::parse::Scope;
use crate::rule::{MAX_STATE_BYTES, RuleBody, RuleKind, parse, state_bound};

/// The sections of a plan.
pub(super) const KEYS: [&str; 6] = [
    "version",
    "reading",
    "characteristics",
    "constants",
    "rules",
    "model",
];

/// Most rules.
const MAX_RULES: usize = 1_000;

/// The plan, if `check` found no fault.
pub(super) fn build(check: &mut Check<'_>, root: &Node, source: &str) -> Option<ControlPlan> {
    let entries = check.mapping(root, "the plan", &KEYS, "")?;
    if let Some(node) = entries.require(check, "version")
        && check
            .number(node, "version")
            .is_some_and(|version| version != 1.0)
    {
        check.fault(
            &node.span,
            "this version of the plan's language is unknown; write `version: 1`",
        );
    }

    let mut names = Names::default();
    let mut definitions = BTreeMap::new();
    let (mut pointers, attributes) = match entries.require(check, "reading") {
        Some(node) => payload::parse(check, node, &mut names),
        None => Default::default(),
    };
    for (name, pointer) in &attributes {
        let definition = pointer
            .iter()
            .fold(digest::Definition::new("attribute"), |definition, token| {
                definition.text(token)
            });
        definitions.insert(name.clone(), definition.finish());
    }
    let mut section = match entries.require(check, "characteristics") {
        Some(node) => characteristics::declare_all(check, node, &mut names),
        None => Default::default(),
    };
    let tables = match entries.get("constants") {
        Some(node) => constants::parse(check, node, &mut names, &mut definitions),
        None => Vec::new(),
    };
    let formulas = section.formulas(check, &names, &mut definitions);
    let rules_node = entries.require(check, "rules");
    let attribute_names: Vec<String> = attributes.iter().map(|(name, _)| name.clone()).collect();
    let scope = Scope {
        names: &names,
        definitions: &definitions,
        characteristics: &section.characteristics,
        attributes: &attribute_names,
    };
    let rules = rules_node
        .map(|node| rules(check, node, &scope))
        .unwrap_or_default();

    let model = entries
        .get("model")
        .and_then(|node| model::parse::parse(check, node, &names));
    if let Some(place) = entries
        .get("model")
        .and_then(|node| check.scalar_of(node, "id"))
        && rules.iter().any(|rule| rule.id == place.0)
    {
        check.fault(
            &place.1,
            format!("duplicate id `{}`: a rule has it", place.0),
        );
    }

    let attribute_pointers = attributes.into_iter().map(|(_, pointer)| pointer);
    pointers.attributes = attribute_pointers.collect();
    pointers.characteristics = std::mem::take(&mut section.pointers);
    let mut plan = ControlPlan {
        hash: digest::of_file(source.as_bytes()),
        fingerprint: digest::Definition::new(source).finish().max(1),
        names_reading_id: pointers.id.is_some(),
        places: Places::new(pointers),
        attributes: attribute_names,
        characteristics: section.characteristics,
        tables,
        formulas,
        by_id: rules
            .iter()
            .enumerate()
            .map(|(at, rule)| (rule.id.clone(), at))
            .collect(),
        rule_ids: rules.iter().map(|rule| rule.id.as_str().into()).collect(),
        rules,
        model,
        state_bytes: 0,
        steps: 0,
    };
    plan.state_bytes = state_bound::of_plan(plan.rules(), plan.names_reading_id);
    plan.steps = steps(&plan);
    if let Some(entry) = entries.entry("rules") {
        let ControlPlan {
            state_bytes, steps, ..
        } = plan;
        if state_bytes > MAX_STATE_BYTES {
            check.fault(
                &entry.key.span,
                format!("these rules may need {state_bytes} bytes of state for a machine; at most {MAX_STATE_BYTES} are kept"),
            );
        }
        if steps > MAX_STEPS {
            check.fault(
                &entry.key.span,
                format!("judging one reading may take {steps} steps; at most {MAX_STEPS} are allowed: use shorter conditions, or fewer"),
            );
        }
    }
    Some(plan)
}

/// What formulas and rules take at most, for one reading.
fn steps(plan: &ControlPlan) -> usize {
    let formulas: usize = plan
        .formulas
        .iter()
        .map(|(_, formula)| formula.steps())
        .sum();
    let rules = plan.rules.iter().map(|rule| match &rule.kind {
        RuleKind::When(when) => when.compiled.program.steps(),
        RuleKind::Chart(chart) => usize::try_from(chart.chart.steps()).unwrap_or(usize::MAX),
        _ => 2,
    });
    formulas + rules.sum::<usize>()
}

fn rules(check: &mut Check<'_>, node: &Node, scope: &Scope<'_>) -> Vec<RuleBody> {
    let Some(items) = check.sequence(node, "rules") else {
        return Vec::new();
    };
    if let Some(item) = items.get(MAX_RULES) {
        check.fault(&item.span, format!("more than {MAX_RULES} rules"));
    }
    let mut rules: Vec<RuleBody> = Vec::new();
    let mut ids = BTreeSet::new();
    for item in items.iter().take(MAX_RULES) {
        let rule = parse::parse(check, item, scope);
        if let Some((id, place)) = check.scalar_of(item, "id")
            && !ids.insert(id)
        {
            check.fault(&place, format!("duplicate rule id `{id}`"));
        }
        rules.extend(rule);
    }
    if items.is_empty() {
        check.fault(
            &(node.span.start..node.span.start),
            "a plan has at least one rule",
        );
    }
    rules
}
