//! A batch that is given up goes to the mapping's failure destination, in the form that Lambda documents: the whole
//! event on S3, a pointer into the stream on SQS and SNS.

use aws_config::SdkConfig;
use quality_event::Timestamp;
use serde::Serialize;

use super::answer::Condition;
use crate::aws::{failed, s3};
use crate::failure::Failure;

/// A batch that is given up.
#[derive(Clone, Debug)]
pub struct Discarded<'a> {
    /// The mapping's id.
    pub mapping: &'a str,
    /// The function's ARN.
    pub function_arn: &'a str,
    /// The stream's ARN.
    pub stream_arn: &'a str,
    /// The shard's id.
    pub shard: &'a str,
    /// The sequence numbers and arrivals (ms since the epoch) of its first and last record.
    pub ends: [(&'a str, i64); 2],
    /// How many records it has.
    pub records: usize,
    /// Why it is given up.
    pub condition: Condition,
    /// How often it was invoked.
    pub invocations: u32,
    /// The last invocation's id; empty if there was none.
    pub request_id: &'a str,
    /// What the function's error was, where it had one.
    pub function_error: Option<&'a str>,
    /// When it is given up, in ms since the epoch.
    pub now_ms: i64,
    /// The event that the function was, or would have been, invoked with.
    pub event: &'a [u8],
}

#[derive(Serialize)]
struct InvocationRecord<'a> {
    #[serde(rename = "requestContext")]
    request: RequestContext<'a>,
    #[serde(rename = "responseContext", skip_serializing_if = "Option::is_none")]
    response: Option<ResponseContext<'a>>,
    version: &'static str,
    timestamp: String,
    #[serde(rename = "KinesisBatchInfo")]
    batch: BatchInfo<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    request_id: &'a str,
    function_arn: &'a str,
    condition: &'static str,
    approximate_invoke_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext<'a> {
    status_code: u16,
    executed_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_error: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchInfo<'a> {
    shard_id: &'a str,
    start_sequence_number: &'a str,
    end_sequence_number: &'a str,
    approximate_arrival_of_first_record: String,
    approximate_arrival_of_last_record: String,
    batch_size: usize,
    stream_arn: &'a str,
}

impl Discarded<'_> {
    /// The invocation record; with `payload`, it holds the whole event as escaped JSON.
    fn record(&self, payload: bool) -> String {
        let [(first, first_ms), (last, last_ms)] = self.ends;
        let event = std::str::from_utf8(self.event).unwrap_or_default();
        let record = InvocationRecord {
            request: RequestContext {
                request_id: self.request_id,
                function_arn: self.function_arn,
                condition: self.condition.as_str(),
                approximate_invoke_count: self.invocations,
            },
            response: (self.invocations > 0).then_some(ResponseContext {
                status_code: 200,
                executed_version: "$LATEST",
                function_error: self.function_error,
            }),
            version: "1.0",
            timestamp: time(self.now_ms),
            batch: BatchInfo {
                shard_id: self.shard,
                start_sequence_number: first,
                end_sequence_number: last,
                approximate_arrival_of_first_record: time(first_ms),
                approximate_arrival_of_last_record: time(last_ms),
                batch_size: self.records,
                stream_arn: self.stream_arn,
            },
            payload: payload.then_some(event),
        };
        // Texts and numbers always serialise.
        serde_json::to_string(&record).unwrap_or_default()
    }

    /// `aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<unique>`: the prefix is fixed by Lambda. The first
    /// sequence number stands where Lambda puts a random UUID.
    fn key(&self) -> String {
        let time = time(self.now_ms);
        let (day, clock) = time.split_once('T').unwrap_or((&time, ""));
        let seconds = clock.get(..8).unwrap_or(clock).replace(':', ".");
        format!(
            "aws/lambda/{}/{}/{}/{day}T{seconds}-{}",
            self.mapping,
            self.shard,
            day.replace('-', "/"),
            self.ends[0].0
        )
    }
}

fn time(ms: i64) -> String {
    Timestamp::from_millis(ms).map_or_else(|_| ms.to_string(), |time| time.to_string())
}

/// Where given-up batches of a mapping go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A bucket.
    Bucket(String),
    /// A queue's name.
    Queue(String),
    /// A topic's ARN.
    Topic(String),
    /// Nowhere: the batch is only skipped.
    None,
}

impl Destination {
    /// Reads the mapping's setting.
    pub fn of(arn: Option<&str>) -> Result<Self, Failure> {
        let Some(arn) = arn.filter(|arn| !arn.is_empty()) else {
            return Ok(Self::None);
        };
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        match parts.as_slice() {
            [_, _, "s3", _, _, bucket] => Ok(Self::Bucket((*bucket).to_owned())),
            [_, _, "sqs", _, _, queue] => Ok(Self::Queue((*queue).to_owned())),
            [_, _, "sns", _, _, _] => Ok(Self::Topic(arn.to_owned())),
            _ => Err(Failure::check(format_args!(
                "a mapping's failure destination is {arn}"
            ))
            .cure(
                "name a bucket, a queue or a topic; other kinds are not reproduced on this machine",
            )),
        }
    }

    /// Puts the batch there.
    pub async fn put(&self, sdk: &SdkConfig, batch: &Discarded<'_>) -> Result<(), Failure> {
        let what = "cannot put a batch to the failure destination";
        match self {
            Self::None => {}
            Self::Bucket(bucket) => {
                let put = s3(sdk)
                    .put_object()
                    .bucket(bucket)
                    .key(batch.key())
                    .content_type("application/json")
                    .body(batch.record(true).into_bytes().into());
                put.send().await.map_err(|error| failed(what, &error))?;
            }
            Self::Queue(name) => {
                let client = aws_sdk_sqs::Client::new(sdk);
                let queue = client.get_queue_url().queue_name(name).send().await;
                let queue = queue.map_err(|error| failed(what, &error))?;
                let send = client
                    .send_message()
                    .set_queue_url(queue.queue_url)
                    .message_body(batch.record(false));
                send.send().await.map_err(|error| failed(what, &error))?;
            }
            Self::Topic(arn) => {
                let publish = aws_sdk_sns::Client::new(sdk)
                    .publish()
                    .topic_arn(arn)
                    .message(batch.record(false));
                publish.send().await.map_err(|error| failed(what, &error))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn batch<'a>() -> Discarded<'a> {
        Discarded {
            mapping: "50f67ad3",
            function_arn: "arn:aws:lambda:us-east-1:000000000000:function:andon-sns-alerter",
            stream_arn: "arn:aws:kinesis:us-east-1:000000000000:stream/andon-readings",
            shard: "shardId-000000000001",
            ends: [("4959", 1_545_084_650_987), ("4961", 1_545_084_651_987)],
            records: 3,
            condition: Condition::RetryAttemptsExhausted,
            invocations: 2,
            request_id: "c9b8fa9f",
            function_error: Some("Unhandled"),
            now_ms: 1_545_084_711_999,
            event: br#"{"Records":[]}"#,
        }
    }

    /// Field by field Lambda's published example of an invocation record.
    #[test]
    fn is_the_documented_record() {
        let record: Value = serde_json::from_str(&batch().record(true)).unwrap();
        assert_eq!(
            record,
            json!({
                "requestContext": {
                    "requestId": "c9b8fa9f",
                    "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:andon-sns-alerter",
                    "condition": "RetryAttemptsExhausted",
                    "approximateInvokeCount": 2
                },
                "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
                "version": "1.0",
                "timestamp": "2018-12-17T22:11:51.999Z",
                "KinesisBatchInfo": {
                    "shardId": "shardId-000000000001",
                    "startSequenceNumber": "4959",
                    "endSequenceNumber": "4961",
                    "approximateArrivalOfFirstRecord": "2018-12-17T22:10:50.987Z",
                    "approximateArrivalOfLastRecord": "2018-12-17T22:10:51.987Z",
                    "batchSize": 3,
                    "streamArn": "arn:aws:kinesis:us-east-1:000000000000:stream/andon-readings"
                },
                "payload": "{\"Records\":[]}"
            })
        );
    }

    #[test]
    fn a_pointer_has_no_payload() {
        let record: Value = serde_json::from_str(&batch().record(false)).unwrap();
        assert_eq!(record.get("payload"), None);
        assert_eq!(record["KinesisBatchInfo"]["batchSize"], 3);
    }

    #[test]
    fn the_key_lies_under_lambdas_prefix() {
        assert_eq!(
            batch().key(),
            "aws/lambda/50f67ad3/shardId-000000000001/2018/12/17/2018-12-17T22.11.51-4959"
        );
    }

    #[tokio::test]
    async fn a_bucket_gets_the_whole_event() {
        let world = fake_aws::World::default();
        world.create_bucket("set-aside");
        let destination = Destination::of(Some("arn:aws:s3:::set-aside")).unwrap();
        destination
            .put(&world.sdk_config(), &batch())
            .await
            .unwrap();
        let objects = world.objects("set-aside");
        let (key, object) = objects.first_key_value().unwrap();
        assert_eq!((objects.len(), key), (1, &batch().key()));
        assert_eq!(object.body, batch().record(true).as_bytes());
    }

    #[tokio::test]
    async fn a_destination_that_is_out_of_reach_ends_the_run() {
        let destination = Destination::of(Some("arn:aws:s3:::no-such-bucket")).unwrap();
        let sdk = fake_aws::World::default().sdk_config();
        let failure = destination.put(&sdk, &batch()).await.unwrap_err();
        assert!(
            failure.to_string().contains("failure destination"),
            "{failure}"
        );
    }

    #[test]
    fn reads_a_mappings_destination() {
        for (arn, expected) in [
            (None, Destination::None),
            (
                Some("arn:aws:s3:::set-aside"),
                Destination::Bucket("set-aside".into()),
            ),
            (
                Some("arn:aws:sqs:us-east-1:000000000000:failed"),
                Destination::Queue("failed".into()),
            ),
            (
                Some("arn:aws:sns:us-east-1:000000000000:failed"),
                Destination::Topic("arn:aws:sns:us-east-1:000000000000:failed".into()),
            ),
        ] {
            assert_eq!(Destination::of(arn).unwrap(), expected, "{arn:?}");
        }
        assert!(Destination::of(Some("arn:aws:kafka:x:y:cluster")).is_err());
    }
}
