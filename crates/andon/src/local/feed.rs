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
    let lines = keyed(readings, key);
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
            readings.called()
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

/// How many lines there are; unknown of what can be read once only, stdin or a pipe. Blocks until all are read.
pub fn count(readings: &Input) -> Result<Option<u64>, Failure> {
    if !readings.can_be_reread()? {
        return Ok(None);
    }
    readings
        .lines()?
        .try_fold(0, |count, line| line.map(|_| count + 1))
        .map(Some)
}

/// Input without a single line: nothing would be judged, and every check of nothing would hold. `what` is the option that
/// names it.
pub fn nothing(input: &Input, what: &str) -> Failure {
    Failure::input(format_args!("{} holds no {what}", input.called())).cure(format_args!(
        "give --{what} a file with one on each line, or leave it out for the recorded ones"
    ))
}

/// Opens, reads and keys the lines in a thread of its own: a pipe is waited for until somebody writes to it.
fn keyed(
    readings: &Input,
    key: impl Fn(Vec<u8>) -> Keyed + Send + 'static,
) -> mpsc::Receiver<Result<Keyed, Failure>> {
    let readings = readings.clone();
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let lines = match readings.lines() {
            Ok(lines) => lines,
            Err(failure) => {
                // A closed channel: the producer has stopped.
                let _ = sender.blocking_send(Err(failure));
                return;
            }
        };
        for line in lines {
            let end = line.is_err();
            let line = line.map(|line| key(line.bytes));
            // Closed here, too.
            if sender.blocking_send(line).is_err() || end {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use crate::produce::Keying;

    use super::*;

    fn input(path: &std::path::Path) -> Input {
        Input::from(path.to_path_buf())
    }

    #[test]
    fn lines_are_counted_in_a_file_and_in_nothing_that_can_be_read_once_only() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one\n\nthree").unwrap();
        assert_eq!(count(&input(file.path())).unwrap(), Some(3));
        for stream in ["-", "/dev/null"] {
            assert_eq!(count(&Input::from(stream.to_owned())).unwrap(), None);
        }
    }

    #[test]
    fn a_folder_is_not_counted_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let failure = count(&input(folder.path())).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert!(failure.to_string().starts_with("cannot read "), "{failure}");
    }

    #[test]
    fn input_that_holds_nothing_is_refused_by_its_option() {
        let failure = nothing(&Input::from("-".to_owned()), "readings");
        assert_eq!(failure.exit_code(), 2);
        let text = failure.to_string();
        assert!(text.starts_with("stdin holds no readings\n"), "{text}");
        assert!(text.contains("--readings"), "{text}");
    }

    #[tokio::test]
    async fn what_cannot_be_opened_is_told_where_the_lines_are_waited_for() {
        let keying: Keying = "/machine".parse().unwrap();
        let missing = Input::from("no/such/file".to_owned());
        let mut lines = keyed(&missing, move |line| keying.key(line));
        let failure = lines.recv().await.unwrap().err().unwrap();
        assert_eq!(failure.exit_code(), 2, "{failure}");
        assert!(lines.recv().await.is_none());
    }
}
