//! A payload, read by a [`Plan`]: what the schema declares is checked on the way, what nobody wants is not kept.
//!
//! Only what is in order is read like this. Where anything is odd (no JSON, not as declared, a name twice in an object), nothing is
//! said of it, and the payload is read as a whole, which says what is wrong.

use bytestring::ByteString;
use vrl::value::Value;

use crate::piece::Piece;
use crate::plan::{ANYTHING, Plan, Rest, Types, Wanted};
use crate::scan::{Number, Scan, Text};

/// The most levels that are read like this, which is fewer than may be.
const MOST_LEVELS: usize = 100;

/// What was wanted of a payload.
#[derive(Debug, Default)]
pub(crate) struct Found<'p> {
    pub pieces: Vec<Piece<'p>>,
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
    reading.value(plan, None)?;
    reading.scan.end()
}

struct Reading<'r, 'p> {
    scan: Scan<'p>,
    whole: &'p ByteString,
    found: &'r mut Found<'p>,
    levels: usize,
}

impl<'p> Reading<'_, 'p> {
    /// The next value, put into the place that it has in a larger one that is kept, and given to whoever else wants it.
    fn value(&mut self, plan: &Plan, into: Option<&mut Piece<'p>>) -> Option<()> {
        match self.scan.peek() {
            b'"' => {
                is(plan, Types::STRING)?;
                match self.scan.text()? {
                    Text::Plain(text) => self.put(plan, into, Piece::Plain(text)),
                    Text::Escaped(text) => self.put(plan, into, Piece::Text(text)),
                }
            }
            b'{' => {
                is(plan, Types::OBJECT)?;
                let keeps = into.is_some() || plan.wanted != Wanted::default();
                let fields = self.within(|here| here.object(plan, keeps))?;
                self.put(plan, into, Piece::Object(fields));
            }
            b'[' => {
                is(plan, Types::ARRAY)?;
                let keeps = into.is_some() || plan.wanted != Wanted::default();
                let items = self.within(|here| here.array(plan, keeps))?;
                self.put(plan, into, Piece::Array(items));
            }
            b't' => {
                is(plan, Types::BOOLEAN)?;
                self.scan.word("true")?;
                self.put(plan, into, Piece::Boolean(true));
            }
            b'f' => {
                is(plan, Types::BOOLEAN)?;
                self.scan.word("false")?;
                self.put(plan, into, Piece::Boolean(false));
            }
            b'n' => {
                is(plan, Types::NULL)?;
                self.scan.word("null")?;
                self.put(plan, into, Piece::Null);
            }
            _ => match self.scan.number()? {
                Number::Integer(number) => {
                    is(plan, Types::INTEGER)?;
                    self.put(plan, into, Piece::Integer(number));
                }
                Number::Float(number) => {
                    is(plan, Types::FLOAT)?;
                    self.put(plan, into, Piece::Float(number));
                }
            },
        }
        Some(())
    }

    /// Puts a value where it is wanted. In line with where it is made, so that it is made there: one that is put together and
    /// moved at once costs more than all that was read for it.
    #[inline(always)]
    fn put(&mut self, plan: &Plan, into: Option<&mut Piece<'p>>, piece: Piece<'p>) {
        let Wanted { piece: row, value } = plan.wanted;
        if let Some(place) = value.and_then(|value| self.found.values.get_mut(value)) {
            *place = Some(piece.value(self.whole));
        }
        match (row.and_then(|row| self.found.pieces.get_mut(row)), into) {
            (None, None) => {}
            (None, Some(place)) | (Some(place), None) => *place = piece,
            (Some(place), Some(into)) => {
                *place = piece.clone();
                *into = piece;
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
    fn array(&mut self, plan: &Plan, keeps: bool) -> Option<Vec<Piece<'p>>> {
        let plan = plan.items.as_deref().unwrap_or(&ANYTHING);
        let mut items = Vec::new();
        let mut more = self.scan.peek() != b']';
        if !more {
            self.scan.pass();
        }
        while more {
            if keeps {
                items.push(Piece::Absent);
            }
            self.value(plan, items.last_mut())?;
            more = self.more(b']')?;
        }
        Some(items)
    }

    /// An object, from behind its bracket.
    fn object(&mut self, plan: &Plan, keeps: bool) -> Option<Vec<(&'p str, Piece<'p>)>> {
        let mut seen = 0;
        // Each at its place, which puts them in order.
        let mut fields: Vec<(&'p str, Piece<'p>)> = Vec::new();
        if keeps {
            fields.resize(plan.plans.len(), ("", Piece::Absent));
        }
        let mut more = self.scan.peek() != b'}';
        if !more {
            self.scan.pass();
        }
        while more {
            if self.scan.peek() != b'"' {
                return None;
            }
            let Text::Plain(name) = self.scan.text()? else {
                return None;
            };
            self.scan.expect(b':')?;
            match plan.fields.find(name) {
                Some(place) => {
                    let bit = 1 << place;
                    if seen & bit != 0 {
                        return None;
                    }
                    seen |= bit;
                    let into = fields.get_mut(place).map(|(field, into)| {
                        *field = name;
                        into
                    });
                    self.value(plan.plans.get(place)?, into)?;
                }
                None => {
                    let plan = match &plan.others {
                        Rest::Any => &ANYTHING,
                        Rest::Like(plan) => plan,
                        Rest::None => return None,
                    };
                    if keeps {
                        fields.push((name, Piece::Absent));
                    }
                    let into = fields.last_mut().filter(|_| keeps);
                    self.value(plan, into.map(|(_, into)| into))?;
                }
            }
            more = self.more(b'}')?;
        }
        if seen & plan.required != plan.required {
            return None;
        }
        if fields.len() > plan.plans.len() {
            fields.retain(|(_, field)| *field != Piece::Absent);
            fields.sort_by_key(|(name, _)| *name);
            if fields.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                return None;
            }
        }
        Some(fields)
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

fn is(plan: &Plan, one: Types) -> Option<()> {
    plan.types.has(one).then_some(())
}
