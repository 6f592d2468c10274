//! The Kinesis Producer Library's aggregated record: many user records in one record of the stream.
//!
//! A magic number, a protobuf message, the message's MD5. The message is walked on the wire rather than decoded
//! into generated types: keys and data stay borrowed from the record, where a generated decoder would allocate one
//! string per key and one buffer per user record; a test holds the walk against `prost`.
//!
//! Format: <https://github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md>.

mod decode;
mod encode;
mod protobuf;

pub use decode::decode;
pub use encode::Encoder;

/// What an aggregated record begins with.
pub const MAGIC: [u8; 4] = [0xF3, 0x89, 0x9A, 0xC2];

/// The length of the MD5 behind the message.
const DIGEST_LEN: usize = 16;

/// One user record within an aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// The user record's own partition key.
    pub partition_key: &'a str,
    /// Its hash key, where the producer chose one.
    pub explicit_hash_key: Option<&'a str>,
    /// Its payload.
    pub data: &'a [u8],
}

/// An aggregated record of these user records, in order.
pub fn encode<'a>(members: impl IntoIterator<Item = Member<'a>>) -> Vec<u8> {
    let mut encoder = Encoder::default();
    members.into_iter().for_each(|member| encoder.push(member));
    encoder.finish()
}

/// The message's field numbers.
mod field {
    pub(super) const PARTITION_KEY_TABLE: u32 = 1;
    pub(super) const EXPLICIT_HASH_KEY_TABLE: u32 = 2;
    pub(super) const RECORDS: u32 = 3;
    pub(super) const RECORD_PARTITION_KEY_INDEX: u32 = 1;
    pub(super) const RECORD_EXPLICIT_HASH_KEY_INDEX: u32 = 2;
    pub(super) const RECORD_DATA: u32 = 3;
    pub(super) const RECORD_TAGS: u32 = 4;
    pub(super) const TAG_KEY: u32 = 1;
}

#[cfg(test)]
mod tests {
    use md5::{Digest, Md5};
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    /// The format's messages as `prost` derives them: the oracle.
    #[derive(Clone, PartialEq, prost::Message)]
    struct AggregatedRecord {
        #[prost(string, repeated, tag = "1")]
        partition_key_table: Vec<String>,
        #[prost(string, repeated, tag = "2")]
        explicit_hash_key_table: Vec<String>,
        #[prost(message, repeated, tag = "3")]
        records: Vec<Record>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Record {
        #[prost(uint64, required, tag = "1")]
        partition_key_index: u64,
        #[prost(uint64, optional, tag = "2")]
        explicit_hash_key_index: Option<u64>,
        #[prost(bytes = "vec", required, tag = "3")]
        data: Vec<u8>,
        #[prost(message, repeated, tag = "4")]
        tags: Vec<Tag>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    struct Tag {
        #[prost(string, required, tag = "1")]
        key: String,
        #[prost(string, optional, tag = "2")]
        value: Option<String>,
    }

    fn record(
        partition_key_index: u64,
        explicit_hash_key_index: Option<u64>,
        data: &[u8],
    ) -> Record {
        Record {
            partition_key_index,
            explicit_hash_key_index,
            data: data.to_vec(),
            tags: Vec::new(),
        }
    }

    fn sealed(message: &[u8]) -> Vec<u8> {
        [&MAGIC[..], message, &Md5::digest(message)[..]].concat()
    }

    fn two_keys(records: Vec<Record>) -> AggregatedRecord {
        AggregatedRecord {
            partition_key_table: vec!["press-07".into(), "프레스-08".into()],
            explicit_hash_key_table: vec![
                "0".into(),
                "340282366920938463463374607431768211455".into(),
            ],
            records,
        }
    }

    /// A user record without the index has no hash key. AWS's Java readers agree; its Python library answers with the
    /// table's first.
    #[test]
    fn keys_come_from_the_tables() {
        let message = two_keys(vec![
            record(0, None, b"a"),
            record(1, Some(1), b""),
            record(0, Some(0), b"c"),
        ]);
        let bytes = sealed(&message.encode_to_vec());
        let member = |partition_key, explicit_hash_key, data| Member {
            partition_key,
            explicit_hash_key,
            data,
        };
        let expected = vec![
            member("press-07", None, &b"a"[..]),
            member(
                "프레스-08",
                Some("340282366920938463463374607431768211455"),
                b"",
            ),
            member("press-07", Some("0"), b"c"),
        ];
        assert_eq!(decode(&bytes), Some(expected));
    }

    #[test]
    fn tags_and_unknown_fields_are_passed_over() {
        let mut tagged = record(0, None, b"a");
        tagged.tags = vec![
            Tag {
                key: "k".into(),
                value: Some("v".into()),
            },
            Tag {
                key: "k".into(),
                value: None,
            },
        ];
        let mut message = two_keys(vec![tagged]).encode_to_vec();
        // Field 9 as a varint, as eight bytes, as bytes, as four bytes.
        message.extend([0x48, 0x7F]);
        message.extend([0x49, 1, 2, 3, 4, 5, 6, 7, 8]);
        message.extend([0x4A, 0x02, 0xFF, 0xFF]);
        message.extend([0x4D, 1, 2, 3, 4]);
        assert_eq!(
            decode(&sealed(&message)).map(|members| members.len()),
            Some(1)
        );
    }

    #[test]
    fn tables_may_stand_behind_the_records() {
        let records = AggregatedRecord {
            records: vec![record(0, None, b"a")],
            ..Default::default()
        };
        let table = AggregatedRecord {
            partition_key_table: vec!["k".into()],
            ..Default::default()
        };
        let bytes = sealed(&[records.encode_to_vec(), table.encode_to_vec()].concat());
        assert_eq!(decode(&bytes).unwrap()[0].partition_key, "k");
    }

    #[test]
    fn an_aggregate_may_hold_no_record() {
        assert_eq!(
            decode(&sealed(&two_keys(Vec::new()).encode_to_vec())),
            Some(Vec::new())
        );
    }

    /// Each is one plain record, whole.
    #[test]
    fn what_does_not_hold_is_no_aggregate() {
        let sound = two_keys(vec![record(0, None, b"a")]);
        let message = sound.encode_to_vec();
        let bytes = sealed(&message);
        assert!(decode(&bytes).is_some());

        let mut other_magic = bytes.clone();
        other_magic[0] ^= 1;
        let mut other_digest = bytes.clone();
        *other_digest.last_mut().unwrap() ^= 1;
        let mut other_message = bytes.clone();
        other_message[6] ^= 1;
        let invalid_key = [&[0x0A, 1, 0xFF][..], &message].concat();
        let cases: [(&str, Vec<u8>); 16] = [
            ("nothing", Vec::new()),
            ("the magic alone", MAGIC.to_vec()),
            ("an empty message", sealed(&[])),
            ("another magic", other_magic),
            ("another digest", other_digest),
            ("another message", other_message),
            ("no digest", bytes[..bytes.len() - 16].to_vec()),
            (
                "a partition key outside the table",
                sealed(&two_keys(vec![record(2, None, b"a")]).encode_to_vec()),
            ),
            (
                "a hash key outside the table",
                sealed(&two_keys(vec![record(0, Some(2), b"a")]).encode_to_vec()),
            ),
            (
                "a huge index",
                sealed(&two_keys(vec![record(u64::MAX, None, b"a")]).encode_to_vec()),
            ),
            ("one bad record among good ones", {
                sealed(
                    &two_keys(vec![record(0, None, b"a"), record(9, None, b"b")]).encode_to_vec(),
                )
            }),
            ("a truncated message", sealed(&message[..message.len() - 1])),
            (
                "a record without data",
                sealed(&[&message[..], &[0x1A, 2, 0x08, 0]].concat()),
            ),
            (
                "a record without partition key",
                sealed(&[&message[..], &[0x1A, 3, 0x1A, 1, b'a']].concat()),
            ),
            ("a tag without key", {
                sealed(&[&message[..], &[0x1A, 8, 0x08, 0, 0x1A, 0, 0x22, 2, 0x12, 0]].concat())
            }),
            ("a key that is not text", sealed(&invalid_key)),
        ];
        for (name, bytes) in cases {
            assert_eq!(decode(&bytes), None, "{name}");
        }
    }

    #[test]
    fn the_length_is_known_beforehand() {
        let mut encoder = Encoder::default();
        assert!(encoder.is_empty());
        let long = "k".repeat(300);
        for key in ["a", "b", "a", &long, "프레스", &long] {
            for hash_key in [None, Some("0"), Some("1")] {
                let member = Member {
                    partition_key: key,
                    explicit_hash_key: hash_key,
                    data: long.as_bytes(),
                };
                let foretold = encoder.len_with(&member);
                encoder.push(member);
                assert_eq!(encoder.encoded_len(), foretold);
            }
        }
        assert_eq!(encoder.len(), 18);
        let foretold = encoder.encoded_len();
        assert_eq!(encoder.finish().len(), foretold);
    }

    type Made = (String, Option<String>, Vec<u8>);

    fn made() -> impl Strategy<Value = Vec<Made>> {
        let key = prop_oneof!["[a-c]", "\\PC{0,12}"];
        let hash_key = prop::option::of(prop_oneof!["[0-9]{1,2}", "[0-9]{39}"]);
        prop::collection::vec(
            (key, hash_key, prop::collection::vec(any::<u8>(), 0..40)),
            0..40,
        )
    }

    fn members(made: &[Made]) -> Vec<Member<'_>> {
        made.iter()
            .map(|(partition_key, explicit_hash_key, data)| Member {
                partition_key,
                explicit_hash_key: explicit_hash_key.as_deref(),
                data,
            })
            .collect()
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(made in made()) {
            let members = members(&made);
            let bytes = encode(members.iter().copied());
            // Without user records there is no message, and without a message no aggregate.
            prop_assert_eq!(decode(&bytes), Some(members).filter(|members| !members.is_empty()));
        }

        #[test]
        fn prost_reads_and_writes_the_same_bytes(made in made()) {
            let bytes = encode(members(&made));
            let message = &bytes[MAGIC.len()..bytes.len() - DIGEST_LEN];
            let read = AggregatedRecord::decode(message).unwrap();
            prop_assert_eq!(read.records.len(), made.len());
            for (record, (key, hash_key, data)) in read.records.iter().zip(&made) {
                prop_assert_eq!(&read.partition_key_table[record.partition_key_index as usize], key);
                let index = record.explicit_hash_key_index;
                prop_assert_eq!(index.map(|index| &read.explicit_hash_key_table[index as usize]), hash_key.as_ref());
                prop_assert_eq!(&record.data, data);
            }
        }

        /// prost is laxer (a record may lack its fields) and stricter (no known field of another wire type), so that
        /// the two need agree only on what both read.
        #[test]
        fn reads_what_prost_reads(message in prop::collection::vec(prop_oneof![0_u8..4, Just(8), Just(10), Just(18), Just(26), any::<u8>()], 1..40)) {
            let bytes = sealed(&message);
            if let (Some(members), Ok(read)) = (decode(&bytes), AggregatedRecord::decode(&message[..])) {
                prop_assert_eq!(members.len(), read.records.len());
                for (member, record) in members.iter().zip(&read.records) {
                    prop_assert_eq!(member.partition_key, &read.partition_key_table[record.partition_key_index as usize]);
                    prop_assert_eq!(member.data, &record.data);
                }
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), sealed_too: bool) {
            let bytes = if sealed_too { sealed(&bytes) } else { bytes };
            let _ = decode(&bytes);
        }

        #[test]
        fn a_truncated_aggregate_is_none(made in made(), cut in 1_usize..20) {
            let bytes = encode(members(&made));
            prop_assert_eq!(decode(&bytes[..bytes.len().saturating_sub(cut)]), None);
        }
    }
}
