//! User records for reading: one JSON object a line.

use std::io;

use serde::Serialize;

use crate::{Batch, UserRecord};

/// A user record with its data as base64. The fields' order is that of the JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserRecordLine<'a> {
    /// The user record's partition key.
    pub partition_key: &'a str,
    /// Its explicit hash key; null where there is none or Lambda did not pass it on.
    pub explicit_hash_key: Option<&'a str>,
    /// The sequence number of the record that carries it.
    pub sequence_number: &'a str,
    /// Its place in the aggregate; null for a plain record.
    pub sub_sequence_number: Option<u64>,
    /// Whether it lay in an aggregate.
    pub aggregated: bool,
    /// The payload, as base64.
    pub data: String,
}

impl<'a> From<&'a UserRecord<'_>> for UserRecordLine<'a> {
    fn from(record: &'a UserRecord<'_>) -> Self {
        Self {
            partition_key: &record.partition_key,
            explicit_hash_key: record.explicit_hash_key.as_deref(),
            sequence_number: record.sequence_number,
            sub_sequence_number: record.sub_sequence_number,
            aggregated: record.aggregated,
            data: base64_simd::STANDARD.encode_to_string(record.data),
        }
    }
}

impl Batch<'_> {
    /// Writes the user records in order, one JSON object a line. Malformed records are the caller's to report.
    pub fn write_lines(&self, out: &mut impl io::Write) -> io::Result<()> {
        for record in self.user_records() {
            serde_json::to_writer(&mut *out, &UserRecordLine::from(record))?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}
