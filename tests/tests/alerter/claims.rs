//! Claims: who holds one publishes, who cannot is followed, and what may be a repetition is counted.

use std::collections::BTreeSet;

use fake_aws::{Effect, Fault, Parts, Service, When};
use pipeline_tests::{Batches, FUNCTION_TIMEOUT, Rig, opened};

use crate::{batch, cleared, many, stopping};

#[tokio::test(start_paused = true)]
async fn anothers_live_claim_sends_the_record_back_and_its_expiry_frees_it() {
    let rig = Rig::new();
    let batch = batch(&rig, &[opened("press-1", "power", 0)]);
    // The holder publishes nothing: its answer from the topic never comes, and its environment dies.
    rig.world.fault(
        Fault::new(Service::Sns, "PublishBatch")
            .when(When::nth(1))
            .then(Effect::TimeoutBefore),
    );
    assert_eq!(rig.alert(&batch).await, Some(Batches::sequence_number(1)));
    assert_eq!(
        rig.alert(&batch).await,
        Some(Batches::sequence_number(1)),
        "the claim is live"
    );
    assert_eq!(rig.metric("MessagesHeld", &[("reason", "live-claim")]), 1.0);
    assert!(rig.alerts().is_empty());
    rig.clock
        .advance(i64::try_from(FUNCTION_TIMEOUT.as_millis()).unwrap() + 10_001);
    assert_eq!(rig.alert(&batch).await, None);
    assert_eq!(rig.alerts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_repeats_the_alert_only_after_the_lease() {
    for effect in [Effect::DropAfter, Effect::FailAfter, Effect::TimeoutAfter] {
        let rig = Rig::new();
        let batch = batch(&rig, &[opened("press-1", "power", 0)]);
        let fault = Fault::new(Service::Sns, "PublishBatch");
        rig.world
            .fault(fault.when(When::nth(1)).then(effect.clone()));
        assert_eq!(
            rig.alert(&batch).await,
            Some(Batches::sequence_number(1)),
            "{effect:?}"
        );
        assert_eq!(rig.alerts().len(), 1, "{effect:?}: it had its effect");
        assert_eq!(
            rig.alert(&batch).await,
            Some(Batches::sequence_number(1)),
            "{effect:?}"
        );
        assert_eq!(
            rig.alerts().len(),
            1,
            "{effect:?}: nothing is repeated while the claim holds"
        );
        rig.clock.advance(70_001);
        assert_eq!(rig.alert(&batch).await, None, "{effect:?}");
        assert_eq!(rig.alerts().len(), 2, "{effect:?}: the stated window");
        assert_eq!(rig.metric("ClaimsTakenOver", &[]), 1.0, "{effect:?}");
    }
}

/// Whoever takes a claim over may be repeating its message, however often it had to ask.
#[tokio::test(start_paused = true)]
async fn a_take_over_whose_answer_is_lost_is_counted_all_the_same() {
    for effect in [Effect::DropAfter, Effect::FailAfter, Effect::TimeoutAfter] {
        for lost in [1, 3, 4, 7, 10, 30] {
            let rig = Rig::new();
            let batch = batch(&rig, &[opened("press-1", "power", 0)]);
            let published = Fault::new(Service::Sns, "PublishBatch");
            rig.world
                .fault(published.when(When::nth(1)).then(Effect::DropAfter));
            assert!(rig.alert(&batch).await.is_some());
            rig.clock.advance(70_001);
            // The first call finds the claim expired, the second one takes it over.
            let taken_over = Fault::new(Service::DynamoDb, "TransactWriteItems");
            let answers = When::always().after(1).times(lost);
            rig.world
                .fault(taken_over.when(answers).then(effect.clone()));
            let mut deliveries = 1;
            while rig.alert(&batch).await.is_some() {
                deliveries += 1;
                assert!(deliveries < 20, "{effect:?} {lost}: never finished");
            }
            assert_eq!(rig.alerts().len(), 2, "{effect:?} {lost}");
            let counted = rig.metric("ClaimsTakenOver", &[]);
            assert!(counted >= 1.0, "{effect:?} {lost}: not counted");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_take_over_that_publishes_nothing_is_taken_over_again_at_once() {
    let rig = Rig::new();
    let batch = batch(&rig, &[opened("press-1", "power", 0)]);
    let publish = || Fault::new(Service::Sns, "PublishBatch");
    rig.world
        .fault(publish().when(When::nth(1)).then(Effect::DropAfter));
    assert!(rig.alert(&batch).await.is_some());
    rig.clock.advance(70_001);
    rig.world
        .fault(publish().when(When::first(1)).then(Effect::AccessDenied));
    assert!(rig.alert(&batch).await.is_some(), "known to have failed");
    assert_eq!(rig.alert(&batch).await, None, "without waiting for a lease");
    assert_eq!(rig.alerts().len(), 2);
    assert_eq!(rig.metric("ClaimsTakenOver", &[]), 2.0);
}

#[tokio::test(start_paused = true)]
async fn a_known_failure_releases_the_claim_for_the_next_delivery() {
    let rig = Rig::new();
    let batch = batch(&rig, &[opened("press-1", "power", 0)]);
    let fault = rig.world.fault(
        Fault::new(Service::Sns, "PublishBatch")
            .when(When::first(1))
            .then(Effect::AccessDenied),
    );
    assert_eq!(rig.alert(&batch).await, Some(Batches::sequence_number(1)));
    assert_eq!(fault.fired(), 1);
    assert_eq!(
        rig.alert(&batch).await,
        None,
        "at once, without waiting for a lease"
    );
    assert_eq!(rig.alerts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn claims_that_cannot_be_decided_hold_their_records() {
    let rig = Rig::new();
    rig.world
        .fault(Fault::new(Service::DynamoDb, "TransactWriteItems").when(When::mentions("press-2")));
    let events = [opened("press-1", "power", 0), opened("press-2", "power", 0)];
    assert_eq!(
        rig.alert(&batch(&rig, &events)).await,
        Some(Batches::sequence_number(2))
    );
    assert_eq!(rig.alerts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn faults_of_the_claim_before_and_after_its_effect_end_in_one_alert() {
    for effect in [
        Effect::FailBefore,
        Effect::FailAfter,
        Effect::DropAfter,
        Effect::TimeoutAfter,
    ] {
        let rig = Rig::new();
        rig.world.fault(
            Fault::new(Service::DynamoDb, "TransactWriteItems")
                .when(When::first(1))
                .then(effect.clone()),
        );
        assert_eq!(
            rig.alert(&batch(&rig, &[opened("press-1", "power", 0)]))
                .await,
            None,
            "{effect:?}"
        );
        assert_eq!(rig.alerts().len(), 1, "{effect:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_cannot_be_marked_is_counted_and_the_record_is_done() {
    let rig = Rig::new();
    rig.world
        .fault(Fault::new(Service::DynamoDb, "UpdateItem").then(Effect::AccessDenied));
    assert_eq!(
        rig.alert(&batch(&rig, &[opened("press-1", "power", 0)]))
            .await,
        None
    );
    assert_eq!(rig.metric("ClaimsUnmarked", &[]), 1.0);
    assert_eq!(rig.alerts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn claims_of_one_machine_that_hang_hold_back_no_other() {
    let rig = Rig::new();
    rig.world.fault(
        Fault::new(Service::DynamoDb, "TransactWriteItems")
            .when(When::mentions("press-2"))
            .then(Effect::TimeoutBefore),
    );
    rig.answer_slowly(Service::Sns, "PublishBatch");
    let events = [
        opened("press-1", "power", 0),
        opened("press-2", "power", 0),
        opened("press-2", "power", 400),
        stopping(opened("press-3", "power", 0)),
    ];
    rig.alert(&batch(&rig, &events)).await;
    assert_eq!((rig.alerts().len(), rig.line_stops().len()), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn marking_stays_within_the_time_out() {
    let rig = Rig::new();
    rig.world.fault(
        Fault::new(Service::Sns, "PublishBatch")
            .then(Effect::Partial(Parts::mentioning("press-007"))),
    );
    rig.world
        .fault(Fault::new(Service::DynamoDb, "UpdateItem").then(Effect::TimeoutBefore));
    let start = tokio::time::Instant::now();
    rig.alert(&batch(&rig, &many(25))).await;
    assert!(start.elapsed() < FUNCTION_TIMEOUT, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_conflict_with_a_transaction_is_worth_another_attempt() {
    let rig = Rig::new();
    let conflict = Effect::Refused(
        400,
        "TransactionConflictException",
        "Transaction is ongoing for the item",
    );
    rig.world.fault(
        Fault::new(Service::DynamoDb, "UpdateItem")
            .when(When::first(1))
            .then(conflict),
    );
    rig.alert(&batch(&rig, &[opened("press-1", "power", 0)]))
        .await;
    assert_eq!(rig.metric("ClaimsUnmarked", &[]), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_claim_given_up_is_no_live_claim() {
    let rig = Rig::new();
    rig.world.fault(
        Fault::new(Service::DynamoDb, "TransactWriteItems")
            .when(When::first(12))
            .then(Effect::FailAfter),
    );
    let batch = batch(&rig, &[opened("press-1", "power", 0)]);
    rig.alert(&batch).await;
    rig.world.clear_faults();
    assert_eq!(rig.alert(&batch).await, None);
}

/// A stale read would tell of a clearing whose opening nobody was told of.
#[tokio::test(start_paused = true)]
async fn claims_are_read_consistently() {
    let rig = Rig::new();
    let (first, second) = (
        opened("press-1", "power", 0),
        opened("press-1", "power", 100),
    );
    rig.alert(&batch(&rig, &[first, second.clone()])).await;
    rig.alert(&batch(&rig, &[cleared(&second, 5)])).await;
    let reads = rig.world.calls_to(Service::DynamoDb, "GetItem");
    assert!(!reads.is_empty() && reads.iter().all(|call| call.consistent == Some(true)));
}

/// Sent, held back, a cool-down and a clearing: all are remembered for a week.
#[tokio::test(start_paused = true)]
async fn everything_about_claims_is_kept_for_their_time() {
    let rig = Rig::new();
    let (first, second) = (
        stopping(opened("press-1", "power", 0)),
        opened("press-1", "power", 100),
    );
    let ended = cleared(&first, 5);
    rig.alert(&batch(&rig, &[first, second, ended])).await;
    let items = rig.world.items("claims");
    let kinds: BTreeSet<_> = items
        .iter()
        .map(|item| item["claim"].as_s().unwrap().split('#').next().unwrap())
        .collect();
    assert_eq!(
        kinds,
        BTreeSet::from(["alert", "cleared", "cool-down", "line-stop"])
    );
    for item in &items {
        let kept_s = item["expires_at"].as_i64().unwrap() - rig.world.now_ms() / 1_000;
        assert_eq!(kept_s, 7 * 86_400, "{item:?}");
    }
}
