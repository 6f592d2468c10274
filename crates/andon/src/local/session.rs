//! One run's local AWS with everything at work on it: started, fed, drained, observed, stopped.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use tokio::time::interval;

use super::FOLDER;
use super::bench::{Bench, Judging, Ran};
use super::build;
use super::emulator::{Emulator, client_environment as client_environment_of};
use super::hosts::Hosts;
use super::lake::Lake;
use super::mapping::Mappings;
use super::model::{self, ModelServer};
use super::observe::{Policy, Streams, output};
use super::pipeline::Work;
use super::python::Progress;
use super::setup::{
    STACK, Started, Trouble, emulator_failure, explained, mappings, outside, start_aws,
    stored_watch, storm,
};
use super::stack::Deployed;
use super::steps::Steps;
use super::subscriber::{Subscriber, subscribe};
use crate::failure::Failure;

/// Everything that is at work. Dropping it ends it.
pub struct Session {
    emulator: Option<Emulator>,
    mappings: Mappings,
    bench: Bench,
}

impl Session {
    /// Installs, builds, deploys, hosts, and lets the mappings begin.
    pub async fn start(
        root: &Path,
        steps: &Arc<Steps>,
        work: &Work,
        trouble: Trouble,
    ) -> Result<Self, Failure> {
        let folder = root.join(FOLDER);
        let model = work
            .quality
            .as_ref()
            .and_then(|quality| quality.model.as_deref());
        let mut packages = build::packages(root)?;
        packages.extend(model.is_some().then(|| model::PACKAGE.to_owned()));
        steps.say(&format!("building {}", packages.join(", ")));
        let built = async {
            let binaries = build::build(root, &packages).await?;
            steps.say("functions built");
            Ok(binaries)
        };
        let aws = start_aws(root, &folder, steps, work, &trouble);
        let (binaries, mut started) = tokio::try_join!(built, aws)?;
        match at_work(root, steps, work, trouble, &binaries, &started).await {
            Ok((mappings, bench)) => Ok(Self {
                emulator: Some(started.emulator),
                mappings,
                bench,
            }),
            Err(failure) => Err(explained(Some(&mut started.emulator), failure).await),
        }
    }

    /// Feeds, drains and observes; breaks off where the local AWS or a mapping does.
    pub async fn run(
        &mut self,
        steps: &Arc<Steps>,
        work: &Work,
        rate: Option<f64>,
    ) -> Result<Ran, Failure> {
        let Self {
            emulator,
            mappings,
            bench,
        } = self;
        let ended = tokio::select! {
            ran = bench.run(steps, work, rate) => ran,
            failure = mappings.failure() => Err(failure),
            failure = death(emulator) => Err(failure),
        };
        match ended {
            Ok(ran) => Ok(ran),
            Err(failure) => Err(explained(emulator.as_mut(), failure).await),
        }
    }

    /// Waits until the local AWS or a mapping fails.
    pub async fn failure(&mut self) -> Failure {
        let failure = tokio::select! {
            failure = self.mappings.failure() => failure,
            failure = death(&mut self.emulator) => failure,
        };
        explained(self.emulator.as_mut(), failure).await
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

    /// Copies every object of the lake into a folder, and tells how many there are.
    pub async fn copy_lake(&mut self, folder: &Path) -> Result<usize, Failure> {
        match self.bench.lake.copy(&self.bench.sdk, folder).await {
            Ok(objects) => Ok(objects),
            Err(failure) => Err(explained(self.emulator.as_mut(), failure).await),
        }
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

/// Hosts everything and lets the mappings begin.
async fn at_work(
    root: &Path,
    steps: &Arc<Steps>,
    work: &Work,
    trouble: Trouble,
    binaries: &BTreeMap<String, PathBuf>,
    started: &Started,
) -> Result<(Mappings, Bench), Failure> {
    let Started {
        emulator,
        sdk,
        deployed,
        rows,
    } = started;
    let folder = root.join(FOLDER);
    let logs = folder.join("logs");
    let model = work
        .quality
        .as_ref()
        .and_then(|quality| quality.model.as_deref());
    let model = match (model, binaries.get(model::PACKAGE)) {
        (Some(folder), Some(binary)) => Some(ModelServer::start(binary, folder, &logs).await?),
        _ => None,
    };
    let mut client_environment = emulator.client_environment();
    client_environment.extend(model.as_ref().map(ModelServer::client_environment));
    let storm = storm(&trouble, deployed, &emulator.endpoint(), model.as_ref()).await?;
    let hosts = Hosts::start(
        deployed.functions.clone(),
        binaries,
        |label| match storm.as_ref().and_then(|storm| storm.endpoint(label)) {
            Some(endpoint) => client_environment_of(&endpoint),
            None => client_environment.clone(),
        },
        &logs,
    )?;
    if let Some(storm) = &storm {
        storm.attach(&hosts.all());
    }
    let judging = match &work.quality {
        Some(_) => Some(judging(deployed, sdk).await?),
        None => None,
    };
    let mappings = match &judging {
        Some(judging) => {
            let watch = stored_watch(Policy::of(&hosts)?, &judging.latencies_ms);
            let outside = |package: &str, host| outside(package, host, &trouble, storm.as_ref());
            mappings(deployed, &hosts, sdk, steps, &watch, outside)?
        }
        None => Vec::new(),
    };
    let progress = Arc::clone(steps) as Arc<dyn Progress + Send>;
    let (lake, followers) = Lake::new(&deployed.deliveries, &hosts, sdk, &progress)?;
    let mappings = Mappings::start(sdk, mappings, followers).await?;
    let lags = mappings.lags();
    steps.say(&format!(
        "{} functions hosted, their logs in {}",
        deployed.functions.len(),
        shown(root, &logs)
    ));
    let bench = Bench {
        sdk: sdk.clone(),
        endpoint: emulator.endpoint(),
        root: root.to_owned(),
        folder,
        client_environment,
        deployed: deployed.clone(),
        hosts,
        lags,
        lake,
        judging,
        model,
        rows: rows.clone(),
        poison: trouble.poison,
        storm,
    };
    Ok((mappings, bench))
}

/// Who hears of what is judged: nobody has been told anything yet.
async fn judging(deployed: &Deployed, sdk: &SdkConfig) -> Result<Judging, Failure> {
    let streams = Streams::of(deployed)?;
    let alerts = output(deployed, "AlertTopicArn")?;
    let alerts = subscribe(sdk, alerts, &format!("{STACK}-local-alerts")).await?;
    let line_stops = output(deployed, "LineStopQueueUrl")?;
    Ok(Judging {
        streams,
        subscribers: Some((
            Subscriber::start(sdk, &alerts),
            Subscriber::start(sdk, line_stops),
        )),
        latencies_ms: Arc::default(),
    })
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

/// A path as the user sees it.
fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}
