//! What fails for one machine, at its publication or at its commit, is no other one's.

use std::time::Duration;

use fake_aws::{Effect, Fault, Parts, Service, When};
use lambda_function::deadline::Deadline;
use pipeline_tests::{Batches, Rig, overpowered};

use crate::commits;

#[tokio::test(start_paused = true)]
async fn a_machine_whose_publication_fails_holds_back_itself_alone() {
    let rig = Rig::new();
    let readings: Vec<_> = (1..=5)
        .map(|n| overpowered(&format!("press-{n}"), n))
        .collect();
    let batch = rig.batches().of(&readings);
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
    assert_eq!(rig.judge(&rig.batches().of(&readings)).await, None);
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
        rig.judge(&rig.batches().of(&readings)).await,
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
    let batch = rig
        .batches()
        .of(&[overpowered("press-1", 0), overpowered("press-1", 1)]);
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
            rig.judge(&rig.batches().of(&[overpowered("press-1", 0)]))
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
    let mut batches = rig.batches();
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
async fn before_the_deadline_it_stops_with_what_is_committed() {
    let rig = Rig::new();
    let readings: Vec<_> = (0..150)
        .map(|n| overpowered(&format!("press-{n:03}"), n))
        .collect();
    let batch = rig.batches().of(&readings);
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
    assert_eq!(rig.judge(&rig.batches().of(&readings)).await, None);
    assert_eq!((rig.events().len(), commits(&rig)), (3_000, 3_000));
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
    let (batch, evaluator) = (rig.batches().of(&readings), rig.evaluator().await.unwrap());
    let _cut = tokio::time::timeout(
        Duration::from_secs(2),
        evaluator.invoke(&batch, "a", Rig::deadline()),
    )
    .await;
    assert_eq!(rig.world.items("state").len(), 59);
}

/// The others of the batch are neither read nor loaded again, and the one that failed is judged.
#[tokio::test(start_paused = true)]
async fn a_retry_in_the_same_environment_touches_only_what_failed() {
    let rig = Rig::new();
    let (mut batches, evaluator) = (rig.batches(), rig.evaluator().await.unwrap());
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
