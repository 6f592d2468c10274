//! What a session is built from: the local AWS with everything deployed, the mappings with their functions, and the trouble
//! that is made on purpose.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use quality_event::QualityEvent;
use runtime_api::FunctionHost;
use tokio::time::sleep;

use super::chaos::{Chaos, Poison, Poisoned, Storm};
use super::checks::is_storable;
use super::emulator::{Emulator, EmulatorError, REGION};
use super::hosts::Hosts;
use super::mapping::{Function, Mapping, Watch};
use super::model::{self, ModelServer};
use super::observe::{Policy, output};
use super::pipeline::Work;
use super::python::{Progress, Tools};
use super::stack::{Deployed, Deployment, deploy};
use super::steps::Steps;
use crate::aws::{CURE, s3};
use crate::failure::Failure;

/// The stack's name, and the prefix of the functions'.
pub const STACK: &str = "andon";

/// What is made difficult on purpose.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    /// What goes wrong, by this seed.
    pub chaos: Option<(Chaos, u64)>,
    /// What the evaluator does not survive.
    pub poison: Option<Poison>,
}

pub fn emulator_failure(error: EmulatorError) -> Failure {
    let cure = error.cure();
    Failure::check("the local AWS is not available")
        .caused_by(error)
        .cure(cure)
}

/// A process that ends closes its connections a moment before it is seen to have ended.
const LAST_MOMENT: Duration = Duration::from_millis(250);

/// What is told of a failure of whoever uses the local AWS: if that has ended, everything fails because of it. While it is
/// there, it has neither regions nor credentials that could be wrong.
pub async fn explained(emulator: Option<&mut Emulator>, failure: Failure) -> Failure {
    let Some(emulator) = emulator else {
        return failure;
    };
    for moment in [Duration::ZERO, LAST_MOMENT] {
        sleep(moment).await;
        if let Err(error) = emulator.check() {
            return emulator_failure(error);
        }
    }
    match failure.to_string().ends_with(CURE) {
        true => failure.cure(format_args!(
            "the local AWS is there and does not answer: is the machine very busy? Its log may tell, {}",
            emulator.log().display()
        )),
        false => failure,
    }
}

/// The local AWS with everything deployed.
pub struct Started {
    /// The local AWS.
    pub emulator: Emulator,
    /// What leads to it.
    pub sdk: SdkConfig,
    /// Everything deployed, and the outputs of the stack that judges, or else of the one that makes rows.
    pub deployed: Deployed,
    /// Where records are put that are made into rows.
    pub rows: Option<RowsStream>,
}

/// A stream whose records one program makes into rows.
#[derive(Clone, Debug)]
pub struct RowsStream {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
}

/// The tools, the emulator, the stacks and the plan in force.
pub async fn start_aws(
    root: &Path,
    folder: &Path,
    steps: &Arc<Steps>,
    work: &Work,
    trouble: &Trouble,
) -> Result<Started, Failure> {
    let tools = Tools::ready(folder, steps.as_ref())
        .await
        .map_err(|error| {
            let cure = error.cure();
            Failure::check("cannot set up the local AWS")
                .caused_by(error)
                .cure(cure)
        })?;
    steps.say("starting the local AWS");
    let mut emulator = Emulator::start(&tools, folder)
        .await
        .map_err(emulator_failure)?;
    match deploy_all(root, folder, steps, work, trouble, &tools, &emulator).await {
        Ok((sdk, deployed, rows)) => Ok(Started {
            emulator,
            sdk,
            deployed,
            rows,
        }),
        Err(failure) => Err(explained(Some(&mut emulator), failure).await),
    }
}

/// The stacks and the plan in force.
async fn deploy_all(
    root: &Path,
    folder: &Path,
    steps: &Arc<Steps>,
    work: &Work,
    trouble: &Trouble,
    tools: &Tools,
    emulator: &Emulator,
) -> Result<(SdkConfig, Deployed, Option<RowsStream>), Failure> {
    let architecture = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "x86_64",
    };
    let deploy = async |template, stack: &str, parameters: &[(&str, &str)]| {
        let deployment = Deployment {
            templates: &root.join("infra"),
            root: template,
            folder,
            stack,
            parameters,
        };
        let deployed = deploy(tools, emulator, &deployment, steps.as_ref()).await;
        deployed.map_err(|error| {
            let cure = error.cure();
            Failure::check(format_args!("cannot deploy {template}"))
                .caused_by(error)
                .cure(cure)
        })
    };
    let mut deployed = None;
    if let Some(rows) = &work.rows {
        let parameters = [
            ("Architecture", architecture),
            ("Program", rows.program),
            ("NamedQueries", "false"),
        ];
        deployed = Some(deploy("delivery.yaml", &rows.stack, &parameters).await?);
    }
    let rows = deployed.as_ref().map(rows_stream).transpose()?;
    if let Some(quality) = &work.quality {
        // A poison record is to be given up while somebody waits.
        let retries = if trouble.poison.is_some() { "2" } else { "-1" };
        let parameters = [
            ("Architecture", architecture),
            ("DeletionProtection", "false"),
            ("Lake", if quality.lake { "true" } else { "false" }),
            // The emulator converts no rows, and does not know saved queries.
            ("ConvertToParquet", "false"),
            ("NamedQueries", "false"),
            ("RetryAttempts", retries),
            // The emulator has no models: one is served beside it.
            (
                "Model",
                if quality.model.is_some() {
                    "true"
                } else {
                    "false"
                },
            ),
            ("ExistingEndpointName", model::ENDPOINT),
        ];
        // What is deployed already is read back with it, but for the deliveries, which were switched off.
        let deliveries = deployed.map(|deployed: Deployed| deployed.deliveries);
        let mut both = deploy("template.yaml", STACK, &parameters).await?;
        both.deliveries.extend(deliveries.unwrap_or_default());
        deployed = Some(both);
    }
    let deployed = deployed.ok_or_else(|| Failure::check("there is nothing to deploy"))?;
    let sdk = sdk(&emulator.endpoint());
    let mut said = format!(
        "deployed {} functions, {} mappings and {} delivery streams",
        deployed.functions.len(),
        deployed.mappings.len(),
        deployed.deliveries.len()
    );
    if let Some(quality) = &work.quality {
        quality
            .plan
            .push(s3(&sdk), output(&deployed, "PlanUri")?)
            .await?;
        said.push_str(", plan in force");
    }
    steps.say(&said);
    Ok((sdk, deployed, rows))
}

/// The stream that a stack of `delivery.yaml` delivers from.
fn rows_stream(deployed: &Deployed) -> Result<RowsStream, Failure> {
    let name = output(deployed, "StreamName")?;
    let end = format!(":stream/{name}");
    let mut sources = deployed
        .deliveries
        .iter()
        .map(|delivery| &delivery.source_arn);
    let arn = sources.find(|arn| arn.ends_with(&end)).ok_or_else(|| {
        Failure::check(format_args!("no delivery stream reads the stream {name}"))
            .cure("let the delivery stream in infra/delivery.yaml read the stream beside it")
    })?;
    Ok(RowsStream {
        name: name.to_owned(),
        arn: arn.clone(),
    })
}

/// Leads to the local AWS and to nothing else; the user's own configuration is not read.
pub fn sdk(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "andon-local");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(REGION))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(Builder::new().build_http())
        .build()
}

pub fn mappings(
    deployed: &Deployed,
    hosts: &Hosts,
    sdk: &SdkConfig,
    steps: &Arc<Steps>,
    watch: &Watch,
    outside: impl Fn(&str, Arc<FunctionHost>) -> Arc<dyn Function>,
) -> Result<Vec<Mapping>, Failure> {
    let mut mappings = Vec::new();
    for settings in &deployed.mappings {
        let hosted = hosts.by_arn(&settings.function_arn).ok_or_else(|| {
            Failure::check(format_args!(
                "a mapping invokes {}, which is not deployed",
                settings.function_arn
            ))
            .cure("let the mappings in infra/functions.yaml refer to its functions")
        })?;
        let package = &hosted.function.package;
        mappings.push(Mapping::new(
            settings,
            package,
            outside(package, Arc::clone(&hosted.host)),
            sdk.clone(),
            Arc::clone(steps) as Arc<dyn Progress + Send>,
            (package == "dynamodb-writer").then(|| Arc::clone(watch)),
        )?);
    }
    Ok(mappings)
}

/// Notes how long each stored event took, seen from the writer's answer.
pub fn stored_watch(policy: Policy, latencies_ms: &Arc<Mutex<Vec<i64>>>) -> Watch {
    let latencies_ms = Arc::clone(latencies_ms);
    Arc::new(move |records, now_ms| {
        let events = records
            .iter()
            .filter_map(|record| QualityEvent::from_json(&record.data).ok());
        let took = events
            .filter(|event| is_storable(event, policy.store_all))
            .map(|event| now_ms - event.arrived.as_millis());
        latencies_ms
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(took);
    })
}

pub async fn storm(
    trouble: &Trouble,
    deployed: &Deployed,
    endpoint: &str,
    model: Option<&ModelServer>,
) -> Result<Option<Storm>, Failure> {
    let Some((chaos, seed)) = trouble.chaos else {
        return Ok(None);
    };
    let functions = deployed.functions.iter();
    let labels: Vec<_> = functions.map(|function| function.label.clone()).collect();
    let storm = Storm::gather(
        chaos,
        seed,
        &labels,
        endpoint,
        model.map(ModelServer::address),
    )
    .await;
    storm.map(Some).map_err(|error| {
        Failure::check("cannot listen on this machine")
            .caused_by(error)
            .cure("run again, or without --chaos")
    })
}

/// A function as its mapping sees it.
pub fn outside(
    package: &str,
    host: Arc<FunctionHost>,
    trouble: &Trouble,
    storm: Option<&Storm>,
) -> Arc<dyn Function> {
    let function: Arc<dyn Function> = match &trouble.poison {
        Some(poison) if package == "quality-evaluator" => Arc::new(Poisoned {
            host,
            poison: poison.clone(),
        }),
        _ => host,
    };
    match storm {
        Some(storm) => storm.around(function),
        None => function,
    }
}

#[cfg(test)]
mod tests {
    use tokio::process::Command;

    use super::*;

    fn failure() -> Failure {
        Failure::check("cannot list the shards: dispatch failure").cure(CURE)
    }

    #[tokio::test]
    async fn an_ended_local_aws_is_told_of_before_what_failed_because_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("ministack.log");
        std::fs::write(&log, "MemoryError\n").unwrap();
        let mut child = Command::new("false").process_group(0).spawn().unwrap();
        child.wait().await.unwrap();
        let mut emulator = Emulator::stand_in(child, log);
        let text = explained(Some(&mut emulator), failure()).await.to_string();
        assert!(text.contains("ended by itself"), "{text}");
        assert!(text.contains("ministack.log"), "{text}");
        assert!(text.ends_with("MemoryError"), "{text}");
        assert!(!text.contains("dispatch failure"), "{text}");
    }

    #[tokio::test]
    async fn nobody_looks_for_credentials_of_the_local_aws() {
        let folder = tempfile::tempdir().unwrap();
        let mut sleeper = Command::new("sleep");
        let child = sleeper.arg("600").process_group(0).spawn().unwrap();
        let mut emulator = Emulator::stand_in(child, folder.path().join("ministack.log"));
        let text = explained(Some(&mut emulator), failure()).await.to_string();
        assert!(text.starts_with("cannot list the shards: "), "{text}");
        assert!(!text.contains("--region"), "{text}");
        assert!(text.ends_with("ministack.log"), "{text}");
        let other = Failure::check("a mapping broke off").cure("run again");
        let text = explained(Some(&mut emulator), other).await.to_string();
        assert_eq!(text, "a mapping broke off\n  run again");
    }
}
