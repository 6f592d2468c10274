//! `characteristics`: measured ones stand at a pointer, derived ones have a formula over others.

use std::collections::BTreeMap;

use super::payload::{declare, pointer_at};
use crate::check::Check;
use crate::check::yaml::Node;
use crate::digest::Definition;
use crate::expression::{Compiled, Meaning, Names, Program, Type};
use crate::rule::when::expression;

pub(super) const KEYS: [&str; 3] = ["at", "formula", "unit"];

/// Most characteristics.
const MAX_CHARACTERISTICS: usize = 1_000;

/// Longest unit.
const MAX_UNIT_CHARS: usize = 32;

/// What is measured or derived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Characteristic {
    /// The name that rules and events use.
    pub name: String,
    /// The unit, for people.
    pub unit: Option<String>,
    /// Whether a formula derives it from others.
    pub derived: bool,
}

/// The section, before its formulas are compiled (they may name what stands further down).
#[derive(Default)]
pub(super) struct Section<'n> {
    pub(super) characteristics: Vec<Characteristic>,
    /// Where measured characteristics stand.
    pub(super) pointers: Vec<Option<Vec<String>>>,
    formulas: Vec<Option<&'n Node>>,
}

pub(super) fn declare_all<'n>(
    check: &mut Check<'_>,
    node: &'n Node,
    names: &mut Names,
) -> Section<'n> {
    let mut section = Section::default();
    let named = check.named(node, "characteristics").unwrap_or_default();
    if named.len() > MAX_CHARACTERISTICS {
        check.fault(
            &named[MAX_CHARACTERISTICS].key.span,
            format!("more than {MAX_CHARACTERISTICS} characteristics"),
        );
    }
    for entry in named.iter().take(MAX_CHARACTERISTICS) {
        let place = u16::try_from(section.characteristics.len()).unwrap_or(u16::MAX);
        declare(
            check,
            entry.key,
            entry.name,
            Meaning::Characteristic(place),
            names,
        );
        let what = format!("`{}`", entry.name);
        let entries = check.mapping(entry.value, &what, &KEYS, "");
        let (mut at, mut formula, mut unit) = (None, None, None);
        if let Some(entries) = entries {
            at = entries.get("at").and_then(|node| pointer_at(check, node));
            formula = entries.get("formula");
            unit = entries.get("unit").and_then(|node| unit_at(check, node));
            match (entries.get("at"), formula) {
                (Some(_), Some(node)) => check.fault(
                    &node.span,
                    format!("{what} has either `at` or `formula`, not both"),
                ),
                (None, None) if !entries.has_unknown() => {
                    check.fault(
                        entries.span(),
                        format!("{what} lacks `at` (where it is measured) or `formula`"),
                    );
                }
                _ => {}
            }
        }
        let name = entry.name.to_owned();
        section.characteristics.push(Characteristic {
            name,
            unit,
            derived: formula.is_some(),
        });
        section.pointers.push(at);
        section.formulas.push(formula);
    }
    section
}

fn unit_at(check: &mut Check<'_>, node: &Node) -> Option<String> {
    let text = check.text(node, "unit")?;
    if text.chars().count() > MAX_UNIT_CHARS {
        check.fault(
            &node.span,
            format!("a unit has at most {MAX_UNIT_CHARS} characters"),
        );
        return None;
    }
    Some(text.to_owned())
}

impl Section<'_> {
    /// Compiles the formulas: each characteristic's place and program, every one after those it needs.
    pub(super) fn formulas(
        &self,
        check: &mut Check<'_>,
        names: &Names,
        definitions: &mut BTreeMap<String, u64>,
    ) -> Vec<(u16, Program)> {
        let compiled: Vec<Option<Compiled>> = self
            .formulas
            .iter()
            .map(|node| {
                node.and_then(|node| expression(check, node, "formula", names, Type::Number))
            })
            .collect();
        let mut order = Order {
            section: self,
            compiled: &compiled,
            marks: vec![Mark::New; compiled.len()],
            sorted: Vec::new(),
            path: Vec::new(),
        };
        for place in 0..compiled.len() {
            order.visit(check, place);
        }
        let sorted = order.sorted;
        for (place, pointer) in self.pointers.iter().enumerate() {
            let definition = pointer
                .iter()
                .flatten()
                .fold(Definition::new("at"), |definition, token| {
                    definition.text(token)
                });
            definitions.insert(
                self.characteristics[place].name.clone(),
                definition.finish(),
            );
        }
        let mut programs = Vec::new();
        for place in sorted {
            let Some(compiled) = &compiled[place] else {
                continue;
            };
            let text = self.formulas[place]
                .and_then(|node| check.text(node, "formula"))
                .unwrap_or_default();
            let definition = compiled.uses.iter().fold(
                Definition::new("formula").text(text.trim()),
                |definition, (name, _)| {
                    definition
                        .text(name)
                        .definition(definitions.get(name).copied().unwrap_or_default())
                },
            );
            definitions.insert(
                self.characteristics[place].name.clone(),
                definition.finish(),
            );
            programs.push((
                u16::try_from(place).unwrap_or(u16::MAX),
                compiled.program.clone(),
            ));
        }
        programs
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}

/// Sorts formulas so that each comes after those it needs; finds the circles.
struct Order<'o> {
    section: &'o Section<'o>,
    compiled: &'o [Option<Compiled>],
    marks: Vec<Mark>,
    sorted: Vec<usize>,
    path: Vec<usize>,
}

impl Order<'_> {
    /// Depth first, without recursion: a chain may be as long as the plan.
    fn visit(&mut self, check: &mut Check<'_>, start: usize) {
        let mut steps = vec![(start, 0_usize)];
        while let Some((place, next)) = steps.pop() {
            if next == 0 {
                if self.marks[place] != Mark::New {
                    if self.marks[place] == Mark::Open {
                        self.circle(check, place);
                    }
                    continue;
                }
                self.marks[place] = Mark::Open;
                self.path.push(place);
            }
            let mut needed = self.compiled[place]
                .iter()
                .flat_map(|compiled| &compiled.uses)
                .filter_map(|(_, meaning)| match meaning {
                    Meaning::Characteristic(slot) => Some(usize::from(*slot)),
                    _ => None,
                });
            match needed.nth(next) {
                Some(needed) => {
                    steps.push((place, next + 1));
                    steps.push((needed, 0));
                }
                None => {
                    self.marks[place] = Mark::Done;
                    self.path.pop();
                    self.sorted.push(place);
                }
            }
        }
    }

    fn circle(&self, check: &mut Check<'_>, place: usize) {
        let from = self
            .path
            .iter()
            .position(|on_path| *on_path == place)
            .unwrap_or(0);
        let name = |place: &usize| format!("`{}`", self.section.characteristics[*place].name);
        let mut around: Vec<String> = self.path[from..].iter().map(name).collect();
        around.push(name(&place));
        if let Some(node) = self.section.formulas[place] {
            check.fault(
                &node.span,
                format!("the formula needs its own result: {}", around.join(" -> ")),
            );
        }
    }
}
