//! Making an aggregated record, with its length known before each user record: a producer fills one up to the
//! stream's limit and starts the next.

use std::collections::HashMap;

use md5::{Digest, Md5};

use super::protobuf::{
    bytes_field_len, put_bytes_field, put_bytes_header, put_varint_field, varint_field_len,
};
use super::{DIGEST_LEN, MAGIC, Member, field};

/// An aggregated record in the making. The record on the stream is keyed by the caller; the producer library takes
/// the first user record's keys.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    partition_keys: Table,
    explicit_hash_keys: Table,
    records: Vec<u8>,
    len: usize,
}

impl Encoder {
    /// Adds a user record.
    pub fn push(&mut self, member: Member<'_>) {
        let partition_key = self
            .partition_keys
            .insert(member.partition_key, field::PARTITION_KEY_TABLE);
        let explicit_hash_key = member.explicit_hash_key.map(|key| {
            self.explicit_hash_keys
                .insert(key, field::EXPLICIT_HASH_KEY_TABLE)
        });
        let len = record_len(partition_key, explicit_hash_key, member.data.len());
        put_bytes_header(&mut self.records, field::RECORDS, len);
        put_varint_field(
            &mut self.records,
            field::RECORD_PARTITION_KEY_INDEX,
            partition_key,
        );
        if let Some(index) = explicit_hash_key {
            put_varint_field(
                &mut self.records,
                field::RECORD_EXPLICIT_HASH_KEY_INDEX,
                index,
            );
        }
        put_bytes_field(&mut self.records, field::RECORD_DATA, member.data);
        self.len += 1;
    }

    /// How many user records it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no user record. Finished so, it would be no aggregate.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The length in bytes, finished now.
    pub fn encoded_len(&self) -> usize {
        MAGIC.len()
            + self.partition_keys.bytes.len()
            + self.explicit_hash_keys.bytes.len()
            + self.records.len()
            + DIGEST_LEN
    }

    /// The length in bytes, finished after one more user record.
    pub fn len_with(&self, member: &Member<'_>) -> usize {
        let (partition_key, key_len) = self.partition_keys.foresee(member.partition_key);
        let (explicit_hash_key, hash_key_len) = match member.explicit_hash_key {
            Some(key) => {
                let (index, len) = self.explicit_hash_keys.foresee(key);
                (Some(index), len)
            }
            None => (None, 0),
        };
        let record = record_len(partition_key, explicit_hash_key, member.data.len());
        self.encoded_len() + key_len + hash_key_len + bytes_field_len(record)
    }

    /// The aggregated record's bytes.
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.encoded_len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.partition_keys.bytes);
        bytes.extend_from_slice(&self.explicit_hash_keys.bytes);
        bytes.extend_from_slice(&self.records);
        let digest = Md5::digest(&bytes[MAGIC.len()..]);
        bytes.extend_from_slice(&digest);
        bytes
    }
}

fn record_len(partition_key: u64, explicit_hash_key: Option<u64>, data: usize) -> usize {
    varint_field_len(partition_key)
        + explicit_hash_key.map_or(0, varint_field_len)
        + bytes_field_len(data)
}

/// Distinct keys in the order of their first use, already on the wire.
#[derive(Clone, Debug, Default)]
struct Table {
    indices: HashMap<Box<str>, u64>,
    bytes: Vec<u8>,
}

impl Table {
    fn insert(&mut self, key: &str, field: u32) -> u64 {
        if let Some(&index) = self.indices.get(key) {
            return index;
        }
        let index = self.indices.len() as u64;
        self.indices.insert(key.into(), index);
        put_bytes_field(&mut self.bytes, field, key.as_bytes());
        index
    }

    /// The index that the key has or would have, and the bytes that it would add.
    fn foresee(&self, key: &str) -> (u64, usize) {
        match self.indices.get(key) {
            Some(&index) => (index, 0),
            None => (self.indices.len() as u64, bytes_field_len(key.len())),
        }
    }
}
