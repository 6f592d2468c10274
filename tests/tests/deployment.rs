//! A deployment in mid-batch: old and new environments on the same batch, one after the other and side by side.

use fake_aws::{Effect, Fault, Parts, Service};
use pipeline_tests::{Batches, Rig, SCENARIO_PLAN, overpowered, reading};

/// The release brings a plan with a limit that every reading of these tests is beyond.
fn release(rig: &Rig) {
    let stricter = SCENARIO_PLAN.replace("power > 9000.0", "power > 6000.0");
    rig.world.put_object("plans", "control-plan.yaml", stricter);
}

/// Machine and the hash of the plan that judged it, in the order of the machines.
fn judged(rig: &Rig) -> Vec<(String, String)> {
    let mut judged: Vec<_> = rig
        .events()
        .into_iter()
        .map(|event| (event.machine, event.plan))
        .collect();
    judged.sort();
    judged
}

#[tokio::test(start_paused = true)]
async fn a_deployment_in_mid_batch_goes_on_from_what_is_committed() {
    let rig = Rig::new();
    let readings: Vec<_> = (1..=5)
        .map(|n| overpowered(&format!("press-{n}"), n))
        .collect();
    let batch = rig.batches().of(&readings);
    rig.world.fault(
        Fault::new(Service::Kinesis, "PutRecords").then(Effect::Partial(Parts::keyed("press-3"))),
    );
    assert_eq!(rig.judge(&batch).await, Some(Batches::sequence_number(3)));
    rig.world.clear_faults();
    let old = judged(&rig);
    assert_eq!(old.len(), 4);

    release(&rig);
    assert_eq!(rig.judge(&batch).await, None);
    let all = judged(&rig);
    assert_eq!(all.len(), 5, "what was committed is not judged again");
    let new: Vec<_> = all.iter().filter(|one| !old.contains(one)).collect();
    assert_eq!(new.len(), 1);
    assert_eq!(new[0].0, "press-3");
    assert_ne!(new[0].1, old[0].1, "the new plan is told in the event");
    assert!(old.iter().all(|one| all.contains(one)));
}

#[tokio::test(start_paused = true)]
async fn an_old_environment_that_is_still_at_work_undoes_nothing() {
    let rig = Rig::new();
    let old = rig.evaluator().await.unwrap();
    let mut batches = rig.batches();
    let first = batches.of(&[reading("press-1", 1)]);
    let second = batches.of(&[overpowered("press-1", 2)]);
    release(&rig);
    // The new environment takes both; the old one wakes up with what it had.
    assert_eq!(rig.judge(&first).await, None);
    assert_eq!(rig.judge(&second).await, None);
    let before = judged(&rig);
    assert_eq!(before.len(), 2, "by the new plan: opened, ongoing");
    let answer = old.invoke(&second, "old", Rig::deadline()).await.unwrap();
    assert_eq!(answer.response().checkpoint(), None);
    assert_eq!(judged(&rig), before, "it sees that all is done");
}
