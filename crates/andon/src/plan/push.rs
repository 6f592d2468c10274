//! `andon plan push`: a checked plan into service, or an older version of it again.
//!
//! The plan is an object in a versioned bucket. A push is a new version of it, and so is a roll-back: nothing is ever
//! taken out of the history. What would be refused by the functions is refused here first.

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;

use aws_config::SdkConfig;
use aws_sdk_s3::primitives::ByteStream;
use clap::Args;
use control_plan::ControlPlan;

use super::source;
use crate::aws::{AwsOptions, failed, s3, stack_outputs};
use crate::failure::Failure;

/// Put a plan into service, or an older version of it again
///
/// The functions take the new version up within their refresh time (60 seconds unless configured).
#[derive(Args, Clone, Debug)]
#[command(group = clap::ArgGroup::new("what").required(true), group = clap::ArgGroup::new("where").required(true))]
pub struct Push {
    /// The control plan
    #[arg(long, value_name = "FILE", group = "what")]
    plan: Option<PathBuf>,
    /// Push this older version again, as the newest one
    #[arg(long, value_name = "ID", group = "what")]
    version: Option<String>,
    /// The bucket of plans
    #[arg(long, value_name = "NAME", group = "where")]
    bucket: Option<String>,
    /// The plan's key in the bucket
    #[arg(
        long,
        value_name = "KEY",
        default_value = "control-plan.yaml",
        requires = "bucket"
    )]
    key: String,
    /// The plan's place, as in the functions' PLAN_URI
    #[arg(long, value_name = "s3://BUCKET/KEY", group = "where")]
    uri: Option<Place>,
    /// The stack that the functions were deployed by; its output PlanUri is the plan's place
    #[arg(long, value_name = "NAME", group = "where")]
    stack: Option<String>,
    #[command(flatten)]
    aws: AwsOptions,
}

/// Where the plan in force lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    bucket: String,
    key: String,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(uri: &str) -> Result<Self, String> {
        match uri
            .strip_prefix("s3://")
            .and_then(|rest| rest.split_once('/'))
        {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => Ok(Self {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
            }),
            _ => Err(format!("{uri} is not of the form s3://bucket/key")),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl Push {
    /// Checks the plan, pushes it, and says how to go back.
    pub async fn run(self, out: &mut impl Write) -> Result<(), Failure> {
        // A faulty file needs no AWS to be refused.
        let file = self
            .plan
            .as_ref()
            .map(|path| Candidate::check(path.display(), &source(path)?))
            .transpose()?;
        let sdk = self.aws.load().await;
        let place = match (&self.uri, &self.bucket, &self.stack) {
            (Some(place), _, _) => place.clone(),
            (None, Some(bucket), _) => Place {
                bucket: bucket.clone(),
                key: self.key.clone(),
            },
            (None, None, stack) => place_of_stack(&sdk, stack.as_deref()).await?,
        };
        let plans = Plans {
            client: s3(&sdk),
            place,
        };
        let candidate = match file {
            Some(candidate) => candidate,
            None => {
                plans
                    .older(self.version.as_deref().unwrap_or_default())
                    .await?
            }
        };
        plans.push(&candidate, out).await
    }
}

/// Checks a plan's text and makes it the newest version at `place`.
pub async fn push(
    client: aws_sdk_s3::Client,
    place: Place,
    name: &str,
    source: &str,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let candidate = Candidate::check(name, source)?;
    Plans { client, place }.push(&candidate, out).await
}

/// A plan that has passed its check.
#[derive(Debug)]
struct Candidate {
    source: String,
    hash: String,
}

impl Candidate {
    fn check(name: impl fmt::Display, source: &str) -> Result<Self, Failure> {
        let plan = ControlPlan::parse(&name.to_string(), source).map_err(|errors| {
            Failure::check(format_args!(
                "the plan is not in order, nothing was pushed\n{errors}"
            ))
        })?;
        Ok(Self {
            source: source.to_owned(),
            hash: plan.hash().to_owned(),
        })
    }
}

/// The bucket's object.
struct Plans {
    client: aws_sdk_s3::Client,
    place: Place,
}

impl Plans {
    /// An older version, checked by the rules of today.
    async fn older(&self, version: &str) -> Result<Candidate, Failure> {
        let what = format!("version {version} of {}", self.place);
        let object = self
            .client
            .get_object()
            .bucket(&self.place.bucket)
            .key(&self.place.key)
            .version_id(version)
            .send()
            .await
            .map_err(|error| failed(format_args!("cannot read {what}"), &error))?;
        let bytes = object
            .body
            .collect()
            .await
            .map_err(|error| Failure::check(format_args!("cannot read {what}")).caused_by(error))?
            .into_bytes();
        let source =
            std::str::from_utf8(&bytes).map_err(|error| Failure::check(&what).caused_by(error))?;
        Candidate::check(what, source)
    }

    /// The version in force; none if there is no plan yet, or none that may be read.
    async fn version_in_force(&self) -> Option<String> {
        let head = self
            .client
            .head_object()
            .bucket(&self.place.bucket)
            .key(&self.place.key)
            .send()
            .await
            .ok()?;
        head.version_id
    }

    async fn push(&self, candidate: &Candidate, out: &mut impl Write) -> Result<(), Failure> {
        let before = self.version_in_force().await;
        let put = self
            .client
            .put_object()
            .bucket(&self.place.bucket)
            .key(&self.place.key)
            .content_type("application/yaml")
            .metadata("plan", &candidate.hash)
            .body(ByteStream::from(candidate.source.clone().into_bytes()))
            .send()
            .await
            .map_err(|error| failed(format_args!("cannot write {}", self.place), &error))?;
        writeln!(out, "{}\n  plan     {}", self.place, candidate.hash)?;
        match put.version_id() {
            Some(version) => writeln!(out, "  version  {version}")?,
            None => writeln!(
                out,
                "  the bucket keeps no versions: switch versioning on, or there is no way back"
            )?,
        }
        if let Some(before) = before {
            writeln!(
                out,
                "  before   {before}\nto go back: andon plan push --uri {} --version {before}",
                self.place
            )?;
        }
        Ok(())
    }
}

async fn place_of_stack(sdk: &SdkConfig, stack: Option<&str>) -> Result<Place, Failure> {
    let stack = stack.unwrap_or_default();
    let outputs = stack_outputs(sdk, stack).await?;
    let uri = outputs.get("PlanUri");
    uri.and_then(|uri| uri.parse().ok()).ok_or_else(|| {
        Failure::check(format_args!(
            "stack {stack} has no output PlanUri that is an s3:// address"
        ))
        .cure("give --uri or --bucket")
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        push: Push,
    }

    #[track_caller]
    fn check(arguments: &[&str], valid: bool) {
        let parsed = Line::try_parse_from(["push"].iter().chain(arguments));
        assert_eq!(parsed.is_ok(), valid, "{arguments:?}: {parsed:?}");
    }

    #[test]
    fn one_plan_goes_to_one_place() {
        check(&["--plan", "p.yaml", "--bucket", "b"], true);
        check(&["--plan", "p.yaml", "--bucket", "b", "--key", "k"], true);
        check(&["--plan", "p.yaml", "--uri", "s3://b/k"], true);
        check(&["--version", "v1", "--stack", "andon"], true);
        check(&["--plan", "p.yaml"], false);
        check(&["--bucket", "b"], false);
        check(
            &["--plan", "p.yaml", "--version", "v1", "--bucket", "b"],
            false,
        );
        check(
            &["--plan", "p.yaml", "--uri", "s3://b/k", "--stack", "andon"],
            false,
        );
        check(&["--plan", "p.yaml", "--uri", "https://b/k"], false);
        check(&["--plan", "p.yaml", "--uri", "s3://b"], false);
    }

    #[test]
    fn a_place_is_written_as_it_is_read() {
        let place: Place = "s3://plans/lines/press.yaml".parse().unwrap();
        assert_eq!(
            (place.bucket.as_str(), place.key.as_str()),
            ("plans", "lines/press.yaml")
        );
        assert_eq!(place.to_string(), "s3://plans/lines/press.yaml");
    }

    fn plans(world: &fake_aws::World) -> Plans {
        Plans {
            client: s3(&world.sdk_config()),
            place: "s3://plans/control-plan.yaml".parse().unwrap(),
        }
    }

    const PLAN: &str = "version: 1
reading: {machine: /machine, time: /time}
characteristics:
  torque: {at: /torque, unit: Nm}
rules:
  - id: too-tight
    when: torque > 60.0
";

    #[tokio::test]
    async fn a_pushed_plan_carries_its_hash() {
        let world = fake_aws::World::default();
        world.create_bucket("plans");
        let candidate = Candidate::check("plan.yaml", PLAN).unwrap();
        let mut out = Vec::new();
        plans(&world).push(&candidate, &mut out).await.unwrap();
        let object = &world.objects("plans")["control-plan.yaml"];
        assert_eq!(object.metadata.get("plan"), Some(&candidate.hash));
        assert_eq!(object.content_type.as_deref(), Some("application/yaml"));
        assert_eq!(object.body, PLAN.as_bytes());
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with(&format!(
                "s3://plans/control-plan.yaml\n  plan     {}\n",
                candidate.hash
            )),
            "{text}"
        );
        // The fake bucket keeps no versions, and that is worth a word.
        assert!(text.contains("no versions"), "{text}");
    }

    #[tokio::test]
    async fn a_missing_bucket_is_named() {
        let candidate = Candidate::check("plan.yaml", PLAN).unwrap();
        let failure = plans(&fake_aws::World::default())
            .push(&candidate, &mut Vec::new())
            .await
            .unwrap_err();
        assert!(
            failure
                .to_string()
                .contains("s3://plans/control-plan.yaml: NoSuchBucket"),
            "{failure}"
        );
    }

    #[test]
    fn a_faulty_plan_is_not_pushed() {
        let failure =
            Candidate::check("plan.yaml", &PLAN.replace("torque >", "torqe >")).unwrap_err();
        assert_eq!(failure.exit_code(), 1);
        let text = failure.to_string();
        assert!(
            text.contains("nothing was pushed") && text.contains("plan.yaml:7:11"),
            "{text}"
        );
    }
}
