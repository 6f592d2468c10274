//! Where records were set aside, and which functions take them back: a stack, a bucket, or the kept run on this machine.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use clap::Args;

use super::bucket::Bucket;
use super::invoker::{Invoker, Lambda, NoAnswer};
use super::kept::Kept;
use crate::aws::{AwsOptions, lambda, s3, stack_outputs};
use crate::failure::Failure;

/// Where.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Where")]
pub struct Where {
    /// The stack: its outputs name the bucket and the functions
    #[arg(long, value_name = "NAME", conflicts_with = "local")]
    stack: Option<String>,
    /// The bucket; with --stack, instead of the stack's own (an older one that was kept)
    #[arg(long, value_name = "NAME", conflicts_with = "local")]
    bucket: Option<String>,
    /// The run on this machine that `andon local --keep` left running; the function's binary is hosted here
    #[arg(long, conflicts_with_all = ["endpoint_url", "region", "profile"])]
    local: bool,
    /// Only what this function set aside or failed on (`quality-evaluator` will do for `andon-quality-evaluator`); for a
    /// file that names none, the function
    #[arg(long, value_name = "NAME")]
    pub function: Option<String>,
    #[command(flatten)]
    aws: AwsOptions,
}

/// What [`Where`] comes to.
pub struct Site {
    /// Region, credentials and endpoints.
    pub sdk: SdkConfig,
    /// The functions that take records back.
    pub functions: Functions,
    /// Who invokes them.
    pub invoker: AnyInvoker,
    bucket: Option<Bucket>,
}

impl Where {
    /// Finds everything.
    pub async fn find(&self) -> Result<Site, Failure> {
        if self.local {
            let kept = Kept::find().await?;
            let sdk = kept.sdk();
            return Ok(Site {
                bucket: Some(Bucket::new(s3(&sdk), kept.bucket()?)),
                functions: Functions::Of {
                    whose: "the project".to_owned(),
                    names: kept.functions()?,
                },
                sdk,
                invoker: AnyInvoker::Kept(Box::new(kept)),
            });
        }
        let sdk = self.aws.load().await;
        let (mut bucket, mut functions) = (self.bucket.clone(), Functions::AsNamed);
        if let Some(stack) = &self.stack {
            let outputs = stack_outputs(&sdk, stack).await?;
            if bucket.is_none() {
                let own = outputs.get("SetAsideBucketName").cloned();
                bucket = Some(own.ok_or_else(|| {
                    Failure::check(format_args!(
                        "stack {stack} has no output SetAsideBucketName"
                    ))
                    .cure("give --bucket")
                })?);
            }
            functions = Functions::of_stack(stack, &outputs);
        }
        Ok(Site {
            bucket: bucket.map(|name| Bucket::new(s3(&sdk), name)),
            functions,
            invoker: AnyInvoker::Lambda(Lambda::new(lambda(&sdk))),
            sdk,
        })
    }
}

impl Site {
    /// The bucket, where it is needed.
    pub fn bucket(&self) -> Result<&Bucket, Failure> {
        self.bucket.as_ref().ok_or_else(|| {
            Failure::input("where are the records set aside?")
                .cure("give --stack, --bucket or --local")
        })
    }

    /// The bucket, if there is one.
    pub fn known_bucket(&self) -> Option<&Bucket> {
        self.bucket.as_ref()
    }
}

/// The functions that take records back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Functions {
    /// Whoever set the record aside.
    AsNamed,
    /// Those of a deployment. What another deployment's function set aside, this one's of the same package takes.
    Of {
        /// Whose they are.
        whose: String,
        /// Their names, by package.
        names: BTreeMap<String, String>,
    },
}

impl Functions {
    /// Reads the outputs `QualityEvaluatorName` and so on.
    fn of_stack(stack: &str, outputs: &BTreeMap<String, String>) -> Self {
        let names = outputs.iter().filter_map(|(output, name)| {
            let package = kebab(output.strip_suffix("Name")?);
            // Streams, tables and buckets have such outputs too; a function's name ends in its package's.
            is_of(&package, name).then(|| (package, name.clone()))
        });
        Self::Of {
            whose: format!("stack {stack}"),
            names: names.collect(),
        }
    }

    /// The function that takes back what `name` set aside.
    pub fn resolve(&self, name: &str) -> Result<String, String> {
        match self {
            Self::AsNamed => Ok(name.to_owned()),
            Self::Of { whose, names } => {
                let found = names
                    .iter()
                    .find(|(package, deployed)| *deployed == name || is_of(package, name));
                found.map(|(_, deployed)| deployed.clone()).ok_or_else(|| {
                    let known: Vec<_> = names.values().map(String::as_str).collect();
                    format!(
                        "{name} is no function of {whose}, which has {}",
                        known.join(", ")
                    )
                })
            }
        }
    }
}

/// Whether a function of this name is one of `package`: the name may have a prefix.
pub fn is_of(package: &str, function: &str) -> bool {
    function
        .strip_suffix(package)
        .is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('-'))
}

/// `QualityEvaluator` as `quality-evaluator`.
fn kebab(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push('-');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// Lambda, or the kept run's functions hosted here.
pub enum AnyInvoker {
    /// On AWS.
    Lambda(Lambda),
    /// On this machine.
    Kept(Box<Kept>),
}

impl Invoker for AnyInvoker {
    async fn invoke(&self, function: &str, body: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
        match self {
            Self::Lambda(lambda) => lambda.invoke(function, body).await,
            Self::Kept(kept) => kept.invoke(function, body).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack() -> Functions {
        let outputs = [
            ("DynamodbWriterName", "andon-dynamodb-writer"),
            ("QualityEvaluatorName", "andon-quality-evaluator"),
            ("ReadingsStreamName", "andon-readings"),
            ("SetAsideBucketName", "andon-storage-setasidebucket-1x"),
            ("StateTableName", "andon-Storage-StateTable-2Y"),
        ];
        let outputs = outputs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Functions::of_stack("andon", &outputs.into())
    }

    #[track_caller]
    fn check(functions: &Functions, name: &str, expected: Result<&str, &str>) {
        let found = functions.resolve(name);
        let found = found.as_deref().map_err(String::as_str);
        assert_eq!(found, expected, "{name}");
    }

    #[test]
    fn a_stacks_functions_take_back_what_those_of_another_set_aside() {
        let evaluator = Ok("andon-quality-evaluator");
        check(&stack(), "andon-quality-evaluator", evaluator);
        check(&stack(), "andon-old-quality-evaluator", evaluator);
        check(&stack(), "quality-evaluator", evaluator);
        check(
            &stack(),
            "andon-sns-alerter",
            Err(
                "andon-sns-alerter is no function of stack andon, which has andon-dynamodb-writer, andon-quality-evaluator",
            ),
        );
        check(&Functions::AsNamed, "anything", Ok("anything"));
    }

    #[test]
    fn a_functions_name_ends_in_its_packages() {
        for (function, expected) in [
            ("sns-alerter", true),
            ("andon-sns-alerter", true),
            ("andonsns-alerter", false),
            ("alerter", false),
            ("sns-alerter-2", false),
        ] {
            assert_eq!(is_of("sns-alerter", function), expected, "{function}");
        }
    }
}
