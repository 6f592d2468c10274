//! A stream: shards that divide the hash keys, and the records on them.

use bytes::Bytes;
use md5::{Digest, Md5};

use super::sequence::sequence_number;

/// A record on a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `shardId-000000000000`
    pub shard: String,
    /// 56 decimal digits, growing within the shard.
    pub sequence_number: String,
    /// As it was put.
    pub partition_key: String,
    /// As it was put.
    pub data: Bytes,
    /// When it was put, in the world's milliseconds since 1970.
    pub arrived_ms: i64,
}

/// A shard, open or closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// `shardId-000000000000`
    pub id: String,
    /// The shard that it was split from, or the one of two merged.
    pub parent: Option<String>,
    /// The other one of two merged.
    pub adjacent_parent: Option<String>,
    /// First and last hash key.
    pub hash_keys: (u128, u128),
    /// Where it starts.
    pub starting_sequence_number: String,
    /// Where it ends, once it is closed.
    pub ending_sequence_number: Option<String>,
    created_s: i64,
    /// Places of its records among the stream's.
    pub(super) places: Vec<usize>,
}

impl Shard {
    fn new(
        index: usize,
        parents: [Option<&str>; 2],
        hash_keys: (u128, u128),
        created_s: i64,
    ) -> Self {
        Self {
            id: format!("shardId-{index:012}"),
            parent: parents[0].map(str::to_owned),
            adjacent_parent: parents[1].map(str::to_owned),
            hash_keys,
            starting_sequence_number: sequence_number(created_s, index, 0, created_s),
            ending_sequence_number: None,
            created_s,
            places: Vec::new(),
        }
    }

    /// Whether it still takes records.
    pub fn is_open(&self) -> bool {
        self.ending_sequence_number.is_none()
    }
}

/// A stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) created_ms: i64,
    shards: Vec<Shard>,
    records: Vec<Record>,
}

impl Stream {
    pub(crate) fn new(name: &str, arn: &str, shards: usize, now_ms: i64) -> Self {
        let count = shards.max(1) as u128;
        let width = u128::MAX / count;
        let shard = |index: u128| {
            let last = if index + 1 == count {
                u128::MAX
            } else {
                (index + 1) * width - 1
            };
            Shard::new(
                index as usize,
                [None, None],
                (index * width, last),
                now_ms / 1000,
            )
        };
        Self {
            name: name.to_owned(),
            arn: arn.to_owned(),
            created_ms: now_ms,
            shards: (0..count).map(shard).collect(),
            records: Vec::new(),
        }
    }

    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    pub(crate) fn shards(&self) -> &[Shard] {
        &self.shards
    }

    pub(super) fn shard(&self, id: &str) -> Option<&Shard> {
        self.shards.iter().find(|shard| shard.id == id)
    }

    /// A shard's n-th record, from 0.
    pub(super) fn record(&self, shard: &Shard, n: usize) -> Option<&Record> {
        shard
            .places
            .get(n)
            .and_then(|place| self.records.get(*place))
    }

    /// Puts a record on the shard that its hash key belongs to.
    pub(crate) fn put(
        &mut self,
        partition_key: &str,
        explicit_hash_key: Option<u128>,
        data: Bytes,
        now_ms: i64,
    ) -> Record {
        let index = self.index_for(partition_key, explicit_hash_key);
        let shard = &mut self.shards[index];
        let n = shard.places.len() as u64 + 1;
        let record = Record {
            shard: shard.id.clone(),
            sequence_number: sequence_number(shard.created_s, index, n, now_ms / 1000),
            partition_key: partition_key.to_owned(),
            data,
            arrived_ms: now_ms,
        };
        shard.places.push(self.records.len());
        self.records.push(record.clone());
        record
    }

    /// The open shard that takes a record with this key.
    pub(super) fn shard_for(&self, partition_key: &str, explicit_hash_key: Option<u128>) -> &Shard {
        &self.shards[self.index_for(partition_key, explicit_hash_key)]
    }

    fn index_for(&self, partition_key: &str, explicit_hash_key: Option<u128>) -> usize {
        let hash_key = explicit_hash_key.unwrap_or_else(|| hash_key(partition_key));
        let takes = |shard: &Shard| {
            shard.is_open() && shard.hash_keys.0 <= hash_key && hash_key <= shard.hash_keys.1
        };
        // Open shards cover every hash key: splitting and merging keep it so.
        self.shards.iter().position(takes).unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn split(&mut self, id: &str, now_ms: i64) -> [String; 2] {
        let index = self.open_shard(id);
        let (first, last) = self.shards[index].hash_keys;
        assert!(first < last, "shard {id} has a single hash key");
        let middle = first + (last - first) / 2;
        let created_s = self.close(index, now_ms);
        [(first, middle), (middle + 1, last)]
            .map(|hash_keys| self.open([Some(id), None], hash_keys, created_s))
    }

    #[track_caller]
    pub(crate) fn merge(&mut self, id: &str, adjacent: &str, now_ms: i64) -> String {
        let (index, other) = (self.open_shard(id), self.open_shard(adjacent));
        let mut ranges = [self.shards[index].hash_keys, self.shards[other].hash_keys];
        ranges.sort_unstable();
        assert_eq!(
            ranges[0].1.checked_add(1),
            Some(ranges[1].0),
            "shards {id} and {adjacent} are not adjacent"
        );
        let created_s = self.close(index, now_ms).max(self.close(other, now_ms));
        self.open(
            [Some(id), Some(adjacent)],
            (ranges[0].0, ranges[1].1),
            created_s,
        )
    }

    #[track_caller]
    fn open_shard(&self, id: &str) -> usize {
        match self
            .shards
            .iter()
            .position(|shard| shard.id == id && shard.is_open())
        {
            Some(index) => index,
            None => panic!("stream {} has no open shard {id:?}", self.name),
        }
    }

    fn open(
        &mut self,
        parents: [Option<&str>; 2],
        hash_keys: (u128, u128),
        created_s: i64,
    ) -> String {
        let shard = Shard::new(self.shards.len(), parents, hash_keys, created_s);
        let id = shard.id.clone();
        self.shards.push(shard);
        id
    }

    /// Gives the second at which a child is created: later than its parent's, so that its numbers are larger.
    fn close(&mut self, index: usize, now_ms: i64) -> i64 {
        let shard = &mut self.shards[index];
        let n = shard.places.len() as u64 + 1;
        shard.ending_sequence_number =
            Some(sequence_number(shard.created_s, index, n, now_ms / 1000));
        (now_ms / 1000).max(shard.created_s + 1)
    }
}

/// The MD5 of the partition key, as a number.
fn hash_key(partition_key: &str) -> u128 {
    let digest: [u8; 16] = Md5::digest(partition_key.as_bytes()).into();
    u128::from_be_bytes(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(shards: usize) -> Stream {
        Stream::new(
            "readings",
            "arn:aws:kinesis:eu-central-1:111122223333:stream/readings",
            shards,
            1_795_136_400_000,
        )
    }

    #[test]
    fn shards_cover_every_hash_key_once() {
        for count in [1, 2, 3, 7] {
            let shards = stream(count).shards;
            assert_eq!(shards.len(), count);
            assert_eq!(
                (shards[0].hash_keys.0, shards[count - 1].hash_keys.1),
                (0, u128::MAX)
            );
            assert!(
                shards
                    .windows(2)
                    .all(|pair| pair[0].hash_keys.1 + 1 == pair[1].hash_keys.0)
            );
        }
    }

    #[test]
    fn a_partition_key_has_its_shard_by_md5() {
        // md5("a") = 0cc1…, md5("b") = 92eb…
        let mut stream = stream(2);
        assert_eq!(
            stream.put("a", None, Bytes::new(), 0).shard,
            "shardId-000000000000"
        );
        assert_eq!(
            stream.put("b", None, Bytes::new(), 0).shard,
            "shardId-000000000001"
        );
        assert_eq!(
            stream.put("a", Some(u128::MAX), Bytes::new(), 0).shard,
            "shardId-000000000001"
        );
    }

    #[test]
    fn resharding_closes_parents_and_goes_on_with_larger_numbers() {
        let mut stream = stream(1);
        let before = stream.put("a", None, Bytes::new(), 1_795_136_400_000);
        let children = stream.split("shardId-000000000000", 1_795_136_400_001);
        assert_eq!(children, ["shardId-000000000001", "shardId-000000000002"]);
        let after = stream.put("a", None, Bytes::new(), 1_795_136_400_002);
        assert_eq!(after.shard, children[0]);
        let parent = stream.shards[0].clone();
        let ending = parent.ending_sequence_number.unwrap();
        assert!(before.sequence_number < ending && ending < after.sequence_number);
        assert_eq!(
            stream.shards[1].parent.as_deref(),
            Some("shardId-000000000000")
        );

        let merged = stream.merge(&children[1], &children[0], 1_795_136_400_003);
        let shard = stream.shard(&merged).unwrap();
        assert_eq!(shard.hash_keys, (0, u128::MAX));
        assert_eq!(
            shard.adjacent_parent.as_deref(),
            Some("shardId-000000000001")
        );
        assert_eq!(
            stream.shards.iter().filter(|shard| shard.is_open()).count(),
            1
        );
    }
}
