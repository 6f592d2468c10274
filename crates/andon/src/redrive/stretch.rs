//! A stretch of a shard, read back from the stream while it is retained.

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::error::ProvideErrorMetadata;
use aws_sdk_kinesis::types::ShardIteratorType;
use kinesis_batch::SequenceNumber;
use kinesis_batch::envelope::{Record, write_record};
use quality_event::Timestamp;

use super::held::Held;
use super::invocation_record::{InvocationRecord, Pointer};
use crate::aws::failed;
use crate::failure::Failure;
use crate::record::{BETWEEN_READS, StreamRecord, patiently};

/// The records of the batch that `record` points to, as far as the stream still has them. With a parallelization
/// factor above 1 other batches' records lie between them and come too; bringing these back changes nothing.
pub async fn read_back(
    client: &Client,
    record: &InvocationRecord,
    pointer: &Pointer,
    message: &str,
) -> Result<Vec<Held>, Failure> {
    let records = read(client, pointer).await?;
    Ok(records
        .iter()
        .map(|found| Held {
            function: Some(record.function.clone()),
            origin: None,
            read_from: message.to_owned(),
            record: {
                let mut aside = record.record(envelope(pointer, found));
                aside.sequence_number = Some(found.sequence_number.clone());
                aside.partition_key = Some(found.partition_key.clone());
                aside.arrived = Timestamp::from_millis(found.arrived_ms).ok();
                aside
            },
        })
        .collect())
}

async fn read(client: &Client, pointer: &Pointer) -> Result<Vec<StreamRecord>, Failure> {
    let (arn, shard) = (&pointer.stream_arn, &pointer.shard_id);
    let cannot = || format!("cannot read {shard} of {arn}");
    let number = |text: &str| {
        text.parse::<SequenceNumber>().map_err(|error| {
            Failure::input(format_args!("sequence number `{text}`")).caused_by(error)
        })
    };
    let first = number(&pointer.start_sequence_number)?;
    let last = number(&pointer.end_sequence_number)?;
    // Message after message may point into one shard, which gives five iterators and five answers a second.
    tokio::time::sleep(BETWEEN_READS).await;
    let start = client
        .get_shard_iterator()
        .stream_arn(arn)
        .shard_id(shard)
        .shard_iterator_type(ShardIteratorType::AtSequenceNumber)
        .starting_sequence_number(&pointer.start_sequence_number);
    let mut iterator = match patiently(async || start.clone().send().await).await {
        Ok(start) => start.shard_iterator,
        // The stream, the shard or the record is gone.
        Err(error)
            if matches!(
                error.code(),
                Some("ResourceNotFoundException" | "InvalidArgumentException")
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(failed(cannot(), &error)),
    };
    let mut records = Vec::new();
    while let Some(at) = iterator {
        // No more than the batch: a full answer of 10 MiB would make the shard give nothing to others for a while.
        let most = i32::try_from(pointer.batch_size.clamp(1, 10_000)).unwrap_or(10_000);
        let get = client.get_records().stream_arn(arn).shard_iterator(at);
        let get = get.limit(most);
        let answer = patiently(async || get.clone().send().await)
            .await
            .map_err(|error| failed(cannot(), &error))?;
        for record in answer.records() {
            let place = number(record.sequence_number())?;
            // Where the first record is gone, the shard begins behind it.
            if place > last {
                return Ok(records);
            }
            if place >= first {
                records.push(StreamRecord::from(record));
            }
            if place == last {
                return Ok(records);
            }
        }
        if answer.millis_behind_latest() == Some(0) {
            break;
        }
        iterator = answer.next_shard_iterator;
        tokio::time::sleep(BETWEEN_READS).await;
    }
    Ok(records)
}

fn envelope(pointer: &Pointer, record: &StreamRecord) -> Vec<u8> {
    let mut json = Vec::new();
    write_record(
        &mut json,
        &Record {
            source_arn: &pointer.stream_arn,
            region: pointer.stream_arn.split(':').nth(3).unwrap_or_default(),
            role_arn: "",
            shard: &pointer.shard_id,
            sequence_number: &record.sequence_number,
            partition_key: &record.partition_key,
            data: &record.data,
            arrived_ms: record.arrived_ms,
        },
    );
    json
}

#[cfg(test)]
mod tests {
    use fake_aws::{Effect, Fault, Service, When, World};
    use serde_json::json;
    use tokio::time::Instant;

    use super::*;
    use crate::redrive::invocation_record::tests::documented;

    /// A stream of one shard with so many records.
    async fn stream(records: usize) -> (World, Client) {
        let world = World::default();
        world.create_stream("readings", 1);
        let client = Client::new(&world.sdk_config());
        for n in 0..records {
            let put = client.put_record().stream_name("readings");
            let put = put
                .partition_key("press-07")
                .data(aws_sdk_kinesis::primitives::Blob::new(format!(
                    "{{\"n\":{n}}}"
                )));
            put.send().await.unwrap();
        }
        (world, client)
    }

    fn record(world: &World, from: usize, to: usize) -> InvocationRecord {
        let records = world.records("readings");
        let mut record = documented();
        record["KinesisBatchInfo"]["shardId"] = json!(records[0].shard);
        record["KinesisBatchInfo"]["startSequenceNumber"] = json!(records[from].sequence_number);
        record["KinesisBatchInfo"]["endSequenceNumber"] = json!(records[to].sequence_number);
        InvocationRecord::read(record.to_string().as_bytes()).unwrap()
    }

    async fn held(client: &Client, record: &InvocationRecord) -> Vec<Held> {
        let pointer = record.batch.as_ref().unwrap();
        read_back(client, record, pointer, "message 1")
            .await
            .unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn the_stretch_comes_back_and_nothing_beside_it() {
        let (world, client) = stream(9).await;
        for (from, to) in [(0, 0), (2, 5), (0, 8), (8, 8)] {
            let held = held(&client, &record(&world, from, to)).await;
            let numbers = held
                .iter()
                .map(|one| one.record.sequence_number.clone().unwrap());
            let expected = world.records("readings")[from..=to]
                .iter()
                .map(|record| record.sequence_number.clone())
                .collect::<Vec<_>>();
            assert!(numbers.eq(expected), "{from}..={to}");
            assert!(held.into_iter().all(|one| one.ready().is_ok()));
        }
    }

    /// The first twelve calls are refused, more than the SDK itself repeats.
    #[tokio::test(start_paused = true)]
    async fn a_busy_shard_is_waited_for() {
        for operation in ["GetShardIterator", "GetRecords"] {
            let (world, client) = stream(3).await;
            let record = record(&world, 0, 2);
            let refused = Fault::new(Service::Kinesis, operation).when(When::first(12));
            let refused = world.fault(refused.then(Effect::Throttled));
            assert_eq!(held(&client, &record).await.len(), 3, "{operation}");
            assert_eq!(refused.fired(), 12, "{operation}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn messages_of_one_shard_are_read_no_faster_than_it_gives() {
        let (world, client) = stream(3).await;
        let record = record(&world, 0, 2);
        let start = Instant::now();
        for _ in 0..10 {
            assert_eq!(held(&client, &record).await.len(), 3);
        }
        assert!(
            start.elapsed() >= 9 * BETWEEN_READS,
            "{:?}",
            start.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_gone_does_not_come_back() {
        let (world, client) = stream(1).await;
        let mut record = record(&world, 0, 0);
        let pointer = record.batch.as_mut().unwrap();
        pointer.start_sequence_number = "1".into();
        assert_eq!(held(&client, &record).await.len(), 1, "what is left of it");
        record.batch.as_mut().unwrap().end_sequence_number = "2".into();
        assert_eq!(held(&client, &record).await, []);
        record.batch.as_mut().unwrap().shard_id = "shardId-000000000099".into();
        assert_eq!(held(&client, &record).await, []);
    }
}
