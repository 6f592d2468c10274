//! What became of an object's records, kept beside it: `redriven/<the object's key>.json`.
//!
//! The object itself is never changed or deleted. A receipt is for people, and spares needless work; nothing depends on
//! it, since bringing a record back again changes nothing.

use std::collections::BTreeMap;

use quality_event::Timestamp;
use serde::{Deserialize, Serialize};

use super::outcome::{Became, Told};

/// The first part of the receipts' keys.
pub const PREFIX: &str = "redriven/";

/// What is known of an object's records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The object's key.
    pub key: String,
    /// When its records were last brought back.
    pub time: Timestamp,
    /// The records that were, by line.
    pub records: BTreeMap<usize, Entry>,
}

/// What became of a record the last time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Of an aggregate, the worst that became of a record in it.
    pub outcome: Became,
    /// Why, where it did not come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Receipt {
    /// Nothing is known of the object.
    pub fn new(key: &str, now: Timestamp) -> Self {
        Self {
            key: key.to_owned(),
            time: now,
            records: BTreeMap::new(),
        }
    }

    /// Where the receipt of the object with this key lies.
    pub fn key_for(key: &str) -> String {
        format!("{PREFIX}{key}.json")
    }

    /// Takes up what was told at `now` of the object's records; what was known of these before is void.
    pub fn take_up(&mut self, told: &[Told], now: Timestamp) {
        let mut latest: BTreeMap<usize, Entry> = BTreeMap::new();
        for one in told {
            let Some(origin) = one.origin.as_ref().filter(|origin| origin.key == self.key) else {
                continue;
            };
            let entry = Entry {
                outcome: one.outcome,
                reason: one.reason.clone(),
            };
            let worst = latest.entry(origin.line).or_insert_with(|| entry.clone());
            if entry.outcome > worst.outcome {
                *worst = entry;
            }
        }
        if !latest.is_empty() {
            self.time = now;
        }
        self.records.extend(latest);
    }

    /// What became of a record the last time.
    pub fn outcome(&self, line: usize) -> Option<Became> {
        self.records.get(&line).map(|entry| entry.outcome)
    }

    /// `3 judged, 1 unreadable`.
    pub fn summary(&self) -> String {
        let counts = Became::ALL.into_iter().filter_map(|outcome| {
            let entries = self.records.values();
            let count = entries.filter(|entry| entry.outcome == outcome).count();
            (count > 0).then(|| format!("{count} {}", outcome.as_str()))
        });
        counts.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redrive::held::tests::parked;

    fn told(line: usize, outcome: Became) -> Told {
        Told::of(&parked(line), "f", outcome, None)
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms).unwrap()
    }

    fn receipt() -> Receipt {
        Receipt::new(&parked(1).origin.unwrap().key, at(0))
    }

    #[test]
    fn the_last_time_counts() {
        let mut receipt = receipt();
        receipt.take_up(
            &[
                told(1, Became::Judged),
                told(2, Became::Unreadable),
                told(3, Became::Failed),
            ],
            at(1),
        );
        assert_eq!(receipt.summary(), "1 judged, 1 unreadable, 1 failed");
        receipt.take_up(&[told(2, Became::Judged), told(3, Became::Judged)], at(2));
        assert_eq!(
            (receipt.summary().as_str(), receipt.time),
            ("3 judged", at(2))
        );
        assert_eq!(receipt.outcome(2), Some(Became::Judged));
        assert_eq!(receipt.outcome(4), None);
    }

    #[test]
    fn of_an_aggregate_the_worst_counts() {
        let mut receipt = receipt();
        receipt.take_up(
            &[
                told(1, Became::Judged),
                told(1, Became::Failed),
                told(1, Became::Judged),
            ],
            at(1),
        );
        assert_eq!(receipt.outcome(1), Some(Became::Failed));
    }

    #[test]
    fn other_objects_records_are_not_its_own() {
        let mut receipt = Receipt::new("parked/other", at(0));
        receipt.take_up(&[told(1, Became::Judged)], at(1));
        assert!(receipt.records.is_empty() && receipt.time == at(0));
    }

    #[test]
    fn it_reads_back() {
        let mut receipt = receipt();
        receipt.take_up(&[told(1, Became::Judged)], at(1_795_136_400_000));
        let json = serde_json::to_string(&receipt).unwrap();
        assert!(
            json.ends_with(
                r#""time":"2026-11-20T01:00:00.000Z","records":{"1":{"outcome":"judged"}}}"#
            ),
            "{json}"
        );
        assert_eq!(serde_json::from_str::<Receipt>(&json).unwrap(), receipt);
    }
}
