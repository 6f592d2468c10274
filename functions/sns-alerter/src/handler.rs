//! Alerts for one batch: decide, claim, publish, settle, checkpoint.

use std::collections::BTreeMap;

use kinesis_batch::{Batch, Outcomes, UserRecord};
use lambda_function::Causes;
use lambda_function::clock::Clock;
use lambda_function::deadline::Deadline;
use lambda_function::metrics::UNFINISHED;
use quality_event::QualityEvent;
use set_aside::{Basket, SetAside, Shelf};

use crate::alert::{Purpose, deliveries, has_expired_stop};
use crate::claim::Claims;
use crate::config::Policy;
use crate::courier::Courier;
use crate::job::{End, Jobs};
use crate::metric;
use crate::ports::Ports;
use crate::topic::Topic;

/// Never fails as a whole: the stream resumes at the first record that is not done. `request_id` names this
/// invocation and no other. For events that are brought back nothing is different: their claims tell what was said.
pub async fn handle<C: Claims, T: Topic, S: Shelf, K: Clock>(
    policy: &Policy,
    ports: &Ports<C, T, S, K>,
    batch: &Batch<'_>,
    request_id: &str,
    deadline: Deadline,
) -> Outcomes {
    let records = batch.user_records().as_slice();
    let mut ledger = Ledger::of(records);
    let mut unreadable = Basket::of(batch);
    let mut jobs = Jobs::default();
    for (index, record) in records.iter().enumerate() {
        let event = match QualityEvent::from_json(record.data) {
            Ok(event) => event,
            Err(malformed) => {
                let aside = SetAside::user_record(record, "not-an-event", &Causes(&malformed));
                unreadable.add(record.parent, aside);
                continue;
            }
        };
        match deliveries(&event, policy, ports.clock.now_ms()) {
            Err(reason) => {
                ports
                    .metrics
                    .add(&metric::SUPPRESSED, &[Purpose::Alert.as_str(), reason], 1);
                ledger.expect(index, 0);
            }
            Ok(deliveries) => {
                if has_expired_stop(&event, &deliveries) {
                    let purpose = Purpose::LineStop.as_str();
                    ports
                        .metrics
                        .add(&metric::SUPPRESSED, &[purpose, "expired"], 1);
                }
                ledger.expect(index, deliveries.len());
                deliveries
                    .into_iter()
                    .for_each(|delivery| jobs.add(delivery, &event, index));
            }
        }
    }

    let jobs = jobs.finish();
    let courier = Courier::new(policy, ports, request_id, deadline);
    // Side by side: bad bytes are safe at once, whatever the messages wait for.
    let (safe, ends) = tokio::join!(
        unreadable.quarantine(&ports.shelf, &ports.metrics, deadline),
        courier.deliver(&jobs)
    );
    for (job, end) in jobs.iter().zip(ends) {
        match end {
            End::Done => job
                .records
                .iter()
                .for_each(|index| ledger.message_done(*index)),
            End::Refused(reason) => {
                for index in &job.records {
                    ledger.message_done(*index);
                    ledger.set_aside(*index, &reason);
                }
            }
            End::Held(reason) => ports.metrics.add(&metric::HELD, &[reason], 1),
        }
    }
    let (done, refused) = ledger.close();
    let refused = refused
        .quarantine(&ports.shelf, &ports.metrics, deadline)
        .await;
    let mut outcomes = batch.outcomes();
    let all_done = safe.into_iter().chain(done).chain(refused);
    all_done.for_each(|parent| outcomes.done(parent));
    ports.metrics.add(&UNFINISHED, &[], outcomes.unfinished());
    tracing::info!(
        records = batch.len(),
        messages = jobs.len(),
        unfinished = outcomes.unfinished(),
        "batch alerted"
    );
    outcomes
}

/// What the batch's user records wait for: so many messages, and the safe keeping of what a topic refuses.
struct Ledger<'r, 'b> {
    records: &'r [UserRecord<'b>],
    /// None for a record that is no event: it waits for quarantine alone.
    messages_left: Vec<Option<usize>>,
    refused: BTreeMap<usize, SetAside>,
}

impl<'r, 'b> Ledger<'r, 'b> {
    fn of(records: &'r [UserRecord<'b>]) -> Self {
        let messages_left = vec![None; records.len()];
        Self {
            records,
            messages_left,
            refused: BTreeMap::new(),
        }
    }

    fn expect(&mut self, index: usize, messages: usize) {
        self.messages_left[index] = Some(messages);
    }

    fn message_done(&mut self, index: usize) {
        self.messages_left[index] = self.messages_left[index].map(|left| left.saturating_sub(1));
    }

    fn set_aside(&mut self, index: usize, reason: &str) {
        let record = SetAside::user_record(&self.records[index], "refused-by-topic", reason);
        self.refused.insert(index, record);
    }

    /// The batch's records that are done, and those that are once they are set aside. A record that still waits for a
    /// message comes again, and with it what is to be set aside.
    fn close(mut self) -> (Vec<usize>, Basket) {
        let mut done = Vec::new();
        let mut refused = Basket::default();
        for (index, record) in self.records.iter().enumerate() {
            if self.messages_left[index] == Some(0) {
                match self.refused.remove(&index) {
                    Some(record_aside) => refused.add(record.parent, record_aside),
                    None => done.push(record.parent),
                }
            }
        }
        (done, refused)
    }
}
