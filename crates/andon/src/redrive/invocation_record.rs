//! Lambda's record of a batch that it gave up: the whole event where the failure destination is a bucket, a pointer into
//! the stream where it is a queue.

use kinesis_batch::{Batch, UserRecord};
use quality_event::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use set_aside::{Holds, SetAside};

use super::held::Held;

/// What a batch was, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvocationRecord {
    /// The function's name.
    pub function: String,
    /// Why it was given up, in Lambda's word.
    pub condition: String,
    /// Where in the stream it lies.
    pub batch: Option<Pointer>,
    /// The event, where the record holds it.
    pub payload: Option<String>,
}

/// A stretch of a shard.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pointer {
    /// The stream's ARN.
    pub stream_arn: String,
    /// The shard's id.
    pub shard_id: String,
    /// The first record.
    pub start_sequence_number: String,
    /// The last record.
    pub end_sequence_number: String,
    /// How many records the batch had.
    pub batch_size: usize,
    /// When the first one arrived.
    pub approximate_arrival_of_first_record: Option<Timestamp>,
}

/// The text is no invocation record.
#[derive(Debug, thiserror::Error)]
pub enum NoRecord {
    /// It is not JSON, or JSON of another shape.
    #[error("not a record of a failed invocation")]
    Shape(#[from] serde_json::Error),
    /// It names no function.
    #[error("the record's functionArn {0:?} names no function")]
    NoFunction(String),
    /// Its payload is no event.
    #[error("the record's payload is not a Kinesis event")]
    NoEvent(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(rename = "requestContext")]
    request: Request,
    #[serde(rename = "KinesisBatchInfo")]
    batch: Option<Pointer>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    function_arn: String,
    condition: String,
}

impl InvocationRecord {
    /// Reads an object of the failure destination, or a message of it; one that came through a topic is unwrapped.
    pub fn read(bytes: &[u8]) -> Result<Self, NoRecord> {
        let wire: Wire<'_> = match serde_json::from_slice(bytes) {
            Ok(wire) => wire,
            Err(error) => match notification(bytes) {
                Some(message) => return Self::read(message.as_bytes()),
                None => return Err(error.into()),
            },
        };
        // arn:partition:lambda:region:account:function:name[:version]
        let arn = wire.request.function_arn;
        let function = match arn.split(':').nth(6) {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => return Err(NoRecord::NoFunction(arn)),
        };
        let payload = match wire.payload {
            None => None,
            // Lambda writes the event as text.
            Some(text) if text.get().starts_with('"') => Some(serde_json::from_str(text.get())?),
            Some(event) => Some(event.get().to_owned()),
        };
        Ok(Self {
            function,
            condition: wire.request.condition,
            batch: wire.batch,
            payload,
        })
    }

    /// The records of the event; `name` is the object's or the file's. None where there is only a pointer. A plain record
    /// is held by its payload, which a person can put right; what cannot be taken out of its envelope without losing its
    /// place, an aggregate or a record that cannot be read, as it stood.
    pub fn held(&self, name: &str) -> Result<Option<Vec<Held>>, NoRecord> {
        #[derive(Deserialize)]
        struct Event<'a> {
            #[serde(borrow, rename = "Records")]
            records: Vec<&'a RawValue>,
        }

        let Some(payload) = &self.payload else {
            return Ok(None);
        };
        let event: Event<'_> =
            serde_json::from_str(payload).map_err(|error| NoRecord::NoEvent(error.into()))?;
        let mut held: Vec<Held> = event
            .records
            .iter()
            .zip(1..)
            .map(|(raw, line)| Held {
                function: Some(self.function.clone()),
                origin: None,
                read_from: format!("{name}:{line}"),
                record: self.record(raw.get().as_bytes().to_vec()),
            })
            .collect();
        let mut buffer = Vec::new();
        let batch = Batch::decode(payload.as_bytes(), &mut buffer)
            .map_err(|error| NoRecord::NoEvent(error.into()))?;
        for malformed in batch.malformed() {
            if let Some(one) = held.get_mut(malformed.parent) {
                one.record.sequence_number = malformed.sequence_number.map(str::to_owned);
            }
        }
        for record in batch.user_records() {
            let Some(one) = held.get_mut(record.parent) else {
                continue;
            };
            match self.plain(record) {
                Some(plain) => one.record = plain,
                None => {
                    one.record.sequence_number = Some(record.sequence_number.to_owned());
                    one.record.partition_key = Some(record.partition_key.to_string());
                    one.record.arrived = Timestamp::from_millis(record.arrived_ms).ok();
                }
            }
        }
        Ok(Some(held))
    }

    /// The record by its payload; none if it is one of an aggregate, or would not come back as the same.
    fn plain(&self, record: &UserRecord<'_>) -> Option<SetAside> {
        if record.sub_sequence_number.is_some() {
            return None;
        }
        let plain = SetAside::user_record(record, &self.condition, "");
        plain.arrived.is_some().then_some(plain)
    }

    /// A record that is kept as its envelope.
    pub fn record(&self, envelope: Vec<u8>) -> SetAside {
        SetAside {
            reason: self.condition.clone(),
            detail: String::new(),
            holds: Holds::Envelope,
            stream: self.batch.as_ref().map(|batch| batch.stream_arn.clone()),
            shard: self.batch.as_ref().map(|batch| batch.shard_id.clone()),
            sequence_number: None,
            sub_sequence_number: None,
            partition_key: None,
            arrived: None,
            data: envelope,
        }
    }
}

/// The message within a notification that a topic put on a queue.
fn notification(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Notification {
        r#type: String,
        message: String,
    }
    let notification: Notification = serde_json::from_slice(bytes).ok()?;
    (notification.r#type == "Notification").then_some(notification.message)
}

#[cfg(test)]
pub(crate) mod tests {
    use kinesis_batch::RecordId;
    use kinesis_batch::aggregate::{Member, encode};
    use kinesis_batch::envelope::{Event, Record};
    use serde_json::{Value, json};

    use super::*;
    use crate::redrive::held::tests::STREAM;

    /// As Lambda's documentation shows it, without the payload.
    pub(crate) fn documented() -> Value {
        json!({
            "requestContext": {
                "requestId": "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
                "functionArn": "arn:aws:lambda:eu-central-1:123456789012:function:andon-quality-evaluator:1",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 1
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": "2019-11-14T00:38:06.021Z",
            "KinesisBatchInfo": {
                "shardId": "shardId-000000000001",
                "startSequenceNumber": "4959",
                "endSequenceNumber": "4961",
                "approximateArrivalOfFirstRecord": "2019-11-14T00:38:04.835Z",
                "approximateArrivalOfLastRecord": "2019-11-14T00:38:05.580Z",
                "batchSize": 3,
                "streamArn": STREAM
            }
        })
    }

    fn event() -> String {
        let mut event = Event::new();
        event.push(&Record {
            source_arn: STREAM,
            region: "eu-central-1",
            role_arn: "",
            shard: "shardId-000000000001",
            sequence_number: "4959",
            partition_key: "press-07",
            data: b"{}",
            arrived_ms: 1_573_691_884_835,
        });
        event.push_json(br#"{"kinesis":{"sequenceNumber":"4960"}}"#);
        String::from_utf8(event.finish()).unwrap()
    }

    #[test]
    fn a_pointer_names_a_stretch_of_a_shard() {
        let record = InvocationRecord::read(documented().to_string().as_bytes()).unwrap();
        assert_eq!(
            (record.function.as_str(), record.condition.as_str()),
            ("andon-quality-evaluator", "RetryAttemptsExhausted")
        );
        assert_eq!(record.held("x").unwrap(), None);
        let batch = record.batch.unwrap();
        assert_eq!(
            (batch.start_sequence_number.as_str(), batch.batch_size),
            ("4959", 3)
        );
    }

    #[test]
    fn through_a_topic_it_is_the_same() {
        let wrapped =
            json!({"Type": "Notification", "MessageId": "x", "Message": documented().to_string()});
        assert_eq!(
            InvocationRecord::read(wrapped.to_string().as_bytes()).unwrap(),
            InvocationRecord::read(documented().to_string().as_bytes()).unwrap()
        );
    }

    #[test]
    fn a_plain_record_is_held_by_its_payload_and_what_cannot_be_read_as_it_stood() {
        for payload in [json!(event()), serde_json::from_str(&event()).unwrap()] {
            let mut record = documented();
            record["payload"] = payload;
            let record = InvocationRecord::read(record.to_string().as_bytes()).unwrap();
            let held = record.held("x").unwrap().unwrap();
            let found: Vec<_> = held
                .iter()
                .map(|one| {
                    (
                        one.read_from.as_str(),
                        one.record.holds,
                        one.record.sequence_number.as_deref().unwrap(),
                        one.record.arrived.map(Timestamp::as_millis),
                    )
                })
                .collect();
            assert_eq!(
                found,
                [
                    ("x:1", Holds::Payload, "4959", Some(1_573_691_884_835)),
                    ("x:2", Holds::Envelope, "4960", None)
                ]
            );
            assert_eq!(held[0].record.data, b"{}");
            assert_eq!(held[0].record.reason, "RetryAttemptsExhausted");
            assert_eq!(
                serde_json::from_slice::<Value>(&held[1].record.data).unwrap(),
                json!({"kinesis": {"sequenceNumber": "4960"}})
            );
        }
    }

    /// What a function makes of an event that brings records back: their coordinates, keys, arrivals and data.
    fn seen(body: &[u8]) -> Vec<(RecordId, String, i64, Vec<u8>)> {
        let mut buffer = Vec::new();
        let batch = Batch::decode(body, &mut buffer).unwrap();
        assert!(batch.malformed().is_empty());
        let records = batch.user_records().map(|record| {
            let key = record.partition_key.to_string();
            (record.id(), key, record.arrived_ms, record.data.to_vec())
        });
        records.collect()
    }

    /// A fan-out consumer's batch, whose last record is an aggregate.
    #[test]
    fn what_comes_back_of_a_batch_is_what_the_function_saw() {
        let member = |data| Member {
            partition_key: "press-08",
            explicit_hash_key: None,
            data,
        };
        let aggregate = encode([member(b"a"), member(b"b")]);
        let consumer = format!("{STREAM}/consumer/andon:1");
        let mut event = Event::new();
        for (number, data) in [
            ("4959", &b"\xff"[..]),
            ("4960", &b"{}"[..]),
            ("4961", aggregate.as_slice()),
        ] {
            event.push(&Record {
                source_arn: &consumer,
                region: "eu-central-1",
                role_arn: "arn:aws:iam::123456789012:role/andon",
                shard: "shardId-000000000001",
                sequence_number: number,
                partition_key: "press-07",
                data,
                arrived_ms: 1_573_691_884_835,
            });
        }
        let event = event.finish();
        let mut record = documented();
        record["payload"] = json!(String::from_utf8(event.clone()).unwrap());
        let record = InvocationRecord::read(record.to_string().as_bytes()).unwrap();
        let held = record.held("x").unwrap().unwrap();
        let holds: Vec<_> = held.iter().map(|one| one.record.holds).collect();
        assert_eq!(holds, [Holds::Payload, Holds::Payload, Holds::Envelope]);
        let mut back = Event::redrive();
        for one in held {
            back.push_json(&one.ready().unwrap().json);
        }
        assert_eq!(seen(&back.finish()), seen(&event));
    }

    #[track_caller]
    fn check_bad(record: &Value, expected: &str) {
        let read = InvocationRecord::read(record.to_string().as_bytes());
        let error = read.and_then(|record| record.held("x")).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn what_is_no_such_record_is_told() {
        check_bad(
            &json!({"holds": "payload"}),
            "not a record of a failed invocation",
        );
        let mut record = documented();
        record["payload"] = json!("junk");
        check_bad(&record, "the record's payload is not a Kinesis event");
        record["requestContext"]["functionArn"] = json!("arn:aws:lambda");
        check_bad(
            &record,
            "the record's functionArn \"arn:aws:lambda\" names no function",
        );
    }
}
