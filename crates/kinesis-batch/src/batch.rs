//! The batch: user records in the order of the stream, malformed records beside them.

use std::borrow::Cow;

use base64_simd::AsOut;
use serde_json::value::RawValue;

use crate::wire::{self, Broken, Envelope};
use crate::{
    Field, MalformedReason, MalformedRecord, Outcomes, RecordId, SequenceNumber, aggregate,
    arrival, sequence_number,
};

/// One Kinesis event, decoded. It borrows from the body and from the caller's buffer.
#[derive(Clone, Debug, Default)]
pub struct Batch<'a> {
    user_records: Vec<UserRecord<'a>>,
    malformed: Vec<MalformedRecord<'a>>,
    parents: Vec<Parent<'a>>,
    redrive: bool,
}

/// What a producer put: a plain record, or one of the records within an aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRecord<'a> {
    /// The index in the batch of the record that carries it.
    pub parent: usize,
    /// The stream's ARN: `eventSourceARN` up to `/consumer/`.
    pub stream_arn: &'a str,
    /// The shard's id.
    pub shard: &'a str,
    /// The sequence number of the record that carries it: decimal digits.
    pub sequence_number: &'a str,
    /// The place in the aggregate, from 0; none for a plain record.
    pub sub_sequence_number: Option<u64>,
    /// The producer's partition key; within an aggregate, the user record's own.
    pub partition_key: Cow<'a, str>,
    /// The explicit hash key within an aggregate; Lambda passes none on for a plain record.
    pub explicit_hash_key: Option<Cow<'a, str>>,
    /// When the stream took the record, in milliseconds since the epoch, 0 to [`crate::MAX_ARRIVED_MS`].
    pub arrived_ms: i64,
    /// The payload.
    pub data: &'a [u8],
    /// Whether it lay in an aggregate.
    pub aggregated: bool,
}

/// The body is no Kinesis event: no JSON object with an array `Records`.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The body is not text.
    #[error("the event is not UTF-8")]
    NotUtf8(#[from] std::str::Utf8Error),
    /// The body is not JSON, or JSON of another shape.
    #[error("the event is not a JSON object with an array named Records")]
    NotAnEvent(#[from] serde_json::Error),
}

/// A record of the batch as the checkpoint sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parent<'a> {
    pub sequence_number: Option<&'a str>,
    pub pending: usize,
}

impl<'a> Batch<'a> {
    /// Decodes a function's input.
    ///
    /// Where the event brings records back ([`Batch::is_redrive`]), a record with `kinesis.subSequenceNumber` is the user
    /// record at that place of an aggregate: data and partition key are its own. Elsewhere the field means nothing.
    ///
    /// `buffer` takes what cannot be borrowed from the body; it grows to the body's length and is worth keeping for
    /// the next invocation. Memory stays within a constant multiple of the body: the worst body, an aggregate of
    /// user records without key and data, takes about 35 times its length.
    pub fn decode(body: &'a [u8], buffer: &'a mut Vec<u8>) -> Result<Self, BatchError> {
        let text = std::str::from_utf8(body)?;
        if buffer.len() < body.len() {
            buffer.resize(body.len(), 0);
        }
        let mut decoder = Decoder {
            free: buffer,
            source: ("", ""),
            batch: Batch::default(),
        };
        // A record with a sub-sequence number comes here only where it counts.
        let sound = wire::read_sound(text, |envelope| decoder.take(envelope, true));
        let mut batch = match sound {
            Ok(redrive) => Batch {
                redrive,
                ..decoder.batch
            },
            Err(_) => {
                let raws = wire::read_raw(text)?;
                for raw in raws.records.into_iter().skip(decoder.batch.len()) {
                    match wire::read_alone(raw) {
                        Ok(envelope) => decoder.take(envelope, raws.redrive),
                        Err(broken) => decoder.set_broken(broken),
                    }
                }
                Batch {
                    redrive: raws.redrive,
                    ..decoder.batch
                }
            }
        };
        batch.fill_in_raw(text)?;
        Ok(batch)
    }

    /// How many records the batch has, malformed ones included and an aggregate counted as one.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Whether the batch has no records.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// The readable records in the order of the stream, aggregates opened.
    pub fn user_records(&self) -> std::slice::Iter<'_, UserRecord<'a>> {
        self.user_records.iter()
    }

    /// The records that cannot be read, in the order of the stream.
    pub fn malformed(&self) -> &[MalformedRecord<'a>] {
        &self.malformed
    }

    /// Whether the event brings earlier records back (`"redrive": true` beside `Records`).
    pub fn is_redrive(&self) -> bool {
        self.redrive
    }

    /// The ledger of this batch, with nothing done.
    pub fn outcomes(&self) -> Outcomes {
        Outcomes::new(&self.parents)
    }

    /// Gives malformed records their JSON where they were read without it.
    fn fill_in_raw(&mut self, text: &'a str) -> Result<(), BatchError> {
        if self.malformed.iter().any(|record| record.raw == UNREAD) {
            let raws = wire::read_raw(text)?.records;
            for record in self
                .malformed
                .iter_mut()
                .filter(|record| record.raw == UNREAD)
            {
                record.raw = raws
                    .get(record.parent)
                    .map_or(UNREAD, |raw| raw.get().as_bytes());
            }
        }
        Ok(())
    }
}

/// No record's JSON is empty.
const UNREAD: &[u8] = &[];

impl UserRecord<'_> {
    /// The record's coordinates, owned.
    pub fn id(&self) -> RecordId {
        RecordId {
            stream_arn: self.stream_arn.to_owned(),
            shard: self.shard.to_owned(),
            sequence_number: SequenceNumber::trusted(self.sequence_number),
            sub_sequence_number: self.sub_sequence_number,
        }
    }
}

struct Decoder<'a> {
    /// What is left of the buffer. Decoded data and unescaped text are never longer than what they were written
    /// as, so that a buffer of the body's length suffices.
    free: &'a mut [u8],
    /// The last source ARN and what it was cut to: in a batch all are the same.
    source: (&'a str, &'a str),
    batch: Batch<'a>,
}

/// What every user record of one record shares.
struct Shared<'a> {
    stream_arn: &'a str,
    shard: &'a str,
    sequence_number: &'a str,
    arrived_ms: i64,
}

impl<'a> Decoder<'a> {
    /// Adds a record; on `redrive` one may be a user record out of an aggregate.
    fn take(&mut self, envelope: Envelope<'a>, redrive: bool) {
        let number = self.keep(envelope.kinesis.sequence_number);
        let event_id = self.keep(envelope.event_id);
        let stream_arn = self.stream_arn(envelope.event_source_arn);
        let shard = shard(event_id);
        let arrival = envelope.kinesis.approximate_arrival_timestamp.get();
        let read = || {
            if !sequence_number::is_valid(number) {
                return Err(MalformedReason::BadSequenceNumber);
            }
            let arrived_ms = arrival::arrived_ms(arrival).ok_or_else(|| arrival_fault(arrival))?;
            let shard = shard.ok_or(MalformedReason::BadEventId)?;
            Ok(Shared {
                stream_arn,
                shard,
                sequence_number: number,
                arrived_ms,
            })
        };
        let data = self.decode_base64(&envelope.kinesis.data);
        let place = envelope.kinesis.sub_sequence_number;
        match read().and_then(|shared| Ok((shared, data.ok_or(MalformedReason::BadBase64)?))) {
            Ok((shared, data)) if place.is_none() || !redrive => {
                self.open(shared, envelope.kinesis.partition_key, data);
            }
            Ok((shared, data)) => {
                self.push_user_record(shared, place, envelope.kinesis.partition_key, data);
            }
            Err(reason) => self.set_unread(reason, stream_arn, shard, number),
        }
    }

    #[cold]
    fn set_unread(
        &mut self,
        reason: MalformedReason,
        stream_arn: &'a str,
        shard: Option<&'a str>,
        number: &'a str,
    ) {
        let parent = self.batch.parents.len();
        let sequence_number = Some(number).filter(|number| sequence_number::is_valid(number));
        self.set_malformed(MalformedRecord {
            parent,
            stream_arn: Some(stream_arn),
            shard,
            sequence_number,
            raw: UNREAD,
            reason,
        });
    }

    fn set_broken(&mut self, broken: Broken<'a>) {
        let number = broken.sequence_number.map(|text| self.keep(text));
        let event_id = broken.event_id.map(|text| self.keep(text));
        let stream_arn = broken.event_source_arn.map(|text| self.stream_arn(text));
        self.set_malformed(MalformedRecord {
            parent: self.batch.parents.len(),
            stream_arn,
            shard: event_id.and_then(shard),
            sequence_number: number.filter(|number| sequence_number::is_valid(number)),
            raw: broken.raw.get().as_bytes(),
            reason: broken.reason,
        });
    }

    fn set_malformed(&mut self, record: MalformedRecord<'a>) {
        self.batch.parents.push(Parent {
            sequence_number: record.sequence_number,
            pending: 1,
        });
        self.batch.malformed.push(record);
    }

    /// Adds a record's user records: those of an aggregate, or else itself.
    fn open(&mut self, shared: Shared<'a>, partition_key: Cow<'a, str>, data: &'a [u8]) {
        let parent = self.batch.parents.len();
        let record = |sub_sequence_number, partition_key, explicit_hash_key, data| UserRecord {
            parent,
            stream_arn: shared.stream_arn,
            shard: shared.shard,
            sequence_number: shared.sequence_number,
            sub_sequence_number,
            partition_key,
            explicit_hash_key,
            arrived_ms: shared.arrived_ms,
            data,
            aggregated: sub_sequence_number.is_some(),
        };
        let pending = match aggregate::decode(data) {
            Some(members) => {
                self.batch
                    .user_records
                    .extend(members.iter().zip(0..).map(|(member, place)| {
                        let explicit_hash_key = member.explicit_hash_key.map(Cow::Borrowed);
                        record(
                            Some(place),
                            Cow::Borrowed(member.partition_key),
                            explicit_hash_key,
                            member.data,
                        )
                    }));
                members.len()
            }
            None => {
                self.batch
                    .user_records
                    .push(record(None, partition_key, None, data));
                1
            }
        };
        self.batch.parents.push(Parent {
            sequence_number: Some(shared.sequence_number),
            pending,
        });
    }

    /// Adds what lay at `place` of an aggregate as a record of its own.
    #[cold]
    fn push_user_record(
        &mut self,
        shared: Shared<'a>,
        place: Option<&RawValue>,
        partition_key: Cow<'a, str>,
        data: &'a [u8],
    ) {
        let Some(place) = place.and_then(|json| json.get().parse().ok()) else {
            let reason = MalformedReason::WrongType(Field::SubSequenceNumber);
            let shard = Some(shared.shard);
            return self.set_unread(reason, shared.stream_arn, shard, shared.sequence_number);
        };
        self.batch.user_records.push(UserRecord {
            parent: self.batch.parents.len(),
            stream_arn: shared.stream_arn,
            shard: shared.shard,
            sequence_number: shared.sequence_number,
            sub_sequence_number: Some(place),
            partition_key,
            explicit_hash_key: None,
            arrived_ms: shared.arrived_ms,
            data,
            aggregated: true,
        });
        self.batch.parents.push(Parent {
            sequence_number: Some(shared.sequence_number),
            pending: 1,
        });
    }

    fn decode_base64(&mut self, text: &str) -> Option<&'a [u8]> {
        let decoded = base64_simd::STANDARD
            .decode(text.as_bytes(), self.free.as_out())
            .ok()?
            .len();
        Some(self.claim(decoded))
    }

    /// Text that lives as long as the batch.
    fn keep(&mut self, text: Cow<'a, str>) -> &'a str {
        match text {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => {
                self.free[..text.len()].copy_from_slice(text.as_bytes());
                // Copied from text, it is text.
                std::str::from_utf8(self.claim(text.len())).unwrap_or_default()
            }
        }
    }

    fn claim(&mut self, len: usize) -> &'a [u8] {
        let (claimed, free) = std::mem::take(&mut self.free).split_at_mut(len);
        self.free = free;
        claimed
    }

    /// A fan-out consumer's ARN is the stream's with `/consumer/…` behind it.
    fn stream_arn(&mut self, source_arn: Cow<'a, str>) -> &'a str {
        if self.source.0 != source_arn {
            let source_arn = self.keep(source_arn);
            let cut = source_arn.split_once("/consumer/");
            self.source = (source_arn, cut.map_or(source_arn, |(stream, _)| stream));
        }
        self.source.1
    }
}

/// An event id is the shard's id, a colon and the sequence number.
fn shard(event_id: &str) -> Option<&str> {
    event_id
        .rsplit_once(':')
        .map(|(shard, _)| shard)
        .filter(|shard| !shard.is_empty())
}

fn arrival_fault(json: &str) -> MalformedReason {
    match json.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => MalformedReason::BadArrivalTime,
        _ => MalformedReason::WrongType(Field::ApproximateArrivalTimestamp),
    }
}
