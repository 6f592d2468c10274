//! `andon redrive run`: records back through their functions.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use lambda_function::clock::SystemClock;

use super::held::Held;
use super::kind::{Kind, function_of};
use super::lines_file::LinesFile;
use super::place::{Site, Where, is_of};
use super::progress;
use super::queue::Queue;
use super::redriver::{Options, Redriver};
use super::report::{PUT_RIGHT, Report};
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
    /// A message is deleted once all its records have come back, or are unreadable and safe in the file that --out names.
    /// Without --execute, the messages are hidden from others for a minute.
    #[arg(long, value_name = "URL", group = "which")]
    queue: Option<String>,
    /// With --queue, write what is unreadable into this new file, to be put right there
    ///
    /// It lies nowhere else but on the stream. `andon redrive run FILE` brings it back once it is put right.
    #[arg(long, value_name = "FILE", requires = "execute", conflicts_with_all = ["what", "all"])]
    out: Option<PathBuf>,
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
        // A name that is taken is refused before a message is received.
        let mut aside = self.out.as_deref().map(LinesFile::create).transpose()?;
        let mut report = Report::default();
        let bring_back = self.bring_back(&site, files, aside.as_mut(), &mut report);
        let done = bring_back.await;
        let aside = aside.and_then(LinesFile::finish);
        // What has come back is told even if the rest could not.
        let written = match self.json {
            true => report.write_json(out),
            false => report
                .write_text(out)
                .and_then(|()| self.write_more(&report, aside, out)),
        };
        // Whether they came back matters more than who has stopped reading.
        done.and_then(|()| report.verdict_with(&self.put_right()))
            .and(written)
    }

    /// What else there is to tell a person of a queue.
    fn write_more(
        &self,
        report: &Report,
        aside: Option<String>,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        if let Some(aside) = aside {
            writeln!(out, "{aside}")?;
        }
        if self.queue.is_some() && report.is_empty() {
            writeln!(
                out,
                "  what a run has received is hidden from the next one: for a minute, with --execute for a quarter of an hour"
            )?;
        }
        Ok(())
    }

    /// How what is unreadable is put right, by where it was found.
    fn put_right(&self) -> String {
        let is_file = |source: &Source| matches!(source, Source::File(_));
        match (&self.queue, &self.out) {
            (Some(_), Some(file)) => format!(
                "what is unreadable stands in {0}: edit it, then andon redrive run {0}",
                file.display()
            ),
            (Some(url), None) => format!(
                "what is unreadable can be put right in a file: in a quarter of an hour, when the queue gives the messages again, andon redrive run --queue {url} --execute --out FILE, edit, andon redrive run FILE"
            ),
            (None, _) if !self.all && self.what.iter().all(is_file) => {
                "what is unreadable can be put right in the file: edit, andon redrive run FILE (a batch that Lambda gave up is made into lines first: andon redrive show FILE --out LINES)".to_owned()
            }
            (None, _) => PUT_RIGHT.to_owned(),
        }
    }

    async fn bring_back(
        &self,
        site: &Site,
        files: Vec<Held>,
        aside: Option<&mut LinesFile>,
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
            let drain = redriver.drain(&queue, &streams, wanted, aside, report);
            return drain.await.map(drop);
        }
        // Keys that cannot be worked out are refused before anything has come back.
        let keys = self.keys(site).await?;
        redriver.bring_back(files, true, report).await?;
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
    use crate::redrive::lines;

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
        let queue = ["--queue", "https://sqs/x", "--out", "f"];
        check(&[&queue[..], &["--execute"]].concat(), true);
        check(&queue, false);
        check(&["--all", "--local", "--execute", "--out", "f"], false);
        check(&["parked/f/x", "--execute", "--out", "f"], false);
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

    /// Nothing answers at that endpoint: a function that is invoked would end the run in another way.
    #[tokio::test]
    async fn nothing_is_invoked_for_a_file_beside_a_key_without_its_bucket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.ndjson");
        std::fs::write(&path, lines::write(&[parked(1)]).unwrap()).unwrap();
        let (path, nowhere) = (path.to_str().unwrap(), "http://127.0.0.1:1");
        let aws = ["--region", "us-east-1", "--endpoint-url", nowhere];
        let start = ["run", path, "parked/f/x", "--execute"];
        let run = Line::try_parse_from(start.iter().chain(&aws)).unwrap().run;
        let mut out = Vec::new();
        let failure = run.run(&mut out).await.unwrap_err();
        assert!(
            failure.to_string().contains("--stack, --bucket or --local"),
            "{failure}"
        );
        assert_eq!(failure.exit_code(), 2);
        assert_eq!(out, b"nothing to bring back\n");
    }

    #[test]
    fn the_cure_of_what_is_unreadable_is_one_that_applies() {
        for (arguments, expected) in [
            (
                &["--queue", "u", "--execute", "--out", "x.ndjson"][..],
                "edit it, then andon redrive run x.ndjson",
            ),
            (
                &["--queue", "u", "--execute"],
                "andon redrive run --queue u --execute --out FILE, edit",
            ),
            (&["fixed.ndjson"], "edit, andon redrive run FILE"),
            (&["parked/f/x"], "andon redrive show KEY --out FILE"),
            (&["--all"], "andon redrive show KEY --out FILE"),
        ] {
            let line = Line::try_parse_from(["run"].iter().chain(arguments));
            let cure = line.unwrap().run.put_right();
            assert!(cure.contains(expected), "{arguments:?}: {cure}");
        }
    }
}
