//! Scores one batch: decide for every record, ask in micro-batches, publish, checkpoint.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use control_plan::{ControlPlan, Model};
use function_ports::{Entry, Outbox, publish};
use futures_util::{StreamExt, stream};
use kinesis_batch::{Batch, Outcomes};
use lambda_function::CallLimits;
use lambda_function::clock::Clock;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::{Metrics, UNFINISHED};

use crate::breaker::Breaker;
use crate::call::{Asker, Outcome};
use crate::config::Policy;
use crate::decide::{Action, decide};
use crate::endpoint::Endpoint;
use crate::event::{Asked, Verdict, event};
use crate::metric;
use crate::request::Form;

/// Kept back from asking, for publishing what is known; at most a third of what is left.
const PUBLISHING_TIME: Duration = Duration::from_secs(3);

/// What the handler acts through.
pub struct Ports<E, O, K> {
    /// Who is asked.
    pub endpoint: E,
    /// Where quality events go.
    pub outbox: O,
    /// The time of day.
    pub clock: K,
    /// Whether the endpoint may be called.
    pub breaker: Mutex<Breaker>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// Never fails as a whole: the stream resumes at the first record that is not done.
pub async fn handle<E: Endpoint, O: Outbox, K: Clock>(
    plan: &ControlPlan,
    policy: &Policy,
    ports: &Ports<E, O, K>,
    batch: &Batch<'_>,
    deadline: Deadline,
) -> Outcomes {
    let mut outcomes = batch.outcomes();
    for record in batch.malformed() {
        skip(&ports.metrics, record.reason.as_str());
        outcomes.done(record.parent);
    }
    let Some(model) = plan.model() else {
        for record in batch.user_records() {
            skip(&ports.metrics, "no-model");
            outcomes.done(record.parent);
        }
        return outcomes;
    };
    let now_ms = ports.clock.now_ms();
    let mut said: Vec<(usize, Asked, Verdict)> = Vec::new();
    let mut open: Vec<(usize, Asked, String)> = Vec::new();
    for record in batch.user_records() {
        match decide(
            plan,
            model,
            record,
            batch.is_redrive(),
            policy.max_age,
            now_ms,
        ) {
            Action::Ask(asked, row) => open.push((record.parent, asked, row)),
            Action::Pass(asked, reason) => said.push((record.parent, asked, Verdict::None(reason))),
            Action::Skip(reason) => {
                skip(&ports.metrics, reason);
                outcomes.done(record.parent);
            }
        }
    }
    let asked_about = open.len();
    let verdicts = ask_all(model, policy, ports, &open, deadline).await;
    for ((parent, asked, _), outcome) in open.into_iter().zip(verdicts) {
        match outcome {
            Outcome::Said(verdict) => said.push((parent, asked, verdict)),
            Outcome::Held(reason) => ports.metrics.add(&metric::HELD, &[reason], 1),
        }
    }

    let mut parents = Vec::with_capacity(said.len());
    let entries = said.into_iter().map(|(parent, asked, verdict)| {
        parents.push((parent, verdict));
        let event = event(plan, model, asked, verdict);
        (parents.len() - 1, Entry::of(&event))
    });
    let entries = entries.collect();
    let left = publish(&ports.outbox, entries, deadline).await;
    for (place, (parent, verdict)) in parents.iter().enumerate() {
        if left.contains(&place) {
            ports.metrics.add(&metric::HELD, &["publish"], 1);
            continue;
        }
        outcomes.done(*parent);
        match verdict {
            Verdict::None(reason) => ports.metrics.add(&metric::UNSCORED, &[reason], 1),
            Verdict::Score(score) => {
                if let Some(threshold) = model.reached(*score) {
                    let severity = threshold.severity.as_str();
                    ports.metrics.add(&metric::FLAGGED, &[severity], 1);
                }
            }
        }
    }
    ports.metrics.add(&UNFINISHED, &[], outcomes.unfinished());
    tracing::info!(
        records = batch.len(),
        asked = asked_about,
        unfinished = outcomes.unfinished(),
        plan = plan.hash(),
        "batch scored"
    );
    outcomes
}

fn skip(metrics: &Metrics, reason: &str) {
    metrics.add(&metric::SKIPPED, &[reason], 1);
}

/// What became of each row, in their order.
async fn ask_all<E: Endpoint, O, K: Clock>(
    model: &Model,
    policy: &Policy,
    ports: &Ports<E, O, K>,
    open: &[(usize, Asked, String)],
    deadline: Deadline,
) -> Vec<Outcome> {
    let left = deadline.remaining();
    let asker = Asker {
        endpoint: &ports.endpoint,
        clock: &ports.clock,
        breaker: &ports.breaker,
        metrics: &ports.metrics,
        policy,
        model,
        deadline: deadline.within(left - PUBLISHING_TIME.min(left / 3)),
    };
    let (around, between) = Form::of(model.request()).weights();
    let limits = CallLimits {
        bytes: policy.limits.bytes.saturating_sub(around),
        ..policy.limits
    };
    let rows: Vec<&str> = open.iter().map(|(_, _, row)| row.as_str()).collect();
    let calls = limits.cut(&rows, |row| row.len() + between);
    let answers: Vec<Vec<Outcome>> = stream::iter(calls)
        .map(|rows| asker.ask(rows))
        .buffered(policy.concurrent_calls)
        .collect()
        .await;
    answers.into_iter().flatten().collect()
}
