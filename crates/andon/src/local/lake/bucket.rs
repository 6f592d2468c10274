//! What lies in the bucket of a delivery stream, read back.

use std::collections::BTreeSet;
use std::io::Read;

use aws_sdk_s3::Client;
use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use serde_json::Value;

use super::super::stack::DeployedDelivery;
use crate::aws::failed;
use crate::failure::Failure;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Objects, those with failures among them.
    pub objects: u64,
    /// Their bytes, compressed as they are.
    pub bytes: u64,
    /// The rows.
    pub rows: Vec<Value>,
    /// Where the records lie on the stream that are kept as they came: sequence number and place in an aggregate.
    pub kept: BTreeSet<(String, u64)>,
}

/// A record under the error prefix, of which more is told.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    sequence_number: String,
    sub_sequence_number: u64,
}

/// An object's key and bytes.
pub type Stored = (String, Bytes);

/// Reads every object of a delivery stream: the end of its key says whose it is.
pub async fn read(client: &Client, delivery: &DeployedDelivery) -> Result<Found, Failure> {
    let name = format!("/{}-{}-", delivery.name, delivery.version);
    let mut found = Found::default();
    for (key, bytes) in objects(client, &delivery.bucket).await? {
        if !key.contains(&name) {
            continue;
        }
        found.objects += 1;
        found.bytes += bytes.len() as u64;
        let text = text(&key, &bytes)?;
        for line in text.lines() {
            let unreadable =
                |error| Failure::check(format_args!("a line of {key} is no JSON")).caused_by(error);
            if key.starts_with(ERRORS) {
                let kept: Kept = serde_json::from_str(line).map_err(unreadable)?;
                found
                    .kept
                    .insert((kept.sequence_number, kept.sub_sequence_number));
            } else {
                found
                    .rows
                    .push(serde_json::from_str(line).map_err(unreadable)?);
            }
        }
    }
    Ok(found)
}

/// Where the templates keep what could not be delivered.
const ERRORS: &str = "errors/";

/// All objects of a bucket.
pub async fn objects(client: &Client, bucket: &str) -> Result<Vec<Stored>, Failure> {
    let cannot = || format!("cannot read the bucket {bucket}");
    let (mut objects, mut token) = (Vec::new(), None);
    loop {
        let page = client
            .list_objects_v2()
            .bucket(bucket)
            .set_continuation_token(token)
            .send()
            .await
            .map_err(|error| failed(cannot(), &error))?;
        for key in page.contents().iter().filter_map(|object| object.key()) {
            let object = client.get_object().bucket(bucket).key(key).send().await;
            let object = object.map_err(|error| failed(cannot(), &error))?;
            let bytes = object.body.collect().await;
            let bytes = bytes.map_err(|error| Failure::check(cannot()).caused_by(error))?;
            objects.push((key.to_owned(), bytes.into_bytes()));
        }
        token = page.next_continuation_token;
        if token.is_none() {
            return Ok(objects);
        }
    }
}

/// Decompressed, if its name says that it is compressed.
fn text(key: &str, bytes: &[u8]) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match key.ends_with(".gz") {
        true => MultiGzDecoder::new(bytes).read_to_string(&mut text),
        false => {
            let mut bytes = bytes;
            bytes.read_to_string(&mut text)
        }
    };
    match read {
        Ok(_) => Ok(text),
        Err(error) => {
            Err(Failure::check(format_args!("{key} is not what its name says")).caused_by(error))
        }
    }
}
