//! What a template's expressions come to in one world: texts with references in them, lists, maps, or nothing known.

use crate::place::Place;

/// A value and where it is written.
#[derive(Clone, Debug)]
pub(crate) struct Located {
    pub(crate) place: Place,
    pub(crate) value: Value,
    /// The parameter that it was taken from, by name.
    pub(crate) parameter: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(Text),
    List(Vec<Located>),
    Map(Map),
    /// `AWS::NoValue`: as if it were not written.
    Absent,
    /// Nobody can tell before the deployment.
    Unknown,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Map {
    pub(crate) entries: Vec<Entry>,
    /// A macro may add entries.
    pub(crate) open: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) value: Located,
}

/// A text in parts, some of which are known at the deployment only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Literal(String),
    /// What a resource answers to `Ref` (the empty attribute) or `GetAtt`.
    Attribute {
        resource: String,
        attribute: String,
    },
    /// A pseudo parameter, an import, a parameter without a value: the same wherever the name is the same.
    Opaque(String),
    /// A parameter's value that is none of those that the conditions ask for.
    Other(String),
}

/// What lies at a path of keys.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field<'a> {
    Found(&'a Located),
    /// Nothing is written there; the deepest place on the way that is.
    Missing(Place),
    /// Something might be.
    Unknown,
}

/// Longest text that is kept; a longer one is unknown.
const MAX_TEXT: usize = 1 << 16;

impl Text {
    pub(crate) fn of(part: Part) -> Self {
        Self { parts: vec![part] }
    }

    /// The text, where all of it is known.
    pub(crate) fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Adds what follows, literals joined.
    pub(crate) fn push(&mut self, part: Part) {
        match (self.parts.last_mut(), part) {
            (_, Part::Literal(more)) if more.is_empty() => {}
            (Some(Part::Literal(text)), Part::Literal(more)) => text.push_str(&more),
            (_, part) => self.parts.push(part),
        }
    }

    pub(crate) fn append(&mut self, other: Self) {
        other.parts.into_iter().for_each(|part| self.push(part));
    }

    pub(crate) fn is_too_long(&self) -> bool {
        let bytes = self.parts.iter().map(|part| match part {
            Part::Literal(text) | Part::Opaque(text) | Part::Other(text) => text.len(),
            Part::Attribute {
                resource,
                attribute,
            } => resource.len() + attribute.len(),
        });
        bytes.sum::<usize>() + self.parts.len() > MAX_TEXT
    }

    /// One spelling for one value: equal texts have equal spellings.
    pub(crate) fn spelling(&self) -> String {
        let mut spelling = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => spelling.push_str(text),
                Part::Attribute {
                    resource,
                    attribute,
                } => {
                    spelling.push_str(&format!("${{{resource}#{attribute}}}"));
                }
                Part::Opaque(name) | Part::Other(name) => {
                    spelling.push_str(&format!("${{{name}}}"));
                }
            }
        }
        spelling
    }

    /// The one resource that the text speaks of, such as an ARN built around its name.
    pub(crate) fn resource(&self) -> Option<&str> {
        let mut resources = self.parts.iter().filter_map(|part| match part {
            Part::Attribute { resource, .. } => Some(resource.as_str()),
            _ => None,
        });
        let first = resources.next()?;
        resources.all(|other| other == first).then_some(first)
    }
}

impl Located {
    pub(crate) fn new(place: Place, value: Value) -> Self {
        Self {
            place,
            value,
            parameter: None,
        }
    }

    pub(crate) fn literal_text(place: Place, text: &str) -> Self {
        let text = Text::of(Part::Literal(text.to_owned()));
        Self::new(place, Value::Text(text))
    }

    pub(crate) fn text(&self) -> Option<&Text> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn literal(&self) -> Option<&str> {
        self.text().and_then(Text::literal)
    }

    pub(crate) fn number(&self) -> Option<f64> {
        self.literal()?.trim().parse().ok()
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        match self.literal()? {
            text if text.eq_ignore_ascii_case("true") => Some(true),
            text if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// The items, a single one standing for a list of it, as IAM has it. `None` where it is unknown.
    pub(crate) fn items(&self) -> Option<Vec<&Located>> {
        match &self.value {
            Value::List(items) => Some(items.iter().collect()),
            Value::Absent => Some(Vec::new()),
            Value::Unknown => None,
            Value::Text(_) | Value::Map(_) => Some(vec![self]),
        }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(map) => &map.entries,
            _ => &[],
        }
    }

    /// Whether it is as if nothing were written: `AWS::NoValue`.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self.value, Value::Absent)
    }

    /// Whether entries may be there that are not seen.
    pub(crate) fn is_open(&self) -> bool {
        match &self.value {
            Value::Map(map) => map.open,
            Value::Unknown => true,
            _ => false,
        }
    }

    /// The entry as written, also where its value is `AWS::NoValue` in this world.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().rev().find(|entry| entry.key == key)
    }

    /// What lies at a path such as `DestinationConfig.OnFailure.Destination`.
    pub(crate) fn field(&self, path: &str) -> Field<'_> {
        let mut at = self;
        for key in path.split('.') {
            match at.entry(key) {
                Some(entry) => match entry.value.value {
                    Value::Unknown => return Field::Unknown,
                    Value::Absent => return Field::Missing(at.place),
                    _ => at = &entry.value,
                },
                None if at.is_open() || matches!(at.value, Value::Text(_)) => {
                    return Field::Unknown;
                }
                None => return Field::Missing(at.place),
            }
        }
        Field::Found(at)
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Located> {
        self.field(path).found()
    }

    /// Every value below and this one.
    pub(crate) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Located)) {
        visit(self);
        match &self.value {
            Value::List(items) => items.iter().for_each(|item| item.walk(visit)),
            Value::Map(map) => map.entries.iter().for_each(|entry| entry.value.walk(visit)),
            _ => {}
        }
    }
}

impl<'a> Field<'a> {
    pub(crate) fn found(self) -> Option<&'a Located> {
        match self {
            Field::Found(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn is_missing(self) -> bool {
        matches!(self, Field::Missing(_))
    }

    /// The number there, or the service's default where nothing is written. `None` where it is unknown.
    pub(crate) fn number_or(self, default: f64) -> Option<f64> {
        match self {
            Field::Found(value) => value.number(),
            Field::Missing(_) => Some(default),
            Field::Unknown => None,
        }
    }

    /// The switch there, off where nothing is written. `None` where it is unknown.
    pub(crate) fn is_on(self) -> Option<bool> {
        match self {
            Field::Found(value) => value.boolean(),
            Field::Missing(_) => Some(false),
            Field::Unknown => None,
        }
    }
}
