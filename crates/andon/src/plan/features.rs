//! `andon plan features`: recorded readings as the rows that the plan's model is asked about, for whoever trains it. The
//! code that makes them is the code that asks: a model is trained on what it will see.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::load;
use crate::failure::Failure;
use crate::input::Input;
use crate::readings::Format;

/// Print the model's features of recorded readings, as CSV
///
/// The columns `reading` (the line, from 1), `machine` and `time` (UTC, RFC 3339) come first, then the plan's features in
/// their order. Lines that are no readings and readings that lack a feature are left out and counted.
#[derive(Args, Clone, Debug)]
pub struct Features {
    /// The control plan
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// Recorded readings; `-` reads stdin
    #[arg(long, value_name = "FILE|-")]
    readings: Input,
    #[command(flatten)]
    format: Format,
}

impl Features {
    /// Prints a row for every reading that has one; `notes` takes what is left out.
    pub fn run(self, out: &mut impl Write, notes: &mut impl Write) -> Result<(), Failure> {
        let plan = load(&self.plan)?;
        let Some(model) = plan.model() else {
            return Err(
                Failure::input(format_args!("{} has no model", self.plan.display()))
                    .cure("declare its features in the section `model`"),
            );
        };
        let mut readings = self.format.open(&self.readings, &plan)?;
        let mut rows = csv::Writer::from_writer(out);
        let mut header = vec!["reading".to_owned(), "machine".into(), "time".into()];
        header.extend(model.columns());
        rows.write_record(&header).map_err(unwritten)?;
        let (mut unreadable, mut incomplete) = (0_u64, 0_u64);
        let mut row = Vec::new();
        for record in readings.by_ref() {
            let record = record?;
            let Some(reading) = record
                .payload
                .ok()
                .and_then(|payload| plan.read(&payload).ok())
            else {
                unreadable += 1;
                continue;
            };
            row.clear();
            if plan.features(model, &reading, &mut row).is_err() {
                incomplete += 1;
                continue;
            }
            let first = [
                record.number.to_string(),
                reading.machine.to_string(),
                reading.time.to_string(),
            ];
            let fields = first
                .into_iter()
                .chain(row.iter().map(|value| value.to_string()));
            rows.write_record(fields).map_err(unwritten)?;
        }
        rows.flush()?;
        for note in readings.notes() {
            writeln!(notes, "{note}")?;
        }
        if unreadable + incomplete > 0 {
            writeln!(
                notes,
                "left out: {unreadable} lines that are no readings, {incomplete} readings that lack a feature"
            )?;
        }
        Ok(())
    }
}

/// The cause as it was: of a reader that had enough, too, which is no failure.
fn unwritten(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader that has gone.
    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_had_enough_is_no_failure() {
        let project = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let features = Features {
            plan: format!("{project}/infra/plans/press-line.yaml").into(),
            readings: format!("{project}/events/readings/shift.ndjson").into(),
            format: Format::default(),
        };
        let failure = features.run(&mut Gone, &mut Vec::new()).unwrap_err();
        assert_eq!(failure.exit_code(), 0, "{failure}");
    }
}
