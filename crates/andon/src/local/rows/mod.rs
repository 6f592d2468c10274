//! Records that one program makes into rows: what became of them, whether it agrees, and what a person is told.
//!
//! Each record is accounted for as in any lake; of a game's rows an independent pass over the users says whether they hold
//! what they may, and nothing else ([`game`]).

mod game;
mod summary;

use aws_config::SdkConfig;
use serde_json::Value;

use super::chaos::Damage;
use super::checks::{Check, in_the_lake, on_the_way};
use super::lake::{self, Delivered, Drained};
use super::mapping::lag::Behind;
use super::observe::{Put, read_stream};
use crate::failure::Failure;
use crate::record::StreamRecord;
pub use summary::Summary;

/// What lies in the local AWS after a run that judges nothing.
#[derive(Clone, Debug, Default)]
pub struct ObservedRows {
    /// What the producer was told.
    pub put: Put,
    /// What the delivery streams have made of the records.
    pub lake: Vec<Delivered>,
    /// Rows that should not be there, in words.
    pub odd: Vec<String>,
    /// How far each delivery stream is behind on each shard.
    pub lag: Vec<Behind>,
    /// What was made to go wrong.
    pub damage: Option<Damage>,
}

/// What a delivery stream has made of the records on its own stream.
pub struct Settled {
    /// The account.
    pub delivered: Delivered,
    shards: Vec<(String, Vec<StreamRecord>)>,
}

/// Reads stream and bucket; the stream has to hold what was put.
pub async fn settle(
    sdk: &SdkConfig,
    drained: &Drained,
    put: Put,
    damaged: bool,
) -> Result<Settled, Failure> {
    let kinesis = aws_sdk_kinesis::Client::new(sdk);
    let shards = read_stream(&kinesis, drained.source_arn()).await?;
    let mut delivered = lake::delivered(sdk, drained, &shards, damaged).await?;
    let found = shards
        .iter()
        .map(|(_, records)| records.len() as u64)
        .sum::<u64>();
    delivered.differences.extend(missing(put, found));
    Ok(Settled { delivered, shards })
}

/// A record that was put again after a lost answer may lie there twice.
fn missing(put: Put, found: u64) -> Option<String> {
    let agrees = (put.records..=put.records + put.put_again).contains(&found);
    (!agrees).then(|| {
        format!(
            "{} records were put, {found} are on its source",
            put.records
        )
    })
}

/// Reads what came of a run that judges nothing.
pub async fn observe(
    sdk: &SdkConfig,
    lake: &[Drained],
    put: Put,
    lag: Vec<Behind>,
    damage: Option<Damage>,
) -> Result<ObservedRows, Failure> {
    let mut observed = ObservedRows {
        put,
        lag,
        ..ObservedRows::default()
    };
    for drained in lake {
        let settled = settle(sdk, drained, put, damage.is_some()).await?;
        observed.lake.push(settled.delivered);
        if drained.is_made_by(game::PROGRAM) {
            let records = settled.shards.iter().flat_map(|(_, records)| records);
            let users: Vec<Value> = records
                .filter_map(|record| serde_json::from_slice(&record.data).ok())
                .collect();
            let rows = lake::rows(sdk, drained).await?;
            observed.odd.extend(game::odd(&users, &rows));
        }
    }
    observed.damage = damage;
    Ok(observed)
}

/// The checks, in the order in which they are shown.
pub fn checks(observed: &ObservedRows) -> Vec<Check> {
    vec![
        Check {
            name: "records_in_the_lake",
            differences: in_the_lake(&observed.lake),
        },
        Check {
            name: "rows_hold_what_they_may",
            differences: observed.odd.clone(),
        },
        Check {
            name: "nothing_left_behind",
            differences: on_the_way(&observed.lag).collect(),
        },
    ]
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub fn sound() -> ObservedRows {
        ObservedRows {
            put: Put {
                readings: 3,
                records: 3,
                put_again: 0,
            },
            lake: vec![Delivered {
                stream: "andon-game".into(),
                records: 3,
                delivered: 2,
                dropped: 1,
                objects: 1,
                bytes: 120,
                ..Delivered::default()
            }],
            odd: vec![],
            lag: vec![Behind {
                function: "lake andon-game".into(),
                shard: "shardId-000000000000".into(),
                records: 0,
                ms: 0,
                passed: 3,
                given_up: 0,
                most_ms: 40,
            }],
            damage: None,
        }
    }

    #[track_caller]
    fn fails(change: impl FnOnce(&mut ObservedRows), name: &str) {
        let mut observed = sound();
        change(&mut observed);
        let failed = checks(&observed).into_iter().filter(|check| !check.holds());
        let names: Vec<_> = failed.map(|check| check.name).collect();
        assert_eq!(names, [name]);
    }

    #[test]
    fn each_check_can_fail() {
        assert!(checks(&sound()).iter().all(Check::holds));
        fails(
            |observed| observed.lake[0].delivered = 1,
            "records_in_the_lake",
        );
        fails(
            |observed| observed.lake[0].differences.push("x is missing".into()),
            "records_in_the_lake",
        );
        fails(
            |observed| observed.odd.push("a name".into()),
            "rows_hold_what_they_may",
        );
        fails(
            |observed| observed.lag[0].records = 1,
            "nothing_left_behind",
        );
    }

    #[test]
    fn what_was_put_is_on_the_stream() {
        for (records, put_again, found, agrees) in [
            (3, 0, 3, true),
            (3, 1, 4, true),
            (3, 1, 5, false),
            (3, 0, 2, false),
        ] {
            let put = Put {
                readings: records,
                records,
                put_again,
            };
            assert_eq!(missing(put, found).is_none(), agrees, "{put:?} {found}");
        }
    }
}
