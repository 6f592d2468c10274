//! A delivery stream on a virtual clock: what the tests put in and what they see come out.

use std::io::Read;

use firehose_delivery::{Action, Answer, Delivery, Invocation, Object, Record, Settings, Source};
use serde_json::{Value, json};

/// 2018-08-27T10:30:00.000Z, the instant of the documentation's examples.
pub const START: i64 = 1_535_365_800_000;
pub const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:transformer";

pub fn source() -> Source {
    Source {
        stream_arn: "arn:aws:firehose:us-east-1:123456789012:deliverystream/readings".into(),
        version: "1".into(),
        region: "us-east-1".into(),
        kinesis_stream_arn: None,
    }
}

/// Settings of a destination, with a function in front.
pub fn transformed(mut destination: Value) -> Settings {
    destination["ProcessingConfiguration"] = json!({"Enabled": true, "Processors": [
        {"Type": "Lambda", "Parameters": [{"ParameterName": "LambdaArn", "ParameterValue": FUNCTION}]}]});
    Settings::from_json(&destination.to_string()).unwrap()
}

/// Dynamic partitioning by `line`.
pub fn partitioned() -> Settings {
    transformed(json!({
        "Prefix": "readings/line=!{partitionKeyFromLambda:line}/",
        "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
        "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
        "DynamicPartitioningConfiguration": {"Enabled": true},
    }))
}

pub fn plain(destination: Value) -> Settings {
    Settings::from_json(&destination.to_string()).unwrap()
}

pub struct World {
    pub delivery: Delivery,
    pub now_ms: i64,
}

impl World {
    pub fn new(settings: Settings) -> Self {
        Self {
            delivery: Delivery::new(settings, source()),
            now_ms: START,
        }
    }

    pub fn put(&mut self, data: &[u8]) {
        let record = Record {
            data: data.to_vec(),
            arrived_ms: self.now_ms,
            place: None,
        };
        self.delivery.put(record, self.now_ms);
    }

    /// What there is to do now; what is put is not answered.
    pub fn next(&mut self) -> Action {
        self.delivery.next(self.now_ms)
    }

    /// Moves the time on to the next invocation.
    #[track_caller]
    pub fn invoked(&mut self) -> Invocation {
        match self.later() {
            Action::Invoke(invocation) => invocation,
            other => panic!("{other:?}"),
        }
    }

    /// Moves the time on to the next object, and puts it.
    #[track_caller]
    pub fn stored(&mut self) -> Object {
        match self.later() {
            Action::Put(object) => {
                self.delivery.stored(object.id).unwrap();
                object
            }
            other => panic!("{other:?}"),
        }
    }

    /// Moves the time on to the next thing to do, at most two days.
    pub fn later(&mut self) -> Action {
        let limit_ms = self.now_ms + 2 * 86_400_000;
        loop {
            match self.next() {
                Action::Wait { until_ms } if until_ms <= limit_ms => {
                    assert!(until_ms > self.now_ms, "a wait has an end ahead");
                    self.now_ms = until_ms;
                }
                other => return other,
            }
        }
    }

    pub fn answer(&mut self, invocation: &Invocation, answer: &Answer) {
        self.delivery
            .answered(invocation.id, answer, self.now_ms)
            .unwrap();
    }

    /// Answers with a result for each record, by what the record holds.
    pub fn results(&mut self, invocation: &Invocation, result: impl Fn(&str) -> Value) {
        let answer = returned(invocation, result);
        self.answer(invocation, &answer);
    }
}

/// A response: `result` makes each record's fields but the id.
pub fn returned(invocation: &Invocation, result: impl Fn(&str) -> Value) -> Answer {
    let records: Vec<Value> = records(invocation)
        .into_iter()
        .map(|(id, data)| {
            let mut answer = result(&data);
            answer["recordId"] = id.into();
            answer
        })
        .collect();
    Answer::Returned(json!({"records": records}).to_string().into_bytes())
}

pub fn ok(data: &str) -> Value {
    json!({"result": "Ok", "data": base64_simd::STANDARD.encode_to_string(data)})
}

pub fn ok_in(data: &str, line: &str) -> Value {
    let mut answer = ok(data);
    answer["metadata"] = json!({"partitionKeys": {"line": line}});
    answer
}

/// The ids and the data of an event.
pub fn records(invocation: &Invocation) -> Vec<(String, String)> {
    let event: Value = serde_json::from_slice(&invocation.event).unwrap();
    let records = event["records"].as_array().unwrap();
    records
        .iter()
        .map(|record| {
            let data = base64_simd::STANDARD
                .decode_to_vec(record["data"].as_str().unwrap())
                .unwrap();
            (
                record["recordId"].as_str().unwrap().to_owned(),
                String::from_utf8(data).unwrap(),
            )
        })
        .collect()
}

/// The lines of an object under the error prefix.
pub fn failures(object: &Object) -> Vec<Value> {
    let text = std::str::from_utf8(&object.body).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

pub fn gunzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes)
        .read_to_string(&mut text)
        .unwrap();
    text
}
