//! The event's JSON. Sound records are read in one pass, each handed on as soon as it is read, while its bytes are
//! still in the cache. At the first broken one that pass ends, and every record from there on is taken raw and read on
//! its own, at worst field by field, so that a broken one costs no other.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use crate::{Field, MalformedReason};

/// One record as Lambda writes it, reduced to the fields that matter here.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow, deserialize_with = "object")]
    pub kinesis: Kinesis<'a>,
    #[serde(borrow, rename = "eventID")]
    pub event_id: Cow<'a, str>,
    #[serde(borrow, rename = "eventSourceARN")]
    pub event_source_arn: Cow<'a, str>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Kinesis<'a> {
    #[serde(borrow)]
    pub sequence_number: Cow<'a, str>,
    #[serde(borrow)]
    pub partition_key: Cow<'a, str>,
    #[serde(borrow)]
    pub data: Cow<'a, str>,
    /// Raw, because a float would lose digits.
    #[serde(borrow)]
    pub approximate_arrival_timestamp: &'a RawValue,
    /// Only in events that bring records back: the data are the user record's at this place of an aggregate.
    #[serde(borrow, default)]
    pub sub_sequence_number: Option<&'a RawValue>,
}

/// A record that is no [`Envelope`], with what can be read of it.
pub(crate) struct Broken<'a> {
    pub raw: &'a RawValue,
    pub reason: MalformedReason,
    pub sequence_number: Option<Cow<'a, str>>,
    pub event_id: Option<Cow<'a, str>>,
    pub event_source_arn: Option<Cow<'a, str>>,
}

/// The records of a body as they stand in it.
pub(crate) struct Raws<'a> {
    pub records: Vec<&'a RawValue>,
    pub redrive: bool,
}

/// Hands on the records up to the first that is broken; then, or if the text is no event, it fails. What was handed on
/// before is sound. The answer is whether `redrive` is set. A record with a sub-sequence number counts as broken unless
/// `redrive` was set before it: what it means cannot be told yet.
pub(crate) fn read_sound<'a>(
    text: &'a str,
    take: impl FnMut(Envelope<'a>),
) -> Result<bool, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let redrive = deserializer.deserialize_map(EventVisitor(take))?;
    deserializer.end()?;
    Ok(redrive)
}

/// The records, unread; fails only where the text is no JSON object with an array `Records`.
pub(crate) fn read_raw(text: &str) -> Result<Raws<'_>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Body<'a> {
        #[serde(borrow, rename = "Records")]
        records: Vec<&'a RawValue>,
        #[serde(borrow, default)]
        redrive: Option<&'a RawValue>,
    }

    let Object(Body { records, redrive }) = serde_json::from_str(text)?;
    Ok(Raws {
        records,
        redrive: redrive.is_some_and(is_true),
    })
}

fn is_true(value: &RawValue) -> bool {
    value.get() == "true"
}

/// Reads one record, whatever surrounds it.
pub(crate) fn read_alone(raw: &RawValue) -> Result<Envelope<'_>, Broken<'_>> {
    match serde_json::from_str(raw.get()) {
        Ok(Object(envelope)) => Ok(envelope),
        Err(_) => read_by_field(raw),
    }
}

/// Reads a record field by field: of a field that stands twice the last counts, and what is readable of a broken
/// record is kept.
fn read_by_field(raw: &RawValue) -> Result<Envelope<'_>, Broken<'_>> {
    let broken = |reason| Broken {
        raw,
        reason,
        sequence_number: None,
        event_id: None,
        event_source_arn: None,
    };
    let Some(record) = Fields::of(raw) else {
        return Err(broken(MalformedReason::NotAnObject));
    };
    let event_id = record.text("eventID", Field::EventId);
    let event_source_arn = record.text("eventSourceARN", Field::EventSourceArn);
    let kinesis = record
        .get("kinesis", Field::Kinesis)
        .and_then(|kinesis| Fields::of(kinesis).ok_or(MalformedReason::WrongType(Field::Kinesis)));
    let kinesis = match kinesis {
        Ok(kinesis) => kinesis,
        Err(reason) => {
            let (event_id, event_source_arn) = (event_id.ok(), event_source_arn.ok());
            return Err(Broken {
                event_id,
                event_source_arn,
                ..broken(reason)
            });
        }
    };
    let sequence_number = kinesis.text("sequenceNumber", Field::SequenceNumber);
    let partition_key = kinesis.text("partitionKey", Field::PartitionKey);
    let data = kinesis.text("data", Field::Data);
    let arrival = kinesis.get(
        "approximateArrivalTimestamp",
        Field::ApproximateArrivalTimestamp,
    );
    let sub_sequence_number = kinesis.0.get("subSequenceNumber").copied();
    let sub_sequence_number = sub_sequence_number.filter(|number| number.get() != "null");
    match (
        sequence_number,
        partition_key,
        data,
        arrival,
        event_id,
        event_source_arn,
    ) {
        (
            Ok(sequence_number),
            Ok(partition_key),
            Ok(data),
            Ok(arrival),
            Ok(event_id),
            Ok(event_source_arn),
        ) => {
            let kinesis = Kinesis {
                sequence_number,
                partition_key,
                data,
                approximate_arrival_timestamp: arrival,
                sub_sequence_number,
            };
            Ok(Envelope {
                kinesis,
                event_id,
                event_source_arn,
            })
        }
        (sequence_number, partition_key, data, arrival, event_id, event_source_arn) => {
            let faults = [
                sequence_number.as_ref().err(),
                partition_key.as_ref().err(),
                data.as_ref().err(),
                arrival.as_ref().err(),
                event_id.as_ref().err(),
                event_source_arn.as_ref().err(),
            ];
            let reason = faults.into_iter().flatten().next().copied();
            Err(Broken {
                sequence_number: sequence_number.ok(),
                event_id: event_id.ok(),
                event_source_arn: event_source_arn.ok(),
                ..broken(reason.unwrap_or(MalformedReason::NotAnObject))
            })
        }
    }
}

/// An object's fields, each unread.
struct Fields<'a>(HashMap<String, &'a RawValue>);

impl<'a> Fields<'a> {
    fn of(raw: &'a RawValue) -> Option<Self> {
        serde_json::from_str(raw.get()).ok().map(Self)
    }

    fn get(&self, name: &str, field: Field) -> Result<&'a RawValue, MalformedReason> {
        self.0
            .get(name)
            .copied()
            .ok_or(MalformedReason::Missing(field))
    }

    fn text(&self, name: &str, field: Field) -> Result<Cow<'a, str>, MalformedReason> {
        #[derive(serde::Deserialize)]
        struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

        let raw = self.get(name, field)?;
        let Text(text) =
            serde_json::from_str(raw.get()).map_err(|_| MalformedReason::WrongType(field))?;
        Ok(text)
    }
}

struct EventVisitor<F>(F);

impl<'de, F: FnMut(Envelope<'de>)> Visitor<'de> for EventVisitor<F> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with an array named Records")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<bool, A::Error> {
        let (mut has_records, mut redrive) = (false, None);
        while let Some(name) = map.next_key::<Name>()? {
            match name {
                Name::Records if has_records => return Err(A::Error::duplicate_field("Records")),
                Name::Records => {
                    has_records = true;
                    map.next_value_seed(RecordsVisitor {
                        take: &mut self.0,
                        redrive: redrive == Some(true),
                    })?;
                }
                Name::Redrive if redrive.is_some() => {
                    return Err(A::Error::duplicate_field("redrive"));
                }
                Name::Redrive => redrive = Some(is_true(map.next_value()?)),
                Name::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if has_records {
            Ok(redrive == Some(true))
        } else {
            Err(A::Error::missing_field("Records"))
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(field_identifier)]
enum Name {
    Records,
    #[serde(rename = "redrive")]
    Redrive,
    #[serde(other)]
    Other,
}

struct RecordsVisitor<'f, F> {
    take: &'f mut F,
    /// Whether `redrive` is known to be set.
    redrive: bool,
}

impl<'de, F: FnMut(Envelope<'de>)> DeserializeSeed<'de> for RecordsVisitor<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(Envelope<'de>)> Visitor<'de> for RecordsVisitor<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<(), A::Error> {
        while let Some(Object(envelope)) = records.next_element::<Object<Envelope<'de>>>()? {
            if envelope.kinesis.sub_sequence_number.is_some() && !self.redrive {
                return Err(A::Error::custom(
                    "a user record in an event that may be any",
                ));
            }
            (self.take)(envelope);
        }
        Ok(())
    }
}

/// A struct that is written as an object: derived structs would take an array of their fields' values too.
struct Object<T>(T);

fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|Object(value)| value)
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}
