//! `andon simulate`: readings of a simulated line, as ndjson, reproducible bit by bit from the seed.

pub mod bearing;
pub mod model;
pub mod random;
pub mod reading;
pub mod run;
pub mod scenario;
pub mod truth;
pub mod walk;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use quality_event::Timestamp;

use crate::failure::Failure;
use run::{Run, Settings};
use scenario::Scenario;
use truth::TruthFile;

/// Readings of a simulated line, as ndjson
///
/// The line follows the model of the AI4I 2020 data set. The same arguments give the same bytes, on every platform.
/// Scenarios count machines from the first and wrap around where there are fewer. Times in `shift`: press-03
/// drifts from 01:30 to 03:45, press-06's torque is stuck from 03:00 to 03:30, press-05's is missing from 05:00 to
/// 05:15; damaged payloads, three each: press-01 at 00:45 (not JSON) and 06:45 (no object), press-02 at 02:15 (no machine),
/// press-04 at 03:45 (bad time), press-07 at 04:30 (truncated), press-08 at 06:00 (empty).
/// In `wear` every bearing wears after Gebraeel et al. (2005) until it seizes; `--truth` tells when.
#[derive(Args, Clone, Debug)]
pub struct Simulate {
    /// Machines; the first half stands on line 1, the rest on line 2
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    machines: u64,
    /// Readings in total, the machines taking turns [default: 6000 for `shift` and `wear`, otherwise 1000]
    #[arg(long, value_name = "N")]
    readings: Option<u64>,
    /// The seed of everything random
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// What goes wrong on the line
    #[arg(long, value_name = "NAME", value_enum, default_value_t)]
    scenario: Scenario,
    /// The first reading's time, RFC 3339
    #[arg(long, value_name = "TIME", default_value = "2026-11-20T00:00:00Z")]
    start: Timestamp,
    /// Readings per second of reading time, over all machines [default: each machine one a second, in `shift` and `wear` one every 36 s]
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// What machine names begin with
    #[arg(long, value_name = "TEXT", default_value = "press-")]
    machine_prefix: String,
    /// What line names begin with
    #[arg(long, value_name = "TEXT", default_value = "L")]
    line_prefix: String,
    /// Where to write what the readings do not tell: each failure of a machine, one JSON line each
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
}

impl Simulate {
    /// Writes the run, one reading a line, and what befell its machines where that is asked for.
    pub fn run(self, out: &mut impl Write) -> Result<(), Failure> {
        let truth = self.truth.clone();
        let mut run = Run::new(self.settings()).map_err(|error| {
            Failure::input(error)
                .cure("give an earlier --start, fewer --readings or a higher --rate")
        })?;
        // Before the readings, of which there may be many.
        let truth = truth.as_deref().map(TruthFile::create).transpose()?;
        let mut written = Ok(());
        for payload in run.by_ref() {
            if written.is_ok() {
                written = out.write_all(&payload).and_then(|()| out.write_all(b"\n"));
            }
            // The truth is of the whole run, however much of it is read.
            if written.is_err() && truth.is_none() {
                break;
            }
        }
        match truth {
            None => Ok(written?),
            Some(file) => file
                .write(run.breakdowns())
                .and(written.map_err(Failure::from)),
        }
    }

    fn settings(self) -> Settings {
        let default_rate = self.machines as f64 / self.scenario.default_cycle_s();
        Settings {
            machines: self.machines,
            readings: self
                .readings
                .unwrap_or_else(|| self.scenario.default_readings()),
            seed: self.seed,
            scenario: self.scenario,
            start: self.start,
            rate: self.rate.unwrap_or(default_rate),
            machine_prefix: self.machine_prefix,
            line_prefix: self.line_prefix,
        }
    }
}

/// A number of readings per second: finite and positive.
pub fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("a number above 0 is needed, such as 500 or 0.5".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::failure::tests::Head;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        simulate: Simulate,
    }

    #[test]
    fn the_truth_is_of_the_whole_run_however_much_of_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let truth = dir.path().join("truth.ndjson");
        let path = truth.display().to_string();
        let simulate = |out: &mut dyn Write| {
            let arguments = ["simulate", "--scenario", "wear", "--truth", &path];
            let line = Line::try_parse_from(arguments).unwrap();
            let mut out = out;
            line.simulate.run(&mut out)
        };
        simulate(&mut Vec::new()).unwrap();
        let whole = std::fs::read_to_string(&truth).unwrap();
        assert!(whole.lines().count() > 1, "{whole}");
        let ended = simulate(&mut Head(1_000)).unwrap_err();
        assert_eq!(ended.exit_code(), 0, "{ended}");
        assert_eq!(std::fs::read_to_string(&truth).unwrap(), whole);
    }
}
