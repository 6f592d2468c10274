//! Programs that end in a row, `. = {"id": id, "torque": .measurements.torque}`, and such as leave the record as it is.
//!
//! The language would read the whole record, make an object of the row with a copy of each name and of each value, put it in
//! the place of `.`, and drop it once it is written. Here what the program reads is [read](crate::read) and stands at its
//! [places](crate::places), the statements before the row run as they are, and the fields are written one by one: one that
//! only names what the program leaves alone is written from the payload, the others are computed by the language, from the very
//! text of the program. Where that could give anything else than the whole program would, the whole program runs.

use bytestring::ByteString;
use vrl::compiler::Program as Code;
use vrl::compiler::TimeZone;
use vrl::compiler::runtime::{Runtime, Terminate};
use vrl::compiler::state::TypeState;
use vrl::path::{OwnedSegment, OwnedTargetPath, OwnedValuePath, PathPrefix};
use vrl::value::Value;

use crate::about::{self, About};
use crate::parts::{Content, Parts, parts, words};
use crate::piece::{Piece, write};
use crate::places::{Places, Root, Standing, single};
use crate::plan::{Plan, Wanted};
use crate::read::{Found, read};
use crate::{Schema, partition};

/// A program in two parts.
#[derive(Debug)]
pub(crate) struct Row {
    before: Code,
    /// An array of the fields that have to be computed.
    computed: Option<Code>,
    fields: Fields,
    /// How many pieces of the payload are written as they are.
    pieces: usize,
    plan: Plan,
    event: Places,
    about: Places,
    /// What is known of a record, with the place that it has under `%`.
    known: Vec<(usize, &'static str)>,
    /// Where the values of the partition keys stand.
    partition: Vec<Option<usize>>,
}

/// What a row is written of.
#[derive(Debug)]
enum Fields {
    /// The record as it came.
    All,
    These(Vec<Field>),
}

#[derive(Debug)]
struct Field {
    /// `{"id":` or `,"id":`.
    opening: String,
    value: Source,
}

/// Where a field's value is found.
#[derive(Debug)]
enum Source {
    /// In the payload.
    Piece(usize),
    /// Among what is known of the record.
    Known(&'static str),
    /// At a place that the program could have changed.
    Event(OwnedValuePath),
    About(OwnedValuePath),
    /// The next one of those computed.
    Computed(usize),
}

/// The paths that a program reads and writes.
#[derive(Debug, Default)]
struct Paths {
    read: Vec<OwnedTargetPath>,
    changed: Vec<OwnedTargetPath>,
}

impl Row {
    /// Parts a program, if it ends in a row and the parts give what the whole gives, or if it leaves `.` as it is.
    pub fn part(
        source: &str,
        whole: &Code,
        schema: &Schema,
        partition_keys: &[String],
        compile: impl Fn(&str, Option<&TypeState>) -> Option<Code>,
    ) -> Option<Self> {
        let mut pieces = Vec::new();
        let deletes = words(source).any(|word| word == "del");
        let mut paths = Paths::default();
        let untouched = |path: &OwnedTargetPath| path.prefix != PathPrefix::Event;
        let (before, computed, fields) =
            if !deletes && whole.info().target_assignments.iter().all(untouched) {
                let before = compile(&format!("{source}\nnull"), None)?;
                paths.add(&before, deletes);
                pieces.push(OwnedValuePath::root());
                (before, None, Fields::All)
            } else {
                let Parts {
                    before,
                    computed,
                    fields,
                } = parts(source, compile)?;
                paths.add(&before, deletes);
                if let Some(computed) = &computed {
                    paths.add(computed, deletes);
                }
                let fields = fields.into_iter().map(|(opening, value)| Field {
                    opening,
                    value: paths.source(value, &mut pieces),
                });
                (before, computed, Fields::These(fields.collect()))
            };
        let (event, about) = (
            paths.places(PathPrefix::Event),
            paths.places(PathPrefix::Metadata),
        );
        // `%` as a whole is made for every record, or not at all.
        if about.iter().any(OwnedValuePath::is_root) {
            return None;
        }
        let known = about.iter().enumerate().filter_map(|(number, place)| {
            let name = about::field(single(place)?)?;
            Some((number, name))
        });
        let partition = partition_keys
            .iter()
            .map(|key| about.iter().position(|place| single(place) == Some(key)));
        Some(Self {
            before,
            computed,
            fields,
            pieces: pieces.len(),
            plan: plan(schema, &event, &pieces)?,
            known: known.collect(),
            partition: partition.collect(),
            event,
            about,
        })
    }

    /// Reads a payload and what else is known of it, as far as the program does; `None` where the payload is not in order.
    pub fn read<'r>(
        &'r self,
        whole: &'r ByteString,
        about: &About<'_>,
    ) -> Option<(Standing<'r>, Vec<Piece<'r>>)> {
        let mut found = Found {
            pieces: vec![Piece::Absent; self.pieces],
            values: vec![None; self.event.len()],
        };
        read(&self.plan, whole, &mut found)?;
        let mut known = vec![None; self.about.len()];
        for (number, name) in &self.known {
            if let Some(place) = known.get_mut(*number) {
                *place = about.field(name);
            }
        }
        let standing = Standing {
            event: Root {
                places: &self.event,
                values: found.values,
            },
            about: Root {
                places: &self.about,
                values: known,
            },
        };
        Some((standing, found.pieces))
    }

    /// Runs the program and appends the row.
    pub fn run(
        &self,
        runtime: &mut Runtime,
        (standing, pieces): &mut (Standing<'_>, Vec<Piece<'_>>),
        about: &About<'_>,
        timezone: &TimeZone,
        rows: &mut Vec<u8>,
    ) -> Result<(), Terminate> {
        runtime.resolve(standing, &self.before, timezone)?;
        let computed = match &self.computed {
            None => Value::Null,
            Some(code) => runtime.resolve(standing, code, timezone)?,
        };
        let computed = computed.as_array().unwrap_or_default();
        let piece = |number: usize| pieces.get(number);
        let fields = match &self.fields {
            Fields::All => {
                piece(0).unwrap_or(&Piece::Null).write(rows);
                rows.push(b'\n');
                return Ok(());
            }
            Fields::These(fields) => fields,
        };
        for Field { opening, value } in fields {
            rows.extend_from_slice(opening.as_bytes());
            let value = match value {
                Source::Piece(number) => {
                    piece(*number).unwrap_or(&Piece::Null).write(rows);
                    continue;
                }
                Source::Known(name) => {
                    about.write(name, rows);
                    continue;
                }
                Source::Event(path) => standing.event.get(path),
                Source::About(path) => standing.about.get(path),
                Source::Computed(place) => computed.get(*place),
            };
            write(value.unwrap_or(&Value::Null), rows);
        }
        rows.extend_from_slice(b"}\n");
        Ok(())
    }

    /// The values of the partition keys.
    pub fn partition(&self, standing: &Standing<'_>) -> Vec<String> {
        let value = |place: &Option<usize>| standing.about.values.get((*place)?)?.as_ref();
        let places = self.partition.iter();
        places.map(|place| partition::of(value(place))).collect()
    }
}

impl Paths {
    fn add(&mut self, code: &Code, deletes: bool) {
        let info = code.info();
        self.read.extend(info.target_queries.iter().cloned());
        self.changed.extend(info.target_assignments.iter().cloned());
        if deletes {
            // What is deleted is named like what is read.
            self.changed.extend(info.target_queries.iter().cloned());
        }
    }

    /// Where a row's field is found, once the program has run.
    fn source(&mut self, value: Content, pieces: &mut Vec<OwnedValuePath>) -> Source {
        let (prefix, path) = match value {
            Content::Computed(place) => return Source::Computed(place),
            Content::At(prefix, path) => (prefix, path),
        };
        // An index makes an array of whatever stood there.
        let own = lead(&path);
        let changed = self.changed.iter().any(|changed| {
            let one = lead(&changed.path);
            changed.prefix == prefix && (one.starts_with(own) || own.starts_with(one))
        });
        let fields = path.segments.iter().all(OwnedSegment::is_field);
        match (prefix, single(&path).and_then(about::field)) {
            (PathPrefix::Event, _) if fields && !changed => {
                let known = pieces.iter().position(|piece| *piece == path);
                let number = known.unwrap_or(pieces.len());
                if known.is_none() {
                    pieces.push(path);
                }
                return Source::Piece(number);
            }
            (PathPrefix::Metadata, Some(name)) if !changed => return Source::Known(name),
            _ => {}
        }
        self.read.push(OwnedTargetPath {
            prefix,
            path: path.clone(),
        });
        match prefix {
            PathPrefix::Event => Source::Event(path),
            PathPrefix::Metadata => Source::About(path),
        }
    }

    fn places(&self, prefix: PathPrefix) -> Places {
        let all = self.read.iter().chain(&self.changed);
        let of_it = all.filter(|path| path.prefix == prefix);
        Places::of(of_it.map(|path| &path.path))
    }
}

/// The part of a path before its first index.
fn lead(path: &OwnedValuePath) -> &[OwnedSegment] {
    let segments = path.segments.as_slice();
    let index = segments.iter().position(|segment| !segment.is_field());
    &segments[..index.unwrap_or(segments.len())]
}

/// What is read of a payload: the places of the program, and the pieces of the row.
fn plan(schema: &Schema, event: &Places, pieces: &[OwnedValuePath]) -> Option<Plan> {
    let values = event.iter().enumerate().map(|(number, place)| {
        let value = Some(number);
        (place, Wanted { value, piece: None })
    });
    let pieces = pieces.iter().enumerate().map(|(number, path)| {
        let piece = Some(number);
        (path, Wanted { piece, value: None })
    });
    let wanted: Vec<(Vec<&str>, Wanted)> = values
        .chain(pieces)
        .map(|(path, wanted)| (path.segments.iter().filter_map(name).collect(), wanted))
        .collect();
    let wanted: Vec<(&[&str], Wanted)> = wanted
        .iter()
        .map(|(path, wanted)| (path.as_slice(), *wanted))
        .collect();
    Plan::of(Some(schema), &wanted)
}

fn name(segment: &OwnedSegment) -> Option<&str> {
    match segment {
        OwnedSegment::Field(name) => Some(name.as_str()),
        OwnedSegment::Index(_) => None,
    }
}

#[cfg(test)]
mod tests;
