//! The worlds in which a template is looked at: conditions both ways.
//!
//! A world chooses a value for each parameter that a condition asks about, and an answer for each question that no
//! value decides (a region, an import). Few choices are tried in every combination; of many, each alone and in pairs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::evaluate::{Evaluator, substituted};
use crate::node::Node;
use crate::stack::{Stack, Stacks};

/// Up to so many worlds, every combination is tried.
const MAX_ALL: usize = 64;
/// Most worlds.
const MAX_WORLDS: usize = 96;
/// Most values of one parameter that are tried; where it is not compared by itself, each may matter.
const MAX_VALUES: usize = 5;
const MAX_ALLOWED: usize = 16;

/// A parameter's value in a world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Choice {
    Literal(String),
    /// None of the values that the conditions name.
    Other,
    /// Any value: what it is compared with is a question.
    Unknown,
}

/// What conditions compare a parameter with.
#[derive(Clone, Debug, Default)]
struct Compared {
    literals: BTreeSet<String>,
    /// It is also compared with no literal, or as a part of something.
    otherwise: bool,
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
    asked_parameters(stacks, 0, &mut |path, name, compared| {
        if let Some(choices) = choices(stacks, path, name, compared) {
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
    Compared {
        literals,
        otherwise,
    }: &Compared,
) -> Option<Vec<Choice>> {
    let stack = stacks.all.iter().find(|stack| stack.path == path)?;
    let parameter = stack.parameter(name)?;
    let kind = parameter.get("Type").and_then(Node::text);
    // There the default names where the value is.
    let own =
        |kind: Option<&str>| kind.is_none_or(|it| !it.starts_with("AWS::SSM::Parameter::Value"));
    let default = parameter.get("Default").and_then(Node::text);
    let default = default.filter(|_| own(kind));
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
    if *otherwise && allowed.is_empty() {
        add(Choice::Unknown);
    }
    let possible = |literal: &&String| allowed.is_empty() || allowed.contains(&literal.as_str());
    for literal in literals.iter().filter(possible) {
        add(Choice::Literal(literal.clone()));
    }
    match allowed.iter().find(|value| !literals.contains(**value)) {
        Some(_) if *otherwise => {
            let all = allowed.iter().map(|value| (*value).to_owned());
            all.map(Choice::Literal).for_each(add);
        }
        Some(other) => add(Choice::Literal((*other).to_owned())),
        None if !otherwise
            && allowed.is_empty()
            && default.is_none_or(|text| literals.contains(text)) =>
        {
            add(Choice::Other);
        }
        None => {}
    }
    choices.truncate(match otherwise {
        true => MAX_ALLOWED,
        false => MAX_VALUES,
    });
    (!choices.is_empty()).then_some(choices)
}

/// Tells of every parameter that a condition compares, where it gets its value: by stack path and name, with what it is
/// compared with. Answers with those of `index` itself.
fn asked_parameters(
    stacks: &Stacks,
    index: usize,
    tell: &mut dyn FnMut(&str, &str, &Compared),
) -> BTreeMap<String, Compared> {
    let mut asked = BTreeMap::new();
    let Some(stack) = stacks.all.get(index) else {
        return asked;
    };
    if let Some(conditions) = stack.root.get("Conditions") {
        compared(stack, conditions, &mut asked);
    }
    for (name, child) in &stack.children {
        let below = asked_parameters(stacks, *child, tell);
        let passed = stack
            .resource(name)
            .and_then(|resource| resource.get("Properties")?.get("Parameters"));
        let Some(child) = stacks.all.get(*child) else {
            continue;
        };
        for (parameter, below) in below {
            let Some(value) = passed.and_then(|passed| passed.get(&parameter)) else {
                tell(&child.path, &parameter, &below);
                continue;
            };
            let handed_on = referred(stack, value).is_some();
            for own in mentioned(stack, value) {
                let own: &mut Compared = asked.entry(own.to_owned()).or_default();
                own.otherwise |= below.otherwise || !handed_on;
                if handed_on {
                    own.literals.extend(below.literals.iter().cloned());
                }
            }
        }
    }
    if index == 0 {
        for (name, compared) in &asked {
            tell(&stack.path, name, compared);
        }
    }
    asked
}

fn compared(stack: &Stack, node: &Node, asked: &mut BTreeMap<String, Compared>) {
    node.walk(&mut |node| {
        let Some(("Fn::Equals", sides)) = node.call() else {
            return;
        };
        let [left, right] = sides.items() else {
            return;
        };
        for (side, other) in [(left, right), (right, left)] {
            let literal = referred(stack, side).and(other.text());
            for name in mentioned(stack, side) {
                let own = asked.entry(name.to_owned()).or_default();
                own.literals.extend(literal.map(str::to_owned));
                own.otherwise |= literal.is_none();
            }
        }
    });
}

/// The parameter that a node is a reference to.
fn referred<'n>(stack: &Stack, node: &'n Node) -> Option<&'n str> {
    let Some(("Ref", argument)) = node.call() else {
        return None;
    };
    let name = argument.text()?;
    stack.parameter(name).and(Some(name))
}

/// The parameters that a node speaks of.
fn mentioned<'n>(stack: &Stack, node: &'n Node) -> Vec<&'n str> {
    let mut names = Vec::new();
    node.walk(&mut |node| match node.call() {
        Some(("Fn::Sub", argument)) => {
            let own = |name: &&str| stack.parameter(name).is_some();
            names.extend(substituted(argument).into_iter().filter(own));
        }
        _ => names.extend(referred(stack, node)),
    });
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(count: usize, values: usize) -> Vec<Variable> {
        let choices = (0..values).map(|value| Choice::Literal(value.to_string()));
        let choices: Vec<Choice> = choices.collect();
        (0..count)
            .map(|n| Variable::Parameter((String::new(), n.to_string()), choices.clone()))
            .collect()
    }

    /// The choices of a world, by their number.
    fn chosen(world: &World) -> Vec<usize> {
        let numbers = world.parameters.values().map(|choice| match choice {
            Choice::Literal(number) => number.parse().unwrap_or(usize::MAX),
            Choice::Other | Choice::Unknown => usize::MAX,
        });
        numbers.collect()
    }

    #[test]
    fn few_choices_are_tried_in_every_combination_and_many_alone_and_in_pairs() {
        let all: BTreeSet<_> = combinations(&parameters(3, 4)).iter().map(chosen).collect();
        assert_eq!(all.len(), MAX_ALL);
        // Each alone, and as many pairs as there is room for.
        let some: Vec<_> = combinations(&parameters(9, 2)).iter().map(chosen).collect();
        assert_eq!(some.len(), 1 + 9 + 9 * 8 / 2);
        let ones = |world: &Vec<usize>| world.iter().sum::<usize>();
        assert_eq!(some.iter().filter(|it| ones(it) == 1).count(), 9);
        assert_eq!(some.iter().filter(|it| ones(it) == 2).count(), 36);
        let most: Vec<_> = combinations(&parameters(200, 5))
            .iter()
            .map(chosen)
            .collect();
        assert_eq!(most.len(), MAX_WORLDS);
        assert!(most[0].iter().all(|choice| *choice == 0));
        assert!(combinations(&[]).len() == 1);
    }
}
