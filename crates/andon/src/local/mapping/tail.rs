//! A shard's records, read on and on, once for every mapping of its stream.
//!
//! Lambda reads a shard once for each mapping. Here one reader serves them all, because the emulator answers one call at
//! a time; when a mapping reads, and from where, is still its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::operation::get_records::GetRecordsError;
use aws_sdk_kinesis::types::ShardIteratorType;
use event_source_mapping::{Position, Read, SourceRecord};
use kinesis_batch::SequenceNumber;
use tokio::time::{Instant, sleep};

use super::lag::Lag;
use crate::aws::failed;
use crate::failure::Failure;
use crate::record::StreamRecord;

/// Between two reads of a shard; Kinesis allows five a second.
const INTERVAL: Duration = Duration::from_millis(200);
/// So many reads failing in a row, each retried by the SDK already, and the run is given up.
const MAX_FAILED_READS: u32 = 5;

/// What is read of a shard and not taken by all its mappings.
#[derive(Debug)]
pub struct Tail {
    /// Told of every record that is read, one for each mapping.
    lags: Vec<Arc<Lag>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    records: VecDeque<Arc<SourceRecord>>,
    /// The last record that each mapping has taken.
    taken: Vec<Option<SequenceNumber>>,
    ended: bool,
}

impl Tail {
    /// Of a shard that nothing is read of; one lag for each mapping.
    pub fn new(lags: Vec<Arc<Lag>>) -> Self {
        let state = State {
            records: VecDeque::new(),
            taken: vec![None; lags.len()],
            ended: false,
        };
        Self {
            lags,
            state: Mutex::new(state),
        }
    }

    /// Takes what was read behind the last record.
    pub fn push(&self, records: Vec<Arc<SourceRecord>>) {
        for lag in &self.lags {
            lag.read(&records);
        }
        self.state().records.extend(records);
    }

    /// Nothing comes behind what was read.
    pub fn end(&self) {
        self.state().ended = true;
        self.lags.iter().for_each(|lag| lag.end());
    }

    /// What a mapping asks for, and whether the shard ends with it. What is behind its position it has taken.
    pub fn read(&self, mapping: usize, read: &Read) -> (Vec<Arc<SourceRecord>>, bool) {
        let mut state = self.state();
        let from = match &read.after {
            Position::TrimHorizon => 0,
            Position::Latest => state.records.len(),
            Position::At(ms) => {
                let older = |record: &&Arc<SourceRecord>| record.arrived_ms < *ms;
                state.records.iter().take_while(older).count()
            }
            Position::After(number) => state
                .records
                .partition_point(|record| record.sequence_number <= *number),
        };
        let limit = usize::try_from(read.limit).unwrap_or(usize::MAX);
        let found: Vec<_> = state
            .records
            .iter()
            .skip(from)
            .take(limit)
            .cloned()
            .collect();
        let ends = state.ended && from + found.len() == state.records.len();
        if let (Position::After(number), Some(taken)) = (&read.after, state.taken.get_mut(mapping))
        {
            *taken = Some(number.clone());
            state.forget();
        }
        (found, ends)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What every mapping has taken is theirs to keep.
    fn forget(&mut self) {
        // None, of a mapping that has taken nothing, is less than any number.
        let Some(Some(taken)) = self.taken.iter().min() else {
            return;
        };
        let gone = self
            .records
            .partition_point(|record| record.sequence_number <= *taken);
        self.records.drain(..gone);
    }
}

/// Reads one shard from its oldest record on.
pub struct Reader {
    /// The client.
    pub client: Client,
    /// The stream's ARN.
    pub stream_arn: String,
    /// The shard's id.
    pub shard: String,
    /// Takes what is read.
    pub tail: Arc<Tail>,
}

impl Reader {
    /// Ends with the shard, if it is closed, or with a failure. The tail is not told of the end: the shards that come
    /// after it are to be known first.
    pub async fn run(&self) -> Result<(), Failure> {
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
                    let records = self.records(answer.records())?;
                    last = records
                        .last()
                        .map(|record| record.sequence_number.clone())
                        .or(last);
                    self.tail.push(records);
                    if at_tip {
                        self.tail.lags.iter().for_each(|lag| lag.at_tip(begun));
                    }
                    iterator = answer.next_shard_iterator;
                    sleep(INTERVAL).await;
                }
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(GetRecordsError::is_expired_iterator_exception) =>
                {
                    iterator = self.iterator(last.as_ref()).await?;
                }
                Err(error) => {
                    failed_reads += 1;
                    if failed_reads == MAX_FAILED_READS {
                        return Err(failed(self.cannot(), &error));
                    }
                    iterator = Some(at);
                    sleep(INTERVAL).await;
                }
            }
        }
        Ok(())
    }

    fn records(
        &self,
        records: &[aws_sdk_kinesis::types::Record],
    ) -> Result<Vec<Arc<SourceRecord>>, Failure> {
        let record = |record| {
            let record = StreamRecord::from(record);
            let sequence_number = record.sequence_number.parse().map_err(|error| {
                Failure::check(format_args!(
                    "the sequence number {} of {} is none",
                    record.sequence_number, self.shard
                ))
                .caused_by(error)
            })?;
            Ok(Arc::new(SourceRecord {
                sequence_number,
                partition_key: record.partition_key,
                data: record.data,
                arrived_ms: record.arrived_ms,
            }))
        };
        records.iter().map(record).collect()
    }

    /// Behind the record of that number, or at the oldest one.
    async fn iterator(&self, behind: Option<&SequenceNumber>) -> Result<Option<String>, Failure> {
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
            .set_starting_sequence_number(behind.map(|number| number.as_str().to_owned()))
            .send()
            .await
            .map_err(|error| failed(self.cannot(), &error))?;
        Ok(answer.shard_iterator)
    }

    fn cannot(&self) -> String {
        format!("cannot read {} of {}", self.shard, self.stream_arn)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::record;
    use super::*;

    fn ask(after: Position, limit: u32) -> Read {
        Read {
            shard: "shardId-000000000000".into(),
            after,
            limit,
        }
    }

    fn after(number: u64) -> Position {
        Position::After(number.to_string().parse().unwrap())
    }

    fn numbers((records, ends): (Vec<Arc<SourceRecord>>, bool)) -> (Vec<String>, bool) {
        let numbers = records
            .iter()
            .map(|record| record.sequence_number.as_str().to_owned());
        (numbers.collect(), ends)
    }

    fn tail() -> Tail {
        let lag = || Arc::new(Lag::new("sns-alerter", "arn", "shardId-000000000000"));
        let tail = Tail::new(vec![lag(), lag()]);
        tail.push(
            [9, 10, 11, 100]
                .map(|number| record(number, 1_000 + i64::try_from(number).unwrap()))
                .into(),
        );
        tail
    }

    #[track_caller]
    fn check(position: Position, limit: u32, expected: &[&str]) {
        let (found, ends) = numbers(tail().read(0, &ask(position, limit)));
        assert_eq!(found, expected);
        assert!(!ends);
    }

    #[test]
    fn a_read_begins_where_it_says() {
        check(Position::TrimHorizon, 10, &["9", "10", "11", "100"]);
        check(Position::TrimHorizon, 3, &["9", "10", "11"]);
        check(Position::Latest, 10, &[]);
        check(Position::At(1_011), 10, &["11", "100"]);
        check(after(10), 10, &["11", "100"]);
        check(after(10), 1, &["11"]);
        check(after(100), 10, &[]);
    }

    #[test]
    fn a_shard_ends_with_its_last_record() {
        let tail = tail();
        tail.end();
        assert!(!tail.read(0, &ask(Position::TrimHorizon, 3)).1);
        assert!(tail.read(0, &ask(Position::TrimHorizon, 4)).1);
        assert!(tail.read(0, &ask(after(100), 4)).1);
    }

    #[test]
    fn what_all_mappings_have_taken_is_forgotten() {
        let tail = tail();
        let held = || tail.state().records.len();
        tail.read(0, &ask(Position::TrimHorizon, 10));
        tail.read(0, &ask(after(11), 10));
        assert_eq!(held(), 4, "the other mapping has taken nothing");
        tail.read(1, &ask(after(9), 10));
        assert_eq!(held(), 3);
        tail.read(1, &ask(after(100), 10));
        assert_eq!(held(), 1);
    }
}
