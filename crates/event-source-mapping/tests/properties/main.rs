//! The crate's promises, for arbitrary settings, streams and answers.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod simulation;

use std::collections::BTreeSet;

use event_source_mapping::Settings;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use simulation::{Behaviour, Plan, Planned, Simulation};

fn settings() -> impl Strategy<Value = Settings> {
    (
        1_u32..8,
        0_u32..4,
        1_u32..5,
        option::of(0_u32..4),
        option::of(60_u32..90),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(
                batch_size,
                batching_window_s,
                parallelization_factor,
                retries,
                age,
                bisect,
                report,
            )| Settings {
                batch_size,
                batching_window_s,
                parallelization_factor,
                maximum_retry_attempts: retries,
                maximum_record_age_s: age,
                bisect_batch_on_function_error: bisect,
                report_batch_item_failures: report,
                ..Settings::default()
            },
        )
}

fn behaviour() -> impl Strategy<Value = (Behaviour, i64)> {
    let behaviour = prop_oneof![
        3 => Just(Behaviour::Succeeds),
        3 => Just(Behaviour::Fails),
        1 => Just(Behaviour::TimesOut),
        1 => Just(Behaviour::Crashes),
        1 => Just(Behaviour::IsThrottled),
        3 => (0_usize..8).prop_map(Behaviour::FailsAt),
        1 => Just(Behaviour::Rambles),
    ];
    // Some take so long that records grow too old.
    (
        behaviour,
        prop_oneof![8 => 0_i64..2_000, 1 => 2_000_i64..80_000],
    )
}

fn records() -> impl Strategy<Value = Vec<(u8, i64)>> {
    vec((0_u8..6, prop_oneof![0_i64..50, 0_i64..3_000]), 0..40)
}

/// One shard on its own, and one that is split, whose children are merged.
fn plan() -> impl Strategy<Value = Plan> {
    let found = [0_i64..1, 0..1, 0..90_000, 0..90_000, 0..90_000];
    (
        settings(),
        vec(records(), 5),
        found,
        vec(behaviour(), 0..120),
        vec(any::<bool>(), 0..6),
    )
        .prop_map(|(settings, records, found, behaviours, failed_reads)| {
            let ids = ["alone", "parent", "left", "right", "merged"];
            let parents = [
                vec![],
                vec![],
                vec!["parent"],
                vec!["parent"],
                vec!["left", "right"],
            ];
            let shards = ids.into_iter().zip(parents).zip(found).zip(records);
            let shards = shards.map(|(((id, parents), found_ms), records)| Planned {
                id,
                parents,
                found_ms,
                records,
            });
            // A child is told of when its parents are known, as a listing does.
            let mut shards: Vec<_> = shards.collect();
            shards[4].found_ms = shards[4]
                .found_ms
                .max(shards[2].found_ms)
                .max(shards[3].found_ms);
            Plan {
                settings,
                shards,
                behaviours,
                failed_reads,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Runs to its end; on the way, the simulation watches order, checkpoints, bounds and parents.
    #[test]
    fn no_record_is_lost_whatever_the_answers(plan in plan()) {
        let simulation = Simulation::new(plan);
        let put = simulation.records();
        let outcome = simulation.run();
        let ended: BTreeSet<u64> = outcome.acknowledged.union(&outcome.discarded).copied().collect();
        prop_assert_eq!(ended, put);
        prop_assert_eq!(outcome.acknowledged.intersection(&outcome.discarded).count(), 0);
    }

    #[test]
    fn nothing_is_discarded_without_a_limit(plan in plan()) {
        let settings = Settings { maximum_retry_attempts: None, maximum_record_age_s: None, ..plan.settings };
        let simulation = Simulation::new(Plan { settings, ..plan });
        let put = simulation.records();
        let outcome = simulation.run();
        prop_assert_eq!(outcome.acknowledged, put);
        prop_assert_eq!(outcome.discarded.len(), 0);
    }

    #[test]
    fn the_same_input_gives_the_same_output(plan in plan()) {
        prop_assert_eq!(Simulation::new(plan.clone()).run(), Simulation::new(plan).run());
    }
}
