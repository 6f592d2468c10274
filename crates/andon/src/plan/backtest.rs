//! `andon plan backtest`: recorded readings judged by a plan, with the code that the functions run.

mod summary;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::load;
use crate::failure::Failure;
use crate::input::Input;
use summary::Summary;

/// Judge recorded readings by a plan, as the functions would
///
/// Ends well even when rules fire: that is what a backtest is for.
#[derive(Args, Clone, Debug)]
pub struct Backtest {
    /// The control plan
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// Readings, one JSON object a line; `-` reads stdin
    #[arg(long, value_name = "FILE|-")]
    readings: Input,
    /// Print one quality event a line, as the stream would carry them, instead of the summary
    #[arg(long)]
    json: bool,
}

impl Backtest {
    /// Judges every line; `notes` takes what is not the result.
    pub fn run(self, out: &mut impl Write, notes: &mut impl Write) -> Result<(), Failure> {
        let plan = load(&self.plan)?;
        let lines = self.readings.lines()?;
        let bar = progress(self.readings.size());
        let mut judged = judgement::Backtest::new(&plan, self.readings.name());
        let mut summary = Summary::new(&plan);
        for line in lines {
            let line = line?;
            bar.inc(line.read);
            if line.bytes.trim_ascii().is_empty() {
                summary.blank();
                continue;
            }
            // What is no reading is in the tally.
            for event in judged.line(line.number, &line.bytes).unwrap_or_default() {
                summary.count(&event);
                if self.json {
                    out.write_all(&event.to_json())?;
                    out.write_all(b"\n")?;
                }
            }
        }
        bar.finish_and_clear();
        summary.close(judged.tally());
        if self.json {
            summary.write_skipped(notes)?
        } else {
            summary.write(out)?
        }
        Ok(())
    }
}

/// A bar on a terminal, nothing elsewhere.
fn progress(bytes: Option<u64>) -> ProgressBar {
    let (bar, template) = match bytes {
        Some(bytes) => (
            ProgressBar::new(bytes),
            "{bar:40} {bytes}/{total_bytes}, {eta} left",
        ),
        None => (ProgressBar::no_length(), "{spinner} {bytes}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use quality_event::{QualityEvent, Transition};

    use super::*;

    const PLAN: &str = "version: 1
reading: {machine: /machine, time: /time}
characteristics:
  torque: {at: /torque, unit: Nm}
  speed: {at: /speed, unit: rpm}
rules:
  - id: too-tight
    when: torque > 60.0
    severity: critical
    reaction: stop-line
  - id: too-fast
    when: speed > 2000.0
";

    const READINGS: &str = r#"{"machine":"a","time":"2026-11-20T00:00:00Z","torque":61.0}
{"machine":"a","time":"2026-11-20T00:00:01Z","torque":62.0}
not json
{"machine":"b","time":"2026-11-20T00:00:02Z","torque":63.0,"speed":1500}

{"machine":"a","time":"2026-11-20T00:00:03Z","torque":40.0}
{"time":"2026-11-20T00:00:04Z","torque":40.0}
"#;

    fn run(plan: &str, readings: &str, json: bool) -> Result<(String, String), Failure> {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let backtest = Backtest {
            plan: file("plan.yaml", plan),
            readings: file("readings.ndjson", readings).into(),
            json,
        };
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        backtest.run(&mut out, &mut notes)?;
        let text = |bytes| {
            String::from_utf8(bytes)
                .unwrap()
                .replace(&dir.path().display().to_string(), "")
        };
        Ok((text(out), text(notes)))
    }

    #[test]
    fn the_table_counts_by_rule() {
        let (out, notes) = run(PLAN, READINGS, false).unwrap();
        assert_eq!(notes, "");
        assert_eq!(
            out,
            "\
rule       reaction   episodes  readings    share  n/a  machines  first                     last
too-tight  stop-line         2         3  75.00 %    0         2  2026-11-20T00:00:00.000Z  2026-11-20T00:00:02.000Z
too-fast   notify            0         0   0.00 %    3         0  -                         -

4 readings judged
3 lines skipped: 1 blank, 1 no-machine, 1 not-json
"
        );
    }

    #[test]
    fn json_gives_events_alone() {
        let (out, notes) = run(PLAN, READINGS, true).unwrap();
        assert_eq!(
            notes,
            "3 lines skipped: 1 blank, 1 no-machine, 1 not-json\n"
        );
        let events: Vec<QualityEvent> = out
            .lines()
            .map(|line| QualityEvent::from_json(line.as_bytes()).unwrap())
            .collect();
        let transitions: Vec<Option<Transition>> =
            events.iter().map(QualityEvent::transition).collect();
        assert_eq!(
            transitions,
            [
                Transition::Opened,
                Transition::Ongoing,
                Transition::Opened,
                Transition::Cleared
            ]
            .map(Some)
        );
        assert!(
            out.lines()
                .last()
                .unwrap()
                .contains(r#""source":{"file":"/readings.ndjson","line":6}"#),
            "{out}"
        );
    }

    #[test]
    fn no_readings_make_an_empty_table() {
        let (out, _) = run(PLAN, "", false).unwrap();
        assert!(out.ends_with("\n0 readings judged\n"), "{out}");
    }

    #[test]
    fn a_faulty_plan_is_bad_input() {
        let failure = run(&PLAN.replace("torque >", "torqe >"), READINGS, false).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert!(failure.to_string().contains("torqe"), "{failure}");
    }
}
