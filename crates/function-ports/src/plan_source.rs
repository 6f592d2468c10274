//! Where the control plan comes from: the port, S3 and a file.

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::str::FromStr;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use lambda_function::aws::classify;

use crate::PortError;

const WHAT: &str = "cannot fetch the control plan";

/// Where the control plan comes from.
pub trait PlanSource {
    /// Fetches the plan unless it is still the one that `known` names.
    fn fetch(&self, known: Option<&str>)
    -> impl Future<Output = Result<Fetched, PortError>> + Send;

    /// The versions that the plan had before, by id, newest first and at most [`EARLIER_VERSIONS`]: for a start where the
    /// newest plan cannot be used. The newest itself may be among them.
    fn earlier(&self) -> impl Future<Output = Result<Vec<String>, PortError>> + Send;

    /// The plan as it was in that version.
    fn fetch_version(&self, id: &str) -> impl Future<Output = Result<Vec<u8>, PortError>> + Send;
}

/// How far a start goes back for a plan that passes its check.
pub const EARLIER_VERSIONS: u8 = 10;

/// What a fetch found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// The plan that the caller has is still the one.
    Unchanged,
    /// Another one.
    Plan {
        /// Names this version of it.
        tag: String,
        /// The file's bytes.
        bytes: Vec<u8>,
    },
}

/// `PLAN_URI`: `s3://bucket/key` or `file:///path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanUri {
    /// An object.
    S3 {
        /// Its bucket.
        bucket: String,
        /// Its key.
        key: String,
    },
    /// A file that was packed with the function or lies on this machine.
    File(PathBuf),
}

impl FromStr for PlanUri {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("file://") {
            return match path.starts_with('/') {
                true => Ok(Self::File(path.into())),
                false => Err("a file's path must be absolute"),
            };
        }
        match text
            .strip_prefix("s3://")
            .and_then(|object| object.split_once('/'))
        {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => Ok(Self::S3 {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
            }),
            _ => Err("neither an object nor a file"),
        }
    }
}

impl fmt::Display for PlanUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::S3 { bucket, key } => write!(f, "s3://{bucket}/{key}"),
            Self::File(path) => write!(f, "file://{}", path.display()),
        }
    }
}

/// An object in a versioned bucket; its ETag names the version.
#[derive(Clone, Debug)]
pub struct S3PlanSource {
    client: Client,
    bucket: String,
    key: String,
}

impl S3PlanSource {
    /// The object `key` of `bucket`, reached by `client`.
    pub fn new(client: Client, bucket: String, key: String) -> Self {
        Self {
            client,
            bucket,
            key,
        }
    }
}

impl PlanSource for S3PlanSource {
    async fn fetch(&self, known: Option<&str>) -> Result<Fetched, PortError> {
        let get = self.client.get_object().bucket(&self.bucket).key(&self.key);
        let object = match get.set_if_none_match(known.map(str::to_owned)).send().await {
            Ok(object) => object,
            Err(SdkError::ServiceError(error)) if error.raw().status().as_u16() == 304 => {
                return Ok(Fetched::Unchanged);
            }
            Err(error) => return Err(refused(error)),
        };
        let tag = object.e_tag().unwrap_or_default().to_owned();
        let bytes = whole(object).await?;
        Ok(Fetched::Plan { tag, bytes })
    }

    async fn earlier(&self) -> Result<Vec<String>, PortError> {
        let list = self.client.list_object_versions().bucket(&self.bucket);
        // The versions of one key follow one another, the newest first, and a key comes before those that it begins.
        let list = list
            .prefix(&self.key)
            .max_keys(i32::from(EARLIER_VERSIONS) + 1);
        let listed = list.send().await.map_err(refused)?;
        let versions = listed.versions.unwrap_or_default().into_iter();
        Ok(versions
            .filter(|version| version.key.as_ref() == Some(&self.key))
            .filter_map(|version| version.version_id)
            .collect())
    }

    async fn fetch_version(&self, id: &str) -> Result<Vec<u8>, PortError> {
        let get = self.client.get_object().bucket(&self.bucket).key(&self.key);
        whole(get.version_id(id).send().await.map_err(refused)?).await
    }
}

fn refused<E>(error: SdkError<E, HttpResponse>) -> PortError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    PortError {
        what: WHAT,
        passing: classify(&error).is_worth_retrying(),
        cause: error.into(),
    }
}

async fn whole(object: GetObjectOutput) -> Result<Vec<u8>, PortError> {
    let bytes = object.body.collect().await;
    let bytes = bytes.map_err(|error| PortError {
        what: WHAT,
        passing: true,
        cause: error.into(),
    })?;
    Ok(bytes.to_vec())
}

/// A file; its text is its own name.
#[derive(Clone, Debug)]
pub struct FilePlanSource(PathBuf);

impl FilePlanSource {
    /// The file at `path`.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }
}

impl PlanSource for FilePlanSource {
    async fn fetch(&self, known: Option<&str>) -> Result<Fetched, PortError> {
        let bytes = std::fs::read(&self.0);
        let bytes = bytes.map_err(|error| PortError {
            what: WHAT,
            passing: false,
            cause: error.into(),
        })?;
        let tag = String::from_utf8_lossy(&bytes).into_owned();
        match known == Some(tag.as_str()) {
            true => Ok(Fetched::Unchanged),
            false => Ok(Fetched::Plan { tag, bytes }),
        }
    }

    /// A file is what it is.
    async fn earlier(&self) -> Result<Vec<String>, PortError> {
        Ok(Vec::new())
    }

    async fn fetch_version(&self, id: &str) -> Result<Vec<u8>, PortError> {
        Err(PortError {
            what: WHAT,
            passing: false,
            cause: format!("a file has no version {id}").into(),
        })
    }
}

/// Whichever the configuration names.
#[derive(Clone, Debug)]
pub enum AnyPlanSource {
    /// An object.
    S3(S3PlanSource),
    /// A file.
    File(FilePlanSource),
}

impl AnyPlanSource {
    /// The source at `uri`; `client` reaches S3.
    pub fn of(uri: &PlanUri, client: Client) -> Self {
        match uri {
            PlanUri::S3 { bucket, key } => {
                Self::S3(S3PlanSource::new(client, bucket.clone(), key.clone()))
            }
            PlanUri::File(path) => Self::File(FilePlanSource::new(path.clone())),
        }
    }
}

impl PlanSource for AnyPlanSource {
    async fn fetch(&self, known: Option<&str>) -> Result<Fetched, PortError> {
        match self {
            Self::S3(source) => source.fetch(known).await,
            Self::File(source) => source.fetch(known).await,
        }
    }

    async fn earlier(&self) -> Result<Vec<String>, PortError> {
        match self {
            Self::S3(source) => source.earlier().await,
            Self::File(source) => source.earlier().await,
        }
    }

    async fn fetch_version(&self, id: &str) -> Result<Vec<u8>, PortError> {
        match self {
            Self::S3(source) => source.fetch_version(id).await,
            Self::File(source) => source.fetch_version(id).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_uri_names_an_object_or_an_absolute_path() {
        for text in ["s3://plans/press/line.yaml", "file:///var/task/plan.yaml"] {
            assert_eq!(text.parse::<PlanUri>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "plan.yaml",
            "s3://",
            "s3://plans",
            "s3://plans/",
            "s3:///key",
            "file://plan.yaml",
            "https://plans/p",
        ] {
            assert!(text.parse::<PlanUri>().is_err(), "{text}");
        }
    }
}
