//! GetObject and HeadObject.

use std::borrow::Cow;

use aws_smithy_types::date_time::Format;
use bytes::Bytes;

use super::{Object, formatted, names_etag, no_such_bucket, no_such_key, precondition_failed};
use crate::call::Part;
use crate::connector::Operation;
use crate::protocol::{Context, Refusal, Reply, Request};
use crate::world::Services;

#[derive(Debug)]
pub(super) struct GetObject {
    bucket: String,
    key: String,
    head_only: bool,
    with_checksum: bool,
    if_match: Option<String>,
    if_none_match: Option<String>,
    version: Option<String>,
}

impl GetObject {
    pub(super) fn read(request: &Request, bucket: String, key: String, head_only: bool) -> Self {
        let header = |name: &str| request.header(name).map(str::to_owned);
        Self {
            bucket,
            key,
            head_only,
            with_checksum: request
                .header("x-amz-checksum-mode")
                .is_some_and(|mode| mode.eq_ignore_ascii_case("enabled")),
            if_match: header("if-match"),
            if_none_match: header("if-none-match"),
            version: request.query("versionId").map(str::to_owned),
        }
    }

    fn answer(&self, services: &Services, context: &Context) -> Result<Reply, Refusal> {
        let bucket = services
            .buckets
            .get(&self.bucket)
            .ok_or_else(no_such_bucket)?;
        let object = match &self.version {
            None => bucket.get(&self.key).ok_or_else(no_such_key)?,
            Some(id) => services.versions.get(&self.bucket, &self.key, id)?,
        };
        if self
            .if_match
            .as_ref()
            .is_some_and(|header| !names_etag(header, &object.etag))
        {
            return Err(precondition_failed());
        }
        let is_known = self
            .if_none_match
            .as_ref()
            .is_some_and(|header| names_etag(header, &object.etag));
        let headers = self.headers(object, &context.request_id, is_known);
        Ok(match (is_known, self.head_only) {
            (true, _) => Reply {
                status: 304,
                headers,
                body: Bytes::new(),
                code: Some("NotModified".to_owned()),
            },
            (false, true) => Reply {
                status: 200,
                headers,
                body: Bytes::new(),
                code: None,
            },
            (false, false) => Reply {
                status: 200,
                headers,
                body: object.body.clone(),
                code: None,
            },
        })
    }

    fn headers(
        &self,
        object: &Object,
        request_id: &str,
        is_known: bool,
    ) -> Vec<(Cow<'static, str>, String)> {
        let mut headers = vec![
            ("etag".into(), object.etag.clone()),
            (
                "last-modified".into(),
                formatted(object.modified_ms, Format::HttpDate),
            ),
            ("x-amz-request-id".into(), request_id.to_owned()),
        ];
        if is_known {
            return headers;
        }
        let content_type = object
            .content_type
            .as_deref()
            .unwrap_or("binary/octet-stream");
        headers.push(("accept-ranges".into(), "bytes".to_owned()));
        headers.push(("content-type".into(), content_type.to_owned()));
        headers.push(("content-length".into(), object.body.len().to_string()));
        headers.extend(
            object
                .content_encoding
                .clone()
                .map(|encoding| ("content-encoding".into(), encoding)),
        );
        let metadata = object.metadata.iter();
        headers.extend(
            metadata.map(|(name, value)| (format!("x-amz-meta-{name}").into(), value.clone())),
        );
        if let Some(crc32) = object.crc32.as_ref().filter(|_| self.with_checksum) {
            headers.push(("x-amz-checksum-crc32".into(), crc32.clone()));
            headers.push(("x-amz-checksum-type".into(), "FULL_OBJECT".to_owned()));
        }
        headers
    }
}

impl Operation for GetObject {
    fn resource(&self) -> String {
        self.bucket.clone()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        vec![Part {
            key: self.key.clone(),
            text: String::new().into(),
        }]
    }

    /// An answer to HEAD has no body, not even an error's.
    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        match self.answer(services, context) {
            Err(refusal) if self.head_only => Ok(Reply {
                body: Bytes::new(),
                ..super::refuse(&refusal, &context.request_id)
            }),
            answer => answer,
        }
    }
}
