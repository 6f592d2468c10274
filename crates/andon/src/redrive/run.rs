//! `andon redrive run`: records back through their functions.

use std::io::Write;

use clap::Args;
use lambda_function::clock::SystemClock;

use super::held::Held;
use super::kind::{Kind, function_of};
use super::place::{Site, Where, is_of};
use super::progress;
use super::queue::Queue;
use super::redriver::{Options, Redriver};
use super::report::Report;
use super::source::{Source, read_file};
use crate::failure::Failure;

/// Bring records back through the functions that set them aside or failed on them
///
/// Without --execute nothing is invoked: the command says what would be. Readings come back late: rules that need no
/// other reading judge them, their events wake nobody and stop no line. Ids derive from the records, so that bringing them
/// back twice changes nothing. Nothing is deleted from the bucket; what became of the records is noted beside it.
#[derive(Args, Clone, Debug)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(false))]
pub struct Run {
    /// Objects' keys, or files as `andon redrive show` writes them
    #[arg(value_name = "KEY|FILE", group = "which")]
    what: Vec<Source>,
    /// Everything that is set aside
    #[arg(long, group = "which")]
    all: bool,
    /// What the messages of this failure queue point to, as long as the stream still has it
    ///
    /// A message is deleted once all its records have come back. Without --execute, the messages are hidden from others
    /// for a minute.
    #[arg(long, value_name = "URL", group = "which")]
    queue: Option<String>,
    /// With --all, only this kind; may be given several times
    #[arg(long, value_enum, value_name = "KIND", conflicts_with_all = ["what", "queue"])]
    kind: Vec<Kind>,
    /// Invoke the functions
    #[arg(long)]
    execute: bool,
    /// Also what has come back before
    #[arg(long)]
    again: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

impl Run {
    /// Brings the records back and tells what became of each.
    pub async fn run(self, out: &mut impl Write) -> Result<(), Failure> {
        // A faulty file needs no AWS to be refused.
        let files = self.files()?;
        let site = self.place.find().await?;
        let mut report = Report::default();
        let done = self.bring_back(&site, files, &mut report).await;
        // What has come back is told even if the rest could not.
        let written = match self.json {
            true => report.write_json(out),
            false => report.write_text(out).and_then(|()| match self.queue {
                Some(_) if report.is_empty() => Ok(writeln!(
                    out,
                    "  what a run has received is hidden from the next one: for a minute, with --execute for a quarter of an hour"
                )?),
                _ => Ok(()),
            }),
        };
        // Whether they came back matters more than who has stopped reading.
        done.and_then(|()| report.verdict()).and(written)
    }

    async fn bring_back(
        &self,
        site: &Site,
        files: Vec<Held>,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let redriver = Redriver {
            bucket: site.known_bucket(),
            functions: &site.functions,
            invoker: &site.invoker,
            clock: &SystemClock,
            options: Options {
                execute: self.execute,
                again: self.again,
            },
        };
        if let Some(url) = &self.queue {
            let queue = Queue::new(aws_sdk_sqs::Client::new(&site.sdk), url);
            let streams = aws_sdk_kinesis::Client::new(&site.sdk);
            let wanted = |function: &str| self.is_wanted(Some(function));
            redriver.queue(&queue, &streams, wanted, report).await?;
            return Ok(());
        }
        redriver.bring_back(files, true, report).await?;
        let keys = self.keys(site).await?;
        if keys.is_empty() {
            return Ok(());
        }
        let bar = progress("objects", keys.len() as u64);
        let wanted = |held: &Held| self.is_wanted(held.function.as_deref());
        let each = |objects| bar.inc(objects);
        let done = redriver.keys(&keys, self.all, wanted, report, each).await;
        bar.finish_and_clear();
        done
    }

    /// The records of the files, each with the function that takes it.
    fn files(&self) -> Result<Vec<Held>, Failure> {
        let mut files = Vec::new();
        for source in &self.what {
            if let Source::File(path) = source {
                files.extend(read_file(path)?);
            }
        }
        for held in &mut files {
            if held.function.is_none() {
                held.function.clone_from(&self.place.function);
            }
            if held.function.is_none() {
                return Err(Failure::input(format_args!(
                    "{} does not say which function takes it",
                    held.read_from
                ))
                .cure("give --function"));
            }
        }
        files.retain(|held| self.is_wanted(held.function.as_deref()));
        Ok(files)
    }

    async fn keys(&self, site: &Site) -> Result<Vec<String>, Failure> {
        let mut keys = Vec::new();
        for source in &self.what {
            if let Source::Key(key) = source {
                site.bucket()?;
                keys.push(key.clone());
            }
        }
        if self.all {
            let kinds = match self.kind.is_empty() {
                true => &Kind::ALL[..],
                false => &self.kind,
            };
            for kind in kinds {
                let of_kind = site.bucket()?.keys(*kind).await?;
                // A failed batch's object is read before it is known whose it is.
                let is_wanted =
                    |key: &String| *kind == Kind::Failed || self.is_wanted(function_of(key));
                keys.extend(of_kind.into_iter().filter(is_wanted));
            }
        }
        Ok(keys)
    }

    fn is_wanted(&self, function: Option<&str>) -> bool {
        match (&self.place.function, function) {
            (None, _) => true,
            (Some(wanted), Some(function)) => is_of(wanted, function),
            (Some(_), None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::redrive::held::tests::parked;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        run: Run,
    }

    #[track_caller]
    fn check(arguments: &[&str], valid: bool) {
        let parsed = Line::try_parse_from(["run"].iter().chain(arguments));
        assert_eq!(parsed.is_ok(), valid, "{arguments:?}: {parsed:?}");
    }

    #[test]
    fn something_is_brought_back_from_somewhere() {
        check(&["parked/f/x", "fixed.ndjson", "--stack", "andon"], true);
        check(
            &[
                "--all",
                "--kind",
                "parked",
                "--kind",
                "failed",
                "--bucket",
                "b",
                "--function",
                "f",
            ],
            true,
        );
        check(&["--all", "--stack", "andon", "--bucket", "older"], true);
        check(&["--all", "--local"], true);
        check(&["--all", "--local", "--region", "eu-central-1"], false);
        check(&["--queue", "https://sqs/x", "--stack", "andon"], true);
        check(&["--all", "--local", "--execute", "--again"], true);
        check(&[], false);
        check(&["--all", "parked/f/x"], false);
        check(&["--all", "--queue", "https://sqs/x"], false);
        check(&["--all", "--local", "--stack", "andon"], false);
        check(&["parked/f/x", "--kind", "parked"], false);
        check(&["--all", "--kind", "judged"], false);
    }

    fn files(arguments: &[&str]) -> Result<Vec<Held>, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.ndjson");
        std::fs::write(&path, set_aside::encode(&[parked(1).record]).unwrap()).unwrap();
        let start = ["run", path.to_str().unwrap()];
        let line = Line::try_parse_from(start.iter().chain(arguments));
        line.unwrap().run.files()
    }

    #[test]
    fn a_file_that_names_no_function_needs_one() {
        let failure = files(&[]).unwrap_err();
        assert!(
            failure.to_string().ends_with("give --function"),
            "{failure}"
        );
        assert_eq!(failure.exit_code(), 2);
        let held = files(&["--function", "sns-alerter"]).unwrap();
        assert_eq!(held[0].function.as_deref(), Some("sns-alerter"));
    }

    #[tokio::test]
    async fn a_key_needs_its_bucket() {
        let run = Line::try_parse_from(["run", "parked/f/x", "--region", "us-east-1"]);
        let failure = run.unwrap().run.run(&mut Vec::new()).await.unwrap_err();
        assert!(
            failure.to_string().contains("--stack, --bucket or --local"),
            "{failure}"
        );
        assert_eq!(failure.exit_code(), 2);
    }
}
