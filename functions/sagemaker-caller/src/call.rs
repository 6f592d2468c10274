//! One micro-batch: asked, asked again, halved, until every row has a verdict or is held.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use control_plan::Model;
use lambda_function::Causes;
use lambda_function::backoff::Backoff;
use lambda_function::clock::Clock;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::Metrics;
use tokio::time::Instant;

use crate::answer::scores;
use crate::breaker::{Admission, Breaker};
use crate::config::{Policy, WhenOpen};
use crate::endpoint::{Endpoint, Fate};
use crate::event::Verdict;
use crate::metric;
use crate::request::Form;

const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Refusals in one micro-batch after which what is left of it passes together: a model that is at odds with the plan
/// refuses every row, and finding that out one by one would take two calls for each.
pub const MOST_REFUSALS: usize = 40;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// Its event can be published.
    Said(Verdict),
    /// A later delivery asks again; the reason is a metric's dimension.
    Held(&'static str),
}

/// What asking takes.
pub struct Asker<'a, E, K> {
    /// Who is asked.
    pub endpoint: &'a E,
    /// The time of day.
    pub clock: &'a K,
    /// Whether the endpoint may be called.
    pub breaker: &'a Mutex<Breaker>,
    /// What is counted.
    pub metrics: &'a Metrics,
    /// How it is asked.
    pub policy: &'a Policy,
    /// What its answers mean.
    pub model: &'a Model,
    /// Until when.
    pub deadline: Deadline,
}

/// How an attempt ended.
enum Tried {
    Scores(Vec<f64>),
    Failed(&'static str),
    Throttled,
    Refused,
    Open,
    NoTime,
}

impl<E: Endpoint, K: Clock> Asker<'_, E, K> {
    /// What became of each of the rows, in their order.
    pub async fn ask(&self, rows: &[&str]) -> Vec<Outcome> {
        let mut outcomes = vec![Outcome::Held("deadline"); rows.len()];
        let mut refusals = 0;
        let mut parts: Vec<_> = std::iter::once(0..rows.len()).collect();
        while let Some(part) = parts.pop() {
            let tried = self.attempts(&rows[part.clone()]).await;
            let of_all = match tried {
                Tried::Scores(scores) => {
                    for (row, score) in part.zip(scores) {
                        outcomes[row] = Outcome::Said(match score.is_nan() {
                            true => Verdict::None("not-a-number"),
                            false => Verdict::Score(score),
                        });
                    }
                    continue;
                }
                Tried::Refused => {
                    refusals += 1;
                    if part.len() > 1 && refusals < MOST_REFUSALS {
                        let middle = part.start + part.len() / 2;
                        parts.extend([middle..part.end, part.start..middle]);
                        continue;
                    }
                    Outcome::Said(Verdict::None("refused-by-model"))
                }
                Tried::Open => match self.policy.when_open {
                    WhenOpen::Pass => Outcome::Said(Verdict::None("breaker-open")),
                    WhenOpen::Hold => Outcome::Held("breaker-open"),
                },
                Tried::Failed(reason) => Outcome::Held(reason),
                Tried::Throttled => Outcome::Held("throttled"),
                Tried::NoTime => Outcome::Held("deadline"),
            };
            outcomes[part].fill(of_all);
        }
        outcomes
    }

    /// Asks until something is known, the attempts are used up or time is.
    async fn attempts(&self, rows: &[&str]) -> Tried {
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        let mut attempt = 1;
        loop {
            let tried = self.attempt(rows).await;
            let again = matches!(tried, Tried::Failed(_) | Tried::Throttled);
            if !again || attempt >= self.policy.attempts {
                return tried;
            }
            attempt += 1;
            if backoff.wait(self.deadline).await.is_err() {
                return tried;
            }
        }
    }

    async fn attempt(&self, rows: &[&str]) -> Tried {
        if self.deadline.is_past() {
            return Tried::NoTime;
        }
        let admission = self.breaker().admit(self.clock.now_ms());
        if admission == Admission::Rejected {
            return Tried::Open;
        }
        let probe = Probe {
            asker: self,
            admission,
            told: false,
        };
        let (request, answer) = (self.model.request(), self.model.answer());
        let body = Form::of(request).body(rows.iter().copied());
        let began = Instant::now();
        let limit = self.deadline.within(self.policy.call_timeout);
        // A call that the deadline cuts off says something about the endpoint only if it had time enough to answer.
        let had_time = self.deadline.leaves(self.policy.call_timeout / 2);
        let call = self.endpoint.invoke(body, request, answer.content_type);
        let answered = match limit.run(call).await {
            Ok(answered) => answered,
            Err(_) if !had_time => {
                self.count("deadline");
                return Tried::NoTime;
            }
            Err(_) => return probe.failed("late", "no answer within CALL_TIMEOUT"),
        };
        let answered = match answered {
            Ok(answered) => answered,
            Err(error) => {
                let told = Causes(&error).to_string();
                return match error.fate {
                    // Both are answers of an endpoint that is there.
                    Fate::Throttled => {
                        probe.succeeded("throttled");
                        Tried::Throttled
                    }
                    Fate::Refused => {
                        probe.succeeded("refused-by-model");
                        Tried::Refused
                    }
                    Fate::Passing | Fate::Setup => probe.failed(error.fate.as_str(), &told),
                };
            }
        };
        match scores(answer, &answered.body, rows.len()) {
            Ok(scores) => {
                let latency_ms = began.elapsed().as_secs_f64() * 1_000.0;
                let variant = [answered.variant.as_str()];
                self.metrics.record(&metric::LATENCY, &variant, latency_ms);
                let scored = scores.iter().filter(|score| !score.is_nan()).count();
                self.metrics.add(&metric::SCORED, &variant, scored);
                probe.succeeded("answered");
                Tried::Scores(scores)
            }
            Err(bad) => probe.failed("bad-answer", &bad.to_string()),
        }
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, outcome: &str) {
        self.metrics.add(&metric::CALLS, &[outcome], 1);
    }
}

/// A call that the breaker has admitted. Dropped before it told how the call ended (cut off at the deadline), it makes
/// room for another probe.
struct Probe<'a, E, K: Clock> {
    asker: &'a Asker<'a, E, K>,
    admission: Admission,
    told: bool,
}

impl<E: Endpoint, K: Clock> Probe<'_, E, K> {
    fn succeeded(mut self, outcome: &str) {
        self.told = true;
        self.asker.count(outcome);
        if self.asker.breaker().succeeded() {
            self.asker.metrics.add(&metric::BREAKER, &["closed"], 1);
            tracing::info!("the endpoint answers again");
        }
    }

    fn failed(mut self, outcome: &'static str, error: &str) -> Tried {
        self.told = true;
        self.asker.count(outcome);
        tracing::warn!(error, outcome, "call of the endpoint failed");
        let now_ms = self.asker.clock.now_ms();
        if self.asker.breaker().failed(self.admission, now_ms) {
            self.asker.metrics.add(&metric::BREAKER, &["open"], 1);
            tracing::error!("the endpoint keeps failing and is left alone for BREAKER_PAUSE");
        }
        Tried::Failed(outcome)
    }
}

impl<E, K: Clock> Drop for Probe<'_, E, K> {
    fn drop(&mut self) {
        if !self.told {
            let mut breaker = self
                .asker
                .breaker
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            breaker.abandoned(self.admission, self.asker.clock.now_ms());
        }
    }
}
