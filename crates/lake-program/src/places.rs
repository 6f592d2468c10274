//! The places of a record that a program sees. It is compiled, so that they are known before the first record: each stands under
//! a number of its own, and there are no objects to be made of names and of everything else around them.

use vrl::compiler::{SecretTarget, Target};
use vrl::path::{OwnedSegment, OwnedTargetPath, OwnedValuePath, PathPrefix};
use vrl::value::Value;

use crate::plan::Names;

/// The places of one of the two roots, `.` or `%`: paths of fields, of which none is within another.
#[derive(Debug)]
pub(crate) struct Places {
    places: Vec<OwnedValuePath>,
    /// The names of the places that are fields of the root itself.
    fields: Names,
}

impl Places {
    /// The places that these paths lead to or into.
    pub fn of<'p>(paths: impl Iterator<Item = &'p OwnedValuePath>) -> Self {
        let mut places: Vec<OwnedValuePath> = paths.map(fields).collect();
        places.sort();
        // A path comes right before all that begin with it.
        places.dedup_by(|within, place| within.segments.starts_with(&place.segments));
        let fields = places.iter().enumerate().filter_map(|(number, place)| {
            let name = single(place)?;
            Some((name.to_owned(), number))
        });
        let fields = Names::of(fields);
        Self { places, fields }
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl Iterator<Item = &OwnedValuePath> {
        self.places.iter()
    }

    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// The number of the place that a path leads to or into, and the path from there.
    pub fn find<'p>(&self, path: &'p OwnedValuePath) -> Option<(usize, &'p [OwnedSegment])> {
        let segments = path.segments.as_slice();
        if let [OwnedSegment::Field(first), within @ ..] = segments
            && let Some(number) = self.fields.find(first)
        {
            return Some((number, within));
        }
        let lead = self.places.iter().enumerate();
        let mut lead = lead.filter_map(|(number, place)| {
            let within = segments.strip_prefix(place.segments.as_slice())?;
            Some((number, within))
        });
        lead.next()
    }
}

/// The field that a path of one is.
pub(crate) fn single(path: &OwnedValuePath) -> Option<&str> {
    match path.segments.as_slice() {
        [OwnedSegment::Field(name)] => Some(name.as_str()),
        _ => None,
    }
}

/// The part of a path before its first index.
fn fields(path: &OwnedValuePath) -> OwnedValuePath {
    let fields = path
        .segments
        .iter()
        .take_while(|segment| segment.is_field());
    OwnedValuePath::from(fields.cloned().collect::<Vec<_>>())
}

/// What stands at the places of a record; `None` where nothing does.
#[derive(Debug)]
pub(crate) struct Standing<'p> {
    pub event: Root<'p>,
    pub about: Root<'p>,
}

/// What stands at the places of one root.
#[derive(Debug)]
pub(crate) struct Root<'p> {
    pub places: &'p Places,
    pub values: Vec<Option<Value>>,
}

/// What the language is told that `.` is before it looks at a part.
static SOMETHING: Value = Value::Null;

impl Root<'_> {
    /// What stands there.
    pub fn get(&self, path: &OwnedValuePath) -> Option<&Value> {
        match self.places.find(path) {
            Some((number, within)) => self.values.get(number)?.as_ref()?.get(within),
            None => path.is_root().then_some(&SOMETHING),
        }
    }

    fn get_mut(&mut self, path: &OwnedValuePath) -> Option<&mut Value> {
        let (number, within) = self.places.find(path)?;
        self.values.get_mut(number)?.as_mut()?.get_mut(within)
    }

    fn insert(&mut self, path: &OwnedValuePath, value: Value) {
        let Some((number, within)) = self.places.find(path) else {
            return;
        };
        if let Some(held) = self.values.get_mut(number) {
            match within {
                [] => *held = Some(value),
                within => {
                    held.get_or_insert(Value::Null).insert(within, value);
                }
            }
        }
    }

    fn remove(&mut self, path: &OwnedValuePath, compact: bool) -> Option<Value> {
        let (number, within) = self.places.find(path)?;
        let held = self.values.get_mut(number)?;
        match within {
            // A root stays, with nothing in it.
            [] if !path.is_root() => held.take(),
            within => held.as_mut()?.remove(within, compact),
        }
    }
}

impl Target for Standing<'_> {
    fn target_insert(&mut self, path: &OwnedTargetPath, value: Value) -> Result<(), String> {
        match path.prefix {
            PathPrefix::Event => self.event.insert(&path.path, value),
            PathPrefix::Metadata => self.about.insert(&path.path, value),
        }
        Ok(())
    }

    fn target_get(&self, path: &OwnedTargetPath) -> Result<Option<&Value>, String> {
        Ok(match path.prefix {
            PathPrefix::Event => self.event.get(&path.path),
            PathPrefix::Metadata => self.about.get(&path.path),
        })
    }

    fn target_get_mut(&mut self, path: &OwnedTargetPath) -> Result<Option<&mut Value>, String> {
        Ok(match path.prefix {
            PathPrefix::Event => self.event.get_mut(&path.path),
            PathPrefix::Metadata => self.about.get_mut(&path.path),
        })
    }

    fn target_remove(
        &mut self,
        path: &OwnedTargetPath,
        compact: bool,
    ) -> Result<Option<Value>, String> {
        Ok(match path.prefix {
            PathPrefix::Event => self.event.remove(&path.path, compact),
            PathPrefix::Metadata => self.about.remove(&path.path, compact),
        })
    }
}

/// No function of the language that is offered asks for one.
impl SecretTarget for Standing<'_> {
    fn get_secret(&self, _key: &str) -> Option<&str> {
        None
    }

    fn insert_secret(&mut self, _key: &str, _value: &str) {}

    fn remove_secret(&mut self, _key: &str) {}
}
