//! Whether every record of a stream is accounted for in the lake, by distinct id. Pure.
//!
//! A record is delivered if all rows that the program makes of it lie in the bucket, failed if it is kept there as it came,
//! and dropped if the program does not want it. In = delivered + dropped + failed; and nothing is in the bucket that is
//! not on the stream.

use std::collections::{BTreeMap, BTreeSet};

use firehose_delivery::{Counts, Place, Record};
use lake_program::{About, Program, Runner, Verdict};
use serde::Serialize;
use serde_json::Value;

use super::bucket::Found;
use crate::record::StreamRecord;

/// What the account is made of.
pub struct Account<'a> {
    /// The delivery stream's name.
    pub stream: &'a str,
    /// What makes the rows; without one records are delivered as they are.
    pub program: Option<&'a Program>,
    /// The source's records by shard.
    pub shards: &'a [(String, Vec<StreamRecord>)],
    /// What the delivery stream says of itself.
    pub counts: Counts,
    /// What lies in the bucket.
    pub found: Found,
    /// Whether functions were made to fail: then what they would have delivered may be kept as it came.
    pub damaged: bool,
}

/// What a delivery stream has made of its records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Delivered {
    /// The delivery stream's name.
    #[serde(skip)]
    pub stream: String,
    /// Distinct records on its source.
    pub records: u64,
    /// Those whose rows lie in the bucket.
    pub delivered: u64,
    /// Those that the program did not want.
    pub dropped: u64,
    /// Those that are kept as they came.
    pub failed: u64,
    /// Objects in the bucket.
    pub objects: u64,
    /// Their bytes, compressed.
    pub bytes: u64,
    /// What does not agree, one line each.
    #[serde(skip)]
    pub differences: Vec<String>,
}

/// What should become of a record.
#[derive(Debug)]
struct Expected {
    fate: Fate,
    /// Where it lies; several times if it was put again.
    places: Vec<(String, u64)>,
}

#[derive(Debug)]
enum Fate {
    Delivered(Vec<String>),
    Dropped,
    Failed,
}

/// Settles it.
pub fn settle(account: Account<'_>) -> Delivered {
    let mut differences = Vec::new();
    let (expected, taken) = expected(account.program, account.shards);
    let Counts {
        taken: told, lost, ..
    } = account.counts;
    if told != taken {
        differences.push(format!(
            "{taken} records are on its source, {told} were taken"
        ));
    }
    if lost > 0 {
        differences.push(format!(
            "{lost} records were lost: their objects could not be put"
        ));
    }
    let mut names = Names::default();
    let rows: BTreeSet<String> = account.found.rows.iter().map(|row| names.of(row)).collect();
    let kept = &account.found.kept;
    let mut settled = Delivered {
        stream: account.stream.to_owned(),
        records: expected.len() as u64,
        objects: account.found.objects,
        bytes: account.found.bytes,
        ..Delivered::default()
    };
    let mut known = BTreeSet::new();
    for (id, Expected { fate, places }) in &expected {
        let is_kept = places.iter().any(|place| kept.contains(place));
        let is_delivered = match fate {
            Fate::Delivered(names) => {
                known.extend(names.iter().cloned());
                names.iter().all(|name| rows.contains(name))
            }
            _ => false,
        };
        match fate {
            Fate::Delivered(_) if is_delivered => settled.delivered += 1,
            Fate::Delivered(_) if is_kept && account.damaged => settled.failed += 1,
            Fate::Delivered(_) if is_kept => {
                differences.push(format!("{id} is kept, not delivered"))
            }
            Fate::Delivered(_) => differences.push(format!("{id} is missing")),
            Fate::Failed if is_kept => settled.failed += 1,
            Fate::Failed => differences.push(format!("{id} has no row, and is not kept")),
            Fate::Dropped if is_kept && account.damaged => settled.failed += 1,
            Fate::Dropped if is_kept => differences.push(format!("{id} is kept, not dropped")),
            Fate::Dropped => settled.dropped += 1,
        }
    }
    let surplus = rows.difference(&known);
    differences.extend(surplus.map(|name| format!("the row {name} is of no record")));
    let places: BTreeSet<_> = expected.values().flat_map(|one| &one.places).collect();
    let surplus = kept.iter().filter(|place| !places.contains(place));
    differences.extend(
        surplus.map(|(number, sub)| format!("{number}/{sub} is kept, and not on the stream")),
    );
    settled.differences = differences;
    settled
}

/// What should become of each record, by its id; and how many there are, those that were put again among them.
fn expected(
    program: Option<&Program>,
    shards: &[(String, Vec<StreamRecord>)],
) -> (BTreeMap<String, Expected>, u64) {
    let mut runner = program.map(Program::runner);
    let (mut expected, mut names, mut taken) = (BTreeMap::new(), Names::default(), 0);
    for (shard, records) in shards {
        for record in records {
            let place = Place {
                shard: shard.clone(),
                sequence_number: record.sequence_number.clone(),
                sub_sequence_number: 0,
                partition_key: record.partition_key.clone(),
            };
            for record in Record::of_stream(&record.data, record.arrived_ms, place) {
                taken += 1;
                let Some(place) = &record.place else { continue };
                let fate = fate(runner.as_mut(), &record, place, &mut names);
                let id = match &fate {
                    Fate::Delivered(names) => names.join("+"),
                    _ => format!(
                        "{}:{}:{}",
                        place.shard, place.sequence_number, place.sub_sequence_number
                    ),
                };
                let places = (place.sequence_number.clone(), place.sub_sequence_number);
                let one = expected.entry(id).or_insert(Expected {
                    fate,
                    places: Vec::new(),
                });
                one.places.push(places);
            }
        }
    }
    (expected, taken)
}

fn fate(
    runner: Option<&mut Runner<'_>>,
    record: &Record,
    place: &Place,
    names: &mut Names,
) -> Fate {
    let mut rows = Vec::new();
    let verdict = match runner {
        None => {
            rows.extend_from_slice(&record.data);
            Ok(Verdict::Kept {
                partition: Vec::new(),
            })
        }
        Some(runner) => {
            let about = About {
                arrived_ms: Some(record.arrived_ms),
                shard: Some(&place.shard),
                sequence_number: Some(&place.sequence_number),
                sub_sequence_number: i64::try_from(place.sub_sequence_number).ok(),
                partition_key: Some(&place.partition_key),
                ..About::default()
            };
            runner.run(&record.data, &about, &mut rows)
        }
    };
    match verdict {
        Err(_) => Fate::Failed,
        Ok(Verdict::Dropped) => Fate::Dropped,
        Ok(Verdict::Kept { .. }) => {
            let rows = rows
                .split(|byte| *byte == b'\n')
                .filter(|row| !row.is_empty());
            let row = |row: &[u8]| match serde_json::from_slice(row) {
                Ok(row) => names.of(&row),
                Err(_) => String::from_utf8_lossy(row).into_owned(),
            };
            Fate::Delivered(rows.map(row).collect())
        }
    }
}

/// Names rows: by their ids, or, where they have none, by what they hold and how often that was seen.
#[derive(Default)]
struct Names(BTreeMap<String, u64>);

impl Names {
    fn of(&mut self, row: &Value) -> String {
        if let Some(id) = row["id"].as_str() {
            return id.to_owned();
        }
        let text = row.to_string();
        let seen = self.0.entry(text.clone()).or_default();
        *seen += 1;
        format!("{text} ({seen})")
    }
}

#[cfg(test)]
mod tests {
    use lake_program::Bundled;
    use serde_json::json;

    use super::*;

    /// Two users who are kept, one who is dropped, one that is none; the first plays twice.
    const USERS: [&str; 5] = [
        r#"{"premium":false,"age":16,"playing_time":83}"#,
        r#"{"premium":true,"age":17,"playing_time":61}"#,
        r#"{"premium":false,"age":16,"playing_time":83}"#,
        r#"{"premium":false,"age":50,"playing_time":51}"#,
        "plain",
    ];

    fn shards() -> Vec<(String, Vec<StreamRecord>)> {
        let records = USERS.iter().zip(101..).map(|(user, number)| StreamRecord {
            sequence_number: number.to_string(),
            partition_key: "u".into(),
            data: user.as_bytes().into(),
            arrived_ms: 1_545_084_650_987,
        });
        vec![("shardId-000000000000".into(), records.collect())]
    }

    fn row(age: u8, playing_time: &str) -> Value {
        json!({"age": age, "location": null, "activity": null, "playing_time": playing_time})
    }

    fn found() -> Found {
        Found {
            objects: 2,
            bytes: 345,
            rows: vec![row(50, "51"), row(16, "83"), row(16, "83")],
            kept: [("105".to_owned(), 0)].into(),
        }
    }

    fn settled(found: Found, counts: Counts, damaged: bool) -> Delivered {
        let program = Bundled::named("game-activity").unwrap().compile().unwrap();
        settle(Account {
            stream: "users",
            program: Some(&program),
            shards: &shards(),
            counts,
            found,
            damaged,
        })
    }

    fn counts(taken: u64) -> Counts {
        Counts {
            taken,
            ..Counts::default()
        }
    }

    #[test]
    fn every_record_is_accounted_for() {
        let settled = settled(found(), counts(5), false);
        assert_eq!(settled.differences, Vec::<String>::new());
        assert_eq!(
            (settled.records, settled.objects, settled.bytes),
            (5, 2, 345)
        );
        assert_eq!(
            (settled.delivered, settled.dropped, settled.failed),
            (3, 1, 1)
        );
    }

    #[track_caller]
    fn differs(change: impl FnOnce(&mut Found), words: &str) {
        let mut found = found();
        change(&mut found);
        let differences = settled(found, counts(5), false).differences.join("; ");
        assert!(differences.contains(words), "{differences}");
    }

    #[test]
    fn what_does_not_agree_is_named() {
        differs(|found| drop(found.rows.remove(0)), "is missing");
        differs(|found| drop(found.rows.remove(1)), "(2) is missing");
        differs(
            |found| found.rows.push(row(17, "61")),
            "(1) is of no record",
        );
        differs(
            |found| found.rows.push(row(16, "83")),
            "(3) is of no record",
        );
        differs(
            |found| found.kept.clear(),
            "shardId-000000000000:105:0 has no row, and is not kept",
        );
        let keep = |found: &mut Found, number: &str| {
            found.kept.insert((number.to_owned(), 0));
        };
        differs(|found| keep(found, "102"), "102:0 is kept, not dropped");
        differs(
            |found| keep(found, "999"),
            "999/0 is kept, and not on the stream",
        );
        differs(
            |found| {
                found.rows.remove(0);
                keep(found, "104");
            },
            "is kept, not delivered",
        );
    }

    #[test]
    fn what_was_taken_and_lost_is_told() {
        assert_eq!(
            settled(found(), counts(4), false).differences,
            ["5 records are on its source, 4 were taken"]
        );
        let lost = Counts {
            lost: 1,
            ..counts(5)
        };
        assert_eq!(
            settled(found(), lost, false).differences,
            ["1 records were lost: their objects could not be put"]
        );
    }

    #[test]
    fn where_functions_are_killed_their_batches_may_be_kept() {
        let mut found = found();
        found.rows.remove(0);
        found
            .kept
            .extend([("102".to_owned(), 0), ("104".to_owned(), 0)]);
        let settled = settled(found, counts(5), true);
        assert_eq!(settled.differences, Vec::<String>::new());
        assert_eq!(
            (settled.delivered, settled.dropped, settled.failed),
            (2, 0, 3)
        );
    }

    #[test]
    fn a_row_with_an_id_counts_once_however_often_it_is_delivered() {
        let program = Bundled::named("press-readings").unwrap().compile().unwrap();
        let reading = r#"{"machine":"press-07","line":"L2","time":"2026-11-20T01:02:03.456Z"}"#;
        let shards = [(
            "shardId-000000000000".to_owned(),
            vec![StreamRecord {
                sequence_number: "101".into(),
                partition_key: "press-07".into(),
                data: reading.into(),
                arrived_ms: 1_545_084_650_987,
            }],
        )];
        let row = json!({"id": "shardId-000000000000:101:0", "machine": "press-07"});
        let settled = settle(Account {
            stream: "readings",
            program: Some(&program),
            shards: &shards,
            counts: counts(1),
            found: Found {
                rows: vec![row.clone(), row],
                ..Found::default()
            },
            damaged: false,
        });
        assert_eq!((settled.records, settled.delivered), (1, 1));
        assert_eq!(settled.differences, Vec::<String>::new());
    }
}
