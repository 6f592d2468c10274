//! The set-aside bucket: what lies in it, and the receipts beside. Nothing is ever deleted here.

use std::collections::BTreeSet;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;

use super::held::{Held, Origin};
use super::invocation_record::InvocationRecord;
use super::kind::{Kind, function_of};
use super::lines;
use super::receipt::{PREFIX, Receipt};
use crate::aws::failed;
use crate::failure::Failure;

/// The bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Client,
    name: String,
}

const PERMISSIONS: &str =
    "infra/README.md lists what a policy has to allow for this command (Who may do what)";

impl Bucket {
    /// The bucket of this name.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self {
            client,
            name: name.into(),
        }
    }

    /// The keys of all objects of a kind.
    pub async fn keys(&self, kind: Kind) -> Result<Vec<String>, Failure> {
        self.list(kind.prefix()).await
    }

    /// The keys of the objects that have receipts.
    pub async fn redriven(&self) -> Result<BTreeSet<String>, Failure> {
        let receipts = self.list(PREFIX).await?;
        let object =
            |key: &String| Some(key.strip_prefix(PREFIX)?.strip_suffix(".json")?.to_owned());
        Ok(receipts.iter().filter_map(object).collect())
    }

    /// The records of an object.
    pub async fn read(&self, key: &str) -> Result<Vec<Held>, Failure> {
        let Some(kind) = Kind::of(key) else {
            return Err(Failure::input(format_args!(
                "{key} is neither a file nor the key of anything set aside"
            ))
            .cure("keys begin with quarantine/, parked/ or aws/lambda/; `andon redrive list` shows them"));
        };
        let bytes = match self.get(key).await? {
            Some(bytes) => bytes,
            None => {
                return Err(Failure::input(format_args!(
                    "there is no {key} in bucket {}",
                    self.name
                ))
                .cure("`andon redrive list` shows the keys"));
            }
        };
        let mut held = match kind {
            Kind::Quarantine | Kind::Parked => lines::read(key, &bytes)?,
            Kind::Failed => failed_batch(key, &bytes)?,
        };
        for (one, line) in held.iter_mut().zip(1..) {
            one.function = one
                .function
                .take()
                .or_else(|| function_of(key).map(str::to_owned));
            one.origin = Some(Origin {
                key: key.to_owned(),
                line,
            });
        }
        Ok(held)
    }

    /// What is known of the object's records; none if they were never brought back.
    pub async fn receipt(&self, key: &str) -> Result<Option<Receipt>, Failure> {
        let place = Receipt::key_for(key);
        let Some(bytes) = self.get(&place).await? else {
            return Ok(None);
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| Failure::check(format_args!("{place} is no receipt")).caused_by(error))
    }

    /// Keeps a receipt beside its object.
    pub async fn keep(&self, receipt: &Receipt) -> Result<(), Failure> {
        let place = Receipt::key_for(&receipt.key);
        let json = serde_json::to_vec(receipt).map_err(std::io::Error::from)?;
        let put = self
            .client
            .put_object()
            .bucket(&self.name)
            .key(&place)
            .content_type("application/json")
            .body(json.into());
        put.send().await.map(drop).map_err(|error| {
            failed(format_args!("cannot write the receipt {place}"), &error).cure(PERMISSIONS)
        })
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let mut keys = Vec::new();
        let mut next = None;
        loop {
            let page = self
                .client
                .list_objects_v2()
                .bucket(&self.name)
                .prefix(prefix)
                .set_continuation_token(next)
                .send()
                .await
                .map_err(|error| {
                    let failure = failed(format_args!("cannot list bucket {}", self.name), &error);
                    match error.code() {
                        Some("AccessDenied") => failure.cure(PERMISSIONS),
                        _ => failure,
                    }
                })?;
            keys.extend(
                page.contents()
                    .iter()
                    .filter_map(|object| object.key().map(str::to_owned)),
            );
            next = page.next_continuation_token().map(str::to_owned);
            if next.is_none() {
                return Ok(keys);
            }
        }
    }

    /// The object's bytes; none if there is no such object.
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        let what = format!("cannot read {key} in bucket {}", self.name);
        let get = self.client.get_object().bucket(&self.name).key(key);
        let object = match get.send().await {
            Ok(object) => object,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) => {
                let failure = failed(&what, &error);
                return Err(match error.code() {
                    Some("AccessDenied") => failure.cure(PERMISSIONS),
                    _ => failure,
                });
            }
        };
        let body = object.body.collect().await;
        body.map(|bytes| Some(bytes.to_vec()))
            .map_err(|error| Failure::check(&what).caused_by(error))
    }
}

/// The records of a batch that Lambda gave up.
pub fn failed_batch(name: &str, bytes: &[u8]) -> Result<Vec<Held>, Failure> {
    let read = InvocationRecord::read(bytes).and_then(|record| record.held(name));
    match read {
        Ok(Some(held)) => Ok(held),
        Ok(None) => Err(Failure::input(format_args!(
            "{name} holds no records, only where they were on the stream"
        ))
        .cure("pointers are read back with --queue")),
        Err(error) => Err(Failure::input(name).caused_by(error)),
    }
}

#[cfg(test)]
mod tests {
    use fake_aws::{Effect, Fault, Service, World};
    use quality_event::Timestamp;

    use super::*;
    use crate::aws::s3;
    use crate::redrive::held::tests::parked;
    use crate::redrive::invocation_record::tests::documented;

    fn bucket() -> (World, Bucket) {
        let world = World::default();
        world.create_bucket("set-aside");
        let bucket = Bucket::new(s3(&world.sdk_config()), "set-aside");
        (world, bucket)
    }

    #[tokio::test]
    async fn objects_of_a_kind_are_listed_and_read() {
        let (world, bucket) = bucket();
        let (key, record) = (
            "parked/andon-quality-evaluator/2026/11/20/a.ndjson",
            parked(1).record,
        );
        world.put_object(
            "set-aside",
            key,
            set_aside::encode(&[record.clone(), record]).unwrap(),
        );
        world.put_object("set-aside", "quarantine/f/x.ndjson", "");
        assert_eq!(bucket.keys(Kind::Parked).await.unwrap(), [key]);
        let held = bucket.read(key).await.unwrap();
        assert_eq!(held.len(), 2);
        assert_eq!(held[0].origin, parked(1).origin);
        assert_eq!(held[1].origin.as_ref().unwrap().line, 2);
        assert_eq!(held[1].function.as_deref(), Some("andon-quality-evaluator"));
    }

    #[tokio::test]
    async fn a_failed_batch_tells_its_function_itself() {
        let (world, bucket) = bucket();
        let mut record = documented();
        record["payload"] = serde_json::json!("{\"Records\":[7]}");
        world.put_object("set-aside", "aws/lambda/m/s/x", record.to_string());
        let held = bucket.read("aws/lambda/m/s/x").await.unwrap();
        assert_eq!(held[0].function.as_deref(), Some("andon-quality-evaluator"));
        assert_eq!(held[0].origin.as_ref().unwrap().line, 1);
        world.put_object("set-aside", "aws/lambda/m/s/y", documented().to_string());
        let failure = bucket.read("aws/lambda/m/s/y").await.unwrap_err();
        assert!(
            failure.to_string().contains("holds no records"),
            "{failure}"
        );
    }

    #[tokio::test]
    async fn a_receipt_lies_beside_its_object() {
        let (world, bucket) = bucket();
        let key = "parked/f/a.ndjson";
        assert_eq!(bucket.receipt(key).await.unwrap(), None);
        let receipt = Receipt::new(key, Timestamp::from_millis(0).unwrap());
        bucket.keep(&receipt).await.unwrap();
        assert!(
            world
                .objects("set-aside")
                .contains_key("redriven/parked/f/a.ndjson.json")
        );
        assert_eq!(bucket.receipt(key).await.unwrap(), Some(receipt));
        assert!(bucket.redriven().await.unwrap().contains(key));
    }

    #[tokio::test]
    async fn what_is_not_there_or_no_such_object_is_named() {
        let (world, bucket) = bucket();
        world.put_object("set-aside", "parked/f/bad.ndjson", "\n{\"reason\":1}\n");
        for (key, expected, exit_code) in [
            (
                "parked/f/none.ndjson",
                "there is no parked/f/none.ndjson in bucket set-aside",
                2,
            ),
            (
                "restarts/f/x",
                "restarts/f/x is neither a file nor the key",
                2,
            ),
            (
                "parked/f/bad.ndjson",
                "parked/f/bad.ndjson:2: not a record that was set aside",
                2,
            ),
        ] {
            let failure = bucket.read(key).await.unwrap_err();
            assert!(failure.to_string().starts_with(expected), "{failure}");
            assert_eq!(failure.exit_code(), exit_code);
        }
        world.fault(Fault::new(Service::S3, "*").then(Effect::AccessDenied));
        for failure in [
            bucket.keys(Kind::Parked).await.unwrap_err(),
            bucket.read("parked/f/bad.ndjson").await.unwrap_err(),
        ] {
            assert!(failure.to_string().contains("infra/README.md"), "{failure}");
        }
        let elsewhere = Bucket::new(s3(&World::default().sdk_config()), "no-such-bucket");
        let failure = elsewhere.keys(Kind::Parked).await.unwrap_err();
        assert!(
            failure.to_string().contains("no-such-bucket: NoSuchBucket"),
            "{failure}"
        );
    }
}
