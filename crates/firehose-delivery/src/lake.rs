//! Rows and failures on their way to the bucket: a buffer for each partition and for each kind of error.

use std::collections::BTreeMap;

use crate::action::{Source, Unexpected};
use crate::failure::{self, Fault};
use crate::object::{Object, ObjectId, compress, suffix, uuid};
use crate::prefix::{Given, MAX_PREFIX_CHARS, Prefix};
use crate::record::Record;
use crate::settings::{Compression, Settings};

/// Partitions that are held at once; rows of one more are kept as failed.
pub const MAX_ACTIVE_PARTITIONS: usize = 500;

/// How long an object that cannot be put is tried again.
const STORE_FOR_MS: i64 = 24 * 3_600_000;

/// The first wait before an object is tried again; each one is twice as long, up to five minutes.
const RETRY_MS: i64 = 1_000;
const MOST_RETRY_MS: i64 = 300_000;

#[derive(Debug)]
pub(crate) struct Lake {
    stream: String,
    version: String,
    prefix: Prefix,
    error_output_prefix: Prefix,
    compression: Compression,
    extension: String,
    buffer_bytes: usize,
    buffer_interval_ms: i64,
    buffers: BTreeMap<Kind, Buffer>,
    objects: BTreeMap<ObjectId, Pending>,
    made: u64,
}

/// What a buffer holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Rows(BTreeMap<String, String>),
    Failed(&'static str),
}

#[derive(Debug)]
struct Buffer {
    bytes: Vec<u8>,
    records: usize,
    since_ms: i64,
    oldest_ms: i64,
}

/// An object until it is stored.
#[derive(Debug)]
struct Pending {
    kind: Kind,
    object: Object,
    /// When it is put; none while it is being put.
    due_ms: Option<i64>,
    give_up_ms: i64,
}

impl Lake {
    pub fn new(settings: &Settings, source: &Source) -> Self {
        Self {
            stream: source.stream_name().to_owned(),
            version: source.version.clone(),
            prefix: settings.prefix.clone(),
            error_output_prefix: settings.error_output_prefix.clone(),
            compression: settings.compression,
            extension: settings
                .file_extension
                .clone()
                .unwrap_or_else(|| settings.compression.extension().to_owned()),
            buffer_bytes: settings.buffer_bytes,
            buffer_interval_ms: i64::from(settings.buffer_interval_s) * 1000,
            buffers: BTreeMap::new(),
            objects: BTreeMap::new(),
            made: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.buffers.is_empty() && self.objects.is_empty()
    }

    /// Adds a record's rows to their partition; not if that would be one partition too many, or one whose prefix is too
    /// long.
    pub fn deliver(
        &mut self,
        rows: &[u8],
        partition: BTreeMap<String, String>,
        arrived_ms: i64,
        now_ms: i64,
    ) -> Result<(), Fault> {
        let kind = Kind::Rows(partition);
        if !self.buffers.contains_key(&kind) {
            if self.active_partitions(&kind) >= MAX_ACTIVE_PARTITIONS {
                return Err(Fault::ActivePartitions);
            }
            let prefix = self.prefix_of(&kind, arrived_ms, "");
            if prefix.chars().count() > MAX_PREFIX_CHARS {
                return Err(Fault::PartitionKeys);
            }
        }
        self.add(kind, rows, arrived_ms, now_ms);
        Ok(())
    }

    /// Keeps a record that is not delivered.
    pub fn keep(
        &mut self,
        record: &Record,
        fault: Fault,
        attempts: u32,
        function_arn: Option<&str>,
        now_ms: i64,
    ) {
        let line = failure::line(record, fault, attempts, now_ms, function_arn);
        let kind = Kind::Failed(fault.error_output_type());
        self.add(kind, &line, record.arrived_ms, now_ms);
    }

    /// The next object that is due.
    pub fn next(&mut self, now_ms: i64, close_all: bool, until_ms: &mut i64) -> Option<Object> {
        let due_ms = |buffer: &Buffer| match close_all {
            true => now_ms,
            false => buffer.since_ms.saturating_add(self.buffer_interval_ms),
        };
        let due: Vec<Kind> = self
            .buffers
            .iter()
            .filter(|(_, buffer)| due_ms(buffer) <= now_ms)
            .map(|(kind, _)| kind.clone())
            .collect();
        let later = self
            .buffers
            .values()
            .map(due_ms)
            .filter(|due_ms| *due_ms > now_ms);
        *until_ms = later.fold(*until_ms, i64::min);
        for kind in due {
            self.close(&kind, now_ms);
        }
        let waiting = self.objects.values().filter_map(|pending| pending.due_ms);
        let later = waiting.filter(|due_ms| *due_ms > now_ms);
        *until_ms = later.fold(*until_ms, i64::min);
        let pending = self
            .objects
            .values_mut()
            .find(|pending| pending.due_ms.is_some_and(|due_ms| due_ms <= now_ms))?;
        pending.due_ms = None;
        Some(pending.object.clone())
    }

    /// How many records the object held, and whether they had failed.
    pub fn stored(&mut self, id: ObjectId) -> Result<(u64, bool), Unexpected> {
        let pending = self.under_way(id)?.remove();
        let failed = pending.object.error_output_type.is_some();
        Ok((pending.object.records as u64, failed))
    }

    /// How many records are lost by it.
    pub fn store_failed(&mut self, id: ObjectId, now_ms: i64) -> Result<u64, Unexpected> {
        let mut entry = self.under_way(id)?;
        let pending = entry.get_mut();
        if now_ms >= pending.give_up_ms {
            return Ok(entry.remove().object.records as u64);
        }
        let wait_ms = RETRY_MS << (pending.object.attempt - 1).min(20);
        pending.due_ms = Some(now_ms.saturating_add(wait_ms.min(MOST_RETRY_MS)));
        pending.object.attempt += 1;
        Ok(0)
    }

    fn under_way(
        &mut self,
        id: ObjectId,
    ) -> Result<std::collections::btree_map::OccupiedEntry<'_, ObjectId, Pending>, Unexpected> {
        use std::collections::btree_map::Entry;
        match self.objects.entry(id) {
            Entry::Occupied(entry) if entry.get().due_ms.is_none() => Ok(entry),
            _ => Err(Unexpected::Object(id)),
        }
    }

    /// A partition is active until its objects are stored.
    fn active_partitions(&self, but: &Kind) -> usize {
        let pending = self.objects.values().map(|pending| &pending.kind);
        let held: std::collections::BTreeSet<&Kind> = self.buffers.keys().chain(pending).collect();
        let rows = |kind: &&&Kind| matches!(kind, Kind::Rows(_)) && **kind != but;
        held.iter().filter(rows).count()
    }

    fn add(&mut self, kind: Kind, bytes: &[u8], arrived_ms: i64, now_ms: i64) {
        let buffer = self.buffers.entry(kind.clone()).or_insert_with(|| Buffer {
            bytes: Vec::new(),
            records: 0,
            since_ms: now_ms,
            oldest_ms: arrived_ms,
        });
        buffer.bytes.extend_from_slice(bytes);
        buffer.records += 1;
        buffer.oldest_ms = buffer.oldest_ms.min(arrived_ms);
        if buffer.bytes.len() >= self.buffer_bytes {
            self.close(&kind, now_ms);
        }
    }

    fn close(&mut self, kind: &Kind, now_ms: i64) {
        let Some(buffer) = self.buffers.remove(kind) else {
            return;
        };
        let id = ObjectId(self.made);
        self.made += 1;
        let uuid = uuid(&[&self.stream, "object", &id.0.to_string()]);
        let error_output_type = match kind {
            Kind::Rows(_) => None,
            Kind::Failed(error) => Some(*error),
        };
        let prefix = self.prefix_of(kind, buffer.oldest_ms, &uuid);
        let suffix = suffix(
            &self.stream,
            &self.version,
            buffer.oldest_ms,
            &uuid,
            &self.extension,
        );
        let object = Object {
            id,
            key: prefix + &suffix,
            body: compress(buffer.bytes, self.compression),
            records: buffer.records,
            error_output_type,
            attempt: 1,
        };
        let pending = Pending {
            kind: kind.clone(),
            object,
            due_ms: Some(now_ms),
            give_up_ms: now_ms.saturating_add(STORE_FOR_MS),
        };
        self.objects.insert(id, pending);
    }

    fn prefix_of(&self, kind: &Kind, time_ms: i64, object: &str) -> String {
        let none = BTreeMap::new();
        let (prefix, keys, error_output_type) = match kind {
            Kind::Rows(partition) => (&self.prefix, partition, ""),
            Kind::Failed(error) => (&self.error_output_prefix, &none, *error),
        };
        prefix.evaluate(&Given {
            time_ms,
            keys,
            error_output_type,
            object,
        })
    }
}
