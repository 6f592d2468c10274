//! The deployment of a local run: the project's own templates, packaged and deployed through CloudFormation as they are
//! on AWS, and read back as what came of them.
//!
//! Promises: what runs locally is what the templates say (names, environment, time-outs, every setting of a mapping), for
//! nothing is assumed that can be read back; the emulator's own pollers and delivery streams are switched off before the
//! first record, so that nobody but this project's mappings and deliveries invokes a function. The functions' zip holds a note alone: their code is hosted
//! by this tool.
//!
//! Call sequence of a local run:
//!
//! ```text
//! let tools = Tools::ready(&folder, &progress).await?;              // python.rs
//! let mut emulator = Emulator::start(&tools, &folder).await?;       // emulator.rs
//! let deployed = deploy(&tools, &emulator, &Deployment { .. }, &progress).await?;
//! // upload the plan to deployed.output("PlanUri")?
//! // host each of deployed.functions: its binary with its environment, emulator.client_environment() and
//! //   AWS_LAMBDA_FUNCTION_NAME, AWS_LAMBDA_LOG_LEVEL (log_level), its time-out enforced
//! // read the streams by deployed.mappings and invoke
//! emulator.check()?;                                                // now and then
//! emulator.stop().await;
//! ```
//!
//! What the emulator leaves out of the templates, and why that does not matter here: it sets no TTL (items live for days,
//! a run for minutes), encrypts nothing and keeps no lifecycle. It cannot update a nested stack: deploy to a new or reset
//! emulator.

mod answers;
mod aws_cli;
mod deliveries;
mod layout;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::time::Duration;

use firehose_delivery::InvalidSettings;
use tokio::time::{Instant, sleep};

pub use answers::{DeployedFunction, DeployedMapping};
pub use deliveries::DeployedDelivery;

use super::emulator::Emulator;
use super::python::{Progress, Tools};
use answers::{Events, Functions, Mappings, Stacks};
use aws_cli::AwsCli;
use layout::Layout;

/// What to deploy, and how.
#[derive(Debug, Clone, Copy)]
pub struct Deployment<'a> {
    /// The folder of templates: `infra/`.
    pub templates: &'a Path,
    /// The root among them, such as `template.yaml`.
    pub root: &'a str,
    /// Where the deployment is laid out: `target/andon`, absolute.
    pub folder: &'a Path,
    /// The stack's name, and the first part of the names of streams and functions.
    pub stack: &'a str,
    /// The root template's parameters; those left out keep their defaults.
    pub parameters: &'a [(&'a str, &'a str)],
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// The root stack's outputs.
    pub outputs: BTreeMap<String, String>,
    /// The outputs of each nested stack, by the stack's name.
    pub nested: BTreeMap<String, BTreeMap<String, String>>,
    /// The functions, by label.
    pub functions: Vec<DeployedFunction>,
    /// The event source mappings, by function.
    pub mappings: Vec<DeployedMapping>,
    /// The delivery streams, by name.
    pub deliveries: Vec<DeployedDelivery>,
}

impl Deployed {
    /// An output of the root stack.
    pub fn output(&self, name: &'static str) -> Result<&str, StackError> {
        self.outputs
            .get(name)
            .map(String::as_str)
            .ok_or(StackError::NoOutput { name })
    }
}

/// Packages the templates, deploys them to a new or reset emulator, switches its pollers off and reads back.
pub async fn deploy(
    tools: &Tools,
    emulator: &Emulator,
    deployment: &Deployment<'_>,
    progress: &dyn Progress,
) -> Result<Deployed, StackError> {
    let mut cli = AwsCli::start(tools.aws_python(), &emulator.client_environment())?;
    progress.say("packaging the templates");
    let (layout, ()) = tokio::try_join!(
        Layout::make(deployment.templates, deployment.folder, tools.aws_python()),
        cli.run(["s3api", "create-bucket", "--bucket", ARTIFACTS])
    )?;
    package(&mut cli, &layout, deployment.root).await?;
    progress.say("deploying the stack");
    let stacks = create(&mut cli, deployment, &layout).await?;
    progress.say("reading back functions, mappings and delivery streams");
    let mappings = cli
        .ask::<Mappings>(["lambda", "list-event-source-mappings"])
        .await?
        .deployed();
    switch_off(&mut cli, &mappings).await?;
    let functions = cli
        .ask::<Functions>(["lambda", "list-functions"])
        .await?
        .deployed(deployment.stack, &layout.packages)?;
    let deliveries = deliveries::read_back(&mut cli, deployment.stack).await?;
    let (outputs, nested) = stacks.outputs(deployment.stack);
    Ok(Deployed {
        outputs,
        nested,
        functions,
        mappings,
        deliveries,
    })
}

/// Why there is no deployment. `cure` says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// A file was refused.
    #[error("cannot {what}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The AWS CLI ended badly.
    #[error("aws {command} failed")]
    Cli {
        /// Service and operation.
        command: String,
        /// The end of what it said.
        output: String,
    },
    /// The AWS CLI's answer is not what it should be.
    #[error("aws {command} gave an answer that cannot be read")]
    Answer {
        /// Service and operation.
        command: String,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// CloudFormation gave up.
    #[error("the stack {stack} ended as {status}")]
    Failed {
        /// The root stack.
        stack: String,
        /// Its last status.
        status: String,
        /// What failed, in the order of time, one line each.
        reasons: Vec<String>,
    },
    /// CloudFormation did not come to an end.
    #[error("the stack {stack} was not complete after {seconds} s")]
    Unfinished {
        /// The root stack.
        stack: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// A function is deployed whose package the templates do not name.
    #[error("the function {function} belongs to no package of the templates")]
    NoPackage {
        /// Its name.
        function: String,
    },
    /// A delivery stream is set to something that is not done here.
    #[error("the delivery stream {name} cannot run here")]
    Delivery {
        /// Its name.
        name: String,
        /// What it is set to.
        #[source]
        source: InvalidSettings,
    },
    /// The template lacks an output.
    #[error("the root stack has no output {name}")]
    NoOutput {
        /// Its name.
        name: &'static str,
    },
}

impl StackError {
    /// What the user can do about it.
    pub fn cure(&self) -> String {
        match self {
            Self::Io { .. } => {
                "check that the target folder can be written, then run again".to_owned()
            }
            Self::Cli { output, .. } => format!("it says:\n{output}"),
            Self::Answer { .. } => {
                "the emulator gives something that AWS does not; its log may tell".to_owned()
            }
            Self::Failed { reasons, .. } => {
                format!(
                    "the emulator knows fewer resource types than AWS; what failed:\n{}",
                    reasons.join("\n")
                )
            }
            Self::Unfinished { .. } => {
                "is the machine very busy? The emulator's log tells what it waits for".to_owned()
            }
            Self::NoPackage { .. } => {
                "name its code ../target/lambda/<package>/bootstrap.zip".to_owned()
            }
            Self::Delivery { .. } => "change the delivery stream in infra/ for this run".to_owned(),
            Self::NoOutput { name } => format!("add the output {name} to infra/template.yaml"),
        }
    }
}

/// Where packaged templates and zips go; `aws cloudformation package` wants a bucket.
const ARTIFACTS: &str = "andon-artifacts";
const DEPLOY_LIMIT: Duration = Duration::from_secs(120);
const DEPLOY_INTERVAL: Duration = Duration::from_millis(200);

async fn package(cli: &mut AwsCli, layout: &Layout, root: &str) -> Result<(), StackError> {
    let words = ["cloudformation", "package", "--s3-bucket", ARTIFACTS].map(OsStr::new);
    let template = layout.templates.join(root);
    let root = [OsStr::new("--template-file"), template.as_os_str()];
    let packaged = [
        OsStr::new("--output-template-file"),
        layout.packaged.as_os_str(),
    ];
    cli.run(words.into_iter().chain(root).chain(packaged)).await
}

/// Not `aws cloudformation deploy`: between two looks at the stack that command sleeps for thirty seconds. The request is
/// the same, without the change set.
async fn create(
    cli: &mut AwsCli,
    deployment: &Deployment<'_>,
    layout: &Layout,
) -> Result<Stacks, StackError> {
    let mut body = OsString::from("file://");
    body.push(&layout.packaged);
    let words = [
        "cloudformation",
        "create-stack",
        "--capabilities",
        "CAPABILITY_IAM",
        "--stack-name",
        deployment.stack,
    ];
    let mut words: Vec<OsString> = words.map(OsString::from).into();
    words.extend([OsString::from("--template-body"), body]);
    if !deployment.parameters.is_empty() {
        words.extend([
            OsString::from("--parameters"),
            answers::parameters(deployment.parameters).into(),
        ]);
    }
    cli.run(words).await?;
    let given_up = Instant::now() + DEPLOY_LIMIT;
    loop {
        let stacks: Stacks = cli.ask(["cloudformation", "describe-stacks"]).await?;
        match stacks.status(deployment.stack) {
            "CREATE_COMPLETE" => return Ok(stacks),
            status if status.contains("IN_PROGRESS") => {}
            status => return Err(failure(cli, deployment.stack, status, &stacks).await?),
        }
        if Instant::now() >= given_up {
            let seconds = DEPLOY_LIMIT.as_secs();
            return Err(StackError::Unfinished {
                stack: deployment.stack.to_owned(),
                seconds,
            });
        }
        sleep(DEPLOY_INTERVAL).await;
    }
}

/// What the events of the stack and of its nested stacks say.
async fn failure(
    cli: &mut AwsCli,
    stack: &str,
    status: &str,
    stacks: &Stacks,
) -> Result<StackError, StackError> {
    let mut reasons = Vec::new();
    for name in stacks.names() {
        let events: Events = cli
            .ask([
                "cloudformation",
                "describe-stack-events",
                "--stack-name",
                name,
            ])
            .await?;
        reasons.extend(events.failures());
    }
    Ok(StackError::Failed {
        stack: stack.to_owned(),
        status: status.to_owned(),
        reasons,
    })
}

async fn switch_off(cli: &mut AwsCli, mappings: &[DeployedMapping]) -> Result<(), StackError> {
    for mapping in mappings {
        cli.run(off_switch(&mapping.uuid)).await?;
    }
    Ok(())
}

/// By the operation, not by the template: the emulator ignores a mapping's `Enabled: false`.
fn off_switch(uuid: &str) -> [&str; 5] {
    [
        "lambda",
        "update-event-source-mapping",
        "--no-enabled",
        "--uuid",
        uuid,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poller_is_switched_off() {
        assert_eq!(
            off_switch("50f67ad3").join(" "),
            "lambda update-event-source-mapping --no-enabled --uuid 50f67ad3"
        );
    }

    #[test]
    fn an_output_that_the_template_lacks_is_named() {
        let outputs = [(
            "PlanUri".to_owned(),
            "s3://plans/control-plan.yaml".to_owned(),
        )]
        .into();
        let deployed = Deployed {
            outputs,
            nested: BTreeMap::new(),
            functions: vec![],
            mappings: vec![],
            deliveries: vec![],
        };
        assert_eq!(
            deployed.output("PlanUri").unwrap(),
            "s3://plans/control-plan.yaml"
        );
        let error = deployed.output("LakeBucketName").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the root stack has no output LakeBucketName"
        );
    }
}
