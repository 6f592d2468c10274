//! Claims, publishes and settles the messages of one batch.
//!
//! Every step is bounded, so that what hangs holds back its own messages alone: claims end after [`CLAIMING`],
//! publishing after [`PUBLISHING`], and each claim is settled as soon as its message's fate is known.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use lambda_function::Causes;
use lambda_function::backoff::Backoff;
use lambda_function::clock::Clock;
use lambda_function::deadline::Deadline;

use crate::alert::Purpose;
use crate::claim::{Claimed, Claims, Request, Settlement};
use crate::config::Policy;
use crate::job::{End, Job};
use crate::metric;
use crate::ports::Ports;
use crate::topic::{Effect, LIMITS, Message, Topic};

const CONCURRENT_CALLS: usize = 16;
const CLAIM_ATTEMPTS: usize = 3;
const CLAIMING: Duration = Duration::from_secs(5);
const PUBLISHING: Duration = Duration::from_secs(10);
const FIRST_WAIT: Duration = Duration::from_millis(25);
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// How long settling may take: so long even past the deadline, where the margin allows for it.
const SETTLING: (Duration, Duration) = (Duration::from_millis(600), Duration::from_secs(3));

/// Delivers for one invocation.
pub struct Courier<'a, C, T, S, K> {
    policy: &'a Policy,
    ports: &'a Ports<C, T, S, K>,
    owner: String,
    deadline: Deadline,
}

/// A claim's answer, or why there is none: a metric's dimension.
type Answered = Result<Claimed, &'static str>;

impl<'a, C: Claims, T: Topic, S, K: Clock> Courier<'a, C, T, S, K> {
    /// A courier whose claims `request_id` and the time of day tell from those of any other.
    pub fn new(
        policy: &'a Policy,
        ports: &'a Ports<C, T, S, K>,
        request_id: &str,
        deadline: Deadline,
    ) -> Self {
        let owner = format!("{request_id}/{}", ports.clock.now_ms());
        Self {
            policy,
            ports,
            owner,
            deadline,
        }
    }

    /// Tells how each message ended.
    pub async fn deliver(&self, jobs: &[Job]) -> Vec<End> {
        let claimed = self.claim_all(jobs).await;
        let answers = jobs.iter().zip(&claimed);
        let mut ends: Vec<_> = answers
            .map(|(job, answer)| self.without_publishing(job, *answer))
            .collect();
        let granted = |purpose: Purpose| -> Vec<usize> {
            let is_granted = |index: &usize| {
                let may_publish =
                    matches!(claimed[*index], Ok(Claimed::Granted | Claimed::TakenOver));
                may_publish && jobs[*index].delivery.purpose == purpose
            };
            (0..jobs.len()).filter(is_granted).collect()
        };
        // Side by side: neither topic waits for the other.
        let (stops, alerts) = tokio::join!(
            self.publish(&self.ports.line_stops, jobs, granted(Purpose::LineStop)),
            self.publish(&self.ports.alerts, jobs, granted(Purpose::Alert))
        );
        for (index, end) in stops.into_iter().chain(alerts) {
            ends[index] = end;
        }
        ends
    }

    /// Claims of one machine and rule one after the other, in stream order; of different ones side by side.
    async fn claim_all(&self, jobs: &[Job]) -> Vec<Answered> {
        let deadline = self.deadline.within(CLAIMING);
        let mut turns: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, job) in jobs.iter().enumerate() {
            turns.entry(&job.turn).or_default().push(index);
        }
        let turns = turns.into_values().map(async |turn| {
            let mut answers = Vec::with_capacity(turn.len());
            for index in turn {
                let answer = self.claim(&jobs[index], deadline).await;
                answers.push((index, answer));
                if answer.is_err() {
                    // What comes behind it in its turn is decided after it.
                    break;
                }
            }
            answers
        });
        let mut claimed = vec![Err("claim"); jobs.len()];
        for (index, answer) in stream::iter(turns)
            .buffer_unordered(CONCURRENT_CALLS)
            .concat()
            .await
        {
            claimed[index] = answer;
        }
        claimed
    }

    async fn claim(&self, job: &Job, deadline: Deadline) -> Answered {
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        let request = self.request(job);
        for _ in 0..CLAIM_ATTEMPTS {
            match deadline.run(self.ports.claims.claim(&request)).await {
                Ok(Ok(Claimed::TakenOver)) => {
                    self.ports.metrics.add(&metric::TAKEN_OVER, &[], 1);
                    return Ok(Claimed::TakenOver);
                }
                Ok(Ok(claimed)) => return Ok(claimed),
                Ok(Err(error)) => {
                    tracing::warn!(error = %Causes(&error), key = request.key, "claim not decided");
                    if !error.passing || backoff.wait(deadline).await.is_err() {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        // It may have been granted all the same: nobody is to wait for it.
        self.settle(job, Settlement::Released).await;
        Err("claim")
    }

    fn request(&self, job: &Job) -> Request {
        let now_ms = self.ports.clock.now_ms();
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Request {
            key: job.delivery.key.clone(),
            owner: self.owner.clone(),
            now_ms,
            lease_until_ms: now_ms.saturating_add(millis(self.lease(job.delivery.purpose))),
            expires_at: now_ms
                .saturating_add(millis(self.policy.claim_ttl))
                .div_euclid(1_000),
            gate: job.delivery.gate.clone(),
        }
    }

    /// A stop's lease is short, so that a stop whose holder died is taken over before it expires: of stops, too many do
    /// no harm.
    fn lease(&self, purpose: Purpose) -> Duration {
        match purpose {
            Purpose::Alert => self.policy.lease,
            Purpose::LineStop => self.policy.lease.min(self.policy.line_stop_expiry / 4),
        }
    }

    fn without_publishing(&self, job: &Job, answer: Answered) -> End {
        match answer {
            Ok(Claimed::Settled) => {
                let purpose = job.delivery.purpose.as_str();
                self.ports
                    .metrics
                    .add(&metric::SUPPRESSED, &[purpose, "delivered-again"], 1);
                End::Done
            }
            Ok(Claimed::Suppressed(reason)) => {
                let purpose = job.delivery.purpose.as_str();
                self.ports
                    .metrics
                    .add(&metric::SUPPRESSED, &[purpose, reason], 1);
                End::Done
            }
            Ok(Claimed::Live) => End::Held("live-claim"),
            Ok(Claimed::Granted | Claimed::TakenOver) => End::Held("unpublished"),
            Err(reason) => End::Held(reason),
        }
    }

    /// Publishes and settles, call by call; what the topic does not take comes again after a wait.
    async fn publish(&self, topic: &T, jobs: &[Job], granted: Vec<usize>) -> Vec<(usize, End)> {
        let deadline = self.deadline.within(PUBLISHING);
        let mut ends = Vec::with_capacity(granted.len());
        let mut open = granted;
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        loop {
            let mut again = Vec::new();
            let mut calls: Vec<Vec<usize>> = LIMITS
                .cut(&open, |index| jobs[*index].delivery.message.bytes())
                .into_iter()
                .rev()
                .map(<[_]>::to_vec)
                .collect();
            while let Some(call) = calls.pop() {
                let (fates, halved) = self.call(topic, jobs, call, deadline).await;
                calls.extend(halved);
                let settled = fates
                    .into_iter()
                    .map(async |(index, fate)| (index, self.end(&jobs[index], fate).await));
                for (index, end) in stream::iter(settled)
                    .buffer_unordered(CONCURRENT_CALLS)
                    .collect::<Vec<_>>()
                    .await
                {
                    match end {
                        Some(end) => ends.push((index, end)),
                        None => again.push(index),
                    }
                }
            }
            open = again;
            if open.is_empty() || backoff.wait(deadline).await.is_err() {
                break;
            }
        }
        let released = open.into_iter().map(async |index| {
            self.settle(&jobs[index], Settlement::Released).await;
            (index, End::Held("topic"))
        });
        ends.extend(
            stream::iter(released)
                .buffer_unordered(CONCURRENT_CALLS)
                .collect::<Vec<_>>()
                .await,
        );
        ends
    }

    /// One call: the fates of its messages, or the calls that it is halved into.
    async fn call(
        &self,
        topic: &T,
        jobs: &[Job],
        call: Vec<usize>,
        deadline: Deadline,
    ) -> (Vec<(usize, Fate)>, Vec<Vec<usize>>) {
        let all = |fate: Fate| {
            call.iter()
                .map(|index| (*index, fate.clone()))
                .collect::<Vec<_>>()
        };
        let messages: Vec<&Message> = call
            .iter()
            .map(|index| &jobs[*index].delivery.message)
            .collect();
        if let [message] = messages[..]
            && message.bytes() > LIMITS.bytes
        {
            return (
                all(Fate::Never(format!(
                    "{} bytes: too large for its topic",
                    message.bytes()
                ))),
                Vec::new(),
            );
        }
        if deadline.is_past() {
            return (all(Fate::NotYet), Vec::new());
        }
        let refused = match deadline.run(topic.publish(&messages)).await {
            Ok(Ok(refused)) => refused,
            Ok(Err(error)) => {
                tracing::warn!(error = %Causes(&error), messages = call.len(), effect = ?error.effect, "not published");
                return match error.effect {
                    Effect::NoneYet => (all(Fate::NotYet), Vec::new()),
                    Effect::None => (all(Fate::NotNow), Vec::new()),
                    Effect::Unknown => (all(Fate::Unknown), Vec::new()),
                    Effect::Message if call.len() == 1 => {
                        (all(Fate::Never(Causes(&error).to_string())), Vec::new())
                    }
                    Effect::Message => {
                        let (one, other) = call.split_at(call.len() / 2);
                        (Vec::new(), vec![other.to_vec(), one.to_vec()])
                    }
                };
            }
            // The call was under way.
            Err(_) => return (all(Fate::Unknown), Vec::new()),
        };
        let mut fates: Vec<_> = all(Fate::Published);
        for refusal in refused {
            if let Some((_, fate)) = fates.get_mut(refusal.index) {
                *fate = if refusal.passing {
                    Fate::NotYet
                } else {
                    Fate::Never(refusal.reason)
                };
            }
        }
        (fates, Vec::new())
    }

    /// Settles the claim and tells how the message ended; none if it is to be tried again.
    async fn end(&self, job: &Job, fate: Fate) -> Option<End> {
        let purpose = job.delivery.purpose;
        match fate {
            Fate::Published => {
                self.ports.metrics.add(
                    &metric::PUBLISHED,
                    &[purpose.as_str(), job.severity.as_str()],
                    1,
                );
                self.settle(job, Settlement::Sent).await;
                Some(End::Done)
            }
            Fate::NotYet => None,
            // A stop that comes twice, with one id and one expiry, stops the line once; one that never comes does not.
            Fate::Unknown if purpose == Purpose::LineStop => None,
            // The claim stays: until its lease is over, the message counts as published.
            Fate::Unknown => Some(End::Held("answer-lost")),
            Fate::NotNow => {
                self.settle(job, Settlement::Released).await;
                Some(End::Held("topic"))
            }
            Fate::Never(reason) => {
                self.settle(job, Settlement::Released).await;
                Some(End::Refused(reason))
            }
        }
    }

    /// Tries for a while; what fails is counted, because the message may then be repeated.
    async fn settle(&self, job: &Job, settlement: Settlement) {
        let (least, most) = SETTLING;
        let limit = Deadline::after(most.min(self.deadline.remaining() / 2).max(least));
        let request = self.request(job);
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        loop {
            match limit
                .run(self.ports.claims.settle(&request, settlement))
                .await
            {
                Ok(Ok(())) => return,
                Ok(Err(error)) if error.passing && backoff.wait(limit).await.is_ok() => {}
                Ok(Err(error)) => {
                    tracing::error!(error = %Causes(&error), key = request.key, ?settlement, "claim not settled");
                    break;
                }
                Err(_) => {
                    tracing::error!(key = request.key, ?settlement, "claim not settled in time");
                    break;
                }
            }
        }
        if settlement == Settlement::Sent {
            self.ports.metrics.add(&metric::UNMARKED, &[], 1);
        }
    }
}

/// What became of a message in one call.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    /// The topic has it.
    Published,
    /// The topic does not have it, and may take it in a moment.
    NotYet,
    /// The topic does not have it, and would fare alike in a moment.
    NotNow,
    /// The topic will never take it.
    Never(String),
    /// It may or may not have it.
    Unknown,
}
