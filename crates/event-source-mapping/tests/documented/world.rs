//! A stream of one function on a virtual clock: what the tests put in and what they see come out.

use std::collections::BTreeMap;
use std::sync::Arc;

use event_source_mapping::{
    Action, Answer, Discarded, Invocation, Mapping, Position, Read, Settings, ShardInfo, Source,
    SourceRecord,
};

pub const START: i64 = 1_545_084_650_987;
pub const STREAM: &str = "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream";
pub const SHARD: &str = "shardId-000000000006";

pub fn source() -> Source {
    Source {
        mapping_id: "f89f8514-cdd9-4602-9e1f-01a5b77d449b".into(),
        event_source_arn: STREAM.into(),
        function_arn: "arn:aws:lambda:us-east-2:123456789012:function:myfunction".into(),
        role_arn: "arn:aws:iam::123456789012:role/lambda-role".into(),
        retention_ms: None,
    }
}

pub fn record(number: u64, partition_key: &str, arrived_ms: i64) -> SourceRecord {
    SourceRecord {
        sequence_number: number.to_string().parse().unwrap(),
        partition_key: partition_key.into(),
        data: format!("reading {number}").into_bytes(),
        arrived_ms,
    }
}

/// The partial response that names these records.
pub fn failed(numbers: &[u64]) -> Answer {
    let items: Vec<_> = numbers
        .iter()
        .map(|number| serde_json::json!({"itemIdentifier": number.to_string()}))
        .collect();
    Answer::Returned(
        serde_json::json!({"batchItemFailures": items})
            .to_string()
            .into_bytes(),
    )
}

pub fn ok() -> Answer {
    Answer::Returned(b"{\"batchItemFailures\":[]}".to_vec())
}

pub fn error() -> Answer {
    Answer::FunctionError("Runtime.Unhandled".into())
}

/// A mapping, the shards it reads, and the time.
pub struct World {
    pub mapping: Mapping,
    pub now_ms: i64,
    pub discarded: Vec<Discarded>,
    pub reads: Vec<Read>,
    shards: BTreeMap<String, (Vec<Arc<SourceRecord>>, bool)>,
}

impl World {
    pub fn new(settings: Settings) -> Self {
        let mut world = Self::without_shards(settings, source());
        world.shard(SHARD, &[]);
        world
    }

    pub fn without_shards(settings: Settings, source: Source) -> Self {
        Self {
            mapping: Mapping::new(settings, source).unwrap(),
            now_ms: START,
            discarded: Vec::new(),
            reads: Vec::new(),
            shards: BTreeMap::new(),
        }
    }

    pub fn shard(&mut self, id: &str, parents: &[&str]) {
        self.shards.insert(id.into(), (Vec::new(), false));
        self.find(id, parents);
    }

    /// Tells the mapping of a shard.
    pub fn find(&mut self, id: &str, parents: &[&str]) {
        let parents = parents.iter().map(|parent| (*parent).to_owned()).collect();
        self.mapping.shard_found(
            ShardInfo {
                id: id.into(),
                parents,
            },
            self.now_ms,
        );
    }

    pub fn put(&mut self, records: impl IntoIterator<Item = SourceRecord>) {
        self.put_to(SHARD, records);
    }

    pub fn put_to(&mut self, shard: &str, records: impl IntoIterator<Item = SourceRecord>) {
        let (held, _) = self.shards.get_mut(shard).unwrap();
        held.extend(records.into_iter().map(Arc::new));
    }

    /// Records of one machine, of these numbers, that arrive now.
    pub fn put_now(&mut self, numbers: impl IntoIterator<Item = u64>) {
        let now_ms = self.now_ms;
        self.put(
            numbers
                .into_iter()
                .map(|number| record(number, "press-07", now_ms)),
        );
    }

    pub fn close(&mut self, shard: &str) {
        self.shards.get_mut(shard).unwrap().1 = true;
    }

    /// What is invoked now. Reads are answered, discarded batches noted.
    pub fn invoked(&mut self) -> Vec<Invocation> {
        let mut invoked = Vec::new();
        loop {
            match self.mapping.next(self.now_ms) {
                Action::Invoke(invocation) => invoked.push(invocation),
                Action::Read(read) => self.read(read),
                Action::SendFailure(discarded) => self.discarded.push(*discarded),
                Action::Wait { until_ms } => {
                    assert!(until_ms > self.now_ms, "a wait has an end ahead");
                    return invoked;
                }
                Action::Idle => return invoked,
            }
        }
    }

    /// The one invocation of now.
    #[track_caller]
    pub fn one(&mut self) -> Invocation {
        let mut invoked = self.invoked();
        assert_eq!(invoked.len(), 1, "{invoked:?}");
        invoked.remove(0)
    }

    /// Moves the time on to the next invocation, at most a day.
    #[track_caller]
    pub fn next_invocation(&mut self) -> Invocation {
        let limit_ms = self.now_ms + 86_400_000;
        while self.now_ms < limit_ms {
            let mut invoked = self.invoked();
            if !invoked.is_empty() {
                assert_eq!(invoked.len(), 1, "{invoked:?}");
                return invoked.remove(0);
            }
            match self.mapping.next(self.now_ms) {
                Action::Wait { until_ms } => self.now_ms = until_ms,
                other => panic!("nothing is to come: {other:?}"),
            }
        }
        panic!("no invocation within a day");
    }

    pub fn answer(&mut self, invocation: &Invocation, answer: &Answer) {
        self.mapping
            .answered(invocation.id, answer, self.now_ms)
            .unwrap();
    }

    pub fn checkpoint(&self) -> Option<u64> {
        self.mapping
            .checkpoint(SHARD)
            .map(|number| number.as_str().parse().unwrap())
    }

    fn read(&mut self, read: Read) {
        let (records, closed) = &self.shards[&*read.shard];
        let ahead: Vec<_> = records
            .iter()
            .filter(|record| match &read.after {
                Position::TrimHorizon => true,
                Position::Latest => false,
                Position::At(ms) => record.arrived_ms >= *ms,
                Position::After(number) => record.sequence_number > *number,
            })
            .cloned()
            .collect();
        let given: Vec<_> = ahead.iter().take(read.limit as usize).cloned().collect();
        let end = *closed && given.len() == ahead.len();
        self.mapping
            .records(&read.shard, given, end, self.now_ms)
            .unwrap();
        self.reads.push(read);
    }
}

/// The sequence numbers of an invocation's records.
pub fn numbers(invocation: &Invocation) -> Vec<u64> {
    of(&invocation.records)
}

/// The sequence numbers of records.
pub fn of(records: &[Arc<SourceRecord>]) -> Vec<u64> {
    records
        .iter()
        .map(|record| record.sequence_number.as_str().parse().unwrap())
        .collect()
}
