//! The failure queue, message by message: a message is deleted once all that it points to has come back.
//!
//! A record that its function finds unreadable lies nowhere but on the stream, and the message is all that leads to it.
//! Where it goes into a file, synced, it is set aside as what a function quarantines is, and for longer than the stream
//! would have it: the message has done its work, and is deleted if everything else in it is done. Without a file it stays.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use set_aside::SetAside;

use super::held::Held;
use super::invocation_record::Pointer;
use super::invoker::Invoker;
use super::lines_file::LinesFile;
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
/// A queue gives a message twice now and then. It is through only after so many answers in a row with nothing but messages
/// that have come again before.
const STALE_ANSWERS: usize = 3;

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
        self.drain(queue, streams, wanted, None, report).await
    }

    /// The same; what a function finds unreadable goes into `aside`, and no longer holds up its message there.
    pub(super) async fn drain(
        &self,
        queue: &Queue,
        streams: &aws_sdk_kinesis::Client,
        wanted: impl Fn(&str) -> bool,
        mut aside: Option<&mut LinesFile>,
        report: &mut Report,
    ) -> Result<usize, Failure> {
        let hidden = match self.options.execute {
            true => HIDDEN,
            false => HIDDEN_FOR_A_LOOK,
        };
        let mut received = Received::default();
        loop {
            let messages = queue.receive(hidden).await?;
            if received.is_through(&messages) {
                return Ok(received.settled.len());
            }
            for message in messages {
                let known = received.settled.get(&message.id).copied();
                let settled = match known {
                    Some(settled) => settled,
                    None => {
                        let aside = aside.as_deref_mut();
                        let settled = self.settle(&message, streams, &wanted, aside, report);
                        let settled = settled.await?;
                        received.settled.insert(message.id.clone(), settled);
                        settled
                    }
                };
                // Also one that came again all the same: it is freed by its last receipt alone.
                if settled {
                    queue.delete(&message).await?;
                }
            }
        }
    }

    /// Brings back what a message points to. True if it may go: every record is done, or unreadable and safe in `aside`.
    async fn settle(
        &self,
        message: &Message,
        streams: &aws_sdk_kinesis::Client,
        wanted: impl Fn(&str) -> bool,
        aside: Option<&mut LinesFile>,
        report: &mut Report,
    ) -> Result<bool, Failure> {
        let before = report.records.len();
        let held = self.message(message, streams, wanted, report).await?;
        let told = &report.records[before..];
        let mut safe = BTreeSet::new();
        if let Some(file) = aside {
            let unreadable = unreadable(&held, told);
            file.add(&unreadable)?;
            safe.extend(unreadable.iter().map(|one| place(&one.record)));
        }
        let is_settled = |one: &Told| {
            let is_safe = || safe.contains(&place_told(one));
            one.outcome.is_good() || (one.outcome == Became::Unreadable && is_safe())
        };
        Ok(self.options.execute && !told.is_empty() && told.iter().all(is_settled))
    }

    /// Brings back what a message points to; gives what was read back of it.
    async fn message(
        &self,
        message: &Message,
        streams: &aws_sdk_kinesis::Client,
        wanted: impl Fn(&str) -> bool,
        report: &mut Report,
    ) -> Result<Vec<Held>, Failure> {
        let from = format!("message {}", message.id);
        let record = match &message.record {
            Ok(record) if !wanted(&record.function) => return Ok(Vec::new()),
            Ok(record) => record,
            Err(error) => {
                let told = Told::lost(Became::Failed, None, &from, error.to_string());
                report.records.push(told);
                return Ok(Vec::new());
            }
        };
        let function = || Some(record.function.clone());
        let Some(pointer) = &record.batch else {
            let reason = "it points to no batch of a stream".to_owned();
            let told = Told::lost(Became::Failed, function(), &from, reason);
            report.records.push(told);
            return Ok(Vec::new());
        };
        let held = match read_back(streams, record, pointer, &from).await {
            // This message's fault: the others have nothing to do with it.
            Err(failure) if failure.is_input() => {
                let told = Told::lost(Became::Failed, function(), &from, failure.to_string());
                report.records.push(told);
                return Ok(Vec::new());
            }
            held => held?,
        };
        let gone = gone(pointer, &held);
        self.bring_back(held.clone(), false, report).await?;
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
        Ok(held)
    }
}

/// What a run has received of a queue.
#[derive(Debug, Default)]
struct Received {
    /// Whether a message may go, by its id.
    settled: BTreeMap<String, bool>,
    /// The messages that have come again since the last new one.
    again: BTreeSet<String>,
    /// The answers in a row that held no others.
    stale: usize,
}

impl Received {
    /// Whether the queue has nothing that has not been tried. Messages that come again, since their time has passed or a
    /// receipt was lost, may stand before others that never came.
    fn is_through(&mut self, messages: &[Message]) -> bool {
        let is_known = |message: &Message| self.settled.contains_key(&message.id);
        if !messages.iter().all(is_known) {
            self.again.clear();
            self.stale = 0;
            return false;
        }
        let before = self.again.len();
        self.again
            .extend(messages.iter().map(|message| message.id.clone()));
        self.stale = match self.again.len() > before {
            true => 0,
            false => self.stale + 1,
        };
        messages.is_empty() || self.stale >= STALE_ANSWERS
    }
}

/// Sequence number and place within an aggregate: what tells the records of a message apart.
type Place = (Option<String>, Option<u64>);

fn place(record: &SetAside) -> Place {
    (record.sequence_number.clone(), record.sub_sequence_number)
}

fn place_told(told: &Told) -> Place {
    (told.sequence_number.clone(), told.sub_sequence_number)
}

/// The records that a function found unreadable, each by itself and with the function's reason.
fn unreadable(held: &[Held], told: &[Told]) -> Vec<Held> {
    let unreadable = told
        .iter()
        .filter(|one| one.outcome == Became::Unreadable)
        .map(|one| (place_told(one), one.reason.as_deref()));
    let reasons: BTreeMap<Place, Option<&str>> = unreadable.collect();
    if reasons.is_empty() {
        return Vec::new();
    }
    let of_reason = |mut part: Held| {
        let reason = reasons.get(&place(&part.record))?;
        part.record.reason = reason.unwrap_or_default().to_owned();
        Some(part)
    };
    held.iter()
        .flat_map(Held::parts)
        .filter_map(of_reason)
        .collect()
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
    use kinesis_batch::aggregate::{Member, encode};
    use lambda_function::clock::FixedClock;
    use serde_json::json;
    use set_aside::Holds;

    use super::*;
    use crate::redrive::held::tests::parked;
    use crate::redrive::invocation_record::tests::documented;
    use crate::redrive::invoker::NoAnswer;
    use crate::redrive::place::Functions;
    use crate::redrive::redriver::Options;
    use crate::redrive::redriver::tests::{EXECUTE, Scripted};
    use crate::redrive::source::read_file;

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

    async fn run(world: &World, url: &str, invoker: &impl Invoker, options: Options) -> Report {
        drain(world, url, invoker, options, None).await
    }

    async fn drain(
        world: &World,
        url: &str,
        invoker: &impl Invoker,
        options: Options,
        aside: Option<&mut LinesFile>,
    ) -> Report {
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
        let drained = redriver.drain(&queue, &streams, wanted, aside, &mut report);
        drained.await.unwrap();
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
    async fn what_is_unreadable_goes_into_a_file_and_holds_up_its_message_no_longer() {
        let (world, url) = world();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fixed.ndjson");
        send(&world, &url, pointer(&world, 1, 2)).await;
        let invoker = Scripted::new("unreadable");
        run(&world, &url, &invoker, EXECUTE).await;
        assert_eq!(world.messages(&url).len(), 1, "nothing else leads to them");

        world.advance(HIDDEN);
        // Two of its records are gone.
        send(&world, &url, pointer(&world, 3, 4)).await;
        let mut file = LinesFile::create(&path).unwrap();
        let report = drain(&world, &url, &invoker, EXECUTE, Some(&mut file)).await;
        let sum = [(Became::Unreadable, 4), (Became::Gone, 2)];
        assert_eq!(report.sum(), sum.into());
        assert_eq!(world.messages(&url).len(), 1, "what has lost records");
        let held = read_file(&path).unwrap();
        let numbers = held.iter().map(|one| one.record.sequence_number.clone());
        let stored = world.records("readings");
        let expected = stored[1..]
            .iter()
            .map(|record| Some(record.sequence_number.clone()));
        assert!(numbers.eq(expected), "{held:?}");
        for one in held {
            assert_eq!(one.function.as_deref(), Some("andon-quality-evaluator"));
            assert_eq!(
                (one.record.holds, &one.record.data[..]),
                (Holds::Payload, &b"{}"[..])
            );
            one.ready().unwrap();
        }
    }

    #[test]
    fn of_an_aggregate_those_records_are_put_right_that_are_unreadable() {
        let member = |data| Member {
            partition_key: "press-07",
            explicit_hash_key: None,
            data,
        };
        let mut held = parked(1);
        held.record.data = encode([member(b"{}"), member(b"junk"), member(b"{}")]);
        let told = |place, outcome, reason: Option<&str>| Told {
            sub_sequence_number: Some(place),
            ..Told::of(&held, "f", outcome, reason.map(str::to_owned))
        };
        let told = [
            told(0, Became::Judged, None),
            told(1, Became::Unreadable, Some("not-json")),
            told(2, Became::Failed, None),
        ];
        let found = unreadable(&[held.clone(), parked(2)], &told);
        let [part] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(place(&part.record), (Some("4951".to_owned()), Some(1)));
        let SetAside { reason, data, .. } = &part.record;
        assert_eq!((reason.as_str(), &data[..]), ("not-json", &b"junk"[..]));
    }

    /// Answers after so long.
    struct Slow<'w> {
        world: &'w World,
        takes: Duration,
        answers: Scripted,
    }

    impl Invoker for Slow<'_> {
        async fn invoke(&self, function: &str, body: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
            self.world.advance(self.takes);
            self.answers.invoke(function, body).await
        }
    }

    /// When the first ten have been tried, the queue gives the same ten once more.
    #[tokio::test(start_paused = true)]
    async fn messages_that_come_again_do_not_hide_those_behind_them() {
        let (world, url) = world();
        for _ in 0..12 {
            send(&world, &url, pointer(&world, 0, 1)).await;
        }
        let invoker = Slow {
            world: &world,
            takes: HIDDEN / 9,
            answers: Scripted::new("failed"),
        };
        let report = run(&world, &url, &invoker, EXECUTE).await;
        assert_eq!(report.sum(), [(Became::Failed, 12)].into());
        assert_eq!(invoker.answers.calls.lock().unwrap().len(), 12);
        assert_eq!(world.messages(&url).len(), 12);
    }

    /// Somebody else receives the message in the meantime.
    struct Disturbed<'w> {
        world: &'w World,
        url: &'w str,
        answers: Scripted,
    }

    impl Invoker for Disturbed<'_> {
        async fn invoke(&self, function: &str, body: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
            self.world.advance(HIDDEN);
            let client = aws_sdk_sqs::Client::new(&self.world.sdk_config());
            let receive = client.receive_message().queue_url(self.url);
            receive.visibility_timeout(0).send().await.unwrap();
            self.answers.invoke(function, body).await
        }
    }

    /// The receipt that it was received with frees it no longer.
    #[tokio::test(start_paused = true)]
    async fn a_message_that_comes_again_once_its_records_are_back_goes_all_the_same() {
        let (world, url) = world();
        send(&world, &url, pointer(&world, 0, 2)).await;
        let invoker = Disturbed {
            world: &world,
            url: &url,
            answers: Scripted::new("judged"),
        };
        let report = run(&world, &url, &invoker, EXECUTE).await;
        assert_eq!(report.sum(), [(Became::Judged, 2)].into());
        assert_eq!(invoker.answers.calls.lock().unwrap().len(), 1);
        assert!(world.messages(&url).is_empty());
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
