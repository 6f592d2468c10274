//! Conditions: which hold in a world. What no value decides is a question, which the world answers.

use super::Evaluator;
use crate::node::Node;
use crate::value::{Located, Part, Text};

impl Evaluator<'_> {
    /// Decides every condition, so that every question is asked.
    pub(crate) fn decide_all(&self) {
        for (index, stack) in self.stacks.all.iter().enumerate() {
            for (key, _) in stack.section("Conditions") {
                self.holds(index, &key.text);
            }
        }
    }

    /// Whether a stack exists in this world: the conditions of all that lead to it hold.
    pub(crate) fn exists(&self, stack: usize) -> bool {
        match self.stacks.all.get(stack).and_then(|it| it.parent.as_ref()) {
            None => true,
            Some((parent, name)) => {
                let resource = self.stacks.all[*parent].resource(name);
                self.exists(*parent) && resource.is_none_or(|it| self.is_made(*parent, it))
            }
        }
    }

    /// Whether a resource or output is made: it has no condition, or one that holds.
    pub(crate) fn is_made(&self, stack: usize, node: &Node) -> bool {
        match node.get("Condition").and_then(Node::text) {
            Some(condition) => self.holds(stack, condition),
            None => true,
        }
    }

    /// Whether a condition holds in this world.
    pub(crate) fn holds(&self, stack: usize, name: &str) -> bool {
        let key = (stack, name.to_owned());
        if let Some(known) = self.conditions.borrow().get(&key) {
            return known.unwrap_or(false);
        }
        self.conditions.borrow_mut().insert(key.clone(), None);
        let expression = self.stack(stack).root.get("Conditions");
        let holds = match expression.and_then(|all| all.get(name)) {
            Some(expression) => self.decide(stack, expression),
            None => self.answer(format!("condition {name} of stack {stack}")),
        };
        self.conditions.borrow_mut().insert(key, Some(holds));
        holds
    }

    fn decide(&self, stack: usize, node: &Node) -> bool {
        self.level(|| self.decided(stack, node))
            .unwrap_or_else(|| self.answer(format!("{:?}", node.place)))
    }

    fn decided(&self, stack: usize, node: &Node) -> bool {
        let [(key, argument)] = node.entries() else {
            return self.answer(format!("{:?}", node.place));
        };
        let each = |node: &Node| self.decide(stack, node);
        match (key.text.as_str(), argument.items()) {
            ("Condition", _) => match argument.text() {
                Some(name) => self.holds(stack, name),
                None => self.answer(format!("{:?}", node.place)),
            },
            // Every side is decided, so that every question is asked.
            ("Fn::And", items) => items
                .iter()
                .map(each)
                .collect::<Vec<_>>()
                .into_iter()
                .all(|it| it),
            ("Fn::Or", items) => items
                .iter()
                .map(each)
                .collect::<Vec<_>>()
                .into_iter()
                .any(|it| it),
            ("Fn::Not", [item]) => !each(item),
            ("Fn::Equals", [left, right]) => {
                self.equal(&self.value(stack, left), &self.value(stack, right))
            }
            _ => self.answer(format!("{:?}", node.place)),
        }
    }

    fn equal(&self, left: &Located, right: &Located) -> bool {
        match (left.text(), right.text()) {
            (Some(one), Some(two)) => match (one.literal(), two.literal()) {
                (Some(one), Some(two)) => one == two,
                _ if one == two => true,
                (Some(_), None) | (None, Some(_)) if is_other(one) || is_other(two) => false,
                _ => self.answer(format!("{} = {}", one.spelling(), two.spelling())),
            },
            _ => self.answer(format!("{:?} = {:?}", left.place, right.place)),
        }
    }

    fn answer(&self, question: String) -> bool {
        match self.world.answers.get(&question) {
            Some(answer) => *answer,
            None => {
                self.world.asked.borrow_mut().insert(question);
                false
            }
        }
    }
}

fn is_other(text: &Text) -> bool {
    matches!(text.parts.as_slice(), [Part::Other(_)])
}
