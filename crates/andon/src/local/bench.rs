//! What a run uses and does not end: it is fed, drained and observed here.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use tokio::time::{Instant, sleep};

use super::chaos::{AFTER_FEED, Poison, Storm};
use super::feed::{feed, nothing};
use super::hosts::Hosts;
use super::lake::{Drained, Lake};
use super::mapping::Lags;
use super::mapping::lag::Behind;
use super::model::ModelServer;
use super::observe::{Given, Observed, Put, Streams, observe, output};
use super::pipeline::{Fed, Work};
use super::plan::key;
use super::python::Progress;
use super::rows::{self, ObservedRows};
use super::setup::RowsStream;
use super::stack::Deployed;
use super::steps::Steps;
use super::subscriber::Subscriber;
use crate::failure::Failure;
use crate::produce::{Keyed, Keying, Report};

/// Everything that a run works with.
pub struct Bench {
    pub sdk: SdkConfig,
    pub root: PathBuf,
    pub folder: PathBuf,
    pub endpoint: String,
    pub client_environment: Vec<(&'static str, String)>,
    pub deployed: Deployed,
    pub hosts: Hosts,
    pub lags: Lags,
    pub lake: Lake,
    pub judging: Option<Judging>,
    pub model: Option<ModelServer>,
    pub rows: Option<RowsStream>,
    pub poison: Option<Poison>,
    pub storm: Option<Storm>,
}

/// What judges readings, and who hears of it.
pub struct Judging {
    pub streams: Streams,
    /// Of alerts, and of line stops.
    pub subscribers: Option<(Subscriber, Subscriber)>,
    pub latencies_ms: Arc<Mutex<Vec<i64>>>,
}

/// What a run came to.
pub struct Ran {
    /// What lies in the local AWS.
    pub found: Found,
    /// From the first record put until everything was done with.
    pub pipeline: Duration,
}

/// What lies in the local AWS.
pub enum Found {
    /// Of readings that were judged; and from a record's arrival until the writer had stored its event, in ms.
    Judged(Box<Observed>, Vec<i64>),
    /// Of records that were made into rows alone.
    Rows(ObservedRows),
}

/// So long without a single record passed, and without an answer or an object of any delivery, and the run is given up.
const STUCK: Duration = Duration::from_secs(120);
/// Between two looks at what takes long.
const LOOK: Duration = Duration::from_millis(250);
/// Between two lines about it where no bar shows it.
const TELL: Duration = Duration::from_secs(5);

impl Bench {
    /// Feeds, drains and observes.
    pub async fn run(
        &mut self,
        steps: &Arc<Steps>,
        work: &Work,
        rate: Option<f64>,
    ) -> Result<Ran, Failure> {
        let begun = Instant::now();
        if let Some(storm) = &mut self.storm {
            storm.begin(self.hosts.all());
        }
        let lines = lines(work);
        let put = (AtomicU64::new(0), AtomicU64::new(0));
        let (readings, records) = tokio::select! {
            fed = self.feed(steps, work, rate, &put) => fed?,
            () = self.show(steps, lines, &put) => return Err(Failure::check("the display broke off")),
        };
        let lake = tokio::select! {
            lake = self.drain() => lake,
            failure = self.stuck() => return Err(failure),
            () = self.show(steps, lines, &put) => Vec::new(),
            () = calm(self.storm.as_ref()) => Vec::new(),
        };
        if let Some(storm) = &self.storm {
            storm.calm();
        }
        let pipeline = begun.elapsed();
        steps.bar(lines).finish_and_clear();
        steps.say("everything done; comparing the counts");
        let damage = self.storm.as_ref().map(Storm::damage);
        let (Some(judging), Some(quality)) = (&mut self.judging, &work.quality) else {
            let found = rows::observe(&self.sdk, &lake, records, self.lags.behind(), damage);
            return Ok(Ran {
                found: Found::Rows(found.await?),
                pipeline,
            });
        };
        let (alerts, line_stops) = match judging.subscribers.take() {
            Some((alerts, line_stops)) => (alerts.finish().await?, line_stops.finish().await?),
            None => (Vec::new(), Vec::new()),
        };
        let given = Given {
            streams: judging.streams.clone(),
            put: readings,
            records,
            alerts,
            line_stops,
            lag: self.lags.behind(),
            lake,
            damage,
            poison: self.poison.clone(),
            truth: quality.truth.clone(),
        };
        let latencies_ms = Arc::clone(&judging.latencies_ms);
        let observed = observe(
            &self.sdk,
            &self.deployed,
            &self.hosts,
            &quality.plan,
            self.model.as_ref(),
            given,
        )
        .await?;
        let latencies_ms = latencies_ms
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Ok(Ran {
            found: Found::Judged(Box::new(observed), latencies_ms),
            pipeline,
        })
    }

    /// Puts readings and records side by side.
    async fn feed(
        &self,
        steps: &Arc<Steps>,
        work: &Work,
        rate: Option<f64>,
        put: &(AtomicU64, AtomicU64),
    ) -> Result<(Put, Put), Failure> {
        let readings = async {
            let Some(quality) = &work.quality else {
                return Ok(Put::default());
            };
            let stream = output(&self.deployed, "ReadingsStreamName")?;
            let (plan, fallback) = (Arc::clone(&quality.plan), MACHINE.parse::<Keying>());
            let fallback = fallback.map_err(Failure::check)?;
            let by_plan = move |line| key(&plan.rules, &fallback, line);
            let fed = self.put(
                steps,
                ("readings", stream),
                &quality.readings,
                by_plan,
                rate,
                &put.0,
            );
            fed.await
        };
        let records = async {
            let (Some(rows), Some(stream)) = (&work.rows, &self.rows) else {
                return Ok(Put::default());
            };
            let keying = rows.keying.clone();
            let by_field = move |line| keying.key(line);
            let fed = self.put(
                steps,
                ("records", &stream.name),
                &rows.records,
                by_field,
                rate,
                &put.1,
            );
            fed.await
        };
        tokio::try_join!(readings, records)
    }

    async fn put(
        &self,
        steps: &Arc<Steps>,
        (what, stream): (&str, &str),
        fed: &Fed,
        key: impl Fn(Vec<u8>) -> Keyed + Send + 'static,
        rate: Option<f64>,
        put: &AtomicU64,
    ) -> Result<Put, Failure> {
        let pace = rate.map_or_else(String::new, |rate| format!(", {rate} a second"));
        let name = fed.input.name();
        let name = self
            .root
            .to_str()
            .and_then(|root| name.strip_prefix(root)?.strip_prefix('/'))
            .unwrap_or(&name);
        steps.say(&format!("putting {what}: {name}{pace}"));
        let client = aws_sdk_kinesis::Client::new(&self.sdk);
        let note = |report: &Report| put.store(report.readings, Ordering::Relaxed);
        let report = feed(client, stream, &fed.input, key, rate, note).await?;
        put.store(report.readings, Ordering::Relaxed);
        let Report {
            readings, records, ..
        } = report;
        if readings == 0 {
            return Err(nothing(&fed.input, what));
        }
        steps.say(&match what {
            "readings" => {
                format!(
                    "{readings} readings put in {records} records; waiting until everything is done"
                )
            }
            _ => format!("{records} records put; waiting until everything is done"),
        });
        Ok(Put {
            readings,
            records,
            put_again: report.put_again,
        })
    }

    /// What is done with the readings stream has published what it will: only then can the events' stream be drained, and
    /// the lake after both. What a fault holds up may come long after its caller has given it up, tried again and gone on.
    async fn drain(&self) -> Vec<Drained> {
        if let Some(judging) = &self.judging {
            self.lags.caught_up(&judging.streams.readings).await;
            self.spent().await;
            self.lags.caught_up(&judging.streams.events).await;
        }
        if let Some(rows) = &self.rows {
            self.lags.caught_up(&rows.arn).await;
        }
        self.spent().await;
        self.lake.drained().await
    }

    async fn spent(&self) {
        if let Some(storm) = &self.storm {
            storm.spent().await;
        }
    }

    /// Waits until nothing moves any more.
    async fn stuck(&self) -> Failure {
        let moves = || (self.lags.passed(), self.lake.moves());
        let mut moved = (moves(), Instant::now());
        loop {
            sleep(LOOK).await;
            let now = moves();
            if now != moved.0 {
                moved = (now, Instant::now());
            }
            if moved.1.elapsed() > STUCK {
                return Failure::check(format_args!(
                    "nothing has moved for {} s: {}",
                    STUCK.as_secs(),
                    waited_for(&self.lags.behind(), &self.lake.held())
                ))
                .cure(format_args!(
                    "the functions' logs tell why: {}",
                    self.folder.join("logs").display()
                ));
            }
        }
    }

    /// Shows progress and lag, for ever.
    async fn show(&self, steps: &Steps, lines: Option<u64>, put: &(AtomicU64, AtomicU64)) {
        let bar = steps.bar(lines);
        let mut told = Instant::now();
        loop {
            sleep(LOOK).await;
            let put = put.0.load(Ordering::Relaxed) + put.1.load(Ordering::Relaxed);
            let lag = lag_line(&self.lags);
            bar.set_position(put);
            bar.set_message(lag.clone());
            if !std::io::stderr().is_terminal() && told.elapsed() >= TELL {
                told = Instant::now();
                steps.say(&format!("{put} put; behind: {lag}"));
            }
        }
    }
}

/// Where a line that the plan cannot read may name its machine all the same.
const MACHINE: &str = "/machine";

/// What keeps a run from its end, in words.
fn waited_for(behind: &[Behind], held: &[(String, u64)]) -> String {
    let behind = behind.iter().filter(|behind| behind.records > 0);
    let behind = behind.map(|behind| {
        format!(
            "{} is {} records behind on {}",
            behind.function, behind.records, behind.shard
        )
    });
    let held = held
        .iter()
        .map(|(delivery, records)| format!("{delivery} has not delivered {records} records"));
    let waited_for: Vec<_> = behind.chain(held).collect();
    match waited_for.is_empty() {
        true => "a stream is not read to its end".to_owned(),
        false => waited_for.join("; "),
    }
}

/// How many lines there are to put, if all of them are known.
fn lines(work: &Work) -> Option<u64> {
    let readings = work.quality.as_ref().map(|quality| quality.readings.lines);
    let records = work.rows.as_ref().map(|rows| rows.records.lines);
    readings.into_iter().chain(records).sum()
}

/// Ends the storm after a while, and never ends itself.
async fn calm(storm: Option<&Storm>) {
    sleep(AFTER_FEED).await;
    if let Some(storm) = storm {
        storm.calm();
    }
    std::future::pending().await
}

/// `quality-evaluator 12+0+3+1 (240 ms)  sns-alerter …`: records behind by shard, and the age of the oldest.
fn lag_line(lags: &Lags) -> String {
    let behind = lags.behind();
    let functions = behind.chunk_by(|a, b| a.function == b.function);
    let functions = functions.map(|shards| {
        let records: Vec<_> = shards
            .iter()
            .map(|shard| shard.records.to_string())
            .collect();
        let name = shards.first().map_or("", |shard| &shard.function);
        let oldest = shards
            .iter()
            .map(|shard| shard.ms)
            .max()
            .unwrap_or_default();
        format!("{name} {} ({oldest} ms)", records.join("+"))
    });
    functions.collect::<Vec<_>>().join("  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_waited_for_is_named() {
        let behind = |records| Behind {
            function: "sns-alerter".to_owned(),
            shard: "shardId-000000000001".to_owned(),
            records,
            ms: 0,
            passed: 0,
            given_up: 0,
            most_ms: 0,
        };
        let held = [("andon-readings".to_owned(), 12_u64)];
        assert_eq!(
            waited_for(&[behind(3), behind(0)], &[]),
            "sns-alerter is 3 records behind on shardId-000000000001"
        );
        assert_eq!(
            waited_for(&[behind(0)], &held),
            "andon-readings has not delivered 12 records"
        );
        assert_eq!(
            waited_for(&[behind(3)], &held),
            "sns-alerter is 3 records behind on shardId-000000000001; andon-readings has not delivered 12 records"
        );
        assert_eq!(waited_for(&[], &[]), "a stream is not read to its end");
    }
}
