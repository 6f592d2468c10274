//! The shelf in S3.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::ChecksumAlgorithm;

use crate::{Fate, SetAside, Shelf, ShelfError, encode, object_key};

/// Keeps records in a bucket; encryption is the bucket's default.
#[derive(Clone, Debug)]
pub struct S3Shelf {
    client: Client,
    bucket: String,
    function: String,
}

impl S3Shelf {
    /// Keeps what `function` sets aside in `bucket`.
    pub fn new(client: Client, bucket: impl Into<String>, function: impl Into<String>) -> Self {
        Self {
            client,
            bucket: bucket.into(),
            function: function.into(),
        }
    }
}

impl Shelf for S3Shelf {
    async fn put(&self, fate: Fate, records: &[SetAside]) -> Result<(), ShelfError> {
        if records.is_empty() {
            return Ok(());
        }
        let key = object_key(fate, &self.function, records);
        let failed = |source| ShelfError {
            records: records.len(),
            key: key.clone(),
            source,
        };
        let object = encode(records).map_err(|fault| failed(fault.into()))?;
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(&key)
            .content_type("application/x-ndjson")
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .body(object.into())
            .send()
            .await
            .map_err(|fault| failed(fault.into()))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use fake_aws::{Effect, Fault, Service, When, World};

    use super::*;
    use crate::decode;
    use crate::record::tests::{malformed, not_json};

    const BUCKET: &str = "andon-set-aside";

    fn shelf() -> (World, S3Shelf) {
        let world = World::default();
        world.create_bucket(BUCKET);
        let client = Client::new(&world.sdk_config());
        (
            world,
            S3Shelf::new(client, BUCKET, "andon-quality-evaluator"),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn one_object_holds_the_records_of_one_invocation() {
        let (world, shelf) = shelf();
        let records = [malformed(), not_json("4959")];
        shelf.put(Fate::Quarantine, &records).await.unwrap();
        let objects = world.objects(BUCKET);
        let (key, object) = objects.first_key_value().unwrap();
        assert_eq!(objects.len(), 1);
        assert_eq!(
            *key,
            object_key(Fate::Quarantine, "andon-quality-evaluator", &records)
        );
        assert_eq!(decode(&object.body).unwrap(), records);
        assert_eq!(object.content_type.as_deref(), Some("application/x-ndjson"));
        assert!(object.crc32.is_some(), "the upload is checked");
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_rewrites_the_same_object() {
        let (world, shelf) = shelf();
        let lost = Fault::new(Service::S3, "PutObject")
            .when(When::nth(1))
            .then(Effect::DropAfter);
        let lost = world.fault(lost);
        for _ in 0..2 {
            shelf.put(Fate::Parked, &[not_json("4959")]).await.unwrap();
        }
        assert_eq!((lost.fired(), world.objects(BUCKET).len()), (1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_names_the_key_and_keeps_its_cause() {
        let (world, shelf) = shelf();
        world.fault(Fault::new(Service::S3, "PutObject").then(Effect::AccessDenied));
        let error = shelf
            .put(Fate::Parked, &[not_json("4959")])
            .await
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("parked/andon-quality-evaluator/2026/11/20/"),
            "{error}"
        );
        assert!(error.source().is_some());
        assert!(world.objects(BUCKET).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn no_records_no_call() {
        let (world, shelf) = shelf();
        shelf.put(Fate::Quarantine, &[]).await.unwrap();
        assert!(world.calls().is_empty());
    }
}
