//! A call that is done in part: some of its entries are held back on the way, and the answer says so as the service would.

use serde_json::{Value, json};

/// A request without some of its entries.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// What goes on.
    pub request: Value,
    kept_back: KeptBack,
}

#[derive(Clone, Debug, PartialEq)]
enum KeptBack {
    /// The places of the records.
    Records(Vec<usize>),
    /// The requests by table.
    Items(serde_json::Map<String, Value>),
}

impl Held {
    /// Holds entries back as `keep` says of each; none if the operation knows no parts, or nothing is left or held back.
    pub fn new(
        operation: &str,
        mut request: Value,
        mut keep: impl FnMut() -> bool,
    ) -> Option<Self> {
        let mut back = 0;
        let (kept_back, left) = match operation {
            "PutRecords" => {
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
                back += places.len();
                (KeptBack::Records(places), records.len())
            }
            "BatchWriteItem" => {
                let tables = request.get_mut("RequestItems")?.as_object_mut()?;
                let mut items = serde_json::Map::new();
                for (table, requests) in tables.iter_mut() {
                    let requests = requests.as_array_mut()?;
                    let held: Vec<Value> = requests.extract_if(.., |_| !keep()).collect();
                    if !held.is_empty() {
                        back += held.len();
                        items.insert(table.clone(), held.into());
                    }
                }
                tables.retain(|_, requests| requests != &json!([]));
                (KeptBack::Items(items), tables.len())
            }
            _ => return None,
        };
        (back > 0 && left > 0).then_some(Self { request, kept_back })
    }

    /// The answer to the whole request, from the one to what went on; none if that is an error.
    pub fn answer(&self, mut answer: Value) -> Option<Value> {
        match &self.kept_back {
            KeptBack::Records(places) => {
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
            }
            KeptBack::Items(items) => {
                let object = answer.as_object_mut()?;
                let unprocessed = object
                    .entry("UnprocessedItems")
                    .or_insert_with(|| json!({}))
                    .as_object_mut()?;
                for (table, requests) in items {
                    let all = unprocessed.entry(table).or_insert_with(|| json!([]));
                    all.as_array_mut()?
                        .extend(requests.as_array()?.iter().cloned());
                }
            }
        }
        Some(answer)
    }
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

    #[test]
    fn records_are_refused_in_their_places() {
        let request =
            json!({"StreamName": "s", "Records": [{"Data": "a"}, {"Data": "b"}, {"Data": "c"}]});
        let held = Held::new("PutRecords", request, every_second()).unwrap();
        assert_eq!(
            held.request,
            json!({"StreamName": "s", "Records": [{"Data": "b"}]})
        );
        let answer = held
            .answer(json!({"FailedRecordCount": 0, "Records": [{"SequenceNumber": "7"}]}))
            .unwrap();
        assert_eq!(answer["FailedRecordCount"], 2);
        let codes: Vec<_> = answer["Records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record.get("ErrorCode").is_some())
            .collect();
        assert_eq!(codes, [true, false, true]);
        assert_eq!(answer["Records"][1]["SequenceNumber"], "7");
        assert_eq!(held.answer(json!({"__type": "InternalFailure"})), None);
    }

    #[test]
    fn items_come_back_unprocessed() {
        let request = json!({"RequestItems": {"events": [{"PutRequest": 1}, {"PutRequest": 2}]}});
        let held = Held::new("BatchWriteItem", request, every_second()).unwrap();
        assert_eq!(
            held.request,
            json!({"RequestItems": {"events": [{"PutRequest": 2}]}})
        );
        assert_eq!(
            held.answer(json!({"UnprocessedItems": {}})).unwrap(),
            json!({"UnprocessedItems": {"events": [{"PutRequest": 1}]}})
        );
    }

    #[test]
    fn what_has_no_parts_is_left_alone() {
        let one = json!({"Records": [{"Data": "a"}]});
        assert_eq!(
            Held::new("PutRecords", one.clone(), || true),
            None,
            "nothing held back"
        );
        assert_eq!(Held::new("PutRecords", one, || false), None, "nothing left");
        assert_eq!(Held::new("PutItem", json!({}), || false), None);
    }
}
