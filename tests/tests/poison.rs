//! A poison record in a batch of ten thousand, delivered by the event source mapping to the real functions: whatever it
//! does to the function, the others are stored, the shard moves on, and redrive completes the poison one once the cause
//! is repaired.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::time::Duration;

use andon::redrive::{Became, Kind, Options};
use event_source_mapping::{Answer, Condition, Invocation, Settings};
use fake_aws::{Effect, Fault, Service, When};
use kinesis_batch::aggregate::{Member, encode};
use pipeline_tests::bring_back::bring_back;
use pipeline_tests::delivery::{Shards, deliver, one_shard, quality_events, settings};
use pipeline_tests::{Batches, FUNCTION_TIMEOUT, Rig};
use quality_event::{QualityEvent, Source};
use serde_json::Value;
use tokio::time::Instant;

const READINGS: usize = 10_000;
const POISON: usize = 6_283;
/// Readings of one aggregate.
const MEMBERS: usize = 100;
const EXECUTE: Options = Options {
    execute: true,
    again: false,
};
const JUNK: &[u8] = b"\xff{\"m\":";

/// Readings as short as ten thousand in one invocation have to be. Each of them violates, so that each leaves an event.
const PLAN: &str = "
version: 1
reading: {machine: /m, time: /t}
characteristics:
  force: {at: /f, unit: N}
rules:
  - id: too-strong
    when: force > 50.0
    reaction: record
";

/// A reading's place: sequence number and place within its aggregate.
type Place = (String, Option<u64>);

/// How the readings lie on the stream.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lying {
    Plain,
    Aggregated,
}

impl Lying {
    fn place(self, n: usize) -> Place {
        match self {
            Self::Plain => (Batches::sequence_number(n as u64 + 1), None),
            Self::Aggregated => (
                Batches::sequence_number((n / MEMBERS) as u64 + 1),
                Some((n % MEMBERS) as u64),
            ),
        }
    }

    fn places(self) -> BTreeSet<Place> {
        (0..READINGS).map(|n| self.place(n)).collect()
    }

    /// How many readings share the poison one's record.
    fn beside(self) -> usize {
        match self {
            Self::Plain => 1,
            Self::Aggregated => MEMBERS,
        }
    }

    /// All readings on one shard, one of them as given.
    fn shard(self, rig: &Rig, poison: Vec<u8>) -> Shards {
        let mut all: Vec<_> = (0..READINGS).map(|n| (machine(n), reading(n))).collect();
        all[POISON].1 = poison;
        let now_ms = rig.world.now_ms();
        match self {
            Self::Plain => one_shard(now_ms, all),
            Self::Aggregated => {
                let aggregate = |members: &[(String, Vec<u8>)]| {
                    encode(members.iter().map(|(machine, data)| Member {
                        partition_key: machine,
                        explicit_hash_key: None,
                        data,
                    }))
                };
                let records = all.chunks(MEMBERS).map(aggregate);
                one_shard(now_ms, records.map(|data| ("a".to_owned(), data)))
            }
        }
    }
}

fn machine(n: usize) -> String {
    format!("p{}", n % 97)
}

fn reading(n: usize) -> Vec<u8> {
    let (machine, time) = (machine(n), 1_795_136_400_000 + n);
    format!(r#"{{"m":"{machine}","t":{time},"f":70}}"#).into_bytes()
}

async fn judge(rig: &Rig, invocation: &Invocation) -> Answer {
    let evaluator = rig.evaluator().await.unwrap();
    let answer = evaluator
        .invoke(&invocation.event, &rig.request_id(), Rig::deadline())
        .await
        .unwrap();
    Answer::Returned(serde_json::to_vec(&answer).unwrap())
}

/// Delivers the quality events to the writer; whatever it cannot store comes again.
async fn store(rig: &Rig) {
    let events = quality_events(rig);
    let writer = rig.writer("all");
    let given_up = deliver(rig, "dynamodb-writer", events, settings(), async |batch| {
        let answer = writer.invoke(&batch.event, Rig::deadline()).await.unwrap();
        Answer::Returned(serde_json::to_vec(&answer).unwrap())
    });
    assert_eq!(given_up.await, []);
}

/// The places of the readings of which an event lies in the table.
fn stored(rig: &Rig) -> BTreeSet<Place> {
    let ids: BTreeSet<_> = rig
        .world
        .items("events")
        .iter()
        .map(|item| item["id"].as_s().unwrap().to_owned())
        .collect();
    let records = rig.world.records("quality-events");
    let events = records
        .iter()
        .filter_map(|record| QualityEvent::from_json(&record.data).ok());
    events
        .filter(|event| ids.contains(&event.id.to_string()))
        .map(|event| match event.source {
            Source::Stream {
                sequence_number,
                sub_sequence_number,
                ..
            } => (sequence_number, sub_sequence_number),
            Source::File { .. } => panic!("an event of a stream"),
        })
        .collect()
}

async fn bad_data(lying: Lying) {
    let rig = Rig::with_plan(PLAN);
    let mut sizes = Vec::new();
    let shard = lying.shard(&rig, JUNK.to_vec());
    let given_up = deliver(
        &rig,
        "quality-evaluator",
        shard,
        settings(),
        async |batch| {
            sizes.push(batch.records.len());
            judge(&rig, batch).await
        },
    );
    assert_eq!(given_up.await, []);
    assert_eq!(sizes, [READINGS / lying.beside()], "one batch, judged once");
    let quarantine = rig.quarantine();
    assert_eq!(quarantine.len(), 1);
    let aside = &quarantine[0];
    assert_eq!((aside.reason.as_str(), &*aside.data), ("not-json", JUNK));
    let place = (
        aside.sequence_number.clone().unwrap(),
        aside.sub_sequence_number,
    );
    assert_eq!(place, lying.place(POISON));

    // On the next stream as well nothing good waits for something bad.
    rig.world.put_record("quality-events", "p1", JUNK);
    store(&rig).await;
    assert_eq!(rig.quarantine().len(), 2);
    let mut others = lying.places();
    others.remove(&place);
    assert_eq!(stored(&rig), others);
}

#[tokio::test(start_paused = true)]
async fn bad_data_is_quarantined_and_all_others_are_stored() {
    bad_data(Lying::Plain).await;
}

#[tokio::test(start_paused = true)]
async fn bad_data_in_an_aggregate_is_quarantined_and_all_others_are_stored() {
    bad_data(Lying::Aggregated).await;
}

/// A fault that no function can handle: the process ends whenever the record is in its batch.
async fn crash(lying: Lying) {
    let rig = Rig::with_plan(PLAN);
    let (number, _) = lying.place(POISON);
    let shard = lying.shard(&rig, reading(POISON));
    let record = shard[0].1[POISON / lying.beside()].clone();
    let mut crashes = 0;
    let given_up = deliver(
        &rig,
        "quality-evaluator",
        shard,
        settings(),
        async |batch| {
            let mut numbers = batch.records.iter().map(|one| &one.sequence_number);
            if numbers.any(|one| one.as_str() == number) {
                crashes += 1;
                return Answer::Crashed;
            }
            judge(&rig, batch).await
        },
    );
    let given_up = given_up.await;
    assert_eq!(given_up.len(), 1);
    assert_eq!(given_up[0].records, [record], "it alone");
    assert_eq!(given_up[0].condition, Condition::RetryAttemptsExhausted);
    let records = (READINGS / lying.beside()) as f64;
    assert!(
        crashes <= records.log2().ceil() as usize + 3,
        "halved each time: {crashes}"
    );
    let full: Value = serde_json::from_str(&given_up[0].to_full_json()).unwrap();
    let payload: Value = serde_json::from_str(full["payload"].as_str().unwrap()).unwrap();
    assert_eq!(payload["Records"].as_array().unwrap().len(), 1);
    assert_eq!(payload["Records"][0]["kinesis"]["sequenceNumber"], number);

    store(&rig).await;
    let mut others = lying.places();
    others.retain(|(other, _)| *other != number);
    assert_eq!(others.len(), READINGS - lying.beside());
    assert_eq!(stored(&rig), others);

    // The function is repaired.
    let report = bring_back(&rig, Kind::Failed, EXECUTE).await;
    assert_eq!(report.sum(), [(Became::Judged, lying.beside())].into());
    store(&rig).await;
    assert_eq!(stored(&rig), lying.places());
    assert!(rig.quarantine().is_empty() && rig.parked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_record_that_crashes_the_function_goes_alone_to_the_failure_destination() {
    crash(Lying::Plain).await;
}

#[tokio::test(start_paused = true)]
async fn an_aggregate_that_crashes_the_function_goes_alone_to_the_failure_destination() {
    crash(Lying::Aggregated).await;
}

/// Two batches, the second right behind the first: a machine whose commits fail for ever delays the others' readings by
/// the hold and one invocation, and every reading of its own is accounted for.
#[tokio::test(start_paused = true)]
async fn a_machine_that_fails_for_ever_delays_the_others_by_the_hold_and_a_batch() {
    const MACHINE_HOLD: Duration = Duration::from_secs(300);
    const LONGEST_RETRY: Duration = Duration::from_secs(10);
    const PATIENCE: Duration = Duration::from_secs(3);
    const READINGS: usize = 2_000;
    let rig = Rig::with_plan(PLAN);
    rig.world.fault(
        Fault::new(Service::DynamoDb, "PutItem")
            .when(When::mentions("p13"))
            .then(Effect::FailBefore),
    );
    let mapping = Settings {
        batch_size: READINGS as u32 / 2,
        maximum_retry_attempts: None,
        maximum_record_age_s: Some(3_600),
        ..settings()
    };
    let mut shard = Lying::Plain.shard(&rig, reading(POISON));
    shard[0].1.truncate(READINGS);
    let evaluator = rig.evaluator().await.unwrap();
    let mut waited = Duration::ZERO;
    let started_ms = rig.world.now_ms();
    let given_up = deliver(&rig, "quality-evaluator", shard, mapping, async |batch| {
        let (began, before) = (Instant::now(), rig.events().len());
        let answer = evaluator
            .invoke(&batch.event, &rig.request_id(), Rig::deadline())
            .await
            .unwrap();
        // The time of day goes on while the function tries again.
        rig.clock.advance(began.elapsed().as_millis() as i64);
        if rig.events().len() > before {
            waited = Duration::from_millis((rig.world.now_ms() - started_ms) as u64);
        }
        Answer::Returned(serde_json::to_vec(&answer).unwrap())
    });
    assert_eq!(given_up.await, []);
    let bound = MACHINE_HOLD + FUNCTION_TIMEOUT + LONGEST_RETRY + PATIENCE;
    assert!(waited > MACHINE_HOLD && waited <= bound, "{waited:?}");
    rig.world.clear_faults();

    let is_held = |n: &usize| machine(*n) == "p13";
    let place = |n| Lying::Plain.place(n);
    let held: BTreeSet<_> = (0..READINGS).filter(is_held).map(place).collect();
    let parked: BTreeSet<_> = rig
        .parked()
        .into_iter()
        .map(|aside| (aside.sequence_number.unwrap(), aside.sub_sequence_number))
        .collect();
    assert_eq!(parked, held);
    assert!(rig.quarantine().is_empty());
    store(&rig).await;
    let all: BTreeSet<_> = (0..READINGS).map(place).collect();
    assert!(stored(&rig).is_superset(&(&all - &held)));

    let report = bring_back(&rig, Kind::Parked, EXECUTE).await;
    assert_eq!(report.sum(), [(Became::Judged, held.len())].into());
    store(&rig).await;
    assert_eq!(stored(&rig), all);
}
