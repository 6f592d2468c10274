//! The worlds in which a template is looked at: conditions both ways.
//!
//! A world chooses a value for each parameter that a condition asks about, and an answer for each question that no
//! value decides (a region, an import). Few choices are tried in every combination; of many, each alone and in pairs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::evaluate::Evaluator;
use crate::node::Node;
use crate::stack::{Stack, Stacks};

/// Up to so many worlds, every combination is tried.
const MAX_ALL: usize = 64;
/// Most worlds.
const MAX_WORLDS: usize = 96;
/// Most values of one parameter that are tried.
const MAX_VALUES: usize = 5;

/// A parameter's value in a world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Choice {
    Literal(String),
    /// None of the values that the conditions name.
    Other,
}

/// One assignment.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    /// By stack path and name.
    pub(crate) parameters: BTreeMap<(String, String), Choice>,
    /// Questions that no value decides.
    pub(crate) answers: BTreeMap<String, bool>,
    /// Those that were asked and had no answer, taken as no.
    pub(crate) asked: RefCell<BTreeSet<String>>,
}

/// What may be chosen.
enum Variable {
    Parameter((String, String), Vec<Choice>),
    Question(String),
}

impl Variable {
    fn options(&self) -> usize {
        match self {
            Variable::Parameter(_, choices) => choices.len(),
            Variable::Question(_) => 2,
        }
    }

    fn choose(&self, option: usize, world: &mut World) {
        match self {
            Variable::Parameter(key, choices) => {
                if let Some(choice) = choices.get(option) {
                    world.parameters.insert(key.clone(), choice.clone());
                }
            }
            Variable::Question(question) => {
                world.answers.insert(question.clone(), option == 1);
            }
        }
    }
}

/// The worlds of a tree of stacks; the first has every default.
pub(crate) fn worlds(stacks: &Stacks) -> Vec<World> {
    let mut variables = Vec::new();
    asked_parameters(stacks, 0, &mut |path, name, literals| {
        if let Some(choices) = choices(stacks, path, name, literals) {
            variables.push(Variable::Parameter(
                (path.to_owned(), name.to_owned()),
                choices,
            ));
        }
    });
    let mut questions = BTreeSet::new();
    for world in combinations(&variables) {
        let evaluator = Evaluator::new(stacks, &world);
        evaluator.decide_all();
        drop(evaluator);
        questions.extend(world.asked.take());
    }
    variables.extend(questions.into_iter().map(Variable::Question));
    combinations(&variables)
}

fn combinations(variables: &[Variable]) -> Vec<World> {
    let world = |options: &[(usize, usize)]| {
        let mut world = World::default();
        for variable in variables {
            variable.choose(0, &mut world);
        }
        for (variable, option) in options {
            if let Some(variable) = variables.get(*variable) {
                variable.choose(*option, &mut world);
            }
        }
        world
    };
    let all = variables
        .iter()
        .try_fold(1_usize, |product, variable| {
            product.checked_mul(variable.options())
        })
        .filter(|product| *product <= MAX_ALL);
    if let Some(all) = all {
        let nth = |mut n: usize| {
            let mut options = Vec::new();
            for (index, variable) in variables.iter().enumerate() {
                options.push((index, n % variable.options()));
                n /= variable.options();
            }
            world(&options)
        };
        return (0..all).map(nth).collect();
    }
    let single: Vec<(usize, usize)> = variables
        .iter()
        .enumerate()
        .flat_map(|(index, variable)| (1..variable.options()).map(move |option| (index, option)))
        .collect();
    let mut worlds = vec![world(&[])];
    let alone = single.iter().take(MAX_WORLDS - 1);
    worlds.extend(alone.map(|one| world(&[*one])));
    for (n, one) in single.iter().enumerate() {
        for other in &single[n + 1..] {
            if worlds.len() >= MAX_WORLDS {
                return worlds;
            }
            if one.0 != other.0 {
                worlds.push(world(&[*one, *other]));
            }
        }
    }
    worlds
}

/// The values worth trying, the default first. `None` where there is no choice.
fn choices(
    stacks: &Stacks,
    path: &str,
    name: &str,
    literals: &BTreeSet<String>,
) -> Option<Vec<Choice>> {
    let stack = stacks.all.iter().find(|stack| stack.path == path)?;
    let parameter = stack.parameter(name)?;
    let default = parameter.get("Default").and_then(Node::text);
    let allowed: Vec<&str> = parameter
        .get("AllowedValues")
        .map(|values| values.items().iter().filter_map(Node::text).collect())
        .unwrap_or_default();
    let mut choices: Vec<Choice> = Vec::new();
    let mut add = |choice: Choice| {
        if !choices.contains(&choice) {
            choices.push(choice);
        }
    };
    if let Some(default) = default {
        add(Choice::Literal(default.to_owned()));
    }
    let possible = |literal: &&String| allowed.is_empty() || allowed.contains(&literal.as_str());
    for literal in literals.iter().filter(possible) {
        add(Choice::Literal(literal.clone()));
    }
    match allowed.iter().find(|value| !literals.contains(**value)) {
        Some(other) => add(Choice::Literal((*other).to_owned())),
        None if allowed.is_empty() && default.is_none_or(|text| literals.contains(text)) => {
            add(Choice::Other);
        }
        None => {}
    }
    choices.truncate(MAX_VALUES);
    (!choices.is_empty()).then_some(choices)
}

/// Tells of every parameter that a condition compares, where it gets its value: by stack path and name, with the
/// literals that it is compared with. Answers with those of `index` itself.
fn asked_parameters(
    stacks: &Stacks,
    index: usize,
    tell: &mut dyn FnMut(&str, &str, &BTreeSet<String>),
) -> BTreeMap<String, BTreeSet<String>> {
    let mut asked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let Some(stack) = stacks.all.get(index) else {
        return asked;
    };
    if let Some(conditions) = stack.root.get("Conditions") {
        compared(stack, conditions, &mut asked);
    }
    for (name, child) in &stack.children {
        let below = asked_parameters(stacks, *child, &mut |path, name, literals| {
            tell(path, name, literals);
        });
        let passed = stack
            .resource(name)
            .and_then(|resource| resource.get("Properties")?.get("Parameters"));
        let Some(child) = stacks.all.get(*child) else {
            continue;
        };
        for (parameter, literals) in below {
            match passed.and_then(|passed| passed.get(&parameter)) {
                None => tell(&child.path, &parameter, &literals),
                Some(value) => value.walk(&mut |node| {
                    if let Some(("Ref", argument)) = node.call()
                        && let Some(own) = argument.text()
                        && stack.parameter(own).is_some()
                    {
                        asked
                            .entry(own.to_owned())
                            .or_default()
                            .extend(literals.clone());
                    }
                }),
            }
        }
    }
    if index == 0 {
        for (name, literals) in &asked {
            tell(&stack.path, name, literals);
        }
    }
    asked
}

fn compared(stack: &Stack, node: &Node, asked: &mut BTreeMap<String, BTreeSet<String>>) {
    node.walk(&mut |node| {
        let Some(("Fn::Equals", sides)) = node.call() else {
            return;
        };
        let parameter = |side: &Node| match side.call() {
            Some(("Ref", argument)) => argument
                .text()
                .filter(|name| stack.parameter(name).is_some())
                .map(str::to_owned),
            _ => None,
        };
        if let [left, right] = sides.items() {
            for (side, other) in [(left, right), (right, left)] {
                if let Some(name) = parameter(side) {
                    let literals = asked.entry(name).or_default();
                    literals.extend(other.text().map(str::to_owned));
                }
            }
        }
    });
}
