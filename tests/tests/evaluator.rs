//! The evaluator: readings in order per machine, judged once, and no machine waits for another.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::time::Duration;

use fake_aws::{Effect, Fault, Parts, Service, When};
use kinesis_batch::aggregate;
use lambda_function::deadline::Deadline;
use pipeline_tests::{Batches, Rig, reading};
use quality_event::Transition;
use serde_json::{Value, json};

const SHARD: &str = "shardId-000000000000";

fn batches(rig: &Rig) -> Batches {
    Batches::new(SHARD, rig.world.now_ms())
}

/// A reading on which the plan's critical rule fires.
fn overpowered(machine: &str, second: i64) -> Value {
    let mut reading = reading(machine, second);
    reading["measurements"]["torque"] = json!(70.0);
    reading
}

/// What the events on the stream say, in the order of the readings.
fn story(rig: &Rig) -> Vec<(String, String, Transition)> {
    let mut events = rig.events();
    events.sort_by_key(|event| event.time);
    events
        .iter()
        .map(|event| {
            (
                event.machine.clone(),
                event.subject().to_owned(),
                event.transition().unwrap(),
            )
        })
        .collect()
}

fn commits(rig: &Rig) -> usize {
    rig.world
        .calls_to(Service::DynamoDb, "PutItem")
        .iter()
        .filter(|call| call.succeeded())
        .count()
}

/// Answers after a moment, so that what else hangs is seen to hang.
fn slow(rig: &Rig, service: Service, operation: &str) {
    rig.world
        .fault(Fault::new(service, operation).then(Effect::Slow(Duration::from_millis(20))));
}

#[tokio::test(start_paused = true)]
async fn an_episode_opens_goes_on_and_clears_across_batches() {
    let rig = Rig::new();
    let mut batches = batches(&rig);
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
async fn a_replay_judges_nothing_twice() {
    let rig = Rig::new();
    let batch = batches(&rig).of(&[overpowered("press-1", 0), overpowered("press-2", 1)]);
    assert_eq!(
        (rig.judge(&batch).await, rig.judge(&batch).await),
        (None, None)
    );
    assert_eq!((rig.events().len(), commits(&rig)), (2, 2));
    assert_eq!(rig.metric("ReadingsReplayed", &[]), 2.0);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_machine_costs_no_write() {
    let rig = Rig::new();
    let readings: Vec<_> = (0..50).map(|second| reading("press-1", second)).collect();
    assert_eq!(rig.judge(&batches(&rig).of(&readings)).await, None);
    assert_eq!((rig.events().len(), commits(&rig)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn one_malformed_record_among_good_ones_costs_only_itself() {
    let rig = Rig::new();
    let good = |machine: &str| overpowered(machine, 0).to_string().into_bytes();
    let bad = b"{\"machine\":\"press-2\",\xff".to_vec();
    let batch = batches(&rig).batch(&[
        ("press-1", good("press-1")),
        ("press-2", bad.clone()),
        ("press-3", good("press-3")),
    ]);
    assert_eq!(rig.judge(&batch).await, None, "empty batchItemFailures");
    assert_eq!((rig.events().len(), commits(&rig)), (2, 2));
    let quarantine = rig.quarantine();
    assert_eq!((quarantine.len(), &quarantine[0].data), (1, &bad));
    assert_eq!(
        quarantine[0].sequence_number.as_ref(),
        Some(&Batches::sequence_number(2))
    );
    assert_eq!(rig.metric("Quarantined", &[("reason", "not-json")]), 1.0);
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_unreadable_reading_is_set_aside_with_its_reason() {
    let mut no_time = reading("press-1", 0);
    no_time["time"] = json!("yesterday");
    let no_time = no_time.to_string();
    let cases: [(&[u8], &str); 5] = [
        (b"", "not-json"),
        (b"not json", "not-json"),
        (b"[1, 2]", "no-machine"),
        (b"{\"time\":\"2026-11-20T01:00:00Z\"}", "no-machine"),
        (no_time.as_bytes(), "bad-time"),
    ];
    for (payload, reason) in cases {
        let rig = Rig::new();
        assert_eq!(
            rig.judge(&batches(&rig).batch(&[("press-1", payload)]))
                .await,
            None,
            "{reason}"
        );
        let quarantine = rig.quarantine();
        assert_eq!(
            (quarantine[0].reason.as_str(), quarantine[0].data.as_slice()),
            (reason, payload)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_quarantined_stays_in_front_of_the_checkpoint() {
    let rig = Rig::new();
    rig.world
        .fault(Fault::new(Service::S3, "PutObject").then(Effect::FailBefore));
    let good = overpowered("press-1", 0).to_string();
    let batch = batches(&rig).batch(&[
        ("a", good.as_bytes()),
        ("b", b"junk"),
        ("c", good.as_bytes()),
    ]);
    assert_eq!(rig.judge(&batch).await, Some(Batches::sequence_number(2)));
    assert_eq!(commits(&rig), 1);
}

#[tokio::test(start_paused = true)]
async fn a_machine_whose_publication_fails_holds_back_itself_alone() {
    let rig = Rig::new();
    let readings: Vec<_> = (1..=5)
        .map(|n| overpowered(&format!("press-{n}"), n))
        .collect();
    let batch = batches(&rig).of(&readings);
    rig.world.fault(
        Fault::new(Service::Kinesis, "PutRecords").then(Effect::Partial(Parts::keyed("press-3"))),
    );
    assert_eq!(
        rig.judge(&batch).await,
        Some(Batches::sequence_number(3)),
        "its first unfinished record"
    );
    assert_eq!((rig.events().len(), commits(&rig)), (4, 4));
    rig.world.clear_faults();
    assert_eq!(rig.judge(&batch).await, None);
    let mut machines: Vec<_> = rig
        .events()
        .iter()
        .map(|event| event.machine.clone())
        .collect();
    machines.sort();
    assert_eq!(
        machines,
        ["press-1", "press-2", "press-3", "press-4", "press-5"],
        "no second effect on the others"
    );
    assert_eq!(commits(&rig), 5);
}

#[tokio::test(start_paused = true)]
async fn refused_entries_are_put_again_until_they_are_taken() {
    let rig = Rig::new();
    let fault = Fault::new(Service::Kinesis, "PutRecords")
        .when(When::first(4))
        .then(Effect::Partial(Parts::First(2)));
    rig.world.fault(fault);
    let readings: Vec<_> = (1..=5)
        .map(|n| overpowered(&format!("press-{n}"), n))
        .collect();
    assert_eq!(rig.judge(&batches(&rig).of(&readings)).await, None);
    assert_eq!(rig.events().len(), 5, "each event once");
}

#[tokio::test(start_paused = true)]
async fn a_machine_whose_commit_fails_holds_back_itself_alone() {
    let rig = Rig::new();
    let readings: Vec<_> = (1..=3)
        .map(|n| overpowered(&format!("press-{n}"), n))
        .collect();
    rig.world
        .fault(Fault::new(Service::DynamoDb, "PutItem").when(When::mentions("press-2")));
    assert_eq!(
        rig.judge(&batches(&rig).of(&readings)).await,
        Some(Batches::sequence_number(2))
    );
    assert_eq!(commits(&rig), 2);
    let published = rig
        .events()
        .iter()
        .filter(|event| event.machine == "press-2")
        .count();
    assert_eq!(
        published, 1,
        "a round does not publish again what is on the stream"
    );
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_publication_and_commit_repeats_the_same_ids() {
    let rig = Rig::new();
    let batch = batches(&rig).of(&[overpowered("press-1", 0), overpowered("press-1", 1)]);
    let fault = rig
        .world
        .fault(Fault::new(Service::DynamoDb, "PutItem").then(Effect::AccessDenied));
    assert_eq!(rig.judge(&batch).await, Some(Batches::sequence_number(1)));
    assert!(fault.fired() > 0);
    rig.world.clear_faults();
    assert_eq!(rig.judge(&batch).await, None);
    let events = rig.events();
    assert_eq!(events.len(), 4);
    let distinct: std::collections::BTreeMap<_, _> = events
        .iter()
        .map(|event| (event.id.clone(), event.clone()))
        .collect();
    assert_eq!(distinct.len(), 2);
    assert!(
        events.iter().all(|event| distinct[&event.id] == *event),
        "the repetition is the same event"
    );
}

#[tokio::test(start_paused = true)]
async fn a_commit_whose_answer_is_lost_is_recognised_as_its_own() {
    for effect in [Effect::FailAfter, Effect::DropAfter, Effect::TimeoutAfter] {
        let rig = Rig::new();
        rig.world.fault(
            Fault::new(Service::DynamoDb, "PutItem")
                .when(When::first(1))
                .then(effect.clone()),
        );
        assert_eq!(
            rig.judge(&batches(&rig).of(&[overpowered("press-1", 0)]))
                .await,
            None,
            "{effect:?}"
        );
        assert_eq!(
            (
                rig.events().len(),
                rig.metric("MachinesHeld", &[("reason", "race")])
            ),
            (1, 0.0),
            "{effect:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_invocations_that_judge_one_machine_the_loser_judges_again() {
    let rig = Rig::new();
    let mut batches = batches(&rig);
    let (first, second) = (
        batches.of(&[overpowered("press-1", 0)]),
        batches.of(&[overpowered("press-1", 1)]),
    );
    // The first one's commit arrives only after the second one's.
    let fault = Fault::new(Service::DynamoDb, "PutItem")
        .when(When::first(1))
        .then(Effect::Late(Duration::from_millis(900)));
    rig.world.fault(fault);
    let (one, two) = tokio::join!(rig.judge(&first), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        rig.judge(&second).await
    });
    assert_eq!((one, two), (None, None));
    assert_eq!(rig.metric("MachinesHeld", &[("reason", "race")]), 1.0);
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
    assert_eq!(rig.judge(&batches(&rig).of(&readings)).await, None);
    assert_eq!(rig.metric("MachinesHeld", &[("reason", "load")]), 1.0);
}

#[tokio::test(start_paused = true)]
async fn loads_are_consistent_reads() {
    let rig = Rig::new();
    rig.judge(&batches(&rig).of(&[reading("press-1", 0)])).await;
    let loads = rig.world.calls_to(Service::DynamoDb, "BatchGetItem");
    assert!(!loads.is_empty() && loads.iter().all(|call| call.consistent == Some(true)));
}

#[tokio::test(start_paused = true)]
async fn before_the_deadline_it_stops_with_what_is_committed() {
    let rig = Rig::new();
    let readings: Vec<_> = (0..150)
        .map(|n| overpowered(&format!("press-{n:03}"), n))
        .collect();
    let batch = batches(&rig).of(&readings);
    // The second chunk of machines is never loaded.
    rig.world.fault(
        Fault::new(Service::DynamoDb, "BatchGetItem")
            .when(When::always().after(1))
            .then(Effect::TimeoutBefore),
    );
    let evaluator = rig.evaluator().await.unwrap();
    let response = evaluator
        .invoke(&batch, "request", Deadline::after(Duration::from_secs(5)))
        .await
        .unwrap();
    assert_eq!(
        response.response().checkpoint(),
        Some(Batches::sequence_number(101).as_str())
    );
    assert_eq!(commits(&rig), 100);
}

#[tokio::test(start_paused = true)]
async fn thousands_of_machines_in_one_batch_are_all_judged() {
    let rig = Rig::new();
    let readings: Vec<_> = (0..3_000)
        .map(|n| overpowered(&format!("press-{n:04}"), n))
        .collect();
    assert_eq!(rig.judge(&batches(&rig).of(&readings)).await, None);
    assert_eq!((rig.events().len(), commits(&rig)), (3_000, 3_000));
}

#[tokio::test(start_paused = true)]
async fn a_state_that_cannot_be_decoded_starts_afresh_and_is_counted() {
    let rig = Rig::new();
    let mut batches = batches(&rig);
    rig.judge(&batches.of(&[overpowered("press-1", 0)])).await;
    let mut item = rig.world.item("state", "press-1", None).unwrap();
    item.insert("state".into(), fake_aws::Value::from(vec![255_u8, 255]));
    rig.world.put_item("state", item);
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
async fn watermarks_are_kept_for_each_shard() {
    let rig = Rig::new();
    let late =
        Batches::new("shardId-000000000001", rig.world.now_ms()).of(&[overpowered("press-1", 9)]);
    let mut ahead = batches(&rig);
    ahead.of(&vec![reading("press-9", 0); 500]);
    assert_eq!(
        rig.judge(&ahead.of(&[overpowered("press-1", 1)])).await,
        None
    );
    assert_eq!(
        rig.judge(&late).await,
        None,
        "its lower sequence number is another shard's"
    );
    assert_eq!(rig.metric("ReadingsReplayed", &[]), 0.0);
    assert_eq!(rig.events().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn user_records_of_an_aggregate_are_judged_and_checkpointed_by_their_parent() {
    let rig = Rig::new();
    let payloads = [
        overpowered("press-1", 0).to_string(),
        overpowered("press-2", 1).to_string(),
        reading("press-1", 2).to_string(),
    ];
    let members = payloads
        .iter()
        .zip(["press-1", "press-2", "press-1"])
        .map(|(data, key)| aggregate::Member {
            partition_key: key,
            explicit_hash_key: None,
            data: data.as_bytes(),
        });
    let data = aggregate::encode(members);
    let batch = batches(&rig).batch(&[("a", data)]);
    rig.world.fault(
        Fault::new(Service::DynamoDb, "PutItem")
            .when(When::mentions("press-2"))
            .then(Effect::AccessDenied),
    );
    assert_eq!(rig.judge(&batch).await, Some(Batches::sequence_number(1)));
    rig.world.clear_faults();
    assert_eq!(rig.judge(&batch).await, None);
    let numbers: Vec<_> = rig
        .events()
        .iter()
        .map(|event| serde_json::to_value(&event.source).unwrap()["sub_sequence_number"].clone())
        .collect();
    assert_eq!(
        numbers.iter().filter(|number| **number == json!(2)).count(),
        1,
        "{numbers:?}"
    );
    assert_eq!(rig.metric("ReadingsReplayed", &[]), 2.0);
}

#[tokio::test(start_paused = true)]
async fn without_a_good_plan_the_function_does_not_start() {
    let rig = Rig::with_plan("version: 1\nrules: [{id: x, when: torqe > 1}]\n");
    let error = rig.evaluator().await.err().unwrap().to_string();
    assert!(
        error.contains("s3://plans/control-plan.yaml") && error.contains("torqe"),
        "{error}"
    );
    let rig = Rig::new();
    rig.world
        .fault(Fault::new(Service::S3, "GetObject").then(Effect::AccessDenied));
    assert!(
        rig.evaluator()
            .await
            .err()
            .unwrap()
            .to_string()
            .contains("andon plan push")
    );
}

#[tokio::test(start_paused = true)]
async fn a_start_goes_back_to_the_newest_plan_that_passes() {
    let rig = Rig::new();
    let push = |plan: &[u8]| rig.world.put_object("plans", "control-plan.yaml", plan);
    let last_good = pipeline_tests::SCENARIO_PLAN.replace("power > 9000.0", "power > 6000.0");
    push(last_good.as_bytes());
    let good = rig.evaluator().await.unwrap();
    push(b"rules: nonsense");
    push(b"version: 1 # sp\xe4ter");
    rig.world
        .put_object("plans", "control-plan.yaml.old", "rules: older");

    let started = rig.evaluator().await.unwrap();
    assert_eq!(rig.metric("PlanRefused", &[]), 1.0);
    // A limit of 6 kW, at which the plan before the last good one is silent: the environment that saw every version and
    // the one that saw none of them agree.
    let mut batches = batches(&rig);
    for (evaluator, machine) in [(&good, "press-1"), (&started, "press-2")] {
        rig.clock.advance(60_000);
        let body = batches.of(&[reading(machine, 0)]);
        evaluator
            .invoke(&body, machine, Rig::deadline())
            .await
            .unwrap();
    }
    let plans: Vec<_> = rig.events().into_iter().map(|event| event.plan).collect();
    assert_eq!(plans.len(), 2);
    assert_eq!(plans[0], plans[1]);
}

#[tokio::test(start_paused = true)]
async fn a_start_goes_back_only_so_far_and_only_where_it_may() {
    let rig = Rig::new();
    for n in 0..quality_evaluator::EARLIER_VERSIONS {
        let plan = format!("rules: nonsense {n}");
        rig.world.put_object("plans", "control-plan.yaml", plan);
    }
    assert!(rig.evaluator().await.is_ok());
    rig.world
        .put_object("plans", "control-plan.yaml", "rules: newest nonsense");
    let error = rig.evaluator().await.err().unwrap().to_string();
    assert!(error.contains("newest nonsense"), "{error}");

    for operation in ["ListObjectVersions", "GetObject"] {
        let rig = Rig::new();
        rig.world
            .put_object("plans", "control-plan.yaml", "rules: nonsense");
        // The newest is fetched by the first call of that operation.
        let when = When::nth(1 + u64::from(operation == "GetObject"));
        let fault = Fault::new(Service::S3, operation);
        rig.world.fault(fault.when(when).then(Effect::AccessDenied));
        let error = rig.evaluator().await.err().unwrap().to_string();
        assert!(error.contains("fails its check"), "{operation}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_changed_plan_is_picked_up_after_the_refresh_time() {
    let rig = Rig::new();
    let evaluator = rig.evaluator().await.unwrap();
    let mut batches = batches(&rig);
    let deadline = Rig::deadline();
    let stricter = pipeline_tests::SCENARIO_PLAN.replace("power > 9000.0", "power > 6000.0");
    rig.world.put_object("plans", "control-plan.yaml", stricter);
    evaluator
        .invoke(&batches.of(&[reading("press-1", 0)]), "a", deadline)
        .await
        .unwrap();
    assert!(rig.events().is_empty(), "the old plan is in force");
    rig.clock.advance(60_000);
    evaluator
        .invoke(&batches.of(&[reading("press-1", 1)]), "b", deadline)
        .await
        .unwrap();
    assert_eq!(rig.events().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_fails_its_check_leaves_the_last_good_one_in_force() {
    let rig = Rig::new();
    let evaluator = rig.evaluator().await.unwrap();
    let mut batches = batches(&rig);
    rig.world
        .put_object("plans", "control-plan.yaml", "rules: nonsense");
    for (second, expected) in [(0, 1.0), (1, 1.0)] {
        rig.clock.advance(60_000);
        evaluator
            .invoke(
                &batches.of(&[overpowered("press-1", second)]),
                &format!("r{second}"),
                Rig::deadline(),
            )
            .await
            .unwrap();
        assert_eq!(
            rig.metric("PlanRefused", &[]),
            expected,
            "a refused version is reported once"
        );
    }
    assert_eq!(rig.events().len(), 2);
    rig.world
        .fault(Fault::new(Service::S3, "GetObject").then(Effect::FailBefore));
    rig.clock.advance(60_000);
    evaluator
        .invoke(
            &batches.of(&[overpowered("press-1", 2)]),
            "r2",
            Rig::deadline(),
        )
        .await
        .unwrap();
    assert_eq!(
        (rig.events().len(), rig.metric("PlanUnreachable", &[])),
        (3, 1.0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_no_kinesis_event_fails_the_invocation() {
    let rig = Rig::new();
    let evaluator = rig.evaluator().await.unwrap();
    assert!(
        evaluator
            .invoke(b"{}", "request", Rig::deadline())
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn another_streams_shard_is_another_shard() {
    let rig = Rig::new();
    let mut ahead = batches(&rig);
    ahead.of(&vec![reading("press-9", 0); 50]);
    rig.judge(&ahead.of(&[overpowered("press-1", 1)])).await;
    let other = String::from_utf8(batches(&rig).of(&[overpowered("press-1", 2)])).unwrap();
    rig.judge(
        other
            .replace("stream/readings", "stream/readings-2")
            .as_bytes(),
    )
    .await;
    assert_eq!(
        (rig.events().len(), rig.metric("ReadingsReplayed", &[])),
        (2, 0.0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_does_not_answer_costs_no_batch() {
    let rig = Rig::new();
    let evaluator = rig.evaluator().await.unwrap();
    rig.world
        .fault(Fault::new(Service::S3, "GetObject").then(Effect::TimeoutBefore));
    slow(&rig, Service::DynamoDb, "BatchGetItem");
    rig.clock.advance(60_000);
    evaluator
        .invoke(
            &batches(&rig).of(&[overpowered("press-1", 0)]),
            "a",
            Deadline::after(Duration::from_secs(8)),
        )
        .await
        .unwrap();
    assert_eq!(rig.events().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_quarantine_that_does_not_answer_holds_up_no_good_record() {
    let rig = Rig::new();
    let evaluator = rig.evaluator().await.unwrap();
    rig.world
        .fault(Fault::new(Service::S3, "PutObject").then(Effect::TimeoutBefore));
    slow(&rig, Service::DynamoDb, "BatchGetItem");
    let good = overpowered("press-1", 0).to_string();
    let body = batches(&rig).batch(&[("a", b"junk".as_slice()), ("b", good.as_bytes())]);
    evaluator
        .invoke(&body, "a", Deadline::after(Duration::from_secs(8)))
        .await
        .unwrap();
    assert_eq!(rig.events().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_state_is_counted_once() {
    let rig = Rig::new();
    let mut batches = batches(&rig);
    rig.judge(&batches.of(&[overpowered("press-1", 0)])).await;
    let mut item = rig.world.item("state", "press-1", None).unwrap();
    item.insert("state".into(), fake_aws::Value::from(vec![255_u8, 255]));
    rig.world.put_item("state", item);
    for second in 1..6 {
        rig.judge(&batches.of(&[reading("press-1", second)])).await;
    }
    assert_eq!(rig.metric("StateLost", &[("part", "rules")]), 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_hangs_holds_up_no_other() {
    let rig = Rig::new();
    rig.world.fault(
        Fault::new(Service::DynamoDb, "PutItem")
            .when(When::mentions("press-000"))
            .then(Effect::TimeoutBefore),
    );
    let readings: Vec<_> = (0..60)
        .map(|n| overpowered(&format!("press-{n:03}"), n))
        .collect();
    let (batch, evaluator) = (batches(&rig).of(&readings), rig.evaluator().await.unwrap());
    let _cut = tokio::time::timeout(
        Duration::from_secs(2),
        evaluator.invoke(&batch, "a", Rig::deadline()),
    )
    .await;
    assert_eq!(rig.world.items("state").len(), 59);
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_its_producer_sends_twice_is_judged_once() {
    let rig = Rig::with_plan(
        &pipeline_tests::SCENARIO_PLAN.replace("time: /time,", "time: /time, id: /id,"),
    );
    let mut batches = batches(&rig);
    let sent = |second, id: &str| {
        let mut reading = overpowered("press-1", second);
        reading["id"] = json!(id);
        reading
    };
    let first = batches.of(&[sent(0, "a"), sent(0, "a"), sent(1, "b")]);
    assert_eq!(rig.judge(&first).await, None);
    assert_eq!(
        rig.judge(&batches.of(&[sent(0, "a"), sent(2, "c")])).await,
        None
    );
    let told: Vec<_> = story(&rig)
        .into_iter()
        .map(|(.., transition)| transition)
        .collect();
    assert_eq!(
        told,
        [Transition::Opened, Transition::Ongoing, Transition::Ongoing]
    );
    assert_eq!(rig.metric("ReadingsDuplicate", &[]), 2.0);
    assert_eq!(rig.metric("ReadingsJudged", &[]), 3.0);
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
    let mut batches = batches(&rig);
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

/// The others of the batch are neither read nor loaded again, and the one that failed is judged.
#[tokio::test(start_paused = true)]
async fn a_retry_in_the_same_environment_touches_only_what_failed() {
    let rig = Rig::new();
    let (mut batches, evaluator) = (batches(&rig), rig.evaluator().await.unwrap());
    let good = overpowered("press-1", 0).to_string();
    let other = overpowered("press-2", 1).to_string();
    let batch = batches.batch(&[("a", good.as_str()), ("b", other.as_str()), ("c", "junk")]);
    rig.world.fault(
        Fault::new(Service::DynamoDb, "PutItem")
            .when(When::mentions("press-2"))
            .then(Effect::AccessDenied),
    );
    let first = evaluator
        .invoke(&batch, "a", Rig::deadline())
        .await
        .unwrap();
    assert_eq!(
        first.response().checkpoint(),
        Some(Batches::sequence_number(2).as_str())
    );
    rig.world.clear_faults();
    let loads = |rig: &Rig| rig.world.calls_to(Service::DynamoDb, "BatchGetItem").len();
    let before = loads(&rig);
    let second = evaluator
        .invoke(&batch, "b", Rig::deadline())
        .await
        .unwrap();
    assert_eq!(second.response().checkpoint(), None);
    assert_eq!(loads(&rig), before + 1);
    assert_eq!(rig.quarantine().len(), 1);
    assert_eq!(rig.metric("Quarantined", &[("reason", "not-json")]), 1.0);
    assert_eq!(rig.metric("ReadingsReplayed", &[]), 2.0);
    let third = evaluator
        .invoke(&batch, "c", Rig::deadline())
        .await
        .unwrap();
    assert_eq!(third.response().checkpoint(), None);
    assert_eq!(loads(&rig), before + 1, "nothing is left to load");
}
