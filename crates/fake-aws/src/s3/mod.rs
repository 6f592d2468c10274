//! S3: buckets of objects, over REST, path-style and virtual-host style. Errors are S3's own.

mod body;
mod delete;
mod get;
mod list;
mod put;
mod versions;

use std::collections::BTreeMap;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bytes::Bytes;
use md5::{Digest, Md5};

use crate::call::Service;
use crate::connector::{Operation, Received};
use crate::protocol::{Refusal, Reply, Request, percent, xml};

/// A bucket's objects by key.
pub(crate) type Bucket = BTreeMap<String, Object>;
/// All buckets by name.
pub(crate) type Buckets = BTreeMap<String, Bucket>;
pub(crate) use versions::Versions;

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its content.
    pub body: Bytes,
    /// The content's MD5 in hexadecimal, in quotes.
    pub etag: String,
    /// As it was put.
    pub content_type: Option<String>,
    /// As it was put, without the SDK's own `aws-chunked`.
    pub content_encoding: Option<String>,
    /// The `x-amz-meta-` headers, without that prefix.
    pub metadata: BTreeMap<String, String>,
    /// The CRC32 that came with it, in Base64.
    pub crc32: Option<String>,
    /// When it was put, in the world's milliseconds since 1970.
    pub modified_ms: i64,
}

impl Object {
    pub(crate) fn new(body: Bytes, now_ms: i64) -> Self {
        let digest: [u8; 16] = Md5::digest(&body).into();
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self {
            body,
            etag: format!("\"{hex}\""),
            content_type: None,
            content_encoding: None,
            metadata: BTreeMap::new(),
            crc32: None,
            modified_ms: now_ms,
        }
    }

    /// The content as text; what is no UTF-8 becomes the replacement character.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Headers that mean something to S3 or to the connection; others that begin with `x-amz-` are refused.
const KNOWN_HEADERS: [&str; 11] = [
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-user-agent",
    "x-amz-security-token",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-checksum-crc32",
    "x-amz-checksum-mode",
    "x-amz-trailer",
    "x-amz-decoded-content-length",
    "x-amz-expected-bucket-owner",
    "x-amz-server-side-encryption",
];

pub(crate) fn receive(request: &Request) -> Received {
    let (bucket, key) = address(request);
    let listing = request.query("list-type") == Some("2");
    let versions = request.query("versions").is_some();
    let name = match (request.method.as_str(), key.is_empty()) {
        ("PUT", false) => "PutObject",
        ("GET", false) => "GetObject",
        ("HEAD", false) => "HeadObject",
        ("DELETE", false) => "DeleteObject",
        ("GET", true) if listing => "ListObjectsV2",
        ("GET", true) if versions => "ListObjectVersions",
        _ => "",
    };
    let operation =
        supported(request, name).and_then(|()| -> Result<Box<dyn Operation>, Refusal> {
            Ok(match name {
                "PutObject" => Box::new(put::PutObject::read(request, bucket, key)?),
                "DeleteObject" => Box::new(delete::DeleteObject::new(bucket, key)),
                "ListObjectsV2" => Box::new(list::ListObjectsV2::read(request, bucket)?),
                "ListObjectVersions" => {
                    Box::new(versions::ListObjectVersions::read(request, bucket)?)
                }
                _ => Box::new(get::GetObject::read(
                    request,
                    bucket,
                    key,
                    name == "HeadObject",
                )),
            })
        });
    let name = if name.is_empty() {
        format!("{} {}", request.method, request.path)
    } else {
        name.to_owned()
    };
    Received {
        service: Service::S3,
        name,
        operation,
    }
}

fn supported(request: &Request, name: &str) -> Result<(), Refusal> {
    let sub_resource = request
        .query
        .iter()
        .map(|(name, _)| name.as_str())
        .find(|parameter| match name {
            "ListObjectsV2" => !list::PARAMETERS.contains(parameter),
            "ListObjectVersions" => !versions::PARAMETERS.contains(parameter),
            "GetObject" => !["x-id", "versionId"].contains(parameter),
            _ => *parameter != "x-id",
        });
    let header = request.headers().map(|(name, _)| name).find(|header| {
        let is_amz = header.starts_with("x-amz-") && !header.starts_with("x-amz-meta-");
        let conditional = ["range", "if-modified-since", "if-unmodified-since"].contains(header);
        (is_amz && !KNOWN_HEADERS.contains(header)) || conditional
    });
    match (name, sub_resource.or(header)) {
        ("", _) => Err(not_implemented(&format!(
            "{} {}",
            request.method, request.path
        ))),
        (_, Some(what)) => Err(not_implemented(what)),
        (_, None) => Ok(()),
    }
}

/// Bucket and key: the bucket is in the host's name, or the first segment of the path.
fn address(request: &Request) -> (String, String) {
    let path = request.path.strip_prefix('/').unwrap_or(&request.path);
    let in_host = [".s3.", ".s3-"]
        .iter()
        .find_map(|infix| request.host.split_once(infix))
        .map(|(bucket, _)| bucket);
    match in_host {
        Some(bucket) => (bucket.to_owned(), percent::decode(path)),
        None => {
            let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
            (percent::decode(bucket), percent::decode(key))
        }
    }
}

fn not_implemented(what: &str) -> Refusal {
    Refusal::new("NotImplemented", format!("not supported: {what}")).with_status(501)
}

fn no_such_bucket() -> Refusal {
    Refusal::new("NoSuchBucket", "The specified bucket does not exist").with_status(404)
}

fn no_such_key() -> Refusal {
    Refusal::new("NoSuchKey", "The specified key does not exist.").with_status(404)
}

fn precondition_failed() -> Refusal {
    Refusal::new(
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
    .with_status(412)
}

/// Whether a condition header names the ETag; quotes are optional, `*` names any.
fn names_etag(header: &str, etag: &str) -> bool {
    let bare = |etag: &str| {
        etag.trim()
            .trim_start_matches("W/")
            .trim_matches('"')
            .to_owned()
    };
    header
        .split(',')
        .any(|candidate| candidate.trim() == "*" || bare(candidate) == bare(etag))
}

fn formatted(ms: i64, format: Format) -> String {
    DateTime::from_millis(ms).fmt(format).unwrap_or_default()
}

pub(crate) fn refuse(refusal: &Refusal, request_id: &str) -> Reply {
    let content = [
        xml::text("Code", &refusal.code),
        xml::text("Message", &refusal.message),
        xml::text("RequestId", request_id),
        xml::text("HostId", "fake-aws"),
    ];
    let body = format!(
        "{}{}",
        xml::DECLARATION,
        xml::element("Error", &content.concat())
    );
    Reply {
        status: refusal.status,
        headers: vec![
            ("content-type".into(), "application/xml".to_owned()),
            ("x-amz-request-id".into(), request_id.to_owned()),
        ],
        body: body.into(),
        code: Some(refusal.code.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags_match_with_or_without_quotes() {
        let etag = Object::new(Bytes::from_static(b""), 0).etag;
        assert_eq!(etag, "\"d41d8cd98f00b204e9800998ecf8427e\"");
        for (header, named) in [
            ("\"d41d8cd98f00b204e9800998ecf8427e\"", true),
            ("d41d8cd98f00b204e9800998ecf8427e", true),
            ("\"other\", \"d41d8cd98f00b204e9800998ecf8427e\"", true),
            ("*", true),
            ("\"other\"", false),
        ] {
            assert_eq!(names_etag(header, &etag), named, "{header}");
        }
    }
}
