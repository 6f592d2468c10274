//! A function behind its event source mapping: Lambda's part is the state machine, on the rig's clock.

use std::sync::Arc;

use event_source_mapping::{
    Action, Answer, Destination, Discarded, Invocation, Mapping, Position, Settings, ShardInfo,
    Source, SourceRecord,
};

use crate::{Rig, STREAM_ARN};

/// The shards of a stream, each with its records in order; all have ended.
pub type Shards = Vec<(String, Vec<Arc<SourceRecord>>)>;

/// How the functions' mappings are deployed, as far as it decides what becomes of a record, with the largest batch.
pub fn settings() -> Settings {
    Settings {
        batch_size: 10_000,
        maximum_retry_attempts: Some(2),
        bisect_batch_on_function_error: true,
        report_batch_item_failures: true,
        on_failure: Some(Destination::Bucket("set-aside".to_owned())),
        ..Settings::default()
    }
}

/// One shard with these partition keys and data, which arrive at `arrived_ms`.
pub fn one_shard<D: Into<Vec<u8>>>(
    arrived_ms: i64,
    records: impl IntoIterator<Item = (String, D)>,
) -> Shards {
    let record = |(n, (partition_key, data)): (u64, (String, D))| {
        Arc::new(SourceRecord {
            sequence_number: crate::Batches::sequence_number(n).parse().unwrap(),
            partition_key,
            data: data.into(),
            arrived_ms,
        })
    };
    let records = (1..).zip(records).map(record).collect();
    vec![("shardId-000000000000".to_owned(), records)]
}

/// What lies on the quality-events stream.
pub fn quality_events(rig: &Rig) -> Shards {
    let records = rig.world.records("quality-events");
    let mut shards: Shards = Vec::new();
    for shard in rig.world.shards("quality-events") {
        let of_shard = records.iter().filter(|record| record.shard == shard.id);
        let of_shard = of_shard.map(|record| {
            Arc::new(SourceRecord {
                sequence_number: record.sequence_number.parse().unwrap(),
                partition_key: record.partition_key.clone(),
                data: record.data.to_vec(),
                arrived_ms: record.arrived_ms,
            })
        });
        let of_shard = of_shard.collect();
        shards.push((shard.id, of_shard));
    }
    shards
}

/// Delivers all of `shards` to `function`, moving the rig's clock where the mapping waits, until nothing is left to do.
/// What Lambda gives up goes to the bucket, and is returned.
///
/// # Panics
/// If a shard stops before its end.
pub async fn deliver(
    rig: &Rig,
    function: &str,
    shards: Shards,
    settings: Settings,
    mut invoke: impl AsyncFnMut(&Invocation) -> Answer,
) -> Vec<Discarded> {
    let source = Source {
        mapping_id: "14e0db71-5d35-4eb5-b481-8945cf9d10c2".to_owned(),
        event_source_arn: STREAM_ARN.to_owned(),
        function_arn: format!("arn:aws:lambda:eu-central-1:123456789012:function:{function}"),
        role_arn: "arn:aws:iam::123456789012:role/andon".to_owned(),
        retention_ms: None,
    };
    let mut mapping = Mapping::new(settings, source).unwrap();
    for (id, _) in &shards {
        let info = ShardInfo {
            id: id.clone(),
            parents: Vec::new(),
        };
        mapping.shard_found(info, rig.world.now_ms());
    }
    let mut discarded = Vec::new();
    loop {
        let now_ms = rig.world.now_ms();
        match mapping.next(now_ms) {
            Action::Read(read) => {
                let (_, all) = shards.iter().find(|(id, _)| **id == *read.shard).unwrap();
                let behind = match &read.after {
                    Position::After(number) => {
                        all.partition_point(|record| record.sequence_number <= *number)
                    }
                    _ => 0,
                };
                let given: Vec<_> = all[behind..].iter().take(read.limit as usize).collect();
                let is_end = behind + given.len() == all.len();
                mapping
                    .records(&read.shard, given.into_iter().cloned(), is_end, now_ms)
                    .unwrap();
            }
            Action::Invoke(invocation) => {
                let answer = invoke(&invocation).await;
                mapping
                    .answered(invocation.id, &answer, rig.world.now_ms())
                    .unwrap();
            }
            Action::SendFailure(batch) => {
                rig.world
                    .put_object("set-aside", &batch.key(), batch.to_full_json());
                discarded.push(*batch);
            }
            Action::Wait { until_ms } => rig.clock.advance(until_ms - now_ms),
            Action::Idle => break,
        }
    }
    assert!(mapping.is_drained(), "a shard stopped");
    discarded
}
