//! The pipeline under seeded faults. `cargo run --release -p pipeline-tests --bin simulate` runs as many seeds as one likes.

use std::collections::BTreeSet;

use fake_aws::{World, WorldOptions};
use pipeline_tests::campaign::{Campaign, Options};
use pipeline_tests::simulation::{FaultClass, Run, What, Workload, run, run_with_least, shrink};

#[test]
fn promises_hold_under_faults() {
    let campaign = Campaign::run(Options {
        seeds: 0..12,
        threads: None,
        stops_at_first: false,
        tells: false,
    });
    assert!(campaign.is_clean(), "{}", campaign.report(true));
    assert!(campaign.fewest_faults >= 5, "{}", campaign.fewest_faults);
}

#[test]
fn a_seed_whose_faults_come_to_too_little_is_drawn_anew() {
    let few = (0..5).map(|seed| run(seed, false));
    let first = few.min_by_key(|run| run.distinct_faults).unwrap();
    assert_eq!(first.draw, 0);
    let least = first.distinct_faults + 1;
    let anew = run_with_least(first.seed, least, false);
    assert!(anew.draw > 0 && anew.distinct_faults >= least);
    assert_ne!(anew.hits, first.hits);
}

/// Every call with its time, its fault and its answer, and every item of every table.
#[test]
fn a_seed_gives_the_same_run_twice() {
    let (one, other) = (run(4, true), run(4, true));
    assert!(one.world.contains("BatchGetItem") && one.hits.len() > 4);
    assert!(one == other, "two runs of one seed differ");
}

/// The shards of the readings stream, as long as it is not resharded, to which anything is put.
fn shards_written(workload: &Workload) -> BTreeSet<String> {
    let world = World::new(WorldOptions::default());
    world.create_stream("readings", workload.shards[0]);
    let puts = workload.steps.iter().filter_map(|step| match &step.what {
        What::Put(put) => Some(world.put_record("readings", &put.key, &*put.data).shard),
        _ => None,
    });
    puts.collect()
}

#[test]
fn every_run_has_enough_to_go_wrong() {
    for seed in 0..200 {
        let workload = Workload::new(seed);
        assert!(workload.readings() >= 1_000, "seed {seed}");
        assert!(workload.machines_heard_of() >= 5, "seed {seed}");
        let shards = shards_written(&workload);
        assert_eq!(shards.len(), 3, "seed {seed}: {shards:?}");
    }
}

/// The run is told in as few faults as it takes.
#[test]
fn a_run_is_shrunk_to_what_it_takes() {
    let has_crash = |run: &Run| run.faults.contains_key(&FaultClass::CrashAfter);
    let found = (0..).map(|seed| run(seed, false)).find(has_crash).unwrap();
    let shrunk = shrink(found.seed, found.draw, has_crash);
    assert_eq!(shrunk.faults.len(), 1);
    assert_eq!(shrunk.faults[0].class, FaultClass::CrashAfter);
    assert!(!shrunk.run.story.is_empty());
}
