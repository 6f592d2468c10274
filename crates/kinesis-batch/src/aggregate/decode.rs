//! Opening an aggregated record. What does not hold in every part is no aggregate, and so one plain record: that is
//! what the readers of AWS do too.

use md5::{Digest, Md5};

use super::protobuf::{Broken, Fields, Value};
use super::{DIGEST_LEN, MAGIC, Member, field};

/// The user records of an aggregate, borrowed from it; `None` if the bytes are no sound aggregate: magic, MD5,
/// message, keys that are UTF-8, every index within its table.
///
/// Memory is bounded by the bytes: a user record takes at least six of them.
pub fn decode(bytes: &[u8]) -> Option<Vec<Member<'_>>> {
    let sealed = bytes.strip_prefix(&MAGIC)?;
    let (message, digest) = sealed.split_at_checked(sealed.len().checked_sub(DIGEST_LEN)?)?;
    // A message without a byte is a record that happens to begin like an aggregate.
    if message.is_empty() || Md5::digest(message)[..] != *digest {
        return None;
    }
    let tables = Tables::read(message).ok()?;
    let mut members = Vec::with_capacity(tables.records);
    for field in Fields::of(message) {
        if let (field::RECORDS, Value::Bytes(record)) = field.ok()? {
            members.push(tables.member(record).ok()?);
        }
    }
    Some(members)
}

/// The first walk: tables may stand behind the records that point into them.
struct Tables<'a> {
    partition_keys: Vec<&'a str>,
    explicit_hash_keys: Vec<&'a str>,
    records: usize,
}

impl<'a> Tables<'a> {
    fn read(message: &'a [u8]) -> Result<Self, Broken> {
        let mut tables = Self {
            partition_keys: Vec::new(),
            explicit_hash_keys: Vec::new(),
            records: 0,
        };
        for field in Fields::of(message) {
            match field? {
                (field::PARTITION_KEY_TABLE, Value::Bytes(key)) => {
                    tables.partition_keys.push(text(key)?)
                }
                (field::EXPLICIT_HASH_KEY_TABLE, Value::Bytes(key)) => {
                    tables.explicit_hash_keys.push(text(key)?)
                }
                (field::RECORDS, Value::Bytes(_)) => tables.records += 1,
                _ => {}
            }
        }
        Ok(tables)
    }

    fn member(&self, record: &'a [u8]) -> Result<Member<'a>, Broken> {
        let (mut partition_key, mut explicit_hash_key, mut data) = (None, None, None);
        for field in Fields::of(record) {
            match field? {
                (field::RECORD_PARTITION_KEY_INDEX, Value::Varint(index)) => {
                    partition_key = Some(index)
                }
                (field::RECORD_EXPLICIT_HASH_KEY_INDEX, Value::Varint(index)) => {
                    explicit_hash_key = Some(index)
                }
                (field::RECORD_DATA, Value::Bytes(bytes)) => data = Some(bytes),
                (field::RECORD_TAGS, Value::Bytes(tag)) => check_tag(tag)?,
                _ => {}
            }
        }
        Ok(Member {
            partition_key: key(&self.partition_keys, partition_key.ok_or(Broken)?)?,
            explicit_hash_key: explicit_hash_key
                .map(|index| key(&self.explicit_hash_keys, index))
                .transpose()?,
            data: data.ok_or(Broken)?,
        })
    }
}

fn key<'a>(table: &[&'a str], index: u64) -> Result<&'a str, Broken> {
    usize::try_from(index)
        .ok()
        .and_then(|index| table.get(index))
        .copied()
        .ok_or(Broken)
}

fn text(bytes: &[u8]) -> Result<&str, Broken> {
    std::str::from_utf8(bytes).map_err(|_| Broken)
}

/// Tags are not passed on, but their key is required: a message without it is not of this format.
fn check_tag(tag: &[u8]) -> Result<(), Broken> {
    let mut has_key = false;
    for field in Fields::of(tag) {
        has_key |= matches!(field?, (field::TAG_KEY, Value::Bytes(_)));
    }
    if has_key { Ok(()) } else { Err(Broken) }
}
