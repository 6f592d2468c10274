//! One mapping on one shard: gathers batches, invokes, and does what the answer asks for, one batch at a time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use kinesis_batch::envelope::{self, Event, MAX_EVENT_BYTES, Record};
use lambda_function::backoff::Backoff;
use lambda_function::clock::{Clock, SystemClock};
use runtime_api::{InvokeError, Outcome};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, sleep, timeout_at};

use super::Mapping;
use super::answer::{Condition, Next, Verdict, is_expired, next, verdict};
use super::failure::Discarded;
use super::lag::Lag;
use crate::failure::Failure;
use crate::record::StreamRecord;

const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A mapping's work on one shard.
pub struct Shard {
    /// The mapping.
    pub mapping: Arc<Mapping>,
    /// What the reader hands on.
    pub records: UnboundedReceiver<Arc<StreamRecord>>,
    /// Told of every record that is passed.
    pub lag: Arc<Lag>,
    /// A record that did not fit into the last batch.
    pub held: Option<Arc<StreamRecord>>,
}

/// Records that are invoked together.
struct Piece {
    records: Vec<Arc<StreamRecord>>,
    retries: u32,
    invocations: u32,
    backoff: Backoff,
}

/// What an invocation came to.
struct Answered {
    verdict: Verdict,
    request_id: String,
    function_error: Option<&'static str>,
}

impl Piece {
    fn new(records: Vec<Arc<StreamRecord>>) -> Self {
        Self {
            records,
            retries: 0,
            invocations: 0,
            backoff: Backoff::new(FIRST_WAIT, LONGEST_WAIT),
        }
    }
}

impl Shard {
    /// Ends when the reader has ended and everything is passed.
    pub async fn run(mut self) -> Result<(), Failure> {
        while let Some(batch) = self.gather().await {
            let mut pieces = VecDeque::from([Piece::new(batch)]);
            while let Some(piece) = pieces.pop_front() {
                if !self.work(piece, &mut pieces).await? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// A batch: full by count or bytes, or as large as it got within the window.
    async fn gather(&mut self) -> Option<Vec<Arc<StreamRecord>>> {
        let settings = &self.mapping.settings;
        let first = match self.held.take() {
            Some(record) => record,
            None => self.records.recv().await?,
        };
        let window_ends = Instant::now() + settings.batching_window;
        let mut bytes = Event::new().encoded_len() + self.encoded_len(&first);
        let mut batch = vec![first];
        while batch.len() < settings.batch_size as usize {
            let record = match self.records.try_recv() {
                Ok(record) => record,
                Err(_) => match timeout_at(window_ends, self.records.recv()).await {
                    Ok(Some(record)) => record,
                    Ok(None) | Err(_) => break,
                },
            };
            let more = self.encoded_len(&record) + 1;
            if bytes + more > MAX_EVENT_BYTES {
                self.held = Some(record);
                break;
            }
            bytes += more;
            batch.push(record);
        }
        Some(batch)
    }

    /// One attempt at a piece; what is left of it comes before the other pieces. False once the host is stopped.
    async fn work(&self, mut piece: Piece, pieces: &mut VecDeque<Piece>) -> Result<bool, Failure> {
        let limits = self.mapping.limits;
        let expired = piece
            .records
            .iter()
            .take_while(|record| is_expired(record.arrived_ms, &limits, SystemClock.now_ms()))
            .count();
        if expired > 0 {
            let rest = piece.records.split_off(expired);
            self.discard(&piece, None, Condition::RecordAgeExceeded)
                .await?;
            if !rest.is_empty() {
                pieces.push_front(Piece::new(rest));
            }
            return Ok(true);
        }
        let Some(answered) = self.invoke(&mut piece).await? else {
            return Ok(false);
        };
        let arrivals: Vec<i64> = piece
            .records
            .iter()
            .map(|record| record.arrived_ms)
            .collect();
        let now_ms = SystemClock.now_ms();
        match next(answered.verdict, &limits, piece.retries, &arrivals, now_ms) {
            Next::Pass => self.pass(&piece.records),
            Next::Retry { from, retries } => {
                let rest = piece.records.split_off(from);
                self.pass(&piece.records);
                if from == 0 {
                    sleep(piece.backoff.next_delay()).await;
                }
                pieces.push_front(Piece {
                    records: rest,
                    retries,
                    ..piece
                });
            }
            Next::Split { at } => {
                let second = piece.records.split_off(at);
                pieces.push_front(Piece::new(second));
                pieces.push_front(Piece::new(piece.records));
            }
            Next::Discard {
                from,
                to,
                condition,
            } => {
                let rest = piece.records.split_off(to);
                let given_up = piece.records.split_off(from);
                self.pass(&piece.records);
                piece.records = given_up;
                self.discard(&piece, Some(&answered), condition).await?;
                if !rest.is_empty() {
                    pieces.push_front(Piece::new(rest));
                }
            }
        }
        Ok(true)
    }

    async fn invoke(&self, piece: &mut Piece) -> Result<Option<Answered>, Failure> {
        piece.invocations += 1;
        let payload = self.event(&piece.records);
        let invocation = match self.mapping.host.invoke(payload.into()).await {
            Ok(invocation) => invocation,
            Err(InvokeError::Stopped { .. }) => return Ok(None),
            Err(error) => {
                return Err(
                    Failure::check(format_args!("cannot invoke {}", self.mapping.package))
                        .caused_by(error)
                        .cure("run again: the functions are built and started anew"),
                );
            }
        };
        let verdict = match &invocation.outcome {
            Outcome::Answer(body) => {
                let numbers: Vec<&str> = piece
                    .records
                    .iter()
                    .map(|record| record.sequence_number.as_str())
                    .collect();
                verdict(
                    body,
                    self.mapping.settings.report_batch_item_failures,
                    &numbers,
                )
            }
            _ => Verdict::Failed,
        };
        let function_error = match &invocation.outcome {
            Outcome::Answer(_) => None,
            failed => {
                self.mapping.trouble(&failed.to_string());
                Some("Unhandled")
            }
        };
        if function_error.is_none() && verdict != Verdict::Done {
            self.mapping.unfinished(verdict, piece.records.len());
        }
        Ok(Some(Answered {
            verdict,
            request_id: invocation.request_id,
            function_error,
        }))
    }

    fn pass(&self, records: &[Arc<StreamRecord>]) {
        let now_ms = SystemClock.now_ms();
        self.lag.pass(records.len(), false, now_ms);
        if let Some(watch) = &self.mapping.watch {
            watch(records, now_ms);
        }
    }

    async fn discard(
        &self,
        piece: &Piece,
        answered: Option<&Answered>,
        condition: Condition,
    ) -> Result<(), Failure> {
        let (Some(first), Some(last)) = (piece.records.first(), piece.records.last()) else {
            return Ok(());
        };
        let event = self.event(&piece.records);
        let now_ms = SystemClock.now_ms();
        let discarded = Discarded {
            mapping: &self.mapping.settings.uuid,
            function_arn: &self.mapping.settings.function_arn,
            stream_arn: &self.lag.stream_arn,
            shard: &self.lag.shard,
            ends: [first, last].map(|record| (record.sequence_number.as_str(), record.arrived_ms)),
            records: piece.records.len(),
            condition,
            invocations: piece.invocations,
            request_id: answered.map_or("", |answered| &answered.request_id),
            function_error: answered.and_then(|answered| answered.function_error),
            now_ms,
            event: &event,
        };
        self.mapping
            .destination
            .put(&self.mapping.sdk, &discarded)
            .await?;
        self.mapping.given_up(piece.records.len(), condition);
        self.lag.pass(piece.records.len(), true, now_ms);
        Ok(())
    }

    fn event(&self, records: &[Arc<StreamRecord>]) -> Vec<u8> {
        let mut event = Event::new();
        records
            .iter()
            .for_each(|record| event.push(&self.record(record)));
        event.finish()
    }

    fn encoded_len(&self, record: &StreamRecord) -> usize {
        envelope::encoded_len(&self.record(record))
    }

    fn record<'a>(&'a self, record: &'a StreamRecord) -> Record<'a> {
        Record {
            source_arn: &self.mapping.settings.event_source_arn,
            region: &self.mapping.region,
            role_arn: &self.mapping.role_arn,
            shard: &self.lag.shard,
            sequence_number: &record.sequence_number,
            partition_key: &record.partition_key,
            data: &record.data,
            arrived_ms: record.arrived_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use runtime_api::{FunctionHost, FunctionSpec, LogLine};
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    use super::super::tests::settings;
    use super::*;
    use crate::local::python::Progress;
    use crate::local::stack::DeployedMapping;

    /// A mapping of these settings on one shard, and the reader's end of its queue.
    fn shard(settings: DeployedMapping) -> (Shard, UnboundedSender<Arc<StreamRecord>>) {
        let spec = FunctionSpec {
            name: "andon-sns-alerter".into(),
            // Never started here.
            binary: std::env::current_exe().unwrap(),
            environment: Default::default(),
            time_out: Duration::from_secs(1),
            memory_mb: 128,
            function_arn: settings.function_arn.clone(),
            max_environments: 1,
        };
        let host = FunctionHost::start(spec, Arc::new(|_: LogLine<'_>| {})).unwrap();
        let sdk = fake_aws::World::default().sdk_config();
        let progress: Arc<dyn Progress + Send> = Arc::new(|_: &str| {});
        let mapping =
            Mapping::new(settings, "sns-alerter", Arc::new(host), sdk, progress, None).unwrap();
        let (sender, records) = unbounded_channel();
        let shard = Shard {
            lag: Arc::new(Lag::new(
                "sns-alerter",
                mapping.stream_arn(),
                "shardId-000000000000",
            )),
            mapping: Arc::new(mapping),
            records,
            held: None,
        };
        (shard, sender)
    }

    fn record(number: u32, bytes: usize) -> Arc<StreamRecord> {
        Arc::new(StreamRecord {
            sequence_number: number.to_string(),
            partition_key: "press-07".into(),
            data: vec![b'x'; bytes],
            arrived_ms: 1_545_084_650_987,
        })
    }

    async fn batch_lengths(mut shard: Shard) -> Vec<usize> {
        let mut lengths = Vec::new();
        while let Some(batch) = shard.gather().await {
            assert!(shard.event(&batch).len() <= MAX_EVENT_BYTES);
            lengths.push(batch.len());
        }
        lengths
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_is_full_by_count() {
        let (shard, reader) = shard(settings());
        (0..250).for_each(|number| reader.send(record(number, 10)).unwrap());
        drop(reader);
        assert_eq!(batch_lengths(shard).await, [100, 100, 50]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_is_full_by_bytes_and_no_record_is_lost() {
        let (shard, reader) = shard(settings());
        // 1 MB is 1.33 MB in base64: four of them fit into 6 MB.
        (0..9).for_each(|number| reader.send(record(number, 1 << 20)).unwrap());
        drop(reader);
        assert_eq!(batch_lengths(shard).await, [4, 4, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_gathers_what_comes_while_it_is_open() {
        let (mut shard, reader) = shard(DeployedMapping {
            batching_window: Duration::from_secs(1),
            ..settings()
        });
        tokio::spawn(async move {
            for number in 0..10 {
                reader.send(record(number, 10)).unwrap();
                sleep(Duration::from_millis(300)).await;
            }
        });
        let begun = Instant::now();
        assert_eq!(shard.gather().await.map(|batch| batch.len()), Some(4));
        assert_eq!(begun.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_window_a_batch_waits_for_nothing() {
        let (mut shard, reader) = shard(settings());
        let begun = Instant::now();
        reader.send(record(1, 10)).unwrap();
        reader.send(record(2, 10)).unwrap();
        assert_eq!(shard.gather().await.map(|batch| batch.len()), Some(2));
        assert!(begun.elapsed() < Duration::from_millis(10));
    }
}
