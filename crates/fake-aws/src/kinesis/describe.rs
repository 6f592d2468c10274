//! ListShards and DescribeStreamSummary.

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::read::seconds;
use super::stream::Shard;
use super::{invalid_argument, named, reply, stream_name};
use crate::call::Part;
use crate::connector::Operation;
use crate::protocol::{Context, Refusal, Reply};
use crate::world::Services;

const DEFAULT_RESULTS: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ListShards {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    max_results: Option<usize>,
    exclusive_start_shard_id: Option<String>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct DescribeStreamSummary {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
}

impl Operation for ListShards {
    fn resource(&self) -> String {
        let of_token = self
            .next_token
            .as_deref()
            .and_then(decode)
            .map(|(stream, _)| stream);
        of_token.unwrap_or_else(|| {
            stream_name(self.stream_name.as_deref(), self.stream_arn.as_deref()).to_owned()
        })
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        Vec::new()
    }

    fn perform(&self, services: &mut Services, _: &Context) -> Result<Reply, Refusal> {
        let after = match &self.next_token {
            Some(_) if self.stream_name.is_some() => {
                return Err(invalid_argument(
                    "NextToken and StreamName cannot be provided together.",
                ));
            }
            Some(token) => Some(
                decode(token)
                    .ok_or_else(|| invalid_argument("Invalid NextToken."))?
                    .1,
            ),
            None => self.exclusive_start_shard_id.clone(),
        };
        let stream = named(&mut services.streams, &self.resource(), &services.account)?;
        let mut rest = stream
            .shards()
            .iter()
            .filter(|shard| after.as_ref().is_none_or(|after| shard.id > *after));
        let page: Vec<&Shard> = rest
            .by_ref()
            .take(self.max_results.unwrap_or(DEFAULT_RESULTS))
            .collect();
        let mut output =
            json!({"Shards": page.iter().map(|shard| described(shard)).collect::<Json>()});
        if let (Some(_), Some(last)) = (rest.next(), page.last()) {
            output["NextToken"] = base64_simd::STANDARD
                .encode_to_string(format!("{}|{}", stream.name, last.id))
                .into();
        }
        Ok(reply(Ok(output)))
    }
}

fn decode(token: &str) -> Option<(String, String)> {
    let text = String::from_utf8(base64_simd::STANDARD.decode_to_vec(token).ok()?).ok()?;
    text.split_once('|')
        .map(|(stream, shard)| (stream.to_owned(), shard.to_owned()))
}

fn described(shard: &Shard) -> Json {
    let mut described = json!({
        "ShardId": shard.id,
        "HashKeyRange": hash_key_range(shard),
        "SequenceNumberRange": {"StartingSequenceNumber": shard.starting_sequence_number},
    });
    if let Some(ending) = &shard.ending_sequence_number {
        described["SequenceNumberRange"]["EndingSequenceNumber"] = ending.as_str().into();
    }
    if let Some(parent) = &shard.parent {
        described["ParentShardId"] = parent.as_str().into();
    }
    if let Some(parent) = &shard.adjacent_parent {
        described["AdjacentParentShardId"] = parent.as_str().into();
    }
    described
}

pub(super) fn hash_key_range(shard: &Shard) -> Json {
    let (first, last) = shard.hash_keys;
    json!({"StartingHashKey": first.to_string(), "EndingHashKey": last.to_string()})
}

impl Operation for DescribeStreamSummary {
    fn resource(&self) -> String {
        stream_name(self.stream_name.as_deref(), self.stream_arn.as_deref()).to_owned()
    }

    fn parts(&self, _: &Services) -> Vec<Part> {
        Vec::new()
    }

    fn perform(&self, services: &mut Services, _: &Context) -> Result<Reply, Refusal> {
        let stream = named(&mut services.streams, &self.resource(), &services.account)?;
        Ok(reply(Ok(json!({"StreamDescriptionSummary": {
            "StreamName": stream.name,
            "StreamARN": stream.arn,
            "StreamStatus": "ACTIVE",
            "StreamModeDetails": {"StreamMode": "PROVISIONED"},
            "RetentionPeriodHours": 24,
            "StreamCreationTimestamp": seconds(stream.created_ms),
            "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
            "EncryptionType": "NONE",
            "OpenShardCount": stream.shards().iter().filter(|shard| shard.is_open()).count(),
            "ConsumerCount": 0,
        }}))))
    }
}
