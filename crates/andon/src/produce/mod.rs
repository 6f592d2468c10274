//! `andon produce`: lines to a Kinesis stream, in order per partition key, until every one is accepted.
//!
//! [`run`] is the producer itself; the command and the local pipeline both drive it.

mod keying;
mod pace;
mod pack;
mod producer;
mod queue;
mod spool;
mod stream;

use std::io::{IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::aws::{AwsOptions, CURE};
use crate::failure::Failure;
use crate::input::Input;
use crate::simulate::rate;

pub use keying::{Keyed, Keying};
pub use pace::Pace;
pub use pack::Packing;
pub use producer::{Options, ProduceError, Report, feed, run};

pub use queue::{Entry, MAX_CALL_BYTES, MAX_CALL_ENTRIES, MAX_RECORD_BYTES, Queue};
use spool::{News, Spooled};
pub use stream::{KinesisStream, PutError, Rejection, Stream};

/// Readings to a Kinesis stream
///
/// Each line is one reading and goes as it is, whatever it holds: what is damaged shows in the pipeline, not here. A
/// line in which no machine is found is keyed by its hash. What the stream rejects is put again until it is accepted;
/// meanwhile later records of the same key wait.
#[derive(Args, Clone, Debug)]
pub struct Produce {
    /// The stream's name or ARN
    #[arg(long, value_name = "NAME")]
    stream: String,
    /// Pack readings into aggregated records, as the Kinesis Producer Library does
    ///
    /// An aggregate holds readings of one partition key, so that it lies on the very shard on which each of them
    /// would lie: consumers that drop user records from other shards find nothing to drop, and no map of
    /// the shards can grow old.
    #[arg(long)]
    aggregate: bool,
    /// The most bytes in one aggregated record
    #[arg(
        long,
        value_name = "BYTES",
        default_value = "51200",
        requires = "aggregate"
    )]
    aggregate_bytes: NonZeroUsize,
    /// At most so many readings a second [default: as fast as the stream takes them]
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// Where a reading names its partition key: a JSON pointer
    #[arg(long, value_name = "POINTER", default_value = "/machine")]
    partition_key: Keying,
    /// One record of a key per call, so that a partial rejection can never let a later record overtake; slower
    #[arg(long)]
    strict_order: bool,
    /// Keep readings in this folder until the stream has accepted them
    ///
    /// For a gateway whose network fails: readings are taken in meanwhile, and what a process leaves behind the next one
    /// with the same folder puts. Each of them reaches the stream at least once.
    #[arg(long, value_name = "DIR", conflicts_with = "rate")]
    spool: Option<PathBuf>,
    /// The most that the spool may hold; then nothing is taken in until there is room
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = 1 << 30,
        value_parser = clap::value_parser!(u64).range(spool::MIN_BYTES..),
        requires = "spool"
    )]
    spool_bytes: u64,
    /// Print how many lines are safe on the disk, as soon as more of them are: whoever sends them may forget those
    #[arg(long, requires = "spool")]
    acknowledge: bool,
    /// Print the counts as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    aws: AwsOptions,
    /// Readings, one a line; `-` reads stdin
    #[arg(value_name = "FILE|-", default_value = "-")]
    readings: Input,
}

impl Produce {
    /// Puts every line and writes the counts.
    pub async fn run(self, out: &mut impl Write) -> Result<(), Failure> {
        let sdk = self.aws.load().await;
        let stream = KinesisStream::new(aws_sdk_kinesis::Client::new(&sdk), &self.stream);
        let options = Options {
            packing: if self.aggregate {
                Packing::ByKey {
                    max_bytes: self.aggregate_bytes.get(),
                }
            } else {
                Packing::Plain
            },
            rate: self.rate,
            strict_order: self.strict_order,
        };
        if let Some(dir) = &self.spool {
            return self.spooled(dir.clone(), &stream, &options, out).await;
        }
        let lines = feed(&self.readings, self.partition_key.clone())?;
        let bar = progress();
        let done = run(&stream, &options, lines, |report| {
            bar.set_message(format!(
                "{} readings in {} records",
                report.readings, report.records
            ));
            bar.tick();
        })
        .await;
        bar.finish_and_clear();
        match done {
            Ok(report) => {
                let written = self.write(&report, out);
                let fit = all_fit(&report, || {
                    format!("a line and its key may have {MAX_RECORD_BYTES} bytes")
                });
                fit.and(written)
            }
            // The failure is told whether anybody reads the counts or not.
            Err(ProduceError::Stream { error, report }) => {
                self.write(&report, out).ok();
                let failure =
                    Failure::check(format_args!("cannot put records on stream {}", self.stream));
                let unreachable = matches!(error, PutError::Transient(_));
                let failure = failure.caused_by(error);
                Err(if unreachable {
                    failure.cure(CURE)
                } else {
                    failure
                })
            }
            Err(ProduceError::Input { failure, report }) => {
                self.write(&report, out).ok();
                Err(failure)
            }
        }
    }

    async fn spooled(
        &self,
        dir: PathBuf,
        stream: &KinesisStream,
        options: &Options,
        out: &mut impl Write,
    ) -> Result<(), Failure> {
        let spooled = Spooled {
            dir,
            max_bytes: self.spool_bytes,
        };
        let mut broken = None;
        let news = |news| match news {
            News::Kept(lines) if self.acknowledge => {
                let written = writeln!(out, "{lines}").and_then(|()| out.flush());
                broken = broken.take().or(written.err());
            }
            News::Kept(_) => {}
            News::OutOfReach(error) => tell(format_args!(
                "stream {} takes nothing, readings stay in {}: {error}",
                self.stream,
                spooled.dir.display()
            )),
            News::Back => tell(format_args!("stream {} takes readings again", self.stream)),
        };
        let lines = self.readings.lines()?;
        let (report, done) =
            spool::run(stream, options, &spooled, &self.partition_key, lines, news).await;
        // Whether everything is on the stream matters more than who has stopped reading.
        let written = match broken {
            Some(error) => Err(error.into()),
            None => self.write(&report, out),
        };
        done?;
        let fit = all_fit(&report, || {
            format!(
                "they are in {}",
                spooled.dir.join("too-large.ndjson").display()
            )
        });
        fit.and(written)
    }

    fn write(&self, report: &Report, out: &mut impl Write) -> Result<(), Failure> {
        if self.json {
            serde_json::to_writer(&mut *out, report).map_err(std::io::Error::from)?;
            writeln!(out)?;
        } else {
            writeln!(
                out,
                "{} readings in {} records ({} bytes) on {} in {} calls; {} put again, {} overtaken, {} without a machine",
                report.readings,
                report.records,
                report.bytes,
                self.stream,
                report.calls,
                report.put_again,
                report.overtaken,
                report.without_key,
            )?;
        }
        Ok(())
    }
}

/// To stderr, where somebody may read it or not.
fn tell(news: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{news}");
}

/// Lines that fit no record are a failure, though the others were put.
fn all_fit(report: &Report, cure: impl FnOnce() -> String) -> Result<(), Failure> {
    match report.too_large {
        0 => Ok(()),
        lines => Err(Failure::check(format_args!(
            "{lines} lines are too large for a record and were not put"
        ))
        .cure(cure())),
    }
}

/// A counter on a terminal, nothing elsewhere.
fn progress() -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new_spinner()
    } else {
        ProgressBar::hidden()
    };
    match ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
