//! `andon plan backtest`: recorded readings judged by a plan, with the code that the functions run.

mod captions;
mod sheets;
mod summary;
mod text;
mod watch;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::load;
use crate::failure::Failure;
use crate::input::Input;
use crate::readings::Format;
use sheets::Sheets;
use summary::Summary;
use watch::Watch;

/// Judge recorded readings by a plan, as the functions would
///
/// Ends well even when rules fire: that is what a backtest is for.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = SUMMARY_HELP)]
pub struct Backtest {
    /// The control plan
    #[arg(long, value_name = "FILE")]
    plan: PathBuf,
    /// Recorded readings; `-` reads stdin
    #[arg(long, value_name = "FILE|-")]
    readings: Input,
    /// Print one quality event a line, as the stream would carry them, instead of the summary
    #[arg(long)]
    json: bool,
    /// Write the summary as JSON to this file too
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
    /// Draw the charts: SVG on A4 sheets, and index.html that shows them all
    ///
    /// For each chart rule and machine a control chart (RULE--MACHINE.svg), for each specification rule a histogram
    /// with its capability (RULE.svg), and the Pareto of rules (pareto.svg). Files of the same name are replaced.
    #[arg(long, value_name = "DIR")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

const SUMMARY_HELP: &str = "\
What --summary writes (times RFC 3339, shares from 0 to 1, null where there is nothing to tell):
  {\"plan\": {\"file\", \"hash\"},
   \"readings\": {\"file\", \"judged\", \"skipped\": {REASON: LINES}, \"duplicates\"},
   \"rules\": [{\"rule\", \"kind\", \"severity\", \"reaction\", \"episodes\", \"readings\", \"share\", \"not_applicable\",
              \"longest_ms\", \"machines\", \"first\", \"last\"}],                      in the order of the plan
   \"pareto\": [{\"rule\", \"episodes\", \"share\", \"cumulative\"}],                  most episodes first
   \"capability\": [{\"rule\", \"machine\" (null: all), \"n\", \"mean\", \"sigma\", \"pp\", \"ppk\", \"cp\", \"cpk\"}],
   \"learning\": [{\"rule\", \"machine\", \"seen\", \"wanted\"}]}                      charts still in phase I";

impl Backtest {
    /// Judges every line; `notes` takes what is not the result.
    pub fn run(self, out: &mut impl Write, notes: &mut impl Write) -> Result<(), Failure> {
        let plan = load(&self.plan)?;
        let plan_file = self.plan.display().to_string();
        if let Some(path) = &self.summary {
            writable(path)?;
        }
        let mut readings = self.format.open(&self.readings, &plan)?;
        let sheets = self
            .plot
            .as_deref()
            .map(|dir| Sheets::new(&plan, plan_file.clone(), dir));
        let mut watch = Watch::new(&plan, sheets.transpose()?);
        let mut summary = Summary::new(&plan, plan_file, self.readings.name());
        let mut judged = judgement::Backtest::new(&plan, self.readings.name());
        let bar = progress(self.readings.size());
        let mut written = Ok(());
        for record in readings.by_ref() {
            let record = record?;
            bar.inc(record.read);
            let payload = match record.payload {
                Ok(payload) => payload,
                Err(reason) => {
                    summary.skip(reason);
                    continue;
                }
            };
            // What is no reading is in the tally.
            let before = judged.tally().readings;
            let events = judged.line_observed(record.number, &payload, &mut watch);
            if judged.tally().readings > before
                && let Some(sheets) = &mut watch.sheets
                && let Ok(reading) = plan.read(&payload)
            {
                sheets.reading(&reading);
            }
            for event in events.unwrap_or_default() {
                summary.count(&event);
                if let Some(sheets) = &mut watch.sheets {
                    sheets.event(&event);
                }
                if self.json && written.is_ok() {
                    written = out
                        .write_all(&event.to_json())
                        .and_then(|()| out.write_all(b"\n"));
                    // Summary and pictures are of the whole run, however much of it is read.
                    if written.is_err() && self.summary.is_none() && self.plot.is_none() {
                        return Ok(written?);
                    }
                }
            }
        }
        bar.finish_and_clear();
        summary.close(judged.tally(), &judged.capabilities(), watch.learning());
        // Files first: whoever has closed stdout or stderr gets them all the same, and one that fails costs no other.
        let summarised = match &self.summary {
            Some(path) => write_summary(&summary, path),
            None => Ok(()),
        };
        let drawn = match (watch.sheets, &self.plot) {
            (Some(sheets), Some(dir)) => sheets
                .finish(&summary)
                .map(|pictures| Some((pictures, dir.join("index.html")))),
            _ => Ok(None),
        };
        let mut told = || -> std::io::Result<()> {
            for note in readings.notes() {
                writeln!(notes, "{note}")?;
            }
            if self.json {
                text::write_notes(&summary, notes)?;
            }
            if let Ok(Some((pictures, page))) = &drawn {
                writeln!(notes, "{pictures} pictures: {}", page.display())?;
            }
            Ok(())
        };
        let told = told();
        if !self.json {
            written = text::write(&summary, out);
        }
        summarised?;
        drawn?;
        told?;
        Ok(written?)
    }
}

/// A file that cannot be written is told before the work, not after it. What is tried is not left behind; a pipe is not
/// tried, for whoever reads it would take that for all.
fn writable(path: &Path) -> Result<(), Failure> {
    let found = std::fs::metadata(path);
    if found
        .as_ref()
        .is_ok_and(|found| !found.is_file() && !found.is_dir())
    {
        return Ok(());
    }
    let opened = OpenOptions::new().append(true).create(true).open(path);
    opened.map_err(|error| {
        Failure::input(format_args!("cannot write {}", path.display())).caused_by(error)
    })?;
    if found.is_err() {
        // Left behind, it would be written over.
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}

fn write_summary(summary: &Summary, path: &Path) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(summary).map_err(std::io::Error::from)?;
    std::fs::write(path, json + "\n").map_err(|error| {
        Failure::check(format_args!("cannot write {}", path.display())).caused_by(error)
    })
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
            summary: None,
            plot: None,
            format: Format::default(),
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
    fn the_summary_is_of_the_whole_run_however_much_of_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let summary = |out: &mut dyn Write| {
            let path = dir.path().join("summary.json");
            let backtest = Backtest {
                plan: file("plan.yaml", PLAN),
                readings: file("readings.ndjson", READINGS).into(),
                json: true,
                summary: Some(path.clone()),
                plot: None,
                format: Format::default(),
            };
            let mut out = out;
            let done = backtest.run(&mut out, &mut Vec::new());
            (done, std::fs::read_to_string(path).unwrap())
        };
        let (done, whole) = summary(&mut Vec::new());
        done.unwrap();
        std::fs::remove_file(dir.path().join("summary.json")).unwrap();
        let (done, cut) = summary(&mut crate::failure::tests::Head(10));
        assert_eq!(done.unwrap_err().exit_code(), 0);
        assert_eq!(cut, whole);
    }

    #[test]
    fn a_summary_that_cannot_be_written_is_told_before_the_work() {
        let dir = tempfile::tempdir().unwrap();
        let plan = dir.path().join("plan.yaml");
        std::fs::write(&plan, PLAN).unwrap();
        let failure = |summary: &str| {
            let backtest = Backtest {
                plan: plan.clone(),
                readings: dir.path().join("not-there.ndjson").into(),
                json: false,
                summary: Some(dir.path().join(summary)),
                plot: None,
                format: Format::default(),
            };
            let failure = backtest.run(&mut Vec::new(), &mut Vec::new()).unwrap_err();
            assert_eq!(failure.exit_code(), 2);
            failure.to_string()
        };
        let refused = failure("no-such-folder/summary.json");
        assert!(refused.contains("summary.json"), "{refused}");
        let missing = failure("summary.json");
        assert!(missing.contains("not-there.ndjson"), "{missing}");
        assert!(!dir.path().join("summary.json").exists());
    }

    #[test]
    fn the_table_counts_by_rule() {
        let (out, notes) = run(PLAN, READINGS, false).unwrap();
        assert_eq!(notes, "");
        assert_eq!(
            out,
            "\
rule       reaction   episodes  readings    share  n/a  machines  longest  first                     last
too-tight  stop-line         2         3  75.00 %    0         2      3 s  2026-11-20T00:00:00.000Z  2026-11-20T00:00:02.000Z
too-fast   notify            0         0   0.00 %    3         0        -  -                         -

pareto     episodes    share  cumulative
too-tight         2  100.0 %     100.0 %  ##############################

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
    fn the_summary_has_its_documented_shape() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let rules = "  - {id: torque-limits, specification: {characteristic: torque, upper: 70.0}}
  - {id: drift, chart: {type: individuals, characteristic: torque, learn: 10}}
";
        let backtest = Backtest {
            plan: file("plan.yaml", &format!("{PLAN}{rules}")),
            readings: file("readings.ndjson", READINGS).into(),
            json: false,
            summary: Some(dir.path().join("summary.json")),
            plot: None,
            format: Format::default(),
        };
        let mut out = Vec::new();
        backtest.run(&mut out, &mut Vec::new()).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\ncapability "), "{text}");
        assert!(
            text.ends_with("drift is still learning: a (3 of 10), b (1 of 10)\n"),
            "{text}"
        );
        let written = std::fs::read(dir.path().join("summary.json")).unwrap();
        let summary: serde_json::Value = serde_json::from_slice(&written).unwrap();
        fn keys(value: &serde_json::Value) -> Vec<&String> {
            value.as_object().unwrap().keys().collect()
        }
        assert_eq!(
            keys(&summary),
            [
                "capability",
                "learning",
                "pareto",
                "plan",
                "readings",
                "rules"
            ]
        );
        // The help names every key, and no key but those.
        for part in [
            &summary["plan"],
            &summary["readings"],
            &summary["rules"][0],
            &summary["pareto"][0],
            &summary["capability"][0],
            &summary["learning"][0],
        ] {
            for key in keys(part) {
                assert!(SUMMARY_HELP.contains(&format!("\"{key}\"")), "{key}");
            }
        }
        assert_eq!(summary["rules"][0]["longest_ms"], 3_000);
        assert_eq!(summary["rules"][1]["longest_ms"], serde_json::Value::Null);
        assert_eq!(summary["learning"][0]["seen"], 3);
        assert_eq!(summary["capability"][0]["machine"], serde_json::Value::Null);
        assert_eq!(summary["capability"][0]["n"], 4);
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
