//! What stands on a stream, shard by shard, as readers see it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use event_source_mapping::{Position, Read, SourceRecord};
use fake_aws::{Record, World};

/// A stream's records by shard; grows as the world does.
#[derive(Debug, Default)]
pub struct StreamLog {
    known: usize,
    shards: BTreeMap<String, Vec<Arc<SourceRecord>>>,
    closed: BTreeSet<String>,
}

impl StreamLog {
    /// Takes what has arrived since, and gives it.
    pub fn sync(&mut self, world: &World, stream: &str) -> Vec<Record> {
        let fresh = world.records_after(stream, self.known);
        self.known += fresh.len();
        for record in &fresh {
            let entry = SourceRecord {
                sequence_number: record.sequence_number.parse().unwrap(),
                partition_key: record.partition_key.clone(),
                data: record.data.to_vec(),
                arrived_ms: record.arrived_ms,
            };
            self.shards
                .entry(record.shard.clone())
                .or_default()
                .push(Arc::new(entry));
        }
        fresh
    }

    /// Notes which shards are closed by now.
    pub fn note_closed(&mut self, world: &World, stream: &str) {
        let closed = world
            .shards(stream)
            .into_iter()
            .filter(|one| !one.is_open());
        self.closed = closed.map(|one| one.id).collect();
    }

    /// The records that a read finds, and whether the shard ends with them.
    pub fn read(&self, read: &Read) -> (&[Arc<SourceRecord>], bool) {
        let all = self.of(&read.shard);
        let behind = match &read.after {
            Position::After(number) => {
                all.partition_point(|record| record.sequence_number <= *number)
            }
            _ => 0,
        };
        let given = &all[behind..];
        let given = &given[..given.len().min(read.limit as usize)];
        let is_end = self.closed.contains(&*read.shard) && behind + given.len() == all.len();
        (given, is_end)
    }

    /// A shard's records.
    pub fn of(&self, shard: &str) -> &[Arc<SourceRecord>] {
        self.shards.get(shard).map_or(&[], Vec::as_slice)
    }

    /// Every shard that has records.
    pub fn shards(&self) -> impl Iterator<Item = (&str, &[Arc<SourceRecord>])> {
        self.shards
            .iter()
            .map(|(shard, records)| (shard.as_str(), records.as_slice()))
    }
}
