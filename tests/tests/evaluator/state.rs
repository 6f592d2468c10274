//! State between batches: episodes and charts go on, and a state that is lost begins anew.

use fake_aws::{Effect, Fault, Parts, Service, When};
use pipeline_tests::{Rig, overpowered, reading};
use quality_event::Transition;

use crate::{commits, story};

/// The state of press-1 can be decoded no more.
fn damage_state(rig: &Rig) {
    let mut item = rig.world.item("state", "press-1", None).unwrap();
    item.insert("state".into(), fake_aws::Value::from(vec![255_u8, 255]));
    rig.world.put_item("state", item);
}

#[tokio::test(start_paused = true)]
async fn an_episode_opens_goes_on_and_clears_across_batches() {
    let rig = Rig::new();
    let mut batches = rig.batches();
    let first = batches.of(&[reading("press-1", 0), overpowered("press-1", 1)]);
    let second = batches.of(&[overpowered("press-1", 2), reading("press-1", 3)]);
    assert_eq!(
        (rig.judge(&first).await, rig.judge(&second).await),
        (None, None)
    );
    let power = |transition| {
        (
            "press-1".to_owned(),
            "power-out-of-range".to_owned(),
            transition,
        )
    };
    assert_eq!(
        story(&rig),
        [
            power(Transition::Opened),
            power(Transition::Ongoing),
            power(Transition::Cleared)
        ]
    );
    let events = rig.events();
    let episodes: std::collections::BTreeSet<_> = events
        .iter()
        .map(|event| event.violation().unwrap().episode.clone().unwrap())
        .collect();
    assert_eq!(episodes.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_machine_costs_no_write() {
    let rig = Rig::new();
    let readings: Vec<_> = (0..50).map(|second| reading("press-1", second)).collect();
    assert_eq!(rig.judge(&rig.batches().of(&readings)).await, None);
    assert_eq!((rig.events().len(), commits(&rig)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn states_that_the_table_leaves_unprocessed_come_in_the_next_round() {
    let rig = Rig::new();
    let fault = Fault::new(Service::DynamoDb, "BatchGetItem")
        .when(When::first(1))
        .then(Effect::Partial(Parts::keyed("press-2")));
    rig.world.fault(fault);
    let readings: Vec<_> = (1..=3)
        .map(|n| overpowered(&format!("press-{n}"), n))
        .collect();
    assert_eq!(rig.judge(&rig.batches().of(&readings)).await, None);
    assert_eq!(rig.metric("MachinesHeld", &[("reason", "load")]), 1.0);
}

#[tokio::test(start_paused = true)]
async fn loads_are_consistent_reads() {
    let rig = Rig::new();
    rig.judge(&rig.batches().of(&[reading("press-1", 0)])).await;
    let loads = rig.world.calls_to(Service::DynamoDb, "BatchGetItem");
    assert!(!loads.is_empty() && loads.iter().all(|call| call.consistent == Some(true)));
}

#[tokio::test(start_paused = true)]
async fn a_state_that_cannot_be_decoded_starts_afresh_and_is_counted() {
    let rig = Rig::new();
    let mut batches = rig.batches();
    rig.judge(&batches.of(&[overpowered("press-1", 0)])).await;
    damage_state(&rig);
    assert_eq!(
        rig.judge(&batches.of(&[overpowered("press-1", 1)])).await,
        None
    );
    assert_eq!(rig.metric("StateLost", &[("part", "rules")]), 1.0);
    let transitions: Vec<_> = story(&rig)
        .into_iter()
        .map(|(_, _, transition)| transition)
        .collect();
    assert_eq!(transitions, [Transition::Opened, Transition::Opened]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_state_is_counted_once() {
    let rig = Rig::new();
    let mut batches = rig.batches();
    rig.judge(&batches.of(&[overpowered("press-1", 0)])).await;
    damage_state(&rig);
    for second in 1..6 {
        rig.judge(&batches.of(&[reading("press-1", second)])).await;
    }
    assert_eq!(rig.metric("StateLost", &[("part", "rules")]), 1.0);
}

/// A chart's state goes through the table between batches, and a replay of the batch changes nothing.
#[tokio::test(start_paused = true)]
async fn a_chart_is_drawn_across_batches_and_replays() {
    let plan = "version: 1
reading: {machine: /machine, time: /time}
characteristics: {torque: {at: /measurements/torque, unit: Nm}}
rules:
  - id: torque-out-of-control
    chart: {type: individuals, characteristic: torque, center: 40, sigma: 1, tests: [western-electric-4]}
";
    let rig = Rig::with_plan(plan);
    let mut batches = rig.batches();
    for second in 0..9 {
        let batch = batches.of(&[reading("press-1", second)]);
        assert_eq!(rig.judge(&batch).await, None);
        assert_eq!(rig.judge(&batch).await, None);
    }
    let events = rig.events();
    let tests: Vec<_> = events
        .iter()
        .map(|event| event.violation().unwrap().tests.join(","))
        .collect();
    assert_eq!(tests, ["western-electric-4", "western-electric-4"]);
    assert_eq!(rig.metric("ReadingsReplayed", &[]), 9.0);
}

/// Deleted earlier, its rules would forget and a replay would be judged anew.
#[tokio::test(start_paused = true)]
async fn a_state_is_kept_for_its_time_from_the_last_reading_on() {
    let rig = Rig::new();
    let batch = rig.batches().of(&[overpowered("press-1", 0)]);
    rig.clock.advance(10_000);
    rig.judge(&batch).await;
    let item = rig.world.item("state", "press-1", None).unwrap();
    let arrived_s = rig.world.now_ms() / 1_000 - 10;
    assert_eq!(
        item["expires_at"].as_i64(),
        Some(arrived_s + 7 * 86_400),
        "{item:?}"
    );
}
