//! No record is lost, whatever functions and buckets do.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;

use firehose_delivery::{
    Action, Answer, Delivery, InvocationId, ObjectId, Record, Settings, Source,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// What happens next: a record comes in, time passes, or an answer of some kind is given.
#[derive(Clone, Debug)]
enum Step {
    Put,
    Pass(u32),
    Respond(Kind),
    Fail(u8),
    Store(bool),
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Ok,
    Mixed,
    Garbled,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => Just(Step::Put),
        3 => (0_u32..200_000).prop_map(Step::Pass),
        3 => prop_oneof![Just(Kind::Ok), Just(Kind::Mixed), Just(Kind::Garbled)].prop_map(Step::Respond),
        1 => (0_u8..3).prop_map(Step::Fail),
        3 => any::<bool>().prop_map(Step::Store),
    ];
    prop::collection::vec(step, 0..120)
}

fn settings(partitioned: bool) -> Settings {
    let mut destination = json!({
        "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
        "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
        "ProcessingConfiguration": {"Enabled": true, "Processors": [{"Type": "Lambda", "Parameters": [
            {"ParameterName": "LambdaArn", "ParameterValue": "arn:f"}]}]},
    });
    if partitioned {
        destination["Prefix"] = "!{partitionKeyFromLambda:line}/".into();
        destination["DynamicPartitioningConfiguration"] = json!({"Enabled": true});
    }
    Settings::from_json(&destination.to_string()).unwrap()
}

fn respond(event: &[u8], kind: Kind) -> Answer {
    let event: Value = serde_json::from_slice(event).unwrap();
    let records: Vec<Value> = event["records"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(place, record)| {
            let result = match (kind, place % 3) {
                (Kind::Mixed, 1) => "Dropped",
                (Kind::Mixed, 2) => "ProcessingFailed",
                _ => "Ok",
            };
            let line = format!("L{}", place % 2);
            json!({"recordId": record["recordId"], "result": result, "data": record["data"],
                "metadata": {"partitionKeys": {"line": line}}})
        })
        .collect();
    match kind {
        Kind::Garbled => {
            Answer::Returned(json!({"records": records, "x": 1}).to_string()[1..].into())
        }
        _ => Answer::Returned(json!({"records": records}).to_string().into_bytes()),
    }
}

/// Runs the steps, then answers well until all is drained; what every record's number came to.
fn run(partitioned: bool, steps: &[Step]) -> (Delivery, BTreeMap<u64, usize>) {
    let mut delivery = Delivery::new(
        settings(partitioned),
        Source {
            stream_arn: "arn:aws:firehose:us-east-1:123456789012:deliverystream/s".into(),
            version: "1".into(),
            region: "us-east-1".into(),
            kinesis_stream_arn: None,
        },
    );
    let (mut now_ms, mut taken) = (0, 0_u64);
    let mut seen = BTreeMap::new();
    let mut invocations: Vec<(InvocationId, Vec<u8>)> = Vec::new();
    let mut objects: Vec<(ObjectId, Vec<u8>)> = Vec::new();
    for step in steps {
        match step {
            Step::Put => {
                let record = Record {
                    data: format!("{taken}\n").into_bytes(),
                    arrived_ms: now_ms,
                    place: None,
                };
                delivery.put(record, now_ms);
                taken += 1;
            }
            Step::Pass(ms) => now_ms += i64::from(*ms),
            Step::Respond(kind) => {
                if let Some((id, event)) = invocations.pop() {
                    delivery
                        .answered(id, &respond(&event, *kind), now_ms)
                        .unwrap();
                }
            }
            Step::Fail(kind) => {
                if let Some((id, _)) = invocations.pop() {
                    let answer = [Answer::FunctionError, Answer::TimedOut, Answer::Throttled];
                    delivery
                        .answered(id, &answer[usize::from(*kind)], now_ms)
                        .unwrap();
                }
            }
            Step::Store(well) => {
                if let Some((id, body)) = objects.pop() {
                    match well {
                        true => {
                            delivery.stored(id).unwrap();
                            count(&mut seen, &body);
                        }
                        false => delivery.store_failed(id, now_ms).unwrap(),
                    }
                }
            }
        }
        loop {
            match delivery.next(now_ms) {
                Action::Invoke(invocation) => invocations.push((invocation.id, invocation.event)),
                Action::Put(object) => objects.push((object.id, object.body)),
                Action::Wait { until_ms } => {
                    assert!(until_ms > now_ms);
                    break;
                }
                Action::Idle => break,
            }
        }
    }
    delivery.drain();
    while !delivery.is_drained() {
        for (id, event) in invocations.drain(..) {
            delivery
                .answered(id, &respond(&event, Kind::Ok), now_ms)
                .unwrap();
        }
        for (id, body) in objects.drain(..) {
            delivery.stored(id).unwrap();
            count(&mut seen, &body);
        }
        match delivery.next(now_ms) {
            Action::Invoke(invocation) => invocations.push((invocation.id, invocation.event)),
            Action::Put(object) => objects.push((object.id, object.body)),
            Action::Wait { until_ms } => now_ms = until_ms,
            Action::Idle => assert!(
                delivery.is_drained(),
                "it waits for nothing, and holds records"
            ),
        }
    }
    (delivery, seen)
}

/// The records in an object: their numbers as rows, or as what was kept.
fn count(seen: &mut BTreeMap<u64, usize>, body: &[u8]) {
    for line in std::str::from_utf8(body).unwrap().lines() {
        let number = line.parse().unwrap_or_else(|_| {
            let failed: Value = serde_json::from_str(line).unwrap();
            let raw = failed["rawData"].as_str().unwrap();
            let raw = base64_simd::STANDARD.decode_to_vec(raw).unwrap();
            String::from_utf8(raw).unwrap().trim().parse().unwrap()
        });
        *seen.entry(number).or_default() += 1;
    }
}

proptest! {
    #[test]
    fn every_record_is_delivered_dropped_or_kept_once(partitioned: bool, steps in steps()) {
        let (delivery, seen) = run(partitioned, &steps);
        let counts = delivery.counts();
        prop_assert_eq!(counts.taken, counts.delivered + counts.dropped + counts.failed + counts.lost);
        prop_assert_eq!(counts.lost, 0, "no bucket was gone for a day");
        prop_assert_eq!(seen.len() as u64, counts.delivered + counts.failed);
        prop_assert!(seen.values().all(|times| *times == 1));
    }

    #[test]
    fn the_same_steps_give_the_same_counts(steps in steps()) {
        let (first, seen) = run(true, &steps);
        let (again, seen_again) = run(true, &steps);
        prop_assert_eq!(first.counts(), again.counts());
        prop_assert_eq!(seen, seen_again);
    }

    #[test]
    fn no_answer_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..100), settings in any::<String>()) {
        let _ = Settings::from_json(&settings);
        let mut delivery = run(true, &[]).0;
        delivery.put(Record { data: vec![], arrived_ms: 0, place: None }, 0);
        let Action::Invoke(invocation) = delivery.next(60_000) else {
            return Err(TestCaseError::fail("nothing is invoked"));
        };
        delivery.answered(invocation.id, &Answer::Returned(body), 60_000).unwrap();
    }
}
