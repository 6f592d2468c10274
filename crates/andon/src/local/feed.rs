//! Lines onto their stream, by the producer of `andon produce`.

use tokio::sync::mpsc;

use crate::aws::CURE;
use crate::failure::Failure;
use crate::input::Input;
use crate::produce::{
    Keyed, KinesisStream, MAX_RECORD_BYTES, Options, Packing, ProduceError, PutError, Report, run,
};

/// Lines read ahead of the producer.
const AHEAD: usize = 2_000;

/// Puts every line of `readings` under the key that `key` gives it, and tells of each call's result.
pub async fn feed(
    client: aws_sdk_kinesis::Client,
    stream: &str,
    readings: &Input,
    key: impl Fn(Vec<u8>) -> Keyed + Send + 'static,
    rate: Option<f64>,
    progress: impl FnMut(&Report),
) -> Result<Report, Failure> {
    let lines = keyed(readings, key)?;
    let options = Options {
        packing: Packing::Plain,
        rate,
        strict_order: false,
    };
    match run(
        &KinesisStream::new(client, stream),
        &options,
        lines,
        progress,
    )
    .await
    {
        Ok(report) if report.too_large > 0 => Err(Failure::input(format_args!(
            "{} lines of {} are too large for a record",
            report.too_large,
            readings.name()
        ))
        .cure(format_args!(
            "a line and its key may have {MAX_RECORD_BYTES} bytes"
        ))),
        Ok(report) => Ok(report),
        Err(ProduceError::Input { failure, .. }) => Err(failure),
        Err(ProduceError::Stream { error, .. }) => {
            let failure = Failure::check(format_args!("cannot put records on stream {stream}"));
            let unreachable = matches!(error, PutError::Transient(_));
            let failure = failure.caused_by(error);
            Err(if unreachable {
                failure.cure(CURE)
            } else {
                failure
            })
        }
    }
}

/// How many lines there are; unknown of stdin.
pub fn count(readings: &Input) -> Result<Option<u64>, Failure> {
    match readings.name().as_str() {
        "-" => Ok(None),
        _ => Ok(Some(readings.lines()?.count() as u64)),
    }
}

/// Reads and keys the lines in a thread of its own.
fn keyed(
    readings: &Input,
    key: impl Fn(Vec<u8>) -> Keyed + Send + 'static,
) -> Result<mpsc::Receiver<Result<Keyed, Failure>>, Failure> {
    let lines = readings.lines()?;
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        for line in lines {
            let end = line.is_err();
            let line = line.map(|line| key(line.bytes));
            // A closed channel: the producer has stopped.
            if sender.blocking_send(line).is_err() || end {
                return;
            }
        }
    });
    Ok(receiver)
}
