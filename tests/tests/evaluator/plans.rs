//! The plan in force: changed, refused, or out of reach.

use std::time::Duration;

use fake_aws::{Effect, Fault, Service, When};
use lambda_function::deadline::Deadline;
use pipeline_tests::{Rig, overpowered, reading};

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
    let mut batches = rig.batches();
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
    let mut batches = rig.batches();
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
    let mut batches = rig.batches();
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
async fn a_plan_that_does_not_answer_costs_no_batch() {
    let rig = Rig::new();
    let evaluator = rig.evaluator().await.unwrap();
    rig.world
        .fault(Fault::new(Service::S3, "GetObject").then(Effect::TimeoutBefore));
    rig.answer_slowly(Service::DynamoDb, "BatchGetItem");
    rig.clock.advance(60_000);
    evaluator
        .invoke(
            &rig.batches().of(&[overpowered("press-1", 0)]),
            "a",
            Deadline::after(Duration::from_secs(8)),
        )
        .await
        .unwrap();
    assert_eq!(rig.events().len(), 1);
}
