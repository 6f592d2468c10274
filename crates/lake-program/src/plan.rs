//! What is read of a payload: every part is checked as the schema declares, and what somebody wants of it is kept.

use std::collections::BTreeMap;

use crate::schema::{Others, Schema};

/// What is done with a value of a payload.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The types that it may be of.
    pub types: Types,
    pub fields: Names,
    /// Of each of the fields, in the order of `fields`.
    pub plans: Vec<Plan>,
    /// The fields that have to be there, by their bits.
    pub required: u64,
    pub others: Rest,
    pub items: Option<Box<Plan>>,
    pub wanted: Wanted,
}

/// Who wants a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// A row, under this number.
    pub piece: Option<usize>,
    /// The program, under this number.
    pub value: Option<usize>,
}

/// The plan of what nothing is declared of, and nobody wants.
pub(crate) static ANYTHING: Plan = Plan::anything();

/// Fields that are not named.
#[derive(Debug)]
pub(crate) enum Rest {
    Any,
    None,
    Like(Box<Plan>),
}

/// A set of a value's types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Types(u8);

impl Types {
    pub const NULL: Self = Self(1);
    pub const BOOLEAN: Self = Self(2);
    pub const INTEGER: Self = Self(4);
    pub const FLOAT: Self = Self(8);
    pub const STRING: Self = Self(16);
    pub const ARRAY: Self = Self(32);
    pub const OBJECT: Self = Self(64);
    pub const NUMBER: Self = Self(Self::INTEGER.0 | Self::FLOAT.0);
    pub const NONE: Self = Self(0);
    pub const ANY: Self = Self(u8::MAX);

    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn has(self, one: Self) -> bool {
        self.0 & one.0 != 0
    }
}

/// Names, found by their length first and then by their ends.
#[derive(Debug)]
pub(crate) struct Names {
    names: Vec<(Ends, String, usize)>,
    /// Where the names of each length begin.
    begin: Vec<usize>,
}

/// The first and the last bytes of a name. Up to 16 of one length, there are no others.
type Ends = (u64, u64);

fn ends(name: &str) -> Ends {
    let name = name.as_bytes();
    let eight = (name.first_chunk::<8>(), name.last_chunk::<8>());
    let four = (name.first_chunk::<4>(), name.last_chunk::<4>());
    match (eight, four) {
        ((Some(first), Some(last)), _) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        (_, (Some(first), Some(last))) => (
            u32::from_le_bytes(*first).into(),
            u32::from_le_bytes(*last).into(),
        ),
        _ => {
            let few = name.iter().fold(0, |few, byte| few << 8 | u64::from(*byte));
            (few, 0)
        }
    }
}

impl Names {
    /// Names with their numbers.
    pub fn of(names: impl Iterator<Item = (String, usize)>) -> Self {
        let mut names: Vec<_> = names
            .map(|(name, number)| (ends(&name), name, number))
            .collect();
        names.sort_by_key(|(_, name, _)| name.len());
        let longest = names.last().map_or(0, |(_, name, _)| name.len());
        let shorter = |length| names.partition_point(|(_, name, _)| name.len() < length);
        let begin = (0..=longest + 1).map(shorter).collect();
        Self { names, begin }
    }

    /// The number of a name.
    pub fn find(&self, name: &str) -> Option<usize> {
        let begin = *self.begin.get(name.len())?;
        let end = *self.begin.get(name.len() + 1)?;
        let wanted = ends(name);
        let same = self.names.get(begin..end)?.iter();
        let mut same =
            same.filter(|(ends, known, _)| *ends == wanted && (name.len() <= 16 || known == name));
        same.next().map(|(.., number)| *number)
    }
}

impl Plan {
    const fn anything() -> Self {
        Self {
            types: Types::ANY,
            fields: Names {
                names: Vec::new(),
                begin: Vec::new(),
            },
            plans: Vec::new(),
            required: 0,
            others: Rest::Any,
            items: None,
            wanted: Wanted {
                piece: None,
                value: None,
            },
        }
    }

    /// The most named fields of an object.
    const MOST: usize = u64::BITS as usize;

    /// A plan that checks all that is declared and keeps what is at these paths of fields; `None` if an object has too many
    /// fields.
    pub fn of(schema: Option<&Schema>, wanted: &[(&[&str], Wanted)]) -> Option<Self> {
        let here = wanted.iter().filter(|(path, _)| path.is_empty());
        let here = here.fold(Wanted::default(), |here, (_, wanted)| Wanted {
            piece: here.piece.or(wanted.piece),
            value: here.value.or(wanted.value),
        });
        let mut below: BTreeMap<&str, Vec<(&[&str], Wanted)>> = BTreeMap::new();
        for (path, wanted) in wanted {
            if let Some((first, rest)) = path.split_first() {
                below.entry(first).or_default().push((rest, *wanted));
            }
        }
        let Some(schema) = schema else {
            return Self::named(below, None, here);
        };
        for name in schema.properties.keys() {
            below.entry(name).or_default();
        }
        let plan = Self::named(below, Some(schema), here)?;
        let others = match &schema.others {
            Others::Any => Rest::Any,
            Others::None => Rest::None,
            Others::Like(schema) => Rest::Like(Box::new(Self::of(Some(schema), &[])?)),
        };
        let items = match &schema.items {
            None => None,
            Some(schema) => Some(Box::new(Self::of(Some(schema), &[])?)),
        };
        Some(Self {
            types: schema.types(),
            others,
            items,
            ..plan
        })
    }

    fn named(
        below: BTreeMap<&str, Vec<(&[&str], Wanted)>>,
        schema: Option<&Schema>,
        wanted: Wanted,
    ) -> Option<Self> {
        if below.len() > Self::MOST {
            return None;
        }
        let mut plan = Self {
            wanted,
            ..Self::anything()
        };
        for (place, (name, below)) in below.iter().enumerate() {
            let property = schema.and_then(|schema| schema.properties.get(*name));
            if property.is_some_and(|property| property.required) {
                plan.required |= 1 << place;
            }
            let declared = match (property, schema.map(|schema| &schema.others)) {
                (Some(property), _) => Some(&property.schema),
                (None, Some(Others::Like(schema))) => Some(&**schema),
                // Nobody gets what may not be there: it has no type that it could be of.
                (None, Some(Others::None)) => {
                    plan.plans.push(Self {
                        types: Types::NONE,
                        ..Self::anything()
                    });
                    continue;
                }
                (None, _) => None,
            };
            plan.plans.push(Self::of(declared, below)?);
        }
        plan.fields = Names::of(below.into_keys().map(str::to_owned).zip(0..));
        Some(plan)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn names_are_found(names in prop::collection::btree_set("[ab]{0,20}", 0..24), other in "[ab]{0,20}") {
            let found = Names::of(names.iter().cloned().zip(0..));
            for (number, name) in names.iter().enumerate() {
                prop_assert_eq!(found.find(name), Some(number));
            }
            prop_assert_eq!(found.find(&other).is_some(), names.contains(&other));
        }
    }
}
