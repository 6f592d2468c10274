//! Firehose's event. A record that cannot be read costs no other, as long as it has an id to be answered under.

use std::borrow::Cow;

use lake_program::About;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A batch of records.
#[derive(Debug)]
pub struct Event<'a> {
    /// In the order of the event.
    pub records: Vec<Record<'a>>,
}

/// One record.
#[derive(Debug)]
pub struct Record<'a> {
    /// Its id as it stands in the event, a JSON string: what is answered is the very same.
    pub id: &'a str,
    /// Its data, in base64; `None` where they are missing or no text.
    pub data: Option<Cow<'a, str>>,
    arrived_ms: Option<i64>,
    kinesis: Option<Kinesis<'a>>,
}

/// The body does not say which records it has.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It is no JSON object with an array `records`.
    #[error("not a Firehose event")]
    NotAnEvent(#[source] serde_json::Error),
    /// A record has no id, and cannot be answered.
    #[error("records[{0}] has no recordId")]
    NoRecordId(usize),
    /// The answer could not be written.
    #[error("the answer is no JSON")]
    Answer(#[source] serde_json::Error),
}

#[derive(Deserialize)]
struct Body<R> {
    records: Vec<R>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sound<'a> {
    #[serde(borrow)]
    record_id: &'a RawValue,
    #[serde(borrow)]
    data: Cow<'a, str>,
    #[serde(borrow, default)]
    approximate_arrival_timestamp: Option<&'a RawValue>,
    #[serde(borrow, default)]
    kinesis_record_metadata: Option<Kinesis<'a>>,
}

/// Of a record that is not [`Sound`], what is needed to answer it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Broken<'a> {
    #[serde(borrow)]
    record_id: &'a RawValue,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kinesis<'a> {
    #[serde(borrow, default)]
    shard_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    sequence_number: Option<Text<'a>>,
    /// Services and examples write it as a number, as text, and as the empty text.
    #[serde(borrow, default)]
    subsequence_number: Option<&'a RawValue>,
    #[serde(borrow, default)]
    partition_key: Option<Text<'a>>,
}

/// Text that is borrowed where it can be.
#[derive(Debug, Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Event<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// If a record could not be answered: the whole is no event, or a record has no id.
    pub fn decode(body: &'a [u8]) -> Result<Self, EventError> {
        // Checked once as a whole, which is quicker than text by text.
        let Ok(text) = std::str::from_utf8(body) else {
            let records = one_by_one(body)?;
            return Ok(Self { records });
        };
        let records = match serde_json::from_str::<Body<Sound<'a>>>(text) {
            Ok(body) => body
                .records
                .into_iter()
                .enumerate()
                .map(|(place, sound)| sound.record(place))
                .collect::<Result<_, _>>()?,
            Err(_) => one_by_one(body)?,
        };
        Ok(Self { records })
    }
}

fn one_by_one(body: &[u8]) -> Result<Vec<Record<'_>>, EventError> {
    let body: Body<&RawValue> = serde_json::from_slice(body).map_err(EventError::NotAnEvent)?;
    let records = body.records.into_iter().enumerate();
    records.map(|(place, raw)| alone(place, raw)).collect()
}

/// Reads one record, whatever surrounds it.
fn alone(place: usize, raw: &RawValue) -> Result<Record<'_>, EventError> {
    if let Ok(sound) = serde_json::from_str::<Sound<'_>>(raw.get()) {
        return sound.record(place);
    }
    let broken: Broken<'_> =
        serde_json::from_str(raw.get()).map_err(|_| EventError::NoRecordId(place))?;
    Ok(Record {
        id: id(broken.record_id, place)?,
        data: None,
        arrived_ms: None,
        kinesis: None,
    })
}

impl<'a> Sound<'a> {
    fn record(self, place: usize) -> Result<Record<'a>, EventError> {
        Ok(Record {
            id: id(self.record_id, place)?,
            data: Some(self.data),
            arrived_ms: self.approximate_arrival_timestamp.and_then(millis),
            kinesis: self.kinesis_record_metadata,
        })
    }
}

fn id(raw: &RawValue, place: usize) -> Result<&str, EventError> {
    match raw.get().starts_with('"') {
        true => Ok(raw.get()),
        false => Err(EventError::NoRecordId(place)),
    }
}

/// Whole milliseconds since the epoch.
fn millis(raw: &RawValue) -> Option<i64> {
    serde_json::from_str(raw.get()).ok()
}

impl Record<'_> {
    /// What is known of the record besides its bytes.
    pub fn about(&self) -> About<'_> {
        let kinesis = self.kinesis.as_ref();
        About {
            arrived_ms: self.arrived_ms,
            shard: kinesis.and_then(|kinesis| text(&kinesis.shard_id)),
            sequence_number: kinesis.and_then(|kinesis| text(&kinesis.sequence_number)),
            sub_sequence_number: kinesis.and_then(|kinesis| {
                kinesis
                    .subsequence_number
                    .map_or(Some(0), |raw| sub_sequence_number(raw.get()))
            }),
            partition_key: kinesis.and_then(|kinesis| text(&kinesis.partition_key)),
            ..About::default()
        }
    }
}

fn text<'r>(text: &'r Option<Text<'_>>) -> Option<&'r str> {
    text.as_ref().map(|Text(text)| &**text)
}

/// The place in an aggregate; a plain record is the first of none.
fn sub_sequence_number(raw: &str) -> Option<i64> {
    match raw.trim_matches('"') {
        "" | "null" => Some(0),
        digits => digits.parse().ok().filter(|place| *place >= 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(records: &str) -> String {
        format!(
            r#"{{"invocationId":"i","deliveryStreamArn":"arn:aws:firehose:eu-central-1:123456789012:deliverystream/readings","region":"eu-central-1","records":[{records}]}}"#
        )
    }

    #[track_caller]
    fn check_sub(written: &str, expected: Option<i64>) {
        let body = event(&format!(
            r#"{{"recordId":"1","data":"","kinesisRecordMetadata":{{"shardId":"shardId-000000000000","sequenceNumber":"4959"{written}}}}}"#
        ));
        let event = Event::decode(body.as_bytes()).unwrap();
        let about = event.records[0].about();
        assert_eq!(
            (about.sub_sequence_number, about.sequence_number),
            (expected, Some("4959")),
            "{written}"
        );
    }

    #[test]
    fn a_sub_sequence_number_is_a_number_or_text() {
        check_sub(r#","subsequenceNumber":3"#, Some(3));
        check_sub(r#","subsequenceNumber":"3""#, Some(3));
        check_sub(r#","subsequenceNumber":"""#, Some(0));
        check_sub(r#","subsequenceNumber":null"#, Some(0));
        check_sub("", Some(0));
        check_sub(r#","subsequenceNumber":"x""#, None);
        check_sub(r#","subsequenceNumber":-1"#, None);
        check_sub(r#","subsequenceNumber":[]"#, None);
    }

    #[test]
    fn a_record_that_was_put_directly_has_no_place_in_a_stream() {
        let body =
            event(r#"{"recordId":"1","approximateArrivalTimestamp":1495072949453,"data":"e30="}"#);
        let event = Event::decode(body.as_bytes()).unwrap();
        let arrived_ms = Some(1_495_072_949_453);
        let expected = About {
            arrived_ms,
            ..About::default()
        };
        assert_eq!(event.records[0].about(), expected);
    }

    #[test]
    fn a_broken_record_costs_no_other() {
        for broken in [
            r#"{"recordId":"2"}"#,
            r#"{"recordId":"2","data":null}"#,
            r#"{"recordId":"2","data":7}"#,
            r#"{"data":{},"recordId":"2"}"#,
            r#"{"recordId":"2","data":"\ud800"}"#,
            r#"{"recordId":"2","data":"","kinesisRecordMetadata":7}"#,
        ] {
            let sound = r#"{"recordId":"1","data":"e30="}"#;
            let body = event(&format!("{sound},{broken},{sound}"));
            let event = Event::decode(body.as_bytes()).unwrap();
            let read: Vec<_> = event
                .records
                .iter()
                .map(|record| (record.id, record.data.as_deref()))
                .collect();
            assert_eq!(
                read,
                [
                    ("\"1\"", Some("e30=")),
                    ("\"2\"", None),
                    ("\"1\"", Some("e30="))
                ],
                "{broken}"
            );
        }
    }

    #[test]
    fn an_event_that_cannot_be_answered_is_refused() {
        for (body, expected) in [
            ("[]".to_owned(), "not a Firehose event"),
            ("{}".to_owned(), "not a Firehose event"),
            ("".to_owned(), "not a Firehose event"),
            (event("7"), "records[0] has no recordId"),
            (event(r#"{"data":"e30="}"#), "records[0] has no recordId"),
            (
                event(r#"{"recordId":"1","data":""},{"recordId":2,"data":""}"#),
                "records[1] has no recordId",
            ),
        ] {
            let error = Event::decode(body.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), expected, "{body}");
        }
    }
}
