//! A payload, read by a [`Plan`]: what the schema declares is checked on the way, what nobody wants is not kept.
//!
//! Only what is in order is read like this. Where anything is odd (no JSON, not as declared, a name twice in an object), nothing is
//! said of it, and the payload is read as a whole, which says what is wrong.

use std::borrow::Cow;
use std::fmt;

use bytestring::ByteString;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use vrl::value::Value;

use crate::piece::Piece;
use crate::plan::{self, Plan, Rest, Types, Wanted};

/// What was wanted of a payload.
#[derive(Debug, Default)]
pub(crate) struct Found<'p> {
    pub pieces: Vec<Option<Piece<'p>>>,
    pub values: Vec<Option<Value>>,
}

/// Reads a payload, if it is in order.
pub(crate) fn read<'p>(plan: &Plan, whole: &'p ByteString, found: &mut Found<'p>) -> Option<()> {
    let mut reader = serde_json::Deserializer::from_str(whole);
    let part = Part {
        plan,
        kept: false,
        whole,
        found,
    };
    part.deserialize(&mut reader).ok()?;
    reader.end().ok()
}

/// A value of the payload.
struct Part<'r, 'p> {
    plan: &'r Plan,
    /// Whether it is a part of what is kept.
    kept: bool,
    whole: &'p ByteString,
    found: &'r mut Found<'p>,
}

/// The name of a field.
struct Name;

impl<'p> Part<'_, 'p> {
    /// A value within this one, of which nothing is declared unless it has a plan.
    fn within<'s>(&'s mut self, plan: &'s Plan) -> Part<'s, 'p> {
        Part {
            plan,
            kept: self.keeps(),
            whole: self.whole,
            found: self.found,
        }
    }

    fn keeps(&self) -> bool {
        self.kept || self.plan.wanted.anyhow()
    }

    fn is<E: Error>(&self, one: Types) -> Result<(), E> {
        match self.plan.types.has(one) {
            true => Ok(()),
            false => Err(odd()),
        }
    }

    /// Gives the value to whoever wants it.
    fn give(self, piece: Piece<'p>) -> Piece<'p> {
        let Wanted { piece: row, value } = self.plan.wanted;
        if let Some(place) = value.and_then(|value| self.found.values.get_mut(value)) {
            *place = Some(piece.value(self.whole));
        }
        match row.and_then(|row| self.found.pieces.get_mut(row)) {
            None => piece,
            Some(place) if self.kept => {
                *place = Some(piece.clone());
                piece
            }
            Some(place) => {
                *place = Some(piece);
                Piece::Null
            }
        }
    }
}

/// Something that is better read as a whole.
fn odd<E: Error>() -> E {
    E::custom("odd")
}

impl<'p> DeserializeSeed<'p> for Part<'_, 'p> {
    type Value = Piece<'p>;

    fn deserialize<D: Deserializer<'p>>(self, deserializer: D) -> Result<Piece<'p>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'p> Visitor<'p> for Part<'_, 'p> {
    type Value = Piece<'p>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Piece<'p>, E> {
        self.is(Types::NULL)?;
        Ok(self.give(Piece::Null))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Piece<'p>, E> {
        self.is(Types::BOOLEAN)?;
        Ok(self.give(Piece::Boolean(truth)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Piece<'p>, E> {
        self.is(Types::INTEGER)?;
        Ok(self.give(Piece::Integer(number)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Piece<'p>, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => self.visit_f64(number as f64),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Piece<'p>, E> {
        self.is(Types::FLOAT)?;
        Ok(self.give(Piece::Float(number)))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'p str) -> Result<Piece<'p>, E> {
        self.is(Types::STRING)?;
        Ok(self.give(Piece::Plain(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Piece<'p>, E> {
        self.is(Types::STRING)?;
        match self.keeps() {
            true => Ok(self.give(Piece::Text(text.to_owned()))),
            false => Ok(Piece::Null),
        }
    }

    fn visit_seq<A: SeqAccess<'p>>(mut self, mut items: A) -> Result<Piece<'p>, A::Error> {
        self.is(Types::ARRAY)?;
        let keeps = self.keeps();
        let plan = self.plan;
        let plan = plan.items.as_deref().unwrap_or(&plan::ANYTHING);
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self.within(plan))? {
            if keeps {
                array.push(item);
            }
        }
        Ok(self.give(Piece::Array(array)))
    }

    fn visit_map<A: MapAccess<'p>>(mut self, mut fields: A) -> Result<Piece<'p>, A::Error> {
        self.is(Types::OBJECT)?;
        let keeps = self.keeps();
        let plan = self.plan;
        let mut seen = 0;
        let mut object = Vec::new();
        while let Some(name) = fields.next_key_seed(Name)? {
            let field = match (plan.fields.find(&name), &plan.others) {
                (Some(place), _) => {
                    let bit = 1 << place;
                    if seen & bit != 0 {
                        return Err(odd());
                    }
                    seen |= bit;
                    plan.plans.get(place).unwrap_or(&plan::ANYTHING)
                }
                (None, Rest::Any) => &plan::ANYTHING,
                (None, Rest::Like(plan)) => plan,
                (None, Rest::None) => return Err(odd()),
            };
            let value = fields.next_value_seed(self.within(field))?;
            if keeps {
                object.push((name, value));
            }
        }
        if seen & plan.required != plan.required {
            return Err(odd());
        }
        object.sort_by(|(one, _), (other, _)| one.cmp(other));
        if object.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(odd());
        }
        Ok(self.give(Piece::Object(object)))
    }
}

impl<'p> DeserializeSeed<'p> for Name {
    type Value = Cow<'p, str>;

    fn deserialize<D: Deserializer<'p>>(self, deserializer: D) -> Result<Cow<'p, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'p> Visitor<'p> for Name {
    type Value = Cow<'p, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'p str) -> Result<Cow<'p, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Cow<'p, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}
