//! A call that is done in part: some of its entries are held back on the way, and the answer says so as the service would.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::messages::Messages;

/// A request without some of its entries.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// What goes on.
    pub request: Bytes,
    kept_back: KeptBack,
}

#[derive(Clone, Debug, PartialEq)]
enum KeptBack {
    /// The places of the records.
    Records(Vec<usize>),
    /// Writes by table.
    Items(Map<String, Value>),
    /// Keys by table, with what is said of how to read them.
    Keys(Map<String, Value>),
    /// Messages to a topic.
    Messages(Messages),
}

impl Held {
    /// Holds entries back as `keep` says of each; none if the operation knows no parts, or nothing is left or held back.
    pub fn new(operation: &str, request: &[u8], mut keep: impl FnMut() -> bool) -> Option<Self> {
        if let Some((request, messages)) = Messages::held_back(request, &mut keep) {
            return Some(Self {
                request: request.into(),
                kept_back: KeptBack::Messages(messages),
            });
        }
        let mut request: Value = serde_json::from_slice(request).ok()?;
        let kept_back = match operation {
            "PutRecords" => KeptBack::Records(records(&mut request, keep)?),
            "BatchWriteItem" => KeptBack::Items(items(&mut request, keep)?),
            "BatchGetItem" => KeptBack::Keys(keys(&mut request, keep)?),
            _ => return None,
        };
        Some(Self {
            request: request.to_string().into(),
            kept_back,
        })
    }

    /// The answer to the whole request, from the one to what went on; none if that is an error.
    pub fn answer(&self, answer: &[u8]) -> Option<Bytes> {
        let read = || serde_json::from_slice::<Value>(answer).ok();
        let whole = match &self.kept_back {
            KeptBack::Messages(messages) => return Some(messages.answer(answer)?.into()),
            KeptBack::Records(places) => {
                let mut answer = read()?;
                let failed = answer.get("FailedRecordCount")?.as_u64()?;
                answer["FailedRecordCount"] = json!(failed + places.len() as u64);
                let records = answer.get_mut("Records")?.as_array_mut()?;
                for place in places {
                    let refused = json!({
                        "ErrorCode": "ProvisionedThroughputExceededException",
                        "ErrorMessage": "made up by a fault plan",
                    });
                    records.insert(*place, refused);
                }
                answer
            }
            KeptBack::Items(items) => {
                let mut answer = read()?;
                let unprocessed = member(&mut answer, "UnprocessedItems")?;
                for (table, requests) in items {
                    let all = unprocessed.entry(table).or_insert_with(|| json!([]));
                    all.as_array_mut()?
                        .extend(requests.as_array()?.iter().cloned());
                }
                answer
            }
            KeptBack::Keys(tables) => {
                let mut answer = read()?;
                // What is read in part says so by this member alone: an error has no such answer.
                answer.get("Responses")?;
                let unprocessed = member(&mut answer, "UnprocessedKeys")?;
                for (table, held) in tables {
                    match unprocessed.get_mut(table) {
                        Some(others) => others
                            .get_mut("Keys")?
                            .as_array_mut()?
                            .extend(held.get("Keys")?.as_array()?.iter().cloned()),
                        None => {
                            unprocessed.insert(table.clone(), held.clone());
                        }
                    }
                }
                answer
            }
        };
        Some(whole.to_string().into())
    }
}

/// Takes records out; their places.
fn records(request: &mut Value, mut keep: impl FnMut() -> bool) -> Option<Vec<usize>> {
    let records = request.get_mut("Records")?.as_array_mut()?;
    let mut places = Vec::new();
    let mut place = 0;
    records.retain(|_| {
        let kept = keep();
        if !kept {
            places.push(place);
        }
        place += 1;
        kept
    });
    (!places.is_empty() && !records.is_empty()).then_some(places)
}

/// Takes writes out.
fn items(request: &mut Value, mut keep: impl FnMut() -> bool) -> Option<Map<String, Value>> {
    let tables = request.get_mut("RequestItems")?.as_object_mut()?;
    let mut held = Map::new();
    for (table, requests) in tables.iter_mut() {
        let requests = requests.as_array_mut()?;
        let back: Vec<Value> = requests.extract_if(.., |_| !keep()).collect();
        if !back.is_empty() {
            held.insert(table.clone(), back.into());
        }
    }
    tables.retain(|_, requests| requests != &json!([]));
    (!held.is_empty() && !tables.is_empty()).then_some(held)
}

/// Takes keys out.
fn keys(request: &mut Value, mut keep: impl FnMut() -> bool) -> Option<Map<String, Value>> {
    let tables = request.get_mut("RequestItems")?.as_object_mut()?;
    let mut held = Map::new();
    for (table, reads) in tables.iter_mut() {
        let keys = reads.get_mut("Keys")?.as_array_mut()?;
        let back: Vec<Value> = keys.extract_if(.., |_| !keep()).collect();
        if !back.is_empty() {
            let mut reads = reads.clone();
            reads["Keys"] = back.into();
            held.insert(table.clone(), reads);
        }
    }
    tables.retain(|_, reads| reads["Keys"] != json!([]));
    (!held.is_empty() && !tables.is_empty()).then_some(held)
}

fn member<'a>(answer: &'a mut Value, name: &str) -> Option<&'a mut Map<String, Value>> {
    let answer = answer.as_object_mut()?;
    answer
        .entry(name)
        .or_insert_with(|| json!({}))
        .as_object_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Holds back every second entry, beginning with the first.
    fn every_second() -> impl FnMut() -> bool {
        let mut kept = true;
        move || {
            kept = !kept;
            kept
        }
    }

    fn held(operation: &str, request: &Value) -> Held {
        Held::new(operation, request.to_string().as_bytes(), every_second()).unwrap()
    }

    fn goes_on(held: &Held) -> Value {
        serde_json::from_slice(&held.request).unwrap()
    }

    fn answer(held: &Held, answer: &Value) -> Option<Value> {
        let answer = held.answer(answer.to_string().as_bytes())?;
        Some(serde_json::from_slice(&answer).unwrap())
    }

    #[test]
    fn records_are_refused_in_their_places() {
        let held = held(
            "PutRecords",
            &json!({"StreamName": "s", "Records": [{"Data": "a"}, {"Data": "b"}, {"Data": "c"}]}),
        );
        assert_eq!(
            goes_on(&held),
            json!({"StreamName": "s", "Records": [{"Data": "b"}]})
        );
        let told = answer(
            &held,
            &json!({"FailedRecordCount": 0, "Records": [{"SequenceNumber": "7"}]}),
        )
        .unwrap();
        assert_eq!(told["FailedRecordCount"], 2);
        let codes: Vec<_> = told["Records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record.get("ErrorCode").is_some())
            .collect();
        assert_eq!(codes, [true, false, true]);
        assert_eq!(told["Records"][1]["SequenceNumber"], "7");
        assert_eq!(answer(&held, &json!({"__type": "InternalFailure"})), None);
    }

    #[test]
    fn items_come_back_unprocessed() {
        let held = held(
            "BatchWriteItem",
            &json!({"RequestItems": {"events": [{"PutRequest": 1}, {"PutRequest": 2}]}}),
        );
        assert_eq!(
            goes_on(&held),
            json!({"RequestItems": {"events": [{"PutRequest": 2}]}})
        );
        assert_eq!(
            answer(&held, &json!({"UnprocessedItems": {}})).unwrap(),
            json!({"UnprocessedItems": {"events": [{"PutRequest": 1}]}})
        );
    }

    #[test]
    fn keys_come_back_unread_with_what_is_said_of_them() {
        let of = |keys: Value| json!({"states": {"Keys": keys, "ConsistentRead": true}});
        let held = held(
            "BatchGetItem",
            &json!({"RequestItems": of(json!([{"machine": 1}, {"machine": 2}, {"machine": 3}]))}),
        );
        assert_eq!(
            goes_on(&held),
            json!({"RequestItems": of(json!([{"machine": 2}]))})
        );
        let read = json!({"Responses": {"states": []}, "UnprocessedKeys": {}});
        assert_eq!(
            answer(&held, &read).unwrap()["UnprocessedKeys"],
            of(json!([{"machine": 1}, {"machine": 3}]))
        );
        let unread = json!({"Responses": {}, "UnprocessedKeys": of(json!([{"machine": 2}]))});
        assert_eq!(
            answer(&held, &unread).unwrap()["UnprocessedKeys"],
            of(json!([{"machine": 2}, {"machine": 1}, {"machine": 3}]))
        );
        assert_eq!(answer(&held, &json!({"__type": "InternalFailure"})), None);
    }

    #[test]
    fn what_has_no_parts_is_left_alone() {
        let one = br#"{"Records": [{"Data": "a"}]}"#;
        assert_eq!(
            Held::new("PutRecords", one, || true),
            None,
            "nothing held back"
        );
        assert_eq!(Held::new("PutRecords", one, || false), None, "nothing left");
        assert_eq!(Held::new("PutItem", b"{}", || false), None);
        assert_eq!(Held::new("PutRecords", b"no JSON", || false), None);
    }
}
