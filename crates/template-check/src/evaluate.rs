//! Evaluates a template's expressions in one world: parameters, conditions, intrinsic functions, nested stacks' outputs.
//!
//! What cannot be told before the deployment is unknown, never guessed. Cycles end as unknown.

mod conditions;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use crate::node::{Key, Node};
use crate::place::Place;
use crate::stack::{Stack, Stacks};
use crate::value::{Entry, Located, Map, Part, Text, Value};
use crate::world::{Choice, World};

/// What is being evaluated, or has been.
type Memory<T> = RefCell<BTreeMap<(usize, String), Option<T>>>;

pub(crate) struct Evaluator<'a> {
    pub(crate) stacks: &'a Stacks,
    world: &'a World,
    parameters: Memory<Located>,
    outputs: Memory<Located>,
    conditions: Memory<bool>,
    /// How many expressions are being evaluated, each within another or for it.
    levels: Cell<usize>,
}

/// Most of them; what lies deeper is unknown.
const MAX_LEVELS: usize = 200;

/// Most values that one expression of a list may come to.
const MAX_LIST: usize = 10_000;

impl<'a> Evaluator<'a> {
    pub(crate) fn new(stacks: &'a Stacks, world: &'a World) -> Self {
        Self {
            stacks,
            world,
            parameters: RefCell::default(),
            outputs: RefCell::default(),
            conditions: RefCell::default(),
            levels: Cell::default(),
        }
    }

    fn stack(&self, index: usize) -> &'a Stack {
        &self.stacks.all[index]
    }

    /// What an expression comes to.
    pub(crate) fn value(&self, stack: usize, node: &Node) -> Located {
        self.level(|| self.evaluate(stack, node))
            .unwrap_or_else(|| Located::new(node.place, Value::Unknown))
    }

    /// Goes a level deeper, unless that is too deep.
    fn level<T>(&self, evaluate: impl FnOnce() -> T) -> Option<T> {
        let above = self.levels.get();
        if above >= MAX_LEVELS {
            return None;
        }
        self.levels.set(above + 1);
        let value = evaluate();
        self.levels.set(above);
        Some(value)
    }

    fn evaluate(&self, stack: usize, node: &Node) -> Located {
        let value = |value| Located::new(node.place, value);
        if let Some(text) = node.text() {
            return Located::literal_text(node.place, text);
        }
        if let Some((function, argument)) = node.call() {
            return self.call(stack, node.place, function, argument);
        }
        if node.entries().is_empty() {
            let items = node.items().iter().map(|item| self.value(stack, item));
            let kept = items.filter(|item| !matches!(item.value, Value::Absent));
            return match node.kind {
                crate::node::Kind::Mapping(_) => value(Value::Map(Map::default())),
                _ => value(Value::List(kept.collect())),
            };
        }
        let mut map = Map::default();
        for (key, item) in node.entries() {
            if key.text.starts_with("Fn::") {
                map.open = true;
                continue;
            }
            map.entries.push(self.entry(stack, key, item));
        }
        value(Value::Map(map))
    }

    fn entry(&self, stack: usize, key: &Key, item: &Node) -> Entry {
        Entry {
            key: key.text.clone(),
            place: key.place,
            value: self.value(stack, item),
        }
    }

    fn call(&self, stack: usize, place: Place, function: &str, argument: &Node) -> Located {
        let at = |value| Located::new(place, value);
        let text = |text: Option<Text>| match text {
            Some(text) if !text.is_too_long() => at(Value::Text(text)),
            _ => at(Value::Unknown),
        };
        let items = argument.items();
        match (function, items) {
            ("Ref", _) => match argument.text() {
                Some(name) => self.reference(stack, place, name),
                None => at(Value::Unknown),
            },
            ("Fn::GetAtt", _) => match attribute(argument) {
                Some((resource, attribute)) => self.attribute(stack, place, &resource, &attribute),
                None => at(Value::Unknown),
            },
            ("Fn::If", [condition, yes, no]) => match condition.text() {
                Some(name) => self.value(stack, if self.holds(stack, name) { yes } else { no }),
                None => at(Value::Unknown),
            },
            ("Fn::Sub", [pattern, own]) => text(self.substitute(stack, pattern, Some(own))),
            ("Fn::Sub", []) => text(self.substitute(stack, argument, None)),
            ("Fn::Join", [separator, list]) => text(self.join(stack, separator, list)),
            ("Fn::Select", [index, list]) => self
                .select(stack, index, list)
                .unwrap_or_else(|| at(Value::Unknown)),
            ("Fn::Split", [separator, whole]) => {
                let whole = self.value(stack, whole);
                match (separator.text(), whole.literal()) {
                    (Some(separator), Some(whole)) if !separator.is_empty() => {
                        at(list(place, whole.split(separator)))
                    }
                    _ => at(Value::Unknown),
                }
            }
            ("Fn::FindInMap", [map, first, second, ..]) => self
                .find(stack, map, first, second)
                .unwrap_or_else(|| at(Value::Unknown)),
            ("Fn::ImportValue", _) => {
                let name = self.value(stack, argument);
                text(
                    name.text()
                        .map(|name| Text::of(Part::Opaque(format!("import {}", name.spelling())))),
                )
            }
            _ => at(Value::Unknown),
        }
    }

    fn reference(&self, stack: usize, place: Place, name: &str) -> Located {
        let own = self.stack(stack);
        if name == "AWS::NoValue" {
            return Located::new(place, Value::Absent);
        }
        if own.parameter(name).is_some() {
            let mut value = self.parameter(stack, name);
            value.place = place;
            value.parameter = Some(name.to_owned());
            return value;
        }
        let part = match name {
            "AWS::StackName" | "AWS::StackId" => Part::Opaque(format!("{}{name}", own.path)),
            _ if name.starts_with("AWS::") => Part::Opaque(name.to_owned()),
            _ if own.resource(name).is_some() => Part::Attribute {
                resource: format!("{}{name}", own.path),
                attribute: String::new(),
            },
            _ => return Located::new(place, Value::Unknown),
        };
        Located::new(place, Value::Text(Text::of(part)))
    }

    fn attribute(&self, stack: usize, place: Place, resource: &str, attribute: &str) -> Located {
        let own = self.stack(stack);
        if let (Some(child), Some(output)) = (
            own.children.get(resource),
            attribute.strip_prefix("Outputs."),
        ) {
            let mut value = self.output(*child, output);
            value.place = place;
            return value;
        }
        if own.resource(resource).is_none() {
            return Located::new(place, Value::Unknown);
        }
        let part = Part::Attribute {
            resource: format!("{}{resource}", own.path),
            attribute: attribute.to_owned(),
        };
        Located::new(place, Value::Text(Text::of(part)))
    }

    fn output(&self, stack: usize, name: &str) -> Located {
        let own = self.stack(stack);
        let unknown = Located::new(own.root.place, Value::Unknown);
        let Some(output) = own.root.get("Outputs").and_then(|all| all.get(name)) else {
            return unknown;
        };
        remembered(
            &self.outputs,
            stack,
            name,
            unknown.clone(),
            || match output.get("Value") {
                Some(value) if self.is_made(stack, output) => self.value(stack, value),
                _ => unknown,
            },
        )
    }

    fn parameter(&self, stack: usize, name: &str) -> Located {
        let own = self.stack(stack);
        let unknown = Located::new(own.root.place, Value::Unknown);
        remembered(&self.parameters, stack, name, unknown, || {
            let declared = own.parameter(name);
            let kind = declared
                .and_then(|it| it.get("Type")?.text())
                .unwrap_or_default();
            let value = self
                .passed(stack, name)
                .or_else(|| self.chosen(own, name, declared, kind));
            let opaque = || Text::of(Part::Opaque(format!("{}{name}", own.path)));
            let place = declared.map_or(own.root.place, |it| it.place);
            let value = value.unwrap_or_else(|| Located::new(place, Value::Text(opaque())));
            let listed = kind == "CommaDelimitedList" || kind.starts_with("List<");
            match (listed, value.literal()) {
                (true, Some(text)) => {
                    let items = list(place, text.split(',').map(str::trim));
                    Located::new(place, items)
                }
                (true, None) if value.text().is_some() => Located::new(place, Value::Unknown),
                _ => value,
            }
        })
    }

    /// What the stack above gives.
    fn passed(&self, stack: usize, name: &str) -> Option<Located> {
        let (parent, resource) = self.stack(stack).parent.as_ref()?;
        let properties = self.stack(*parent).resource(resource)?.get("Properties")?;
        let value = self.value(*parent, properties.get("Parameters")?.get(name)?);
        (!matches!(value.value, Value::Absent)).then_some(value)
    }

    /// What this world chooses, or the default.
    fn chosen(
        &self,
        own: &Stack,
        name: &str,
        declared: Option<&Node>,
        kind: &str,
    ) -> Option<Located> {
        let default = declared?.get("Default");
        let place = default.or(declared)?.place;
        let key = (own.path.clone(), name.to_owned());
        match self.world.parameters.get(&key) {
            Some(Choice::Literal(text)) => Some(Located::literal_text(place, text)),
            Some(Choice::Other) => {
                let part = Part::Other(format!("{}{name}", own.path));
                Some(Located::new(place, Value::Text(Text::of(part))))
            }
            Some(Choice::Unknown) => None,
            // The default names where the value is, not the value.
            None if kind.starts_with("AWS::SSM::Parameter::Value") => None,
            None => Some(Located::literal_text(place, default?.text()?)),
        }
    }

    fn substitute(&self, stack: usize, pattern: &Node, own: Option<&Node>) -> Option<Text> {
        let mut rest = pattern.text()?;
        let mut text = Text::default();
        while let Some(start) = rest.find("${") {
            text.push(Part::Literal(rest[..start].to_owned()));
            let end = start + rest[start..].find('}')?;
            let name = rest[start + 2..end].trim();
            rest = &rest[end + 1..];
            if let Some(literal) = name.strip_prefix('!') {
                text.push(Part::Literal(format!("${{{literal}}}")));
                continue;
            }
            let value = match (own.and_then(|own| own.get(name)), name.split_once('.')) {
                (Some(value), _) => self.value(stack, value),
                (None, Some((resource, attribute))) => {
                    self.attribute(stack, pattern.place, resource, attribute)
                }
                (None, None) => self.reference(stack, pattern.place, name),
            };
            text.append(value.text()?.clone());
            if text.is_too_long() {
                return None;
            }
        }
        text.push(Part::Literal(rest.to_owned()));
        Some(text)
    }

    fn join(&self, stack: usize, separator: &Node, list: &Node) -> Option<Text> {
        let separator = separator.text()?;
        let list = self.value(stack, list);
        let mut text = Text::default();
        for (n, item) in list.items()?.into_iter().enumerate() {
            if n > 0 {
                text.push(Part::Literal(separator.to_owned()));
            }
            text.append(item.text()?.clone());
            if text.is_too_long() {
                return None;
            }
        }
        Some(text)
    }

    fn select(&self, stack: usize, index: &Node, list: &Node) -> Option<Located> {
        let index: usize = self.value(stack, index).literal()?.parse().ok()?;
        match self.value(stack, list).value {
            Value::List(items) => items.into_iter().nth(index),
            _ => None,
        }
    }

    fn find(&self, stack: usize, map: &Node, first: &Node, second: &Node) -> Option<Located> {
        let map = self.value(stack, map);
        let first = self.value(stack, first);
        let second = self.value(stack, second);
        let found = self
            .stack(stack)
            .root
            .get("Mappings")?
            .get(map.literal()?)?
            .get(first.literal()?)?
            .get(second.literal()?)?;
        Some(self.value(stack, found))
    }
}

fn list<'t>(place: Place, items: impl Iterator<Item = &'t str>) -> Value {
    let items = items.take(MAX_LIST);
    Value::List(
        items
            .map(|item| Located::literal_text(place, item))
            .collect(),
    )
}

/// `GetAtt`'s resource and attribute, written as a text or as a list.
pub(crate) fn attribute(argument: &Node) -> Option<(String, String)> {
    match (argument.text(), argument.items()) {
        (Some(text), _) => text
            .split_once('.')
            .map(|(resource, attribute)| (resource.to_owned(), attribute.to_owned())),
        (None, [resource, rest @ ..]) if !rest.is_empty() => {
            let rest: Option<Vec<&str>> = rest.iter().map(Node::text).collect();
            Some((resource.text()?.to_owned(), rest?.join(".")))
        }
        _ => None,
    }
}

/// What `Fn::Sub`'s argument refers to by `${...}`, but for the names that the call brings itself.
pub(crate) fn substituted(argument: &Node) -> Vec<&str> {
    let (pattern, own) = match argument.items() {
        [pattern, own, ..] => (pattern.text(), Some(own)),
        _ => (argument.text(), None),
    };
    let parts = pattern.unwrap_or_default().split("${").skip(1);
    let names = parts.filter_map(|part| Some(part.split_once('}')?.0.trim()));
    let brought = |name: &str| own.is_some_and(|own| own.get(name).is_some());
    names
        .filter(|name| !name.starts_with('!') && !brought(name))
        .collect()
}

/// Computes once; what asks for itself while it is computed is unknown.
fn remembered(
    memory: &Memory<Located>,
    stack: usize,
    name: &str,
    unknown: Located,
    compute: impl FnOnce() -> Located,
) -> Located {
    let key = (stack, name.to_owned());
    if let Some(known) = memory.borrow().get(&key) {
        return known.clone().unwrap_or(unknown);
    }
    memory.borrow_mut().insert(key.clone(), None);
    let value = compute();
    memory.borrow_mut().insert(key, Some(value.clone()));
    value
}
