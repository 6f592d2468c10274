//! A shard's records, read from its oldest one to its tip.

use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kinesis::types::{Record, ShardIteratorType};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use event_source_mapping::ShardInfo;

use crate::aws::failed;
use crate::failure::Failure;

/// A record as the stream holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRecord {
    /// In decimal.
    pub sequence_number: String,
    /// As it was put.
    pub partition_key: String,
    /// The record's bytes.
    pub data: Vec<u8>,
    /// When the stream took it, in milliseconds since the epoch.
    pub arrived_ms: i64,
}

impl From<&Record> for StreamRecord {
    fn from(record: &Record) -> Self {
        let arrived = record
            .approximate_arrival_timestamp()
            .and_then(|time| time.to_millis().ok());
        Self {
            sequence_number: record.sequence_number().to_owned(),
            partition_key: record.partition_key().unwrap_or_default().to_owned(),
            data: record.data().as_ref().to_vec(),
            arrived_ms: arrived.unwrap_or_default(),
        }
    }
}

/// Kinesis allows five reads a second on each shard.
pub const BETWEEN_READS: Duration = Duration::from_millis(210);
/// After an answer of 10 MiB a shard gives nothing for five seconds, and others may read it too.
const THROTTLED_WAIT: Duration = Duration::from_secs(2);
const MAX_THROTTLED: u32 = 15;

/// Asks a shard for an iterator or for records, and waits where it gives nothing for now: what it says no to stays where
/// it is.
pub async fn patiently<T, E: ProvideErrorMetadata>(
    mut ask: impl AsyncFnMut() -> Result<T, SdkError<E, HttpResponse>>,
) -> Result<T, SdkError<E, HttpResponse>> {
    let mut throttled = 0;
    loop {
        match ask().await {
            Err(error)
                if throttled < MAX_THROTTLED
                    && matches!(
                        error.code(),
                        Some("ProvisionedThroughputExceededException" | "LimitExceededException")
                    ) =>
            {
                throttled += 1;
                tokio::time::sleep(THROTTLED_WAIT).await;
            }
            answer => return answer,
        }
    }
}

/// The ids of the stream's shards, closed ones included.
pub async fn list(client: &Client, arn: &str) -> Result<Vec<String>, Failure> {
    let shards = list_infos(client, arn).await?;
    Ok(shards.into_iter().map(|shard| shard.id).collect())
}

/// The stream's shards, closed ones included, each with its parents.
pub async fn list_infos(client: &Client, arn: &str) -> Result<Vec<ShardInfo>, Failure> {
    let mut shards = Vec::new();
    let mut page = client.list_shards().stream_arn(arn);
    loop {
        let answer = page
            .send()
            .await
            .map_err(|error| failed(format_args!("cannot list the shards of {arn}"), &error))?;
        shards.extend(answer.shards().iter().map(|shard| {
            ShardInfo {
                id: shard.shard_id().to_owned(),
                parents: [shard.parent_shard_id(), shard.adjacent_parent_shard_id()]
                    .into_iter()
                    .flatten()
                    .map(str::to_owned)
                    .collect(),
            }
        }));
        match answer.next_token() {
            Some(token) => page = client.list_shards().next_token(token),
            None => return Ok(shards),
        }
    }
}

/// Everything on the shard now.
pub async fn read_shard(
    client: &Client,
    arn: &str,
    shard: &str,
) -> Result<Vec<StreamRecord>, Failure> {
    let mut records = Vec::new();
    read_pages(client, arn, shard, |page| {
        records.extend(page);
        Ok(())
    })
    .await?;
    Ok(records)
}

/// Everything on the shard now, as many records at a time as one call gives: `take` decides what stays in memory.
pub async fn read_pages(
    client: &Client,
    arn: &str,
    shard: &str,
    mut take: impl FnMut(Vec<StreamRecord>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let cannot = || format!("cannot read {shard} of {arn}");
    let oldest = client
        .get_shard_iterator()
        .stream_arn(arn)
        .shard_id(shard)
        .shard_iterator_type(ShardIteratorType::TrimHorizon);
    let oldest = patiently(async || oldest.clone().send().await)
        .await
        .map_err(|error| failed(cannot(), &error))?;
    let mut iterator = oldest.shard_iterator;
    // A closed shard ends without a further iterator, an open one at its tip.
    while let Some(at) = iterator {
        let get = client.get_records().stream_arn(arn).shard_iterator(at);
        let answer = patiently(async || get.clone().send().await)
            .await
            .map_err(|error| failed(cannot(), &error))?;
        take(answer.records().iter().map(StreamRecord::from).collect())?;
        if answer.millis_behind_latest() == Some(0) {
            break;
        }
        iterator = answer.next_shard_iterator;
        tokio::time::sleep(BETWEEN_READS).await;
    }
    Ok(())
}
