//! The shelf of an invocation that brings records back: they still lie where they were set aside.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kinesis_batch::{Batch, Outcomes, UserRecord};
use lambda_function::metrics::{Metric, Metrics};

use crate::{Fate, Outcome, Redriven, Report, SetAside, Shelf, ShelfError};

/// Counts records that are brought back.
pub const REDRIVEN: Metric = Metric::count(
    "Redriven",
    &["outcome"],
    "records brought back after they were set aside or failed, by what became of them",
);

/// Notes what would be set aside a second time, and writes nothing.
#[derive(Debug, Default)]
pub struct Returned(Mutex<HashMap<Place, String>>);

/// Stream, shard, sequence number, place within an aggregate.
type Place = (String, String, String, Option<u64>);

impl Returned {
    /// What became of each of the batch's records, counted.
    pub fn report(&self, batch: &Batch<'_>, outcomes: &Outcomes, metrics: &Metrics) -> Report {
        let noted = self.noted();
        let malformed = batch.malformed().iter().map(|record| Redriven {
            record: record.parent,
            sequence_number: record.sequence_number.map(str::to_owned),
            sub_sequence_number: None,
            outcome: Outcome::Unreadable,
            reason: Some(record.reason.as_str().to_owned()),
            events: 0,
        });
        let readable = batch.user_records().map(|record| {
            let reason = noted.get(&place(record)).cloned();
            Redriven {
                record: record.parent,
                sequence_number: Some(record.sequence_number.to_owned()),
                sub_sequence_number: record.sub_sequence_number,
                outcome: match reason {
                    Some(_) => Outcome::Unreadable,
                    None if outcomes.is_done(record.parent) => Outcome::Done,
                    None => Outcome::Failed,
                },
                reason,
                events: 0,
            }
        });
        let mut redriven: Vec<_> = malformed.chain(readable).collect();
        redriven.sort_by_key(|one| one.record);
        for one in &redriven {
            metrics.add(&REDRIVEN, &[one.outcome.as_str()], 1);
        }
        Report {
            response: outcomes.response(),
            redriven,
        }
    }

    fn noted(&self) -> MutexGuard<'_, HashMap<Place, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf for Returned {
    const COUNTED: bool = false;

    async fn put(&self, _: Fate, records: &[SetAside]) -> Result<(), ShelfError> {
        self.noted().extend(records.iter().map(|record| {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            let place = (
                text(&record.stream),
                text(&record.shard),
                text(&record.sequence_number),
                record.sub_sequence_number,
            );
            (place, record.reason.clone())
        }));
        Ok(())
    }
}

fn place(record: &UserRecord<'_>) -> Place {
    (
        record.stream_arn.to_owned(),
        record.shard.to_owned(),
        record.sequence_number.to_owned(),
        record.sub_sequence_number,
    )
}

#[cfg(test)]
mod tests {
    use kinesis_batch::envelope::{Event, Record, write_user_record};
    use lambda_function::deadline::Deadline;
    use std::time::Duration;

    use super::*;
    use crate::Basket;

    fn body() -> Vec<u8> {
        let mut event = Event::redrive();
        for (number, place) in [("1", None), ("2", Some(0)), ("2", Some(1))] {
            let record = Record {
                source_arn: "arn:aws:kinesis:us-east-2:123456789012:stream/events",
                region: "us-east-2",
                role_arn: "arn:aws:iam::123456789012:role/andon",
                shard: "shardId-000000000000",
                sequence_number: number,
                partition_key: "a",
                data: b"x",
                arrived_ms: 0,
            };
            let mut json = Vec::new();
            write_user_record(&mut json, &record, place);
            event.push_json(&json);
        }
        event.push_json(b"7");
        event.finish()
    }

    #[tokio::test(start_paused = true)]
    async fn each_record_has_its_outcome_and_nothing_is_set_aside_anew() {
        let (body, mut buffer) = (body(), Vec::new());
        let batch = Batch::decode(&body, &mut buffer).unwrap();
        let (metrics, captured) = Metrics::captured();
        let mut outcomes = batch.outcomes();
        let (mut aside, shelf) = (Basket::of(&batch), Returned::default());
        let records = batch.user_records().as_slice();
        outcomes.done(records[0].parent);
        let unreadable = SetAside::user_record(&records[1], "not-an-event", "");
        aside.add(records[1].parent, unreadable);
        let deadline = Deadline::after(Duration::from_secs(1));
        let safe = aside.quarantine(&shelf, &metrics, deadline).await;
        safe.into_iter().for_each(|parent| outcomes.done(parent));
        let report = shelf.report(&batch, &outcomes, &metrics);
        let told: Vec<_> = report
            .redriven
            .iter()
            .map(|one| (one.record, one.outcome, one.reason.as_deref()))
            .collect();
        let expected = [
            (0, Outcome::Done, None),
            (1, Outcome::Unreadable, Some("not-an-event")),
            (2, Outcome::Failed, None),
            (3, Outcome::Unreadable, Some("not-an-object")),
        ];
        assert_eq!(told, expected);
        assert_eq!(report.response.checkpoint(), Some("2"));
        metrics.flush();
        assert_eq!(captured.total("Quarantined", &[]), 0.0);
        assert_eq!(
            captured.total("Redriven", &[("outcome", "unreadable")]),
            2.0
        );
    }
}
