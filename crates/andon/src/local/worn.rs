//! What a press line's run is fed with: a recorded shift, in which no press fails, and then a shift of other presses whose
//! bearings wear until they seize, of which is known when.
//!
//! The second is the shift that the model card tells of and that nothing was fitted or chosen on: what the model is worth
//! in a run can be held against what the card says.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use quality_event::Timestamp;
use serde::Deserialize;

use super::figures::Figures;
use crate::failure::Failure;
use crate::input::{Input, unreadable};
use crate::simulate::run::{Run, Settings};
use crate::simulate::scenario::Scenario;

/// When machines failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// The machines that it tells of begin with this.
    pub machines: String,
    /// The number of the last part before each failure, among the machine's own, from 1.
    pub failures: BTreeMap<String, Vec<u64>>,
    /// Whether it is the shift of the model card.
    pub of_card: bool,
}

/// What the presses that wear are called, and their lines.
const PRESSES: &str = "worn-";
const LINES: &str = "W";
/// The recorded shift begins then, too.
const START: &str = "2026-11-20T00:00:00Z";

/// A failure, as `andon simulate --truth` writes it.
#[derive(Deserialize)]
struct Breakdown {
    machine: String,
    part: u64,
}

impl Truth {
    /// What a file tells, of every machine of the run.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, error))?;
        let mut truth = Self::default();
        for (number, line) in text.lines().enumerate() {
            let failure: Breakdown = serde_json::from_str(line).map_err(|error| {
                Failure::input(format_args!("{}, line {}", path.display(), number + 1))
                    .caused_by(error)
                    .cure("give what `andon simulate --truth FILE` writes")
            })?;
            truth.add(failure.machine, failure.part);
        }
        Ok(truth)
    }

    fn add(&mut self, machine: String, part: u64) {
        self.failures.entry(machine).or_default().push(part);
    }
}

/// Writes the readings of `recorded`, and after them those of the card's shift, to `path`.
pub fn after(recorded: &Input, path: &Path) -> Result<Truth, Failure> {
    let cannot = |error: io::Error| {
        Failure::check(format_args!("cannot write {}", path.display()))
            .caused_by(error)
            .cure("check that the target folder can be written, then run again")
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(cannot)?;
    }
    // Beside it and moved: whoever still reads the last one reads it to its end.
    let written = path.with_extension("new");
    let mut file = BufWriter::new(File::create(&written).map_err(cannot)?);
    for line in recorded.lines()? {
        file.write_all(&line?.bytes).map_err(cannot)?;
        file.write_all(b"\n").map_err(cannot)?;
    }
    let mut run = shift()?;
    for payload in run.by_ref() {
        file.write_all(&payload).map_err(cannot)?;
        file.write_all(b"\n").map_err(cannot)?;
    }
    file.flush().map_err(cannot)?;
    std::fs::rename(&written, path).map_err(cannot)?;
    let mut truth = Truth {
        machines: PRESSES.to_owned(),
        of_card: true,
        ..Truth::default()
    };
    for breakdown in run.breakdowns() {
        truth.add(breakdown.machine.clone(), breakdown.part);
    }
    Ok(truth)
}

fn shift() -> Result<Run, Failure> {
    let figures = Figures::of_card()?;
    let start: Timestamp = START.parse().map_err(Failure::check)?;
    Run::new(Settings {
        machines: figures.shift.machines,
        readings: figures.shift.machines * figures.shift.parts,
        seed: figures.shift.seed,
        scenario: Scenario::Wear,
        start,
        rate: figures.shift.machines as f64 / figures.cycle_s,
        machine_prefix: PRESSES.to_owned(),
        line_prefix: LINES.to_owned(),
    })
    .map_err(Failure::check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cards_shift_comes_after_what_was_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let (recorded, path) = (folder.path().join("one"), folder.path().join("new/all"));
        std::fs::write(&recorded, "first\n").unwrap();
        let truth = after(&Input::from(recorded), &path).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines.len(), lines[0]), (6_001, "first"));
        assert!(lines[1..].iter().all(|line| line.contains("worn-0")));
        assert!(truth.of_card);
        let failures: usize = truth.failures.values().map(Vec::len).sum();
        assert!(failures >= 6, "{truth:?}");
    }

    #[test]
    fn a_truth_is_read_as_the_simulator_writes_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("truth");
        let line = r#"{"machine":"press-01","time":"2026-11-20T01:00:00.000Z","part":101,"failure":"bearing"}"#;
        std::fs::write(&path, format!("{line}\n")).unwrap();
        let truth = Truth::read(&path).unwrap();
        assert_eq!(truth.failures["press-01"], [101]);
        assert!(!truth.of_card);
        std::fs::write(&path, "no\n").unwrap();
        assert_eq!(Truth::read(&path).unwrap_err().exit_code(), 2);
    }
}
