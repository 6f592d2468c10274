//! Versioned buckets, and ListObjectVersions.

use std::collections::BTreeMap;

use aws_smithy_types::date_time::Format;

use super::list::max_keys;
use super::{Object, formatted, no_such_bucket, not_implemented};
use crate::call::Part;
use crate::connector::Operation;
use crate::protocol::{Context, Refusal, Reply, Request, xml};
use crate::world::Services;

pub(super) const PARAMETERS: [&str; 4] = ["versions", "prefix", "max-keys", "x-id"];

/// What was put into the buckets whose versioning is on, by bucket and key, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Versions(BTreeMap<String, BTreeMap<String, Vec<Object>>>);

impl Versions {
    pub(crate) fn turn_on(&mut self, bucket: &str) {
        self.0.entry(bucket.to_owned()).or_default();
    }

    pub(super) fn is_on(&self, bucket: &str) -> bool {
        self.0.contains_key(bucket)
    }

    /// Keeps an object that is being put, and gives its id if the bucket is versioned.
    pub(crate) fn keep(&mut self, bucket: &str, key: &str, object: &Object) -> Option<String> {
        let versions = self.0.get_mut(bucket)?.entry(key.to_owned()).or_default();
        versions.push(object.clone());
        Some(id(versions.len() - 1))
    }

    pub(super) fn get(&self, bucket: &str, key: &str, version: &str) -> Result<&Object, Refusal> {
        let versions = self.0.get(bucket).and_then(|keys| keys.get(key));
        let mut found = versions.into_iter().flatten().enumerate();
        found
            .find(|(number, _)| id(*number) == version)
            .map(|(_, object)| object)
            .ok_or_else(|| {
                let message = "The specified version does not exist.";
                Refusal::new("NoSuchVersion", message).with_status(404)
            })
    }
}

fn id(number: usize) -> String {
    format!("version-{number}")
}

/// One page: what would need a second one is refused.
#[derive(Debug)]
pub(super) struct ListObjectVersions {
    bucket: String,
    prefix: String,
    max_keys: usize,
}

impl ListObjectVersions {
    pub(super) fn read(request: &Request, bucket: String) -> Result<Self, Refusal> {
        Ok(Self {
            bucket,
            prefix: request.query("prefix").unwrap_or_default().to_owned(),
            max_keys: max_keys(request)?,
        })
    }
}

impl Operation for ListObjectVersions {
    fn resource(&self) -> String {
        self.bucket.clone()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        vec![Part {
            key: self.prefix.clone(),
            text: String::new().into(),
        }]
    }

    /// By key, and of one key the newest first.
    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        if !services.buckets.contains_key(&self.bucket) {
            return Err(no_such_bucket());
        }
        let Some(keys) = services.versions.0.get(&self.bucket) else {
            return Err(not_implemented("the versions of an unversioned bucket"));
        };
        let all = keys
            .iter()
            .filter(|(key, _)| key.starts_with(&self.prefix))
            .flat_map(|(key, versions)| {
                let newest = versions.len().saturating_sub(1);
                let numbered = versions.iter().enumerate().rev();
                numbered.map(move |(number, object)| (key, number, number == newest, object))
            });
        let mut entries: Vec<String> = all
            .map(|(key, number, is_latest, object)| {
                let modified = formatted(object.modified_ms, Format::DateTime);
                let fields = [
                    xml::text("Key", key),
                    xml::text("VersionId", id(number)),
                    xml::text("IsLatest", is_latest),
                    xml::text("LastModified", modified),
                    xml::text("ETag", &object.etag),
                    xml::text("Size", object.body.len()),
                    xml::text("StorageClass", "STANDARD"),
                ];
                xml::element("Version", &fields.concat())
            })
            .collect();
        let is_truncated = entries.len() > self.max_keys;
        entries.truncate(self.max_keys);
        let fields = [
            xml::text("Name", &self.bucket),
            xml::text("Prefix", &self.prefix),
            xml::text("MaxKeys", self.max_keys),
            xml::text("IsTruncated", is_truncated),
            entries.concat(),
        ];
        let body = format!(
            "{}<ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{}</ListVersionsResult>",
            xml::DECLARATION,
            fields.concat()
        );
        Ok(Reply {
            status: 200,
            headers: vec![
                ("content-type".into(), "application/xml".to_owned()),
                ("x-amz-request-id".into(), context.request_id.clone()),
            ],
            body: body.into(),
            code: None,
        })
    }
}
