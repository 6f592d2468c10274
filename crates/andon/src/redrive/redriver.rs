//! Brings records back: leaves out what came back before, invokes the functions, notes what became of each record.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use lambda_function::clock::Clock;
use quality_event::Timestamp;

use super::bucket::Bucket;
use super::calls::{body, cut};
use super::held::{Held, Ready};
use super::invoker::{Invoker, NoAnswer};
use super::kind::function_of;
use super::outcome::{Became, Told, failed, told};
use super::place::Functions;
use super::receipt::Receipt;
use super::report::{Call, Report};
use crate::failure::Failure;

/// Everything that a run needs.
pub struct Redriver<'a, I> {
    /// Where receipts are kept; none: nowhere.
    pub bucket: Option<&'a Bucket>,
    /// The functions that take records back.
    pub functions: &'a Functions,
    /// Who invokes them.
    pub invoker: &'a I,
    /// Dates the receipts.
    pub clock: &'a dyn Clock,
    /// What is done.
    pub options: Options,
}

/// How far a run goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether functions are invoked; else it is only told what would be.
    pub execute: bool,
    /// Whether what came back before is brought back again.
    pub again: bool,
}

/// Objects that are read at once.
pub const CONCURRENT_READS: usize = 16;

impl<I: Invoker> Redriver<'_, I> {
    /// Brings back the records of objects. `each` hears how many objects are done. With `all`, an object that cannot be
    /// made out has failed like a record, and the others come back.
    pub async fn keys(
        &self,
        keys: &[String],
        all: bool,
        wanted: impl Fn(&Held) -> bool,
        report: &mut Report,
        mut each: impl FnMut(u64),
    ) -> Result<(), Failure> {
        let Some(bucket) = self.bucket else {
            return Err(Failure::input("a key says nothing without its bucket"));
        };
        for keys in keys.chunks(CONCURRENT_READS) {
            let read: Vec<_> = stream::iter(keys.iter().map(|key| bucket.read(key)))
                .buffered(CONCURRENT_READS)
                .collect()
                .await;
            let mut held = Vec::new();
            for (key, read) in keys.iter().zip(read) {
                match read {
                    Ok(records) => held.extend(records.into_iter().filter(&wanted)),
                    Err(failure) if all && failure.is_input() => {
                        let function = function_of(key).map(str::to_owned);
                        let reason = first_line(&failure);
                        report
                            .records
                            .push(Told::lost(Became::Failed, function, key, reason));
                    }
                    Err(failure) => return Err(failure),
                }
            }
            self.bring_back(held, false, report).await?;
            each(keys.len() as u64);
        }
        Ok(())
    }

    /// Brings back records. `edited`: they were put right in a file, so that what was unreadable before is tried.
    pub async fn bring_back(
        &self,
        held: Vec<Held>,
        edited: bool,
        report: &mut Report,
    ) -> Result<(), Failure> {
        report.executed |= self.options.execute;
        let mut receipts = self.receipts(&held).await?;
        let mut functions: BTreeMap<String, Vec<Ready>> = BTreeMap::new();
        let mut unfit = Vec::new();
        for one in held {
            if let Some(outcome) = self.left_out(&one, edited, &receipts) {
                *report.left_out.entry(outcome).or_default() += 1;
                continue;
            }
            let name = one.function.clone();
            let resolved = match &name {
                Some(name) => self.functions.resolve(name),
                None => Err("it is not said which function takes it".to_owned()),
            };
            let told = |held: &Held, reason| {
                let told = Told::of(held, "", Became::Failed, Some(reason));
                let function = name.clone();
                Told { function, ..told }
            };
            match resolved {
                Err(reason) => unfit.push(told(&one, reason)),
                Ok(function) => match one.clone().ready() {
                    Ok(ready) => functions.entry(function).or_default().push(ready),
                    Err(error) => unfit.push(told(&one, error.to_string())),
                },
            }
        }
        report.records.extend(unfit);
        let calls: Vec<(&str, &[Ready])> = functions
            .iter()
            .flat_map(|(function, records)| {
                let calls = cut(records).into_iter();
                calls.map(move |call| (function.as_str(), call))
            })
            .collect();
        for (index, (function, call)) in calls.iter().enumerate() {
            let (body, rest) = (body(call), &calls[index + 1..]);
            let made = Call {
                function: (*function).to_owned(),
                records: call.len(),
                bytes: body.len(),
            };
            if !self.options.execute {
                report.calls.push(made);
                continue;
            }
            let told = match self.call(function, call, body).await {
                Ok(told) => told,
                Err(failure) => {
                    let told = failed(call, function, &first_line(&failure));
                    report.records.extend(told);
                    report.records.extend(untried(rest, &failure));
                    return Err(failure);
                }
            };
            report.calls.push(made);
            // Told of even where the receipt cannot be written: they have come back.
            report.records.extend(told.clone());
            if let Err(failure) = self.note(&told, &mut receipts).await {
                report.records.extend(untried(rest, &failure));
                return Err(failure);
            }
        }
        Ok(())
    }

    /// What became of a call's records; fails where no function can be invoked.
    async fn call(
        &self,
        function: &str,
        call: &[Ready],
        body: Vec<u8>,
    ) -> Result<Vec<Told>, Failure> {
        match self.invoker.invoke(function, body).await {
            Ok(answer) => Ok(told(call, function, &answer)),
            Err(NoAnswer::Failed(reason)) => Ok(failed(call, function, &reason)),
            Err(NoAnswer::Unreachable(failure)) => Err(failure),
        }
    }

    /// What became of the record before, if it is not to come back again.
    fn left_out(
        &self,
        held: &Held,
        edited: bool,
        receipts: &BTreeMap<String, Receipt>,
    ) -> Option<Became> {
        let origin = held.origin.as_ref().filter(|_| !self.options.again)?;
        let outcome = receipts.get(&origin.key)?.outcome(origin.line)?;
        let is_settled = outcome.is_good() || (outcome == Became::Unreadable && !edited);
        is_settled.then_some(outcome)
    }

    /// The receipts of the objects that the records come from.
    async fn receipts(&self, held: &[Held]) -> Result<BTreeMap<String, Receipt>, Failure> {
        let Some(bucket) = self.bucket else {
            return Ok(BTreeMap::new());
        };
        let keys: BTreeSet<&str> = held
            .iter()
            .filter_map(|one| Some(one.origin.as_ref()?.key.as_str()))
            .collect();
        let found = stream::iter(keys.into_iter().map(|key| bucket.receipt(key)))
            .buffer_unordered(CONCURRENT_READS)
            .try_collect::<Vec<_>>()
            .await?;
        Ok(found
            .into_iter()
            .flatten()
            .map(|receipt| (receipt.key.clone(), receipt))
            .collect())
    }

    /// Notes what became of a call's records, object by object.
    async fn note(
        &self,
        told: &[Told],
        receipts: &mut BTreeMap<String, Receipt>,
    ) -> Result<(), Failure> {
        let Some(bucket) = self.bucket else {
            return Ok(());
        };
        let now_ms = self.clock.now_ms();
        let now = Timestamp::from_millis(now_ms)
            .map_err(|error| Failure::check("the clock is wrong").caused_by(error))?;
        let keys: BTreeSet<&str> = told
            .iter()
            .filter_map(|one| Some(one.origin.as_ref()?.key.as_str()))
            .collect();
        for key in keys {
            let receipt = receipts
                .entry(key.to_owned())
                .or_insert_with(|| Receipt::new(key, now));
            receipt.take_up(told, now);
            bucket.keep(receipt).await?;
        }
        Ok(())
    }
}

/// Records of calls that are not made any more, since `failure` ends the run.
fn untried(calls: &[(&str, &[Ready])], failure: &Failure) -> Vec<Told> {
    let reason = format!("not tried: {}", first_line(failure));
    let told = |(function, call): &(&str, &[Ready])| failed(call, function, &reason);
    calls.iter().flat_map(told).collect()
}

/// What is wrong, without what helps.
pub fn first_line(failure: &Failure) -> String {
    let text = failure.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex;

    use fake_aws::{Effect, Fault, Service, World};
    use kinesis_batch::Batch;
    use lambda_function::clock::FixedClock;
    use serde_json::{Value, json};
    use set_aside::encode;

    use super::*;
    use crate::aws::s3;
    use crate::redrive::held::tests::parked;

    pub(crate) const KEY: &str = "parked/andon-quality-evaluator/2026/11/20/a.ndjson";

    /// Says of every record what it is told to say, and remembers the sequence numbers of each call.
    #[derive(Debug)]
    pub(crate) struct Scripted {
        outcome: Mutex<&'static str>,
        pub(crate) calls: Mutex<Vec<Vec<String>>>,
    }

    impl Scripted {
        pub(crate) fn new(outcome: &'static str) -> Self {
            Self {
                outcome: Mutex::new(outcome),
                calls: Mutex::default(),
            }
        }

        pub(crate) fn say(&self, outcome: &'static str) {
            *self.outcome.lock().unwrap() = outcome;
        }

        fn numbers(&self) -> Vec<Vec<String>> {
            std::mem::take(&mut *self.calls.lock().unwrap())
        }
    }

    impl Invoker for Scripted {
        async fn invoke(&self, _: &str, body: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
            let mut buffer = Vec::new();
            let batch = Batch::decode(&body, &mut buffer).unwrap();
            assert!(batch.is_redrive());
            let numbers: Vec<String> = batch
                .user_records()
                .map(|record| record.sequence_number.to_owned())
                .collect();
            let outcome = *self.outcome.lock().unwrap();
            if outcome == "crash" {
                return Err(NoAnswer::Failed("the function failed: crash".to_owned()));
            }
            let redriven: Vec<Value> = (0..batch.len())
                .map(|record| json!({"record": record, "sequenceNumber": numbers.get(record), "outcome": outcome}))
                .collect();
            self.calls.lock().unwrap().push(numbers);
            Ok(json!({"batchItemFailures": [], "redriven": redriven})
                .to_string()
                .into_bytes())
        }
    }

    /// A bucket with an object of two parked records.
    pub(crate) fn bucket() -> (World, Bucket) {
        let world = World::default();
        world.create_bucket("set-aside");
        let records = [parked(1).record, parked(2).record];
        world.put_object("set-aside", KEY, encode(&records).unwrap());
        let bucket = Bucket::new(s3(&world.sdk_config()), "set-aside");
        (world, bucket)
    }

    pub(crate) const EXECUTE: Options = Options {
        execute: true,
        again: false,
    };

    async fn run(bucket: &Bucket, invoker: &Scripted, options: Options, edited: bool) -> Report {
        let redriver = Redriver {
            bucket: Some(bucket),
            functions: &Functions::AsNamed,
            invoker,
            clock: &FixedClock::at(1_795_136_400_000),
            options,
        };
        let mut report = Report::default();
        let done = if edited {
            let held = bucket.read(KEY).await.unwrap();
            redriver.bring_back(held, true, &mut report).await
        } else {
            let keys = [KEY.to_owned()];
            redriver
                .keys(&keys, false, |_| true, &mut report, |_| {})
                .await
        };
        done.unwrap();
        report
    }

    #[tokio::test]
    async fn a_dry_run_invokes_and_writes_nothing() {
        let (world, bucket) = bucket();
        let invoker = Scripted::new("judged");
        let before = world.objects("set-aside");
        let report = run(&bucket, &invoker, Options::default(), false).await;
        assert_eq!((report.calls.len(), report.calls[0].records), (1, 2));
        assert!(!report.executed && report.records.is_empty());
        assert!(invoker.numbers().is_empty());
        assert_eq!(world.objects("set-aside"), before);
    }

    #[tokio::test]
    async fn what_came_back_is_left_out_unless_asked_for() {
        let (world, bucket) = bucket();
        let invoker = Scripted::new("judged");
        let report = run(&bucket, &invoker, EXECUTE, false).await;
        assert_eq!(report.sum(), [(Became::Judged, 2)].into());
        assert_eq!(invoker.numbers(), [["4951", "4952"]]);
        let receipt = bucket.receipt(KEY).await.unwrap().unwrap();
        assert_eq!(receipt.summary(), "2 judged");
        assert_eq!(receipt.time.to_string(), "2026-11-20T01:00:00.000Z");
        let report = run(&bucket, &invoker, EXECUTE, false).await;
        assert_eq!(report.left_out, [(Became::Judged, 2)].into());
        assert!(report.calls.is_empty() && invoker.numbers().is_empty());
        let again = Options {
            again: true,
            ..EXECUTE
        };
        let report = run(&bucket, &invoker, again, false).await;
        assert_eq!(report.sum(), [(Became::Judged, 2)].into());
        assert!(
            world.objects("set-aside").contains_key(KEY),
            "nothing is deleted"
        );
    }

    #[tokio::test]
    async fn what_failed_is_tried_again_and_what_is_unreadable_when_it_was_edited() {
        let (_world, bucket) = bucket();
        let invoker = Scripted::new("crash");
        let report = run(&bucket, &invoker, EXECUTE, false).await;
        assert_eq!(report.sum(), [(Became::Failed, 2)].into());
        assert_eq!(
            report.records[0].reason.as_deref(),
            Some("the function failed: crash")
        );
        invoker.say("unreadable");
        let report = run(&bucket, &invoker, EXECUTE, false).await;
        assert_eq!(report.sum(), [(Became::Unreadable, 2)].into());
        let report = run(&bucket, &invoker, EXECUTE, false).await;
        assert_eq!(report.left_out, [(Became::Unreadable, 2)].into());
        invoker.say("judged");
        let report = run(&bucket, &invoker, EXECUTE, true).await;
        assert_eq!(report.sum(), [(Became::Judged, 2)].into());
        let report = run(&bucket, &invoker, EXECUTE, true).await;
        assert_eq!(report.left_out, [(Became::Judged, 2)].into());
    }

    #[tokio::test]
    async fn what_cannot_be_sent_is_told_and_the_rest_comes_back() {
        let (_world, bucket) = bucket();
        let invoker = Scripted::new("done");
        let redriver = Redriver {
            bucket: Some(&bucket),
            functions: &Functions::AsNamed,
            invoker: &invoker,
            clock: &FixedClock::at(0),
            options: EXECUTE,
        };
        let (mut unfit, mut nobodys) = (parked(1), parked(2));
        unfit.record.shard = None;
        nobodys.function = None;
        let mut report = Report::default();
        let held = vec![unfit, nobodys, parked(3)];
        redriver.bring_back(held, false, &mut report).await.unwrap();
        let told: Vec<_> = report
            .records
            .iter()
            .map(|told| (told.outcome, told.reason.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                (Became::Failed, Some("it lacks `shard`")),
                (
                    Became::Failed,
                    Some("it is not said which function takes it")
                ),
                (Became::Done, None),
            ]
        );
    }

    /// Answers one call; then the network is gone.
    struct Once(Scripted);

    impl Invoker for Once {
        async fn invoke(&self, function: &str, body: Vec<u8>) -> Result<Vec<u8>, NoAnswer> {
            let is_first = self.0.calls.lock().unwrap().is_empty();
            if is_first {
                return self.0.invoke(function, body).await;
            }
            let failure = Failure::check(format_args!("cannot invoke {function}"));
            Err(NoAnswer::Unreachable(failure.cure("check the network")))
        }
    }

    #[tokio::test]
    async fn where_nothing_can_be_invoked_any_more_every_record_is_told_of() {
        let (_world, bucket) = bucket();
        let invoker = Once(Scripted::new("judged"));
        let redriver = Redriver {
            bucket: Some(&bucket),
            functions: &Functions::AsNamed,
            invoker: &invoker,
            clock: &FixedClock::at(0),
            options: EXECUTE,
        };
        let of = |line, function: &str| Held {
            function: Some(function.to_owned()),
            ..parked(line)
        };
        let held = vec![of(1, "a"), of(2, "b"), of(3, "c"), of(4, "c")];
        let mut report = Report::default();
        let done = redriver.bring_back(held, false, &mut report).await;
        let failure = done.unwrap_err().to_string();
        assert_eq!(failure, "cannot invoke b\n  check the network");
        let calls: Vec<_> = report.calls.iter().map(|call| &call.function[..]).collect();
        assert_eq!(calls, ["a"]);
        let told: Vec<_> = report
            .records
            .iter()
            .map(|told| (told.function.as_deref().unwrap(), told.outcome))
            .collect();
        assert_eq!(
            told,
            [
                ("a", Became::Judged),
                ("b", Became::Failed),
                ("c", Became::Failed),
                ("c", Became::Failed),
            ]
        );
        let reasons = [1, 3].map(|told| report.records[told].reason.as_deref());
        let expected = ["cannot invoke b", "not tried: cannot invoke b"];
        assert_eq!(reasons, expected.map(Some));
        let receipt = bucket.receipt(KEY).await.unwrap().unwrap();
        assert_eq!(receipt.summary(), "1 judged");
    }

    #[tokio::test]
    async fn what_came_back_is_told_where_its_receipt_cannot_be_written() {
        let (world, bucket) = bucket();
        let denied = Fault::new(Service::S3, "PutObject").then(Effect::AccessDenied);
        let denied = world.fault(denied);
        let invoker = Scripted::new("judged");
        let redriver = Redriver {
            bucket: Some(&bucket),
            functions: &Functions::AsNamed,
            invoker: &invoker,
            clock: &FixedClock::at(0),
            options: EXECUTE,
        };
        let mut report = Report::default();
        let keys = [KEY.to_owned()];
        let all = redriver.keys(&keys, true, |_| true, &mut report, |_| {});
        assert!(all.await.is_err());
        assert!(denied.fired() > 0);
        assert_eq!(report.sum(), [(Became::Judged, 2)].into());
    }

    #[tokio::test]
    async fn an_object_that_cannot_be_made_out_holds_up_no_other() {
        let (world, bucket) = bucket();
        world.put_object("set-aside", "parked/f/bad.ndjson", "junk\n");
        let invoker = Scripted::new("judged");
        let redriver = Redriver {
            bucket: Some(&bucket),
            functions: &Functions::AsNamed,
            invoker: &invoker,
            clock: &FixedClock::at(0),
            options: EXECUTE,
        };
        let keys = ["parked/f/bad.ndjson", KEY].map(str::to_owned);
        let mut report = Report::default();
        let all = redriver.keys(&keys, true, |_| true, &mut report, |_| {});
        all.await.unwrap();
        assert_eq!(
            report.sum(),
            [(Became::Judged, 2), (Became::Failed, 1)].into()
        );
        let named = redriver.keys(&keys, false, |_| true, &mut report, |_| {});
        assert_eq!(named.await.unwrap_err().exit_code(), 2);
    }
}
