//! A shard's records, read on and on for every mapping of its stream.
//!
//! Lambda reads a shard once for each mapping. Here one reader serves them all, because the emulator answers one call at
//! a time; each mapping still has its own queue, batches and checkpoint.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::operation::get_records::GetRecordsError;
use aws_sdk_kinesis::types::ShardIteratorType;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep};

use super::lag::Lag;
use crate::aws::failed;
use crate::failure::Failure;
use crate::record::StreamRecord;

/// Between two reads of a shard at its tip; Kinesis allows five a second.
const INTERVAL: Duration = Duration::from_millis(200);
/// So many reads failing in a row, each retried by the SDK already, and the run is given up.
const MAX_FAILED_READS: u32 = 5;

/// Reads one shard from its oldest record on.
pub struct Reader {
    /// The client.
    pub client: Client,
    /// The stream's ARN.
    pub stream_arn: String,
    /// The shard's id.
    pub shard: String,
    /// The mappings: where their records go, and how far each is behind.
    pub mappings: Vec<(UnboundedSender<Arc<StreamRecord>>, Arc<Lag>)>,
}

impl Reader {
    /// Ends with the shard, if it is closed, or with a failure.
    pub async fn run(self) -> Result<(), Failure> {
        let cannot = || format!("cannot read {} of {}", self.shard, self.stream_arn);
        let mut iterator = self.iterator(None).await?;
        let mut last = None;
        let mut failed_reads = 0;
        while let Some(at) = iterator {
            let begun = Instant::now();
            let answer = self
                .client
                .get_records()
                .stream_arn(&self.stream_arn)
                .shard_iterator(&at)
                .send()
                .await;
            match answer {
                Ok(answer) => {
                    failed_reads = 0;
                    let at_tip =
                        answer.records().is_empty() && answer.millis_behind_latest() == Some(0);
                    let records: Vec<_> = answer.records().iter().map(StreamRecord::from).collect();
                    last = records
                        .last()
                        .map(|record| record.sequence_number.clone())
                        .or(last);
                    self.hand_on(records);
                    if at_tip {
                        self.mappings.iter().for_each(|(_, lag)| lag.at_tip(begun));
                    }
                    iterator = answer.next_shard_iterator;
                    sleep(INTERVAL).await;
                }
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(GetRecordsError::is_expired_iterator_exception) =>
                {
                    iterator = self.iterator(last.as_deref()).await?;
                }
                Err(error) => {
                    failed_reads += 1;
                    if failed_reads == MAX_FAILED_READS {
                        return Err(failed(cannot(), &error));
                    }
                    iterator = Some(at);
                    sleep(INTERVAL).await;
                }
            }
        }
        Ok(())
    }

    /// Behind the record of that number, or at the oldest one.
    async fn iterator(&self, behind: Option<&str>) -> Result<Option<String>, Failure> {
        let kind = match behind {
            Some(_) => ShardIteratorType::AfterSequenceNumber,
            None => ShardIteratorType::TrimHorizon,
        };
        let answer = self
            .client
            .get_shard_iterator()
            .stream_arn(&self.stream_arn)
            .shard_id(&self.shard)
            .shard_iterator_type(kind)
            .set_starting_sequence_number(behind.map(str::to_owned))
            .send()
            .await
            .map_err(|error| {
                failed(
                    format_args!("cannot read {} of {}", self.shard, self.stream_arn),
                    &error,
                )
            })?;
        Ok(answer.shard_iterator)
    }

    fn hand_on(&self, records: Vec<StreamRecord>) {
        let records: Vec<_> = records.into_iter().map(Arc::new).collect();
        for (queue, lag) in &self.mappings {
            lag.read(records.iter().map(|record| record.arrived_ms));
            for record in &records {
                // A mapping that has ended takes the run with it: nobody waits for its records.
                let _ = queue.send(Arc::clone(record));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use fake_aws::{Effect, Fault, Service, When, World};
    use tokio::sync::mpsc::unbounded_channel;
    use tokio::time::timeout;

    use super::*;

    /// What two mappings get of a shard with these lines, until it is read to its tip.
    async fn read(world: &World, lines: &[&str]) -> Vec<Vec<Vec<u8>>> {
        world.create_stream("readings", 1);
        let client = Client::new(&world.sdk_config());
        for line in lines {
            client
                .put_record()
                .stream_name("readings")
                .partition_key("press-07")
                .data(aws_sdk_kinesis::primitives::Blob::new(*line))
                .send()
                .await
                .unwrap();
        }
        let summary = client.describe_stream_summary().stream_name("readings");
        let summary = summary.send().await.unwrap();
        let stream_arn = summary
            .stream_description_summary()
            .unwrap()
            .stream_arn()
            .to_owned();
        let shard = crate::record::list_shards(&client, &stream_arn)
            .await
            .unwrap()
            .remove(0);
        let (mut mappings, mut queues) = (Vec::new(), Vec::new());
        for function in ["dynamodb-writer", "sns-alerter"] {
            let (sender, queue) = unbounded_channel();
            let lag = Arc::new(Lag::new(function, &stream_arn, &shard));
            mappings.push((sender, lag));
            queues.push(queue);
        }
        let reader = Reader {
            client,
            stream_arn,
            shard,
            mappings,
        };
        // It reads for ever: the time-out of the paused clock ends it.
        assert!(timeout(Duration::from_secs(5), reader.run()).await.is_err());
        let mut got = Vec::new();
        for mut queue in queues {
            let mut records = Vec::new();
            while let Ok(record) = queue.try_recv() {
                records.push(record.data.clone());
            }
            got.push(records);
        }
        got
    }

    #[tokio::test(start_paused = true)]
    async fn every_mapping_gets_every_record_once_and_in_order() {
        let got = read(&World::default(), &["a", "b", "c"]).await;
        let lines: Vec<Vec<u8>> = ["a", "b", "c"].map(Into::into).into();
        assert_eq!(got, [lines.clone(), lines]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_expired_iterator_resumes_behind_the_last_record() {
        let world = World::default();
        let expired = Effect::Refused(400, "ExpiredIteratorException", "Iterator expired");
        world.fault(
            Fault::new(Service::Kinesis, "GetRecords")
                .when(When::nth(2))
                .then(expired),
        );
        let got = read(&world, &["a", "b"]).await;
        let lines: Vec<Vec<u8>> = ["a", "b"].map(Into::into).into();
        assert_eq!(got, [lines.clone(), lines]);
    }
}
