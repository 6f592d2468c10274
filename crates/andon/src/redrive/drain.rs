//! The failure queue, message by message: a message is deleted once all that it points to has come back.

use std::collections::BTreeSet;
use std::time::Duration;

use super::held::Held;
use super::invocation_record::Pointer;
use super::invoker::Invoker;
use super::outcome::{Became, Told};
use super::queue::{Message, Queue};
use super::redriver::Redriver;
use super::report::Report;
use super::stretch::read_back;
use crate::failure::Failure;

/// A message is another's again after this: longer than its batch takes.
const HIDDEN: Duration = Duration::from_secs(900);
/// The same where nothing is done with it.
const HIDDEN_FOR_A_LOOK: Duration = Duration::from_secs(60);

impl<I: Invoker> Redriver<'_, I> {
    /// Brings back what the messages of a queue point to, and deletes those whose records have all come back. Gives
    /// the number of messages.
    pub async fn queue(
        &self,
        queue: &Queue,
        streams: &aws_sdk_kinesis::Client,
        wanted: impl Fn(&str) -> bool,
        report: &mut Report,
    ) -> Result<usize, Failure> {
        let hidden = match self.options.execute {
            true => HIDDEN,
            false => HIDDEN_FOR_A_LOOK,
        };
        let mut seen = BTreeSet::new();
        loop {
            let messages = queue.receive(hidden).await?;
            // Once more the same: what is left of the queue has been tried.
            if !messages.iter().any(|message| !seen.contains(&message.id)) {
                return Ok(seen.len());
            }
            for message in messages {
                if !seen.insert(message.id.clone()) {
                    continue;
                }
                let before = report.records.len();
                self.message(&message, streams, &wanted, report).await?;
                let told = &report.records[before..];
                if self.options.execute
                    && !told.is_empty()
                    && told.iter().all(|told| told.outcome.is_good())
                {
                    queue.delete(&message).await?;
                }
            }
        }
    }

    async fn message(
        &self,
        message: &Message,
        streams: &aws_sdk_kinesis::Client,
        wanted: impl Fn(&str) -> bool,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let from = format!("message {}", message.id);
        let record = match &message.record {
            Ok(record) if !wanted(&record.function) => return Ok(()),
            Ok(record) => record,
            Err(error) => {
                let told = Told::lost(Became::Failed, None, &from, error.to_string());
                report.records.push(told);
                return Ok(());
            }
        };
        let function = || Some(record.function.clone());
        let Some(pointer) = &record.batch else {
            let reason = "it points to no batch of a stream".to_owned();
            let told = Told::lost(Became::Failed, function(), &from, reason);
            report.records.push(told);
            return Ok(());
        };
        let held = match read_back(streams, record, pointer, &from).await {
            // This message's fault: the others have nothing to do with it.
            Err(failure) if failure.is_input() => {
                let told = Told::lost(Became::Failed, function(), &from, failure.to_string());
                report.records.push(told);
                return Ok(());
            }
            held => held?,
        };
        let gone = gone(pointer, &held);
        self.bring_back(held, false, report).await?;
        if gone > 0 {
            let reason = format!(
                "no longer on {} ({} to {})",
                pointer.shard_id, pointer.start_sequence_number, pointer.end_sequence_number
            );
            report.records.push(Told {
                records: gone,
                ..Told::lost(Became::Gone, function(), &from, reason)
            });
        }
        Ok(())
    }
}

/// How many of the batch's records the stream has no longer, as far as can be told. The number read says little where
/// other batches' records lie between them (a parallelization factor above 1), but a stream loses its oldest records
/// first: while both ends of the batch are there, all of it is, and where one is missing, at least that is gone.
fn gone(pointer: &Pointer, held: &[Held]) -> usize {
    let number = |held: Option<&Held>| held?.record.sequence_number.clone();
    let is_whole = number(held.first()).as_ref() == Some(&pointer.start_sequence_number)
        && number(held.last()).as_ref() == Some(&pointer.end_sequence_number);
    let missing = pointer.batch_size.saturating_sub(held.len());
    missing.max(usize::from(!is_whole))
}

#[cfg(test)]
mod tests {
    use aws_sdk_kinesis::Client;
    use fake_aws::World;
    use lambda_function::clock::FixedClock;
    use serde_json::json;

    use super::*;
    use crate::redrive::invocation_record::tests::documented;
    use crate::redrive::place::Functions;
    use crate::redrive::redriver::Options;
    use crate::redrive::redriver::tests::{EXECUTE, Scripted};

    /// A stream of one shard with five records, and a queue.
    fn world() -> (World, String) {
        let world = World::default();
        world.create_stream("readings", 1);
        for _ in 0..5 {
            world.put_record("readings", "press-07", &b"{}"[..]);
        }
        let url = world.create_queue("failed");
        (world, url)
    }

    /// What Lambda would put on the queue for so many records from `from` on.
    fn pointer(world: &World, from: usize, records: usize) -> String {
        let stored = world.records("readings");
        let last = (from + records).min(stored.len()) - 1;
        let mut message = documented();
        let batch = &mut message["KinesisBatchInfo"];
        batch["shardId"] = json!(stored[0].shard);
        batch["startSequenceNumber"] = json!(stored[from].sequence_number);
        batch["endSequenceNumber"] = json!(stored[last].sequence_number);
        batch["batchSize"] = json!(records);
        message.to_string()
    }

    async fn send(world: &World, url: &str, message: String) {
        let client = aws_sdk_sqs::Client::new(&world.sdk_config());
        let send = client.send_message().queue_url(url).message_body(message);
        send.send().await.unwrap();
    }

    async fn run(world: &World, url: &str, invoker: &Scripted, options: Options) -> Report {
        let redriver = Redriver {
            bucket: None,
            functions: &Functions::AsNamed,
            invoker,
            clock: &FixedClock::at(0),
            options,
        };
        let queue = Queue::new(aws_sdk_sqs::Client::new(&world.sdk_config()), url);
        let streams = Client::new(&world.sdk_config());
        let mut report = Report::default();
        let wanted = |function: &str| function == "andon-quality-evaluator";
        let messages = redriver.queue(&queue, &streams, wanted, &mut report).await;
        messages.unwrap();
        report
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_goes_when_its_records_have_come_back() {
        let (world, url) = world();
        send(&world, &url, pointer(&world, 1, 3)).await;
        let invoker = Scripted::new("judged");
        let report = run(&world, &url, &invoker, EXECUTE).await;
        assert_eq!(report.sum(), [(Became::Judged, 3)].into());
        let numbers: Vec<_> = world.records("readings")[1..4]
            .iter()
            .map(|record| record.sequence_number.clone())
            .collect();
        assert_eq!(*invoker.calls.lock().unwrap(), [numbers]);
        assert!(world.messages(&url).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_dry_run_leaves_the_message() {
        let (world, url) = world();
        send(&world, &url, pointer(&world, 0, 5)).await;
        let invoker = Scripted::new("judged");
        let report = run(&world, &url, &invoker, Options::default()).await;
        assert_eq!(report.calls[0].records, 5);
        assert!(invoker.calls.lock().unwrap().is_empty());
        assert_eq!(world.messages(&url).len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_stays_while_anything_of_it_is_missing() {
        let (world, url) = world();
        let invoker = Scripted::new("failed");
        send(&world, &url, pointer(&world, 0, 2)).await;
        let report = run(&world, &url, &invoker, EXECUTE).await;
        assert_eq!(report.sum(), [(Became::Failed, 2)].into());
        assert_eq!(world.messages(&url).len(), 1);
        send(&world, &url, pointer(&world, 3, 4)).await;
        send(&world, &url, "junk".to_owned()).await;
        let mut nowhere: serde_json::Value = serde_json::from_str(&pointer(&world, 0, 1)).unwrap();
        nowhere["KinesisBatchInfo"]["startSequenceNumber"] = json!("none");
        send(&world, &url, nowhere.to_string()).await;
        invoker.say("judged");
        let report = run(&world, &url, &invoker, EXECUTE).await;
        let sum = [(Became::Judged, 2), (Became::Gone, 2), (Became::Failed, 2)];
        assert_eq!(report.sum(), sum.into());
        assert_eq!(world.messages(&url).len(), 4);
    }

    /// Two of a batch's records and two of another batch's between them, as with a parallelization factor of 2.
    #[tokio::test(start_paused = true)]
    async fn others_records_do_not_stand_in_for_those_that_are_gone() {
        let (world, url) = world();
        let whole = pointer(&world, 1, 4).replace("\"batchSize\":4", "\"batchSize\":2");
        let mut trimmed: serde_json::Value = serde_json::from_str(&whole).unwrap();
        trimmed["KinesisBatchInfo"]["startSequenceNumber"] = json!("1");
        for (message, expected, left) in [
            (whole, vec![(Became::Judged, 4)], 0),
            (
                trimmed.to_string(),
                vec![(Became::Judged, 5), (Became::Gone, 1)],
                1,
            ),
        ] {
            send(&world, &url, message).await;
            let report = run(&world, &url, &Scripted::new("judged"), EXECUTE).await;
            assert_eq!(report.sum(), expected.into_iter().collect());
            assert_eq!(world.messages(&url).len(), left);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn others_messages_are_left_alone() {
        let (world, url) = world();
        let other = pointer(&world, 0, 2).replace("quality-evaluator", "sns-alerter");
        send(&world, &url, other).await;
        let invoker = Scripted::new("done");
        let report = run(&world, &url, &invoker, EXECUTE).await;
        assert!(report.records.is_empty() && invoker.calls.lock().unwrap().is_empty());
        assert_eq!(world.messages(&url).len(), 1);
    }
}
