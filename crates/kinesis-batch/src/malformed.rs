//! Records that cannot be read, and why.

use std::fmt;

/// A record of the batch that cannot be read. No retry cures it: it is set aside with its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedRecord<'a> {
    /// The record's index in the batch.
    pub parent: usize,
    /// The stream's ARN, where it can be read.
    pub stream_arn: Option<&'a str>,
    /// The shard's id, where it can be read.
    pub shard: Option<&'a str>,
    /// The sequence number, where it can be read.
    pub sequence_number: Option<&'a str>,
    /// The record's JSON as it stands in the event.
    pub raw: &'a [u8],
    /// What is wrong with it.
    pub reason: MalformedReason,
}

/// What is wrong with a record. Of several faults the first in the order of [`Field`] is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MalformedReason {
    /// The record is not a JSON object.
    NotAnObject,
    /// A field is missing.
    Missing(Field),
    /// A field has another type than it should, or is a string that is not Unicode text.
    WrongType(Field),
    /// The data is not base64 (standard alphabet, padded).
    BadBase64,
    /// The arrival time is not between 1970 and 9999.
    BadArrivalTime,
    /// The sequence number does not consist of decimal digits.
    BadSequenceNumber,
    /// The event id does not begin with a shard's id and a colon.
    BadEventId,
}

/// A field that must be sound, and all but one must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// `kinesis`, an object.
    Kinesis,
    /// `kinesis.sequenceNumber`, a string.
    SequenceNumber,
    /// `kinesis.partitionKey`, a string.
    PartitionKey,
    /// `kinesis.data`, a string.
    Data,
    /// `kinesis.approximateArrivalTimestamp`, a number.
    ApproximateArrivalTimestamp,
    /// `eventID`, a string.
    EventId,
    /// `eventSourceARN`, a string.
    EventSourceArn,
    /// `kinesis.subSequenceNumber`, a whole number; only where records are brought back, and there not needed.
    SubSequenceNumber,
}

impl MalformedReason {
    /// The reason as a metric's dimension: few values, whatever the records hold.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAnObject => "not-an-object",
            Self::Missing(_) => "missing-field",
            Self::WrongType(_) => "wrong-type",
            Self::BadBase64 => "bad-base64",
            Self::BadArrivalTime => "bad-arrival-time",
            Self::BadSequenceNumber => "bad-sequence-number",
            Self::BadEventId => "bad-event-id",
        }
    }
}

impl Field {
    /// The field's path in the record.
    pub fn path(self) -> &'static str {
        match self {
            Self::Kinesis => "kinesis",
            Self::SequenceNumber => "kinesis.sequenceNumber",
            Self::PartitionKey => "kinesis.partitionKey",
            Self::Data => "kinesis.data",
            Self::ApproximateArrivalTimestamp => "kinesis.approximateArrivalTimestamp",
            Self::SubSequenceNumber => "kinesis.subSequenceNumber",
            Self::EventId => "eventID",
            Self::EventSourceArn => "eventSourceARN",
        }
    }
}

impl fmt::Display for MalformedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("the record is not a JSON object"),
            Self::Missing(field) => write!(f, "{} is missing", field.path()),
            Self::WrongType(field) => write!(f, "{} has the wrong type", field.path()),
            Self::BadBase64 => f.write_str("kinesis.data is not base64"),
            Self::BadArrivalTime => {
                f.write_str("kinesis.approximateArrivalTimestamp is not between 1970 and 9999")
            }
            Self::BadSequenceNumber => {
                f.write_str("kinesis.sequenceNumber does not consist of digits")
            }
            Self::BadEventId => f.write_str("eventID names no shard"),
        }
    }
}
