//! Alerts for one batch: decide, claim, publish, settle, checkpoint.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use kinesis_batch::{Batch, BatchResponse, Outcomes, UserRecord};
use lambda_function::Causes;
use lambda_function::backoff::Backoff;
use lambda_function::clock::Clock;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::{Metrics, UNFINISHED};
use quality_event::{QualityEvent, Severity};
use set_aside::{Basket, SetAside, Shelf};

use crate::alert::{Delivery, Purpose, deliveries, has_expired_stop};
use crate::claim::{Claimed, Claims, Request, Settlement};
use crate::config::Policy;
use crate::metric;
use crate::publish::{Published, publish};
use crate::topic::Topic;

const CONCURRENT_CALLS: usize = 16;
const CLAIM_ATTEMPTS: usize = 4;
const FIRST_WAIT: Duration = Duration::from_millis(25);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// What the handler acts through.
pub struct Ports<C, T, S, K> {
    /// Where claims are kept.
    pub claims: C,
    /// Where people are told.
    pub alerts: T,
    /// Where lines are stopped.
    pub line_stops: T,
    /// Where records go that are no events.
    pub shelf: S,
    /// The time of day.
    pub clock: K,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// Never fails as a whole: the stream resumes at the first record that is not done. `request_id` names this
/// invocation and no other.
pub async fn handle<C: Claims, T: Topic, S: Shelf, K: Clock>(
    policy: &Policy,
    ports: &Ports<C, T, S, K>,
    batch: &Batch<'_>,
    request_id: &str,
    deadline: Deadline,
) -> BatchResponse {
    let records = batch.user_records().as_slice();
    let mut ledger = Ledger::of(records);
    let mut jobs = Jobs::default();
    for (index, record) in records.iter().enumerate() {
        let event = match QualityEvent::from_json(record.data) {
            Ok(event) => event,
            Err(malformed) => {
                ledger.set_aside(index, "not-an-event", &Causes(&malformed));
                continue;
            }
        };
        match deliveries(&event, policy, ports.clock.now_ms()) {
            Err(reason) => {
                ports
                    .metrics
                    .add(&metric::SUPPRESSED, &[Purpose::Alert.as_str(), reason], 1)
            }
            Ok(deliveries) => {
                if has_expired_stop(&event, &deliveries) {
                    ports.metrics.add(
                        &metric::SUPPRESSED,
                        &[Purpose::LineStop.as_str(), "expired"],
                        1,
                    );
                }
                ledger.expect(index, deliveries.len());
                deliveries
                    .into_iter()
                    .for_each(|delivery| jobs.add(delivery, &event, index));
            }
        }
    }

    let invocation = Invocation {
        policy,
        ports,
        request_id,
        deadline,
    };
    let jobs = jobs.jobs;
    let claimed = invocation.claim_all(&jobs).await;
    let ends = invocation.publish_all(&jobs, claimed).await;
    for (job, end) in jobs.iter().zip(ends) {
        match end {
            End::Done => job
                .records
                .iter()
                .for_each(|index| ledger.message_done(*index)),
            End::Refused(reason) => {
                for index in &job.records {
                    ledger.message_done(*index);
                    ledger.set_aside(*index, "refused-by-topic", &reason);
                }
            }
            End::Held(reason) => ports.metrics.add(&metric::HELD, &[reason], 1),
        }
    }
    let outcomes = ledger.close(ports, batch, deadline).await;
    ports.metrics.add(&UNFINISHED, &[], outcomes.unfinished());
    tracing::info!(
        records = batch.len(),
        messages = jobs.len(),
        unfinished = outcomes.unfinished(),
        "batch alerted"
    );
    outcomes.response()
}

/// The distinct messages of a batch, each with the records that ask for it.
#[derive(Default)]
struct Jobs {
    jobs: Vec<Job>,
    places: HashMap<String, usize>,
}

struct Job {
    delivery: Delivery,
    severity: Severity,
    /// What the claims of one machine and rule are asked for in turn by.
    turn: String,
    records: Vec<usize>,
}

impl Jobs {
    fn add(&mut self, delivery: Delivery, event: &QualityEvent, record: usize) {
        match self.places.entry(delivery.key.clone()) {
            Entry::Occupied(place) => self.jobs[*place.get()].records.push(record),
            Entry::Vacant(place) => {
                place.insert(self.jobs.len());
                let turn = format!("{}#{}", event.subject(), event.machine);
                self.jobs.push(Job {
                    delivery,
                    severity: event.severity,
                    turn,
                    records: vec![record],
                });
            }
        }
    }
}

/// How a message ended.
enum End {
    /// It is published, or is not to be.
    Done,
    /// Its topic will never take it.
    Refused(String),
    /// A later delivery must try again; the reason is a metric's dimension.
    Held(&'static str),
}

/// A claim's answer, with the request to settle where it was granted.
type Answered = Result<Claimed, &'static str>;

struct Invocation<'a, C, T, S, K> {
    policy: &'a Policy,
    ports: &'a Ports<C, T, S, K>,
    request_id: &'a str,
    deadline: Deadline,
}

impl<C: Claims, T: Topic, S, K: Clock> Invocation<'_, C, T, S, K> {
    /// Claims of one machine and rule one after the other, in stream order; of different ones side by side.
    async fn claim_all(&self, jobs: &[Job]) -> Vec<Answered> {
        let mut turns: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, job) in jobs.iter().enumerate() {
            turns.entry(&job.turn).or_default().push(index);
        }
        let turns = turns.into_values().map(async |turn| {
            let mut answers = Vec::with_capacity(turn.len());
            for index in turn {
                answers.push((index, self.claim(&jobs[index]).await));
            }
            answers
        });
        let mut claimed = vec![Err("deadline"); jobs.len()];
        for (index, answer) in stream::iter(turns)
            .buffer_unordered(CONCURRENT_CALLS)
            .concat()
            .await
        {
            claimed[index] = answer;
        }
        claimed
    }

    async fn claim(&self, job: &Job) -> Answered {
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        let request = self.request(&job.delivery);
        for _ in 0..CLAIM_ATTEMPTS {
            match self.deadline.run(self.ports.claims.claim(&request)).await {
                Ok(Ok(claimed)) => return Ok(claimed),
                Ok(Err(error)) => {
                    tracing::warn!(error = %Causes(&error), key = request.key, "claim not decided");
                    if !error.passing || backoff.wait(self.deadline).await.is_err() {
                        break;
                    }
                }
                Err(_) => return Err("deadline"),
            }
        }
        Err("claim")
    }

    fn request(&self, delivery: &Delivery) -> Request {
        let now_ms = self.ports.clock.now_ms();
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Request {
            key: delivery.key.clone(),
            owner: self.request_id.to_owned(),
            now_ms,
            lease_until_ms: now_ms.saturating_add(millis(self.policy.lease)),
            expires_at: now_ms
                .saturating_add(millis(self.policy.claim_ttl))
                .div_euclid(1_000),
            gate: delivery.gate.clone(),
        }
    }

    /// Publishes what is granted, line stops first, and settles the claims.
    async fn publish_all(&self, jobs: &[Job], claimed: Vec<Answered>) -> Vec<End> {
        let mut ends: Vec<_> = jobs
            .iter()
            .zip(&claimed)
            .map(|(job, answer)| self.without_publishing(job, *answer))
            .collect();
        for purpose in [Purpose::LineStop, Purpose::Alert] {
            let topic = match purpose {
                Purpose::LineStop => &self.ports.line_stops,
                Purpose::Alert => &self.ports.alerts,
            };
            let is_granted = |index: &usize| {
                claimed[*index] == Ok(Claimed::Granted) && jobs[*index].delivery.purpose == purpose
            };
            let granted: Vec<_> = (0..jobs.len()).filter(is_granted).collect();
            let messages: Vec<_> = granted
                .iter()
                .map(|index| &jobs[*index].delivery.message)
                .collect();
            let published = publish(topic, &messages, self.deadline).await;
            let settlements = granted
                .into_iter()
                .zip(published)
                .map(async |(index, published)| {
                    (index, self.settle(&jobs[index], published).await)
                });
            for (index, end) in stream::iter(settlements)
                .buffered(CONCURRENT_CALLS)
                .collect::<Vec<_>>()
                .await
            {
                ends[index] = end;
            }
        }
        ends
    }

    fn without_publishing(&self, job: &Job, answer: Answered) -> End {
        match answer {
            Ok(Claimed::Settled) => End::Done,
            Ok(Claimed::Suppressed(reason)) => {
                self.ports.metrics.add(
                    &metric::SUPPRESSED,
                    &[job.delivery.purpose.as_str(), reason],
                    1,
                );
                End::Done
            }
            Ok(Claimed::Live) => End::Held("live-claim"),
            Ok(Claimed::Granted) => End::Held("unpublished"),
            Err(reason) => End::Held(reason),
        }
    }

    async fn settle(&self, job: &Job, published: Published) -> End {
        let purpose = job.delivery.purpose.as_str();
        let (settlement, end) = match published {
            Published::Yes => {
                self.ports
                    .metrics
                    .add(&metric::PUBLISHED, &[purpose, job.severity.as_str()], 1);
                (Settlement::Sent, End::Done)
            }
            Published::NotYet => (Settlement::Released, End::Held("topic")),
            Published::Never(reason) => (Settlement::Released, End::Refused(reason)),
            // The claim stays: until its lease is over, the message counts as published.
            Published::Unknown => return End::Held("answer-lost"),
        };
        let request = self.request(&job.delivery);
        // Not cut off at the deadline: the margin behind it is for this.
        if let Err(error) = self.ports.claims.settle(&request, settlement).await {
            self.ports.metrics.add(&metric::UNMARKED, &[], 1);
            tracing::error!(error = %Causes(&error), key = request.key, ?settlement, "claim not settled");
        }
        end
    }
}

/// What the batch's records wait for: messages, and the safe keeping of what is set aside.
struct Ledger<'r, 'b> {
    records: &'r [UserRecord<'b>],
    messages_left: Vec<usize>,
    aside: BTreeMap<usize, SetAside>,
}

impl<'r, 'b> Ledger<'r, 'b> {
    fn of(records: &'r [UserRecord<'b>]) -> Self {
        Self {
            records,
            messages_left: vec![0; records.len()],
            aside: BTreeMap::new(),
        }
    }

    fn expect(&mut self, index: usize, messages: usize) {
        self.messages_left[index] = messages;
    }

    fn message_done(&mut self, index: usize) {
        self.messages_left[index] -= 1;
    }

    fn set_aside(&mut self, index: usize, reason: &str, cause: &dyn Display) {
        self.aside.insert(
            index,
            SetAside::user_record(&self.records[index], reason, cause),
        );
    }

    /// A record is done once its messages are, and its bytes are safe where they are set aside.
    async fn close<C, T, S: Shelf, K>(
        mut self,
        ports: &Ports<C, T, S, K>,
        batch: &Batch<'_>,
        deadline: Deadline,
    ) -> Outcomes {
        let mut outcomes = batch.outcomes();
        let mut basket = Basket::of(batch);
        for (index, record) in self.records.iter().enumerate() {
            // A record that still waits for a message comes again, and with it what is to be set aside.
            if self.messages_left[index] == 0 {
                match self.aside.remove(&index) {
                    Some(aside) => basket.add(record.parent, aside),
                    None => outcomes.done(record.parent),
                }
            }
        }
        let safe = basket
            .quarantine(&ports.shelf, &ports.metrics, deadline)
            .await;
        safe.into_iter().for_each(|parent| outcomes.done(parent));
        outcomes
    }
}
