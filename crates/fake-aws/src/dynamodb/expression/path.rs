//! Document paths: an attribute, and steps into its maps and lists.

use std::fmt;

use crate::dynamodb::value::{Item, Value};

/// A document path: `a.b[2]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) attribute: String,
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Member(String),
    Element(usize),
}

impl Step {
    /// The member's name, if the step is into a map.
    pub(crate) fn member(&self) -> Option<&String> {
        match self {
            Self::Member(name) => Some(name),
            Self::Element(_) => None,
        }
    }
}

impl Path {
    pub(crate) fn get<'a>(&self, item: &'a Item) -> Option<&'a Value> {
        self.steps
            .iter()
            .try_fold(item.get(&self.attribute)?, |value, step| {
                match (value, step) {
                    (Value::M(map), Step::Member(name)) => map.get(name),
                    (Value::L(list), Step::Element(place)) => list.get(*place),
                    _ => None,
                }
            })
    }

    /// Sets the value; `false` if there is nothing to set it in. Beyond a list's end it is appended.
    #[must_use]
    pub(crate) fn set(&self, item: &mut Item, value: Value) -> bool {
        let Some((last, parents)) = self.steps.split_last() else {
            item.insert(self.attribute.clone(), value);
            return true;
        };
        match (self.parent(item, parents), last) {
            (Some(Value::M(map)), Step::Member(name)) => {
                map.insert(name.clone(), value);
                true
            }
            (Some(Value::L(list)), Step::Element(place)) => {
                match list.get_mut(*place) {
                    Some(element) => *element = value,
                    None => list.push(value),
                }
                true
            }
            _ => false,
        }
    }

    /// Removes the value, if it is there; `false` if its parent is not.
    #[must_use]
    pub(crate) fn remove(&self, item: &mut Item) -> bool {
        let Some((last, parents)) = self.steps.split_last() else {
            item.remove(&self.attribute);
            return true;
        };
        match (self.parent(item, parents), last) {
            (Some(Value::M(map)), Step::Member(name)) => {
                map.remove(name);
                true
            }
            (Some(Value::L(list)), Step::Element(place)) => {
                if *place < list.len() {
                    list.remove(*place);
                }
                true
            }
            _ => false,
        }
    }

    fn parent<'a>(&self, item: &'a mut Item, parents: &[Step]) -> Option<&'a mut Value> {
        parents
            .iter()
            .try_fold(item.get_mut(&self.attribute)?, |value, step| {
                match (value, step) {
                    (Value::M(map), Step::Member(name)) => map.get_mut(name),
                    (Value::L(list), Step::Element(place)) => list.get_mut(*place),
                    _ => None,
                }
            })
    }

    /// The place in a list that the path ends at.
    pub(crate) fn last_place(&self) -> Option<usize> {
        match self.steps.last() {
            Some(Step::Element(place)) => Some(*place),
            Some(Step::Member(_)) | None => None,
        }
    }

    /// Whether one path is the other or leads into it.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.attribute == other.attribute
            && self.steps.iter().zip(&other.steps).all(|(a, b)| a == b)
    }

    /// Whether one takes for a map what the other takes for a list.
    pub(crate) fn conflicts(&self, other: &Self) -> bool {
        if self.attribute != other.attribute {
            return false;
        }
        let differing = self.steps.iter().zip(&other.steps).find(|(a, b)| a != b);
        matches!(
            differing,
            Some((Step::Member(_), Step::Element(_)) | (Step::Element(_), Step::Member(_)))
        )
    }
}

/// As error messages show it: `[a, b, [2]]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.attribute)?;
        for step in &self.steps {
            match step {
                Step::Member(name) => write!(f, ", {name}")?,
                Step::Element(place) => write!(f, ", [{place}]")?,
            }
        }
        f.write_str("]")
    }
}
