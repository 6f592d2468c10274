//! `andon redrive list`: what lies aside, one line an object.

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use futures_util::{StreamExt, stream};
use quality_event::Timestamp;
use serde::Serialize;

use super::bucket::Bucket;
use super::held::Held;
use super::kind::{Kind, function_of};
use super::place::{Where, is_of};
use super::progress;
use super::receipt::Receipt;
use super::redriver::{CONCURRENT_READS, first_line};
use super::report::{plural, table};
use crate::failure::Failure;

/// What was set aside or failed, one line an object
///
/// Records within aggregates are counted one by one. What became of records that were brought back stands beside them. An
/// object that cannot be made out is listed whatever its function may be, with its fault; the exit code is 1 then.
#[derive(Args, Clone, Debug)]
pub struct List {
    #[command(flatten)]
    place: Where,
    /// Only this kind; may be given several times
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Vec<Kind>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    kind: Kind,
    function: Option<String>,
    records: usize,
    reasons: BTreeMap<String, usize>,
    /// When the first record arrived at its stream.
    arrived: Option<Timestamp>,
    key: String,
    redriven: Option<Receipt>,
    /// Why the object cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

impl List {
    /// Lists the objects.
    pub async fn run(self, out: &mut impl Write) -> Result<(), Failure> {
        let site = self.place.find().await?;
        let bucket = site.bucket()?;
        let kinds = match self.kind.is_empty() {
            true => &Kind::ALL[..],
            false => &self.kind,
        };
        let wanted = |function: Option<&str>| match (&self.place.function, function) {
            (Some(wanted), Some(function)) => is_of(wanted, function),
            (Some(_), None) => false,
            (None, _) => true,
        };
        let entries = entries(bucket, kinds, wanted).await?;
        let written = match self.json {
            true => write_json(&entries, out),
            false => write_text(&entries, out),
        };
        // Whether everything can be read matters more than who has stopped reading.
        verdict(&entries).and(written)
    }
}

/// Fails if an object cannot be made out.
fn verdict(entries: &[Entry]) -> Result<(), Failure> {
    match entries.iter().filter(|entry| entry.fault.is_some()).count() {
        0 => Ok(()),
        count => Err(Failure::check(format_args!(
            "{count} {} cannot be read",
            plural(count, "object")
        ))
        .cure("the list tells why; what is downloaded and put right can be brought back: andon redrive run FILE")),
    }
}

/// The objects of these kinds whose functions are `wanted`, and those of which nobody can tell whose they are.
pub async fn entries(
    bucket: &Bucket,
    kinds: &[Kind],
    wanted: impl Fn(Option<&str>) -> bool,
) -> Result<Vec<Entry>, Failure> {
    let mut keys = Vec::new();
    for kind in kinds {
        let of_kind = bucket.keys(*kind).await?;
        let of_kind = of_kind.into_iter().map(|key| (*kind, key));
        keys.extend(
            of_kind.filter(|(kind, key)| *kind == Kind::Failed || wanted(function_of(key))),
        );
    }
    let redriven = bucket.redriven().await?;
    let bar = progress("objects", keys.len() as u64);
    let read = keys.into_iter().map(|(kind, key)| {
        let has_receipt = redriven.contains(&key);
        async move {
            let held = bucket.read(&key).await;
            let receipt = match has_receipt {
                true => bucket.receipt(&key).await?,
                false => None,
            };
            Ok::<_, Failure>((kind, key, held, receipt))
        }
    });
    let mut read = stream::iter(read).buffered(CONCURRENT_READS);
    let mut entries = Vec::new();
    let (mut refused, mut was_any_got) = (None, false);
    while let Some(one) = read.next().await {
        bar.inc(1);
        let (kind, key, held, receipt) = one?;
        was_any_got |= held.as_ref().err().is_none_or(Failure::is_input);
        let held = held.map_err(|failure| {
            let fault = first_line(&failure);
            if !failure.is_input() {
                refused.get_or_insert(failure);
            }
            fault
        });
        let entry = Entry::of(kind, key, held, receipt);
        if entry.fault.is_some() || wanted(entry.function.as_deref()) {
            entries.push(entry);
        }
    }
    bar.finish_and_clear();
    match refused {
        // A permission, a key or the network is missing: no object's fault.
        Some(failure) if !was_any_got => Err(failure),
        _ => Ok(entries),
    }
}

impl Entry {
    fn of(
        kind: Kind,
        key: String,
        held: Result<Vec<Held>, String>,
        redriven: Option<Receipt>,
    ) -> Self {
        let (held, fault) = match held {
            Ok(held) => (held, None),
            Err(fault) => (Vec::new(), Some(fault)),
        };
        let function = match held.first() {
            Some(first) => first.function.clone(),
            None => function_of(&key).map(str::to_owned),
        };
        let arrived = held.iter().filter_map(|one| one.record.arrived).min();
        let (mut records, mut reasons) = (0, BTreeMap::new());
        for one in held {
            let reason = one.record.reason.clone();
            let within = one.ready().map_or(1, |ready| ready.user_records.max(1));
            records += within;
            *reasons.entry(reason).or_default() += within;
        }
        Self {
            kind,
            function,
            records,
            reasons,
            arrived,
            key,
            redriven,
            fault,
        }
    }

    fn row(&self) -> [String; 7] {
        let reasons = self
            .reasons
            .iter()
            .map(|(reason, count)| format!("{count} {reason}"));
        [
            self.kind.as_str().to_owned(),
            self.function.clone().unwrap_or_else(|| "-".to_owned()),
            self.records.to_string(),
            match &self.fault {
                Some(_) => "cannot be read".to_owned(),
                None => reasons.collect::<Vec<_>>().join(", "),
            },
            self.arrived
                .map_or_else(|| "-".to_owned(), |arrived| arrived.to_string()),
            self.redriven
                .as_ref()
                .map_or_else(|| "-".to_owned(), Receipt::summary),
            self.key.clone(),
        ]
    }
}

/// One JSON object.
pub fn write_json(entries: &[Entry], out: &mut impl Write) -> Result<(), Failure> {
    let json = serde_json::json!({"objects": entries});
    serde_json::to_writer(&mut *out, &json).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}

/// A table and a sum.
pub fn write_text(entries: &[Entry], out: &mut impl Write) -> Result<(), Failure> {
    if entries.is_empty() {
        return Ok(writeln!(out, "nothing is set aside")?);
    }
    let header = [
        "kind",
        "function",
        "records",
        "reasons",
        "first arrival",
        "brought back",
        "key",
    ];
    let rows: Vec<_> = entries.iter().map(Entry::row).collect();
    table(out, &header.map(str::to_owned), &rows)?;
    let records = entries.iter().map(|entry| entry.records).sum::<usize>();
    writeln!(
        out,
        "\n{records} {} in {} {}",
        plural(records, "record"),
        entries.len(),
        plural(entries.len(), "object")
    )?;
    for entry in entries {
        if let Some(fault) = &entry.fault {
            writeln!(out, "{fault}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use fake_aws::{Effect, Fault, Service, When, World};
    use set_aside::encode;

    use super::*;
    use crate::aws::s3;
    use crate::redrive::held::tests::parked;
    use crate::redrive::invocation_record::tests::documented;
    use crate::redrive::outcome::{Became, Told};

    const PARKED: &str = "parked/andon-quality-evaluator/2026/11/20/a.ndjson";

    fn bucket() -> (World, Bucket) {
        let world = World::default();
        world.create_bucket("set-aside");
        let records = [parked(1).record, parked(2).record];
        world.put_object("set-aside", PARKED, encode(&records).unwrap());
        let mut failed = documented();
        failed["payload"] = serde_json::json!("{\"Records\":[7,8,9]}");
        world.put_object("set-aside", "aws/lambda/m/s/x", failed.to_string());
        let bucket = Bucket::new(s3(&world.sdk_config()), "set-aside");
        (world, bucket)
    }

    async fn text(bucket: &Bucket) -> String {
        let entries = entries(bucket, &Kind::ALL, |_| true).await.unwrap();
        let mut out = Vec::new();
        write_text(&entries, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[tokio::test]
    async fn one_line_an_object() {
        let (world, bucket) = bucket();
        let now = Timestamp::from_millis(0).unwrap();
        let mut receipt = Receipt::new(PARKED, now);
        receipt.take_up(&[Told::of(&parked(1), "f", Became::Judged, None)], now);
        bucket.keep(&receipt).await.unwrap();
        assert_eq!(
            text(&bucket).await,
            "kind    function                 records  reasons                   first arrival             brought back  key\n\
             parked  andon-quality-evaluator  2        2 commit                  2026-11-20T01:02:03.610Z  1 judged      parked/andon-quality-evaluator/2026/11/20/a.ndjson\n\
             failed  andon-quality-evaluator  3        3 RetryAttemptsExhausted  -                         -             aws/lambda/m/s/x\n\
             \n\
             5 records in 2 objects\n"
        );
        world.put_object("set-aside", "quarantine/f/bad.ndjson", "junk\n");
        let text = text(&bucket).await;
        assert!(
            text.contains("cannot be read")
                && text.contains("quarantine/f/bad.ndjson:1: not a record"),
            "{text}"
        );
    }

    /// Nobody can tell whose it is: it is listed for every function, and the list does not end well.
    #[tokio::test]
    async fn an_object_that_cannot_be_made_out_is_not_passed_over() {
        let (world, bucket) = bucket();
        let whole = entries(&bucket, &Kind::ALL, |_| true).await.unwrap();
        verdict(&whole).unwrap();
        world.put_object("set-aside", "aws/lambda/m/s/y", "junk");
        let of_nobody = |function: Option<&str>| function == Some("f");
        let entries = entries(&bucket, &Kind::ALL, of_nobody).await.unwrap();
        assert_eq!(
            (entries.len(), &entries[0].key[..]),
            (1, "aws/lambda/m/s/y")
        );
        let failure = verdict(&entries).unwrap_err();
        assert!(
            failure.to_string().starts_with("1 object cannot be read\n"),
            "{failure}"
        );
        assert_eq!(failure.exit_code(), 1);
        let mut out = Vec::new();
        write_json(&entries, &mut out).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let fault = json["objects"][0]["fault"].as_str().unwrap();
        assert!(
            fault.starts_with("aws/lambda/m/s/y: not a record"),
            "{fault}"
        );
    }

    #[tokio::test]
    async fn what_is_not_the_objects_fault_ends_the_list() {
        for effect in [Effect::AccessDenied, Effect::Throttled, Effect::DropBefore] {
            let (world, bucket) = bucket();
            world.fault(Fault::new(Service::S3, "GetObject").then(effect));
            let failure = entries(&bucket, &Kind::ALL, |_| true).await.unwrap_err();
            assert!(
                failure.to_string().starts_with("cannot read parked/"),
                "{failure}"
            );
            assert_eq!(failure.exit_code(), 1);
        }
        // One that alone cannot be had, under another key or in an archive, keeps nobody from the others.
        let (world, bucket) = bucket();
        let parked = When::mentions(PARKED);
        world.fault(
            Fault::new(Service::S3, "GetObject")
                .when(parked)
                .then(Effect::AccessDenied),
        );
        let entries = entries(&bucket, &Kind::ALL, |_| true).await.unwrap();
        let faults: Vec<_> = entries.iter().map(|entry| entry.fault.is_some()).collect();
        assert_eq!(faults, [true, false]);
        verdict(&entries).unwrap_err();
    }

    #[tokio::test]
    async fn kinds_and_functions_are_chosen() {
        let (_world, bucket) = bucket();
        let parked = entries(&bucket, &[Kind::Parked], |_| true).await.unwrap();
        assert_eq!(parked.len(), 1);
        let nobody = entries(&bucket, &Kind::ALL, |function| function == Some("f"));
        assert_eq!(nobody.await.unwrap(), []);
        let mut out = Vec::new();
        write_text(&[], &mut out).unwrap();
        assert_eq!(out, b"nothing is set aside\n");
    }

    #[tokio::test]
    async fn json_is_one_object() {
        let (_world, bucket) = bucket();
        let entries = entries(&bucket, &[Kind::Parked], |_| true).await.unwrap();
        let mut out = Vec::new();
        write_json(&entries, &mut out).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(
            json["objects"][0],
            serde_json::json!({
                "kind": "parked", "function": "andon-quality-evaluator", "records": 2, "reasons": {"commit": 2},
                "arrived": "2026-11-20T01:02:03.610Z", "key": PARKED, "redriven": null,
            })
        );
    }
}
