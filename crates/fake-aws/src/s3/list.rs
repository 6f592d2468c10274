//! ListObjectsV2.

use std::collections::BTreeSet;

use aws_smithy_types::date_time::Format;

use super::{formatted, no_such_bucket};
use crate::call::Part;
use crate::connector::Operation;
use crate::protocol::{Context, Refusal, Reply, Request, xml};
use crate::world::Services;

pub(super) const PARAMETERS: [&str; 7] = [
    "list-type",
    "prefix",
    "delimiter",
    "max-keys",
    "continuation-token",
    "start-after",
    "x-id",
];

const MAX_KEYS: usize = 1000;

#[derive(Debug)]
pub(super) struct ListObjectsV2 {
    bucket: String,
    prefix: String,
    delimiter: Option<String>,
    max_keys: usize,
    /// Where the page begins: after this key or common prefix.
    after: Option<String>,
    token: Option<String>,
}

impl ListObjectsV2 {
    pub(super) fn read(request: &Request, bucket: String) -> Result<Self, Refusal> {
        let max_keys = max_keys(request)?;
        let token = request.query("continuation-token").map(str::to_owned);
        let after = match &token {
            None => request.query("start-after").map(str::to_owned),
            Some(token) => {
                let key = base64_simd::STANDARD
                    .decode_to_vec(token)
                    .map_err(|_| invalid("continuation token"))?;
                Some(String::from_utf8(key).map_err(|_| invalid("continuation token"))?)
            }
        };
        Ok(Self {
            bucket,
            prefix: request.query("prefix").unwrap_or_default().to_owned(),
            delimiter: request
                .query("delimiter")
                .filter(|delimiter| !delimiter.is_empty())
                .map(str::to_owned),
            max_keys,
            after,
            token,
        })
    }

    /// The prefix that stands for the key, if there is a delimiter in what follows the asked prefix.
    fn common_prefix(&self, key: &str) -> Option<String> {
        let delimiter = self.delimiter.as_deref()?;
        let rest = key.strip_prefix(&self.prefix)?;
        let (head, _) = rest.split_once(delimiter)?;
        Some(format!("{}{head}{delimiter}", self.prefix))
    }
}

/// How many entries a page may have.
pub(super) fn max_keys(request: &Request) -> Result<usize, Refusal> {
    match request.query("max-keys") {
        None => Ok(MAX_KEYS),
        Some(text) => match text.parse::<usize>() {
            Ok(number) => Ok(number.min(MAX_KEYS)),
            Err(_) => Err(invalid("max-keys")),
        },
    }
}

fn invalid(what: &str) -> Refusal {
    Refusal::new(
        "InvalidArgument",
        format!("The {what} provided is incorrect"),
    )
}

impl Operation for ListObjectsV2 {
    fn resource(&self) -> String {
        self.bucket.clone()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        vec![Part {
            key: self.prefix.clone(),
            text: String::new().into(),
        }]
    }

    fn perform(&self, services: &mut Services, context: &Context) -> Result<Reply, Refusal> {
        let bucket = services
            .buckets
            .get(&self.bucket)
            .ok_or_else(no_such_bucket)?;
        let (mut contents, mut prefixes) = (String::new(), BTreeSet::new());
        let (mut count, mut last, mut is_truncated) = (0, None, false);
        for (key, object) in bucket
            .iter()
            .filter(|(key, _)| key.starts_with(&self.prefix))
        {
            let prefix = self.common_prefix(key);
            let entry = prefix.as_ref().unwrap_or(key);
            if self
                .after
                .as_ref()
                .is_some_and(|after| entry <= after || key <= after)
                || prefixes.contains(entry)
            {
                continue;
            }
            if count == self.max_keys {
                is_truncated = true;
                break;
            }
            count += 1;
            last = Some(entry.clone());
            match prefix {
                Some(prefix) => {
                    prefixes.insert(prefix);
                }
                None => {
                    let fields = [
                        xml::text("Key", key),
                        xml::text(
                            "LastModified",
                            formatted(object.modified_ms, Format::DateTime),
                        ),
                        xml::text("ETag", &object.etag),
                        xml::text("Size", object.body.len()),
                        xml::text("StorageClass", "STANDARD"),
                    ];
                    contents.push_str(&xml::element("Contents", &fields.concat()));
                }
            }
        }
        let token = |key: &String| base64_simd::STANDARD.encode_to_string(key);
        let optional = |name: &str, value: Option<String>| {
            value
                .map(|value| xml::text(name, value))
                .unwrap_or_default()
        };
        let common = prefixes
            .iter()
            .map(|prefix| xml::element("CommonPrefixes", &xml::text("Prefix", prefix)));
        let fields = [
            xml::text("Name", &self.bucket),
            xml::text("Prefix", &self.prefix),
            optional("Delimiter", self.delimiter.clone()),
            xml::text("MaxKeys", self.max_keys),
            xml::text("KeyCount", count),
            xml::text("IsTruncated", is_truncated),
            optional("ContinuationToken", self.token.clone()),
            optional(
                "NextContinuationToken",
                last.as_ref().filter(|_| is_truncated).map(token),
            ),
            contents,
            common.collect(),
        ];
        let body = format!(
            "{}<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{}</ListBucketResult>",
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
