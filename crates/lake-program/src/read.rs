//! A payload, read by a [`Plan`]: what the schema declares is checked on the way, what nobody wants is not kept.
//!
//! Only what is in order is read like this. Where anything is odd (no JSON, not as declared, a name twice in an object), nothing is
//! said of it, and the payload is read as a whole, which says what is wrong.

use std::borrow::Cow;

use bytestring::ByteString;
use vrl::value::Value;

use crate::piece::Piece;
use crate::plan::{ANYTHING, Plan, Rest, Types, Wanted};
use crate::scan::{Number, Scan};

/// The most levels that are read like this, which is fewer than may be.
const MOST_LEVELS: usize = 100;

/// What was wanted of a payload.
#[derive(Debug, Default)]
pub(crate) struct Found<'p> {
    pub pieces: Vec<Option<Piece<'p>>>,
    pub values: Vec<Option<Value>>,
}

/// Reads a payload, if it is in order.
pub(crate) fn read<'p>(plan: &Plan, whole: &'p ByteString, found: &mut Found<'p>) -> Option<()> {
    let mut reading = Reading {
        scan: Scan::of(whole),
        whole,
        found,
        levels: 0,
    };
    reading.value(plan, false)?;
    reading.scan.end()
}

struct Reading<'r, 'p> {
    scan: Scan<'p>,
    whole: &'p ByteString,
    found: &'r mut Found<'p>,
    levels: usize,
}

/// A field of an object that is kept.
type Field<'p> = (Cow<'p, str>, Piece<'p>);

impl<'p> Reading<'_, 'p> {
    /// The next value. It is what is said only if it is `kept`, as part of another; whoever else wants it has been given it.
    fn value(&mut self, plan: &Plan, kept: bool) -> Option<Piece<'p>> {
        let keeps = kept || plan.wanted != Wanted::default();
        let (found, piece) = match self.scan.peek() {
            b'"' => (
                Types::STRING,
                match self.scan.text()? {
                    Cow::Borrowed(text) => Piece::Plain(text),
                    Cow::Owned(text) => Piece::Text(text),
                },
            ),
            b'{' => (Types::OBJECT, self.within(|here| here.object(plan, keeps))?),
            b'[' => (Types::ARRAY, self.within(|here| here.array(plan, keeps))?),
            b't' => (
                Types::BOOLEAN,
                self.scan.word("true").map(|()| Piece::Boolean(true))?,
            ),
            b'f' => (
                Types::BOOLEAN,
                self.scan.word("false").map(|()| Piece::Boolean(false))?,
            ),
            b'n' => (Types::NULL, self.scan.word("null").map(|()| Piece::Null)?),
            _ => match self.scan.number()? {
                Number::Integer(number) => (Types::INTEGER, Piece::Integer(number)),
                Number::Float(number) => (Types::FLOAT, Piece::Float(number)),
            },
        };
        if !plan.types.has(found) {
            return None;
        }
        match keeps {
            true => Some(self.give(plan.wanted, kept, piece)),
            false => Some(Piece::Null),
        }
    }

    /// Gives a value to whoever wants it.
    fn give(&mut self, wanted: Wanted, kept: bool, piece: Piece<'p>) -> Piece<'p> {
        let Wanted { piece: row, value } = wanted;
        if let Some(place) = value.and_then(|value| self.found.values.get_mut(value)) {
            *place = Some(piece.value(self.whole));
        }
        match row.and_then(|row| self.found.pieces.get_mut(row)) {
            None => piece,
            Some(place) if kept => {
                *place = Some(piece.clone());
                piece
            }
            Some(place) => {
                *place = Some(piece);
                Piece::Null
            }
        }
    }

    /// What stands one level below.
    fn within<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.levels += 1;
        if self.levels > MOST_LEVELS {
            return None;
        }
        self.scan.pass();
        let read = read(self);
        self.levels -= 1;
        read
    }

    /// An array, from behind its bracket.
    fn array(&mut self, plan: &Plan, keeps: bool) -> Option<Piece<'p>> {
        let plan = plan.items.as_deref().unwrap_or(&ANYTHING);
        let mut items = Vec::new();
        if self.scan.peek() == b']' {
            self.scan.pass();
            return Some(Piece::Array(items));
        }
        loop {
            let item = self.value(plan, keeps)?;
            if keeps {
                items.push(item);
            }
            if !self.more(b']')? {
                return Some(Piece::Array(items));
            }
        }
    }

    /// An object, from behind its bracket.
    fn object(&mut self, plan: &Plan, keeps: bool) -> Option<Piece<'p>> {
        let mut seen = 0;
        // Each at its place, which puts them in order.
        let mut known: Vec<Option<Field<'p>>> = Vec::new();
        let mut others: Vec<Field<'p>> = Vec::new();
        if keeps {
            known.resize(plan.plans.len(), None);
        }
        let mut more = self.scan.peek() != b'}';
        if !more {
            self.scan.pass();
        }
        while more {
            if self.scan.peek() != b'"' {
                return None;
            }
            let name = self.scan.text()?;
            self.scan.expect(b':')?;
            match plan.fields.find(&name) {
                Some(place) => {
                    let bit = 1 << place;
                    if seen & bit != 0 {
                        return None;
                    }
                    seen |= bit;
                    let value = self.value(plan.plans.get(place)?, keeps)?;
                    if keeps {
                        *known.get_mut(place)? = Some((name, value));
                    }
                }
                None => {
                    let plan = match &plan.others {
                        Rest::Any => &ANYTHING,
                        Rest::Like(plan) => plan,
                        Rest::None => return None,
                    };
                    let value = self.value(plan, keeps)?;
                    if keeps {
                        others.push((name, value));
                    }
                }
            }
            more = self.more(b'}')?;
        }
        if seen & plan.required != plan.required {
            return None;
        }
        let mut fields: Vec<Field<'p>> = known.into_iter().flatten().collect();
        if !others.is_empty() {
            fields.append(&mut others);
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            if fields.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                return None;
            }
        }
        Some(Piece::Object(fields))
    }

    /// Whether another item comes, or else the end.
    fn more(&mut self, end: u8) -> Option<bool> {
        let next = self.scan.peek();
        self.scan.pass();
        match next {
            b',' => Some(true),
            next if next == end => Some(false),
            _ => None,
        }
    }
}
