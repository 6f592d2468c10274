//! One run's local AWS with everything at work on it: started, fed, drained, observed, stopped.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use tokio::time::{Instant, interval, sleep};

use super::build;
use super::chaos::{AFTER_FEED, Poison, Storm};
use super::emulator::{Emulator, client_environment as client_environment_of};
use super::feed::feed;
use super::hosts::Hosts;
use super::mapping::{Lags, Mappings};
use super::observe::{Given, Observed, Policy, Put, Streams, observe, output};
use super::plan::Plan;
use super::python::Progress;
use super::setup::{
    STACK, Trouble, emulator_failure, mappings, outside, start_aws, stored_watch, storm,
};
use super::stack::Deployed;
use super::steps::Steps;
use super::subscriber::{Subscriber, subscribe};
use crate::failure::Failure;
use crate::input::Input;

/// Everything that is at work. Dropping it ends it.
pub struct Session {
    emulator: Option<Emulator>,
    mappings: Mappings,
    bench: Bench,
}

/// What a run uses and does not end.
struct Bench {
    sdk: SdkConfig,
    root: PathBuf,
    folder: PathBuf,
    endpoint: String,
    client_environment: Vec<(&'static str, String)>,
    deployed: Deployed,
    hosts: Hosts,
    lags: Lags,
    streams: Streams,
    subscribers: Option<(Subscriber, Subscriber)>,
    poison: Option<Poison>,
    storm: Option<Storm>,
    latencies_ms: Arc<Mutex<Vec<i64>>>,
}

/// What a run came to.
pub struct Ran {
    /// What lies in the local AWS.
    pub observed: Observed,
    /// From a record's arrival until the writer had stored its event, in ms.
    pub latencies_ms: Vec<i64>,
    /// From the first reading put until everything was done with.
    pub pipeline: Duration,
}

/// So long without a single record passed, and the run is given up.
const STUCK: Duration = Duration::from_secs(120);
/// Between two looks at what takes long.
const LOOK: Duration = Duration::from_millis(250);
/// Between two lines about it where no bar shows it.
const TELL: Duration = Duration::from_secs(5);

impl Session {
    /// Installs, builds, deploys, hosts, and lets the mappings begin.
    pub async fn start(
        root: &Path,
        steps: &Arc<Steps>,
        plan: &Arc<Plan>,
        trouble: Trouble,
    ) -> Result<Self, Failure> {
        let folder = root.join("target/andon");
        std::fs::create_dir_all(&folder).map_err(|error| {
            Failure::check(format_args!("cannot create {}", folder.display()))
                .caused_by(error)
                .cure("check that the target folder can be written, then run again")
        })?;
        let packages = build::packages(root)?;
        steps.say(&format!("building {}", packages.join(", ")));
        let built = async {
            let binaries = build::build(root, &packages).await?;
            steps.say("functions built");
            Ok(binaries)
        };
        let aws = start_aws(root, &folder, steps, plan, &trouble);
        let (binaries, (emulator, sdk, deployed)) = tokio::try_join!(built, aws)?;

        let client_environment = emulator.client_environment();
        let storm = storm(&trouble, &deployed, &emulator.endpoint()).await?;
        let hosts = Hosts::start(
            deployed.functions.clone(),
            &binaries,
            |package| match storm.as_ref().and_then(|storm| storm.endpoint(package)) {
                Some(endpoint) => client_environment_of(&endpoint),
                None => client_environment.clone(),
            },
            &folder.join("logs"),
        )?;
        if let Some(storm) = &storm {
            storm.attach(&hosts.all());
        }
        let streams = Streams::of(&deployed)?;
        let alerts = output(&deployed, "AlertTopicArn")?;
        let alerts = subscribe(&sdk, alerts, &format!("{STACK}-local-alerts")).await?;
        let line_stops = output(&deployed, "LineStopQueueUrl")?;
        let subscribers = (
            Subscriber::start(&sdk, &alerts),
            Subscriber::start(&sdk, line_stops),
        );
        let latencies_ms = Arc::default();
        let watch = stored_watch(Policy::of(&hosts)?, &latencies_ms);
        let outside = |package: &str, host| outside(package, host, &trouble, storm.as_ref());
        let mappings = mappings(&deployed, &hosts, &sdk, steps, &watch, outside)?;
        let mappings = Mappings::start(&sdk, mappings).await?;
        let lags = mappings.lags();
        steps.say(&format!(
            "{} functions hosted, their logs in {}",
            deployed.functions.len(),
            shown(root, &folder.join("logs"))
        ));
        Ok(Self {
            mappings,
            bench: Bench {
                sdk,
                endpoint: emulator.endpoint(),
                root: root.to_owned(),
                folder,
                client_environment,
                deployed,
                hosts,
                lags,
                streams,
                subscribers: Some(subscribers),
                poison: trouble.poison,
                storm,
                latencies_ms,
            },
            emulator: Some(emulator),
        })
    }

    /// Feeds, drains and observes; breaks off where the local AWS or a mapping does.
    pub async fn run(
        &mut self,
        steps: &Arc<Steps>,
        plan: &Arc<Plan>,
        readings: &Input,
        lines: Option<u64>,
        rate: Option<f64>,
    ) -> Result<Ran, Failure> {
        let Self {
            emulator,
            mappings,
            bench,
        } = self;
        tokio::select! {
            ran = bench.run(steps, plan, readings, lines, rate) => ran,
            failure = mappings.failure() => Err(failure),
            failure = death(emulator) => Err(failure),
        }
    }

    /// Waits until the local AWS or a mapping fails.
    pub async fn failure(&mut self) -> Failure {
        tokio::select! {
            failure = self.mappings.failure() => failure,
            failure = death(&mut self.emulator) => failure,
        }
    }

    /// Where the local AWS is.
    pub fn endpoint(&self) -> &str {
        &self.bench.endpoint
    }

    /// Writes what `cargo lambda watch --env-file` takes, and tells where.
    pub fn write_env_file(&self) -> Result<PathBuf, Failure> {
        let path = self.bench.folder.join("local.env");
        let text = self.bench.hosts.env_file(&self.bench.client_environment);
        std::fs::write(&path, text).map_err(|error| {
            Failure::check(format_args!("cannot write {}", path.display()))
                .caused_by(error)
                .cure("check that the target folder can be written, then run again")
        })?;
        Ok(path)
    }

    /// Ends everything and waits until it is gone.
    pub async fn stop(&mut self) {
        self.mappings.stop().await;
        self.bench.hosts.stop().await;
        if let Some(emulator) = self.emulator.take() {
            emulator.stop().await;
        }
    }
}

/// Ends the storm after a while, and never ends itself.
async fn calm(storm: Option<&Storm>) {
    sleep(AFTER_FEED).await;
    if let Some(storm) = storm {
        storm.calm();
    }
    std::future::pending().await
}

/// Waits until the emulator is no more.
async fn death(emulator: &mut Option<Emulator>) -> Failure {
    let mut look = interval(Duration::from_secs(1));
    loop {
        look.tick().await;
        if let Some(Err(error)) = emulator.as_mut().map(Emulator::check) {
            return emulator_failure(error);
        }
    }
}

impl Bench {
    async fn run(
        &mut self,
        steps: &Arc<Steps>,
        plan: &Arc<Plan>,
        readings: &Input,
        lines: Option<u64>,
        rate: Option<f64>,
    ) -> Result<Ran, Failure> {
        let pace = rate.map_or_else(String::new, |rate| format!(", {rate} a second"));
        let name = readings.name();
        let name = self
            .root
            .to_str()
            .and_then(|root| name.strip_prefix(root)?.strip_prefix('/'))
            .unwrap_or(&name);
        steps.say(&format!("putting readings: {name}{pace}"));
        let begun = Instant::now();
        let client = aws_sdk_kinesis::Client::new(&self.sdk);
        let stream = output(&self.deployed, "ReadingsStreamName")?;
        let put = Mutex::new(0);
        if let Some(storm) = &mut self.storm {
            storm.begin(self.hosts.all());
        }
        let fed = feed(client, stream, readings, plan, rate, |report| {
            *put.lock().unwrap_or_else(PoisonError::into_inner) = report.readings;
        });
        let report = tokio::select! {
            report = fed => report?,
            () = self.show(steps, lines, &put) => return Err(Failure::check("the display broke off")),
        };
        steps.say(&format!(
            "{} readings put in {} records; waiting until everything is done",
            report.readings, report.records
        ));
        *put.lock().unwrap_or_else(PoisonError::into_inner) = report.readings;
        tokio::select! {
            () = self.drain() => {}
            failure = self.stuck() => return Err(failure),
            () = self.show(steps, lines, &put) => {}
            () = calm(self.storm.as_ref()) => {}
        }
        if let Some(storm) = &self.storm {
            storm.calm();
        }
        let pipeline = begun.elapsed();
        steps.bar(lines).finish_and_clear();
        steps.say("everything done; comparing the counts");
        let (alerts, line_stops) = match self.subscribers.take() {
            Some((alerts, line_stops)) => (alerts.finish().await?, line_stops.finish().await?),
            None => (Vec::new(), Vec::new()),
        };
        let given = Given {
            streams: self.streams.clone(),
            put: Put {
                readings: report.readings,
                records: report.records,
                put_again: report.put_again,
            },
            alerts,
            line_stops,
            lag: self.lags.behind(),
            damage: self.storm.as_ref().map(Storm::damage),
            poison: self.poison.clone(),
        };
        let observed = observe(&self.sdk, &self.deployed, &self.hosts, plan, given).await?;
        let latencies_ms = self
            .latencies_ms
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Ok(Ran {
            observed,
            latencies_ms,
            pipeline,
        })
    }

    /// What is done with the readings stream has published what it will: only then can the events' stream be drained.
    async fn drain(&self) {
        self.lags.caught_up(&self.streams.readings).await;
        self.lags.caught_up(&self.streams.events).await;
    }

    /// Waits until nothing moves any more.
    async fn stuck(&self) -> Failure {
        let mut moved = (self.lags.passed(), Instant::now());
        loop {
            sleep(LOOK).await;
            let passed = self.lags.passed();
            if passed != moved.0 {
                moved = (passed, Instant::now());
            }
            if moved.1.elapsed() > STUCK {
                let behind: Vec<_> = self
                    .lags
                    .behind()
                    .iter()
                    .filter(|behind| behind.records > 0)
                    .map(|behind| {
                        format!(
                            "{} is {} records behind on {}",
                            behind.function, behind.records, behind.shard
                        )
                    })
                    .collect();
                return Failure::check(format_args!(
                    "no record was passed for {} s: {}",
                    STUCK.as_secs(),
                    behind.join("; ")
                ))
                .cure(format_args!(
                    "the functions' logs tell why: {}",
                    self.folder.join("logs").display()
                ));
            }
        }
    }

    /// Shows progress and lag, for ever.
    async fn show(&self, steps: &Steps, lines: Option<u64>, put: &Mutex<u64>) {
        let bar = steps.bar(lines);
        let mut told = Instant::now();
        loop {
            sleep(LOOK).await;
            let put = *put.lock().unwrap_or_else(PoisonError::into_inner);
            let lag = lag_line(&self.lags);
            bar.set_position(put);
            bar.set_message(lag.clone());
            if !std::io::stderr().is_terminal() && told.elapsed() >= TELL {
                told = Instant::now();
                steps.say(&format!("{put} readings put; behind: {lag}"));
            }
        }
    }
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

/// A path as the user sees it.
fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}
