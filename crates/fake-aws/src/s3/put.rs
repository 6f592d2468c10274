//! PutObject.

use std::collections::BTreeMap;

use super::{
    Object, body, names_etag, no_such_bucket, no_such_key, not_implemented, precondition_failed,
};
use crate::call::Part;
use crate::connector::Operation;
use crate::protocol::{Context, Refusal, Reply, Request};
use crate::text::Text;
use crate::world::Services;

#[derive(Debug)]
pub(super) struct PutObject {
    bucket: String,
    key: String,
    body: body::Body,
    content_type: Option<String>,
    content_encoding: Option<String>,
    metadata: BTreeMap<String, String>,
    if_match: Option<String>,
    if_none_match: bool,
}

impl PutObject {
    pub(super) fn read(request: &Request, bucket: String, key: String) -> Result<Self, Refusal> {
        let header = |name: &str| request.header(name).map(str::to_owned);
        let if_none_match = match request.header("if-none-match") {
            None => false,
            Some("*") => true,
            Some(_) => return Err(not_implemented("If-None-Match with an ETag")),
        };
        let encodings = request.header("content-encoding").unwrap_or_default();
        let encodings = encodings
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty() && *name != "aws-chunked");
        let content_encoding = encodings.collect::<Vec<_>>().join(",");
        let metadata = request.headers().filter_map(|(name, value)| {
            Some((
                name.strip_prefix("x-amz-meta-")?.to_owned(),
                value.to_owned(),
            ))
        });
        Ok(Self {
            bucket,
            key,
            body: body::read(request)?,
            content_type: header("content-type"),
            content_encoding: Some(content_encoding).filter(|encoding| !encoding.is_empty()),
            metadata: metadata.collect(),
            if_match: header("if-match"),
            if_none_match,
        })
    }
}

impl Operation for PutObject {
    fn resource(&self) -> String {
        self.bucket.clone()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        let content = self.body.content.clone();
        vec![Part {
            key: self.key.clone(),
            text: Text::lazy(move || String::from_utf8_lossy(&content).into_owned()),
        }]
    }

    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        let bucket = services
            .buckets
            .get_mut(&self.bucket)
            .ok_or_else(no_such_bucket)?;
        let present = bucket.get(&self.key);
        match (&self.if_match, present) {
            (Some(_), None) => return Err(no_such_key()),
            (Some(header), Some(present)) if !names_etag(header, &present.etag) => {
                return Err(precondition_failed());
            }
            _ => {}
        }
        if self.if_none_match && present.is_some() {
            return Err(precondition_failed());
        }
        let object = Object {
            content_type: self.content_type.clone(),
            content_encoding: self.content_encoding.clone(),
            metadata: self.metadata.clone(),
            crc32: self.body.crc32.clone(),
            ..Object::new(self.body.content.clone(), context.now_ms)
        };
        let mut headers = vec![
            ("etag".into(), object.etag.clone()),
            ("x-amz-request-id".into(), context.request_id.clone()),
        ];
        if let Some(crc32) = &object.crc32 {
            headers.push(("x-amz-checksum-crc32".into(), crc32.clone()));
        }
        if let Some(id) = services.versions.keep(&self.bucket, &self.key, &object) {
            headers.push(("x-amz-version-id".into(), id));
        }
        bucket.insert(self.key.clone(), object);
        Ok(Reply {
            status: 200,
            headers,
            body: Default::default(),
            code: None,
        })
    }
}
